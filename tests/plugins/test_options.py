"""Options of a function, read from texts, TOML values and Python values."""

import tomllib
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest

from vaeviz.errors import InputError, UnknownName
from vaeviz.plugins.options import (
    Option,
    describe_annotation,
    format_value,
    is_text_serializable,
    options_of,
    validate_settings,
)


def every_kind(
    data,
    *,
    flag: bool = False,
    count: int = 1,
    share: float = 0.5,
    word: str = "a",
    choice: Literal["one", "two"] = "one",
    level: Literal[1, 2] = 1,
    pair: tuple[int, int] | None = None,
    sizes: tuple[int, ...] = (512,),
    mixed: tuple[str, float] = ("a", 1.0),
    maybe: float | None = None,
    name: str | None = None,
    either: int | str = 3,
    file: Path = Path("here"),
    look: dict | None = None,
    thing: Any = None,
    ax=None,
):
    """Every kind of option."""


OPTIONS = options_of(every_kind)


def assert_describes(error, option, value):
    assert str(error).startswith(f"{option.name} is {value!r}")
    assert (error.got, error.expected) == (repr(value), describe_annotation(option.annotation))
    assert f"{option.name}={option.default!r}" in error.fix.python
    assert option.parse(error.fix.command_line.removeprefix("The default is ").removesuffix(".")) == option.default


def test_options_are_the_keyword_only_parameters_without_the_place_to_draw():
    assert list(OPTIONS)[:3] == ["flag", "count", "share"]
    assert not {"data", "ax"} & set(OPTIONS)
    assert OPTIONS["count"] == Option("count", int, 1)
    assert OPTIONS["flag"].flag == "--flag"
    assert Option("batch_size", int, 1).flag == "--batch-size"


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("flag", "true", True),
        ("flag", "Off", False),
        ("flag", "1", True),
        ("count", "-3", -3),
        ("share", "1e-3", 1e-3),
        ("share", "2", 2.0),
        ("word", "none", "none"),
        ("choice", "two", "two"),
        ("level", "2", 2),
        ("pair", "0,2", (0, 2)),
        ("pair", "0, 2", (0, 2)),
        ("pair", "none", None),
        ("sizes", "512", (512,)),
        ("sizes", "3,2,1", (3, 2, 1)),
        ("sizes", "", ()),
        ("mixed", "b,2", ("b", 2.0)),
        ("maybe", "None", None),
        ("maybe", "3", 3.0),
        ("name", "none", None),
        ("name", "tab10", "tab10"),
        ("either", "7", 7),
        ("either", "seven", "seven"),
        ("file", "a/b.txt", Path("a/b.txt")),
        ("look", "alpha=0.5,marker=x,lw=1,mew=0", {"alpha": 0.5, "marker": "x", "lw": 1, "mew": 0}),
        ("look", "rasterized=true", {"rasterized": True}),
        ("thing", "whatever", "whatever"),
        ("word", "5", "5"),
        ("word", "a=b", "a=b"),
        ("word", "a,b", "a,b"),
        ("flag", "yes", True),
    ],
)
def test_parse(name, text, value):
    parsed = OPTIONS[name].parse(text)
    assert parsed == value
    assert repr(parsed) == repr(value)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("flag", "maybe"),
        ("count", "1.5"),
        ("share", "half"),
        ("choice", "three"),
        ("level", "3"),
        ("pair", "0"),
        ("pair", "0,1,2"),
        ("pair", "a,b"),
        ("sizes", "1,b"),
        ("pair", ""),
        ("look", "alpha"),
    ],
)
def test_a_text_that_does_not_fit_is_an_input_error(name, text):
    with pytest.raises(InputError) as caught:
        OPTIONS[name].parse(text)
    assert_describes(caught.value, OPTIONS[name], text)


@pytest.mark.parametrize(
    ("name", "value", "checked"),
    [
        ("flag", True, True),
        ("count", 3, 3),
        ("share", 2, 2.0),
        ("pair", [0, 2], (0, 2)),
        ("pair", (0, 2), (0, 2)),
        ("pair", None, None),
        ("sizes", [3], (3,)),
        ("mixed", ["b", 2], ("b", 2.0)),
        ("maybe", 3, 3.0),
        ("either", "seven", "seven"),
        ("look", {"alpha": 0.5}, {"alpha": 0.5}),
        ("thing", [1], [1]),
        ("count", np.int64(3), 3),
        ("count", np.array(3), 3),
        ("share", np.float32(0.5), 0.5),
        ("share", np.int32(2), 2.0),
        ("flag", np.bool_(True), True),
        ("sizes", np.arange(3), (0, 1, 2)),
        ("pair", [np.int64(0), 2], (0, 2)),
        ("file", Path("b"), Path("b")),
    ],
)
def test_check(name, value, checked):
    assert repr(OPTIONS[name].check(value)) == repr(checked)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("flag", 1),
        ("count", True),
        ("count", 1.0),
        ("share", True),
        ("share", "half"),
        ("choice", "three"),
        ("pair", [0]),
        ("pair", [0, 1.5]),
        ("pair", 3),
        ("sizes", [1, "2"]),
        ("look", [("alpha", 1)]),
        ("word", None),
        ("count", np.float64(1.5)),
        ("count", np.bool_(True)),
    ],
)
def test_a_value_that_does_not_fit_is_an_input_error(name, value):
    with pytest.raises(InputError) as caught:
        OPTIONS[name].check(value)
    assert_describes(caught.value, OPTIONS[name], value)


def test_a_default_that_does_not_fit_is_not_advised():
    with pytest.raises(InputError) as caught:
        Option("dpi", int, None).check("high")
    assert str(caught.value.fix) == ""


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("flag", "true|false"),
        ("count", "int"),
        ("share", "float"),
        ("word", "text"),
        ("choice", "one|two"),
        ("level", "1|2"),
        ("pair", "int,int or none"),
        ("sizes", "int,..."),
        ("mixed", "text,float"),
        ("maybe", "float or none"),
        ("file", "path"),
        ("look", "key=value,... or none"),
        ("thing", "anything"),
    ],
)
def test_describe_annotation(name, written):
    assert describe_annotation(OPTIONS[name].annotation) == written


@pytest.mark.parametrize("name", [name for name in OPTIONS if name != "thing"])
def test_annotations_that_can_be_parsed_are_text_serializable(name):
    assert is_text_serializable(OPTIONS[name].annotation)


@pytest.mark.parametrize(
    "annotation", [list, list[int], tuple, tuple[()], tuple[dict, int], tuple[tuple[int, int], ...], set, object, Any]
)
def test_other_annotations_are_not_text_serializable(annotation):
    assert not is_text_serializable(annotation)
    assert not is_text_serializable(annotation | None)


def test_options_of_a_class_are_those_of_its_constructor():
    class Made:
        def __init__(self, shape, *, size: "int" = 3): ...

    assert options_of(Made) == {"size": Option("size", int, 3)}


def test_toml_values_are_validated():
    read = tomllib.loads('pair = [0, 2]\nshare = 1\nflag = true\nlook = { alpha = 0.5 }\nsizes = "3,2"\nchoice = "two"')
    assert validate_settings(every_kind, read, owner="plot") == {
        "pair": (0, 2),
        "share": 1.0,
        "flag": True,
        "look": {"alpha": 0.5},
        "sizes": (3, 2),
        "choice": "two",
    }


def test_a_setting_can_be_written_with_dashes():
    def plot(x, *, max_points: int = 3): ...

    assert validate_settings(plot, {"max-points": "4"}, owner="plot") == {"max_points": 4}


def test_an_unknown_option_lists_the_nearest():
    with pytest.raises(UnknownName, match="'sizes'"):
        validate_settings(every_kind, {"siezs": 1}, owner="tsne")


def test_a_wrong_setting_names_its_owner():
    with pytest.raises(InputError, match=r"tsne\.pair") as caught:
        validate_settings(every_kind, {"pair": "0"}, owner="tsne")
    assert (caught.value.got, caught.value.expected) == ("'0'", "int,int or none")


@pytest.mark.parametrize("name", [name for name in OPTIONS if name != "thing"])
def test_a_formatted_default_is_parsed_as_the_same_value(name):
    option = OPTIONS[name]
    assert option.parse(format_value(option.default)) == option.default


def test_pydantic_is_imported_only_to_validate(python):
    code = "import sys, vaeviz.cli.main, vaeviz.plugins.plot_spec; print('pydantic' in sys.modules)"
    assert python(code) == "False"
