"""Outlines of functions, read from their files."""

import sys
from typing import Literal

import pytest

from vaeviz.errors import InputError
from vaeviz.plugins import registry
from vaeviz.plugins.options import Option
from vaeviz.plugins.plot_spec import get_plot, plot_names
from vaeviz.plugins.registry import Entry
from vaeviz.plugins.source_outline import FunctionOutline, outline

PLOT = '''
from __future__ import annotations
from typing import TYPE_CHECKING, Literal
from vaeviz import register_plot
from .shared import Corner, SIZE
if TYPE_CHECKING:
    from matplotlib.axes import Axes

raise RuntimeError("imported")

@register_plot
def wedge(
    encoder, x, labels=None, *, corner: Corner = "left", size: int = SIZE, factor: "float | None" = None,
    dims: tuple[int, ...] = (0, -1), look: dict | None = None, other: Unknown = 2 * 3, ax: Axes | None = None,
) -> Axes:
    """Plot a wedge.

    And more.
    """
'''


@pytest.fixture
def make_package(tmp_path, monkeypatch):
    """Write the modules of a package `slices`, which is on the path and not imported."""
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "slices").mkdir()
    (tmp_path / "slices" / "__init__.py").write_text("raise RuntimeError('imported')")

    def make(**modules):
        for name, source in modules.items():
            (tmp_path / "slices" / f"{name}.py").write_text(source)

    yield make
    assert "slices" not in sys.modules
    from vaeviz.plugins import source_outline

    source_outline._source_file.cache_clear()
    source_outline._parse.cache_clear()


def entry_for(module, attribute="wedge", group="vaeviz.plots"):
    return Entry(group, attribute, module, attribute, "slices")


@pytest.mark.parametrize("name", plot_names())
def test_the_outline_of_a_plot_is_that_of_the_imported_function(name):
    found, spec = outline(registry.find("vaeviz.plots", name)), get_plot(name)
    assert (found.summary, found.required, found.optional) == (spec.summary, spec.required, spec.optional)
    assert found.options == spec.options


@pytest.mark.parametrize("group", registry.ENTRY_KINDS)
def test_every_entry_of_vaeviz_has_a_summary(group):
    for name in registry.entries(group):
        assert outline(registry.find(group, name)).summary, name


def test_inputs_and_options_are_read_from_the_signature(make_package):
    make_package(plots=PLOT, shared="from typing import Literal\nCorner = Literal['left', 'right']\nSIZE = 3\n")
    found = outline(entry_for("slices.plots"))
    assert (found.summary, found.required, found.optional) == ("Plot a wedge.", ("encoder", "x"), ("labels",))
    other = found.options.pop("other")
    assert (other.annotation.__name__, other.default) == ("Unknown", "2 * 3")
    assert (found.options.pop("title").default, found.options.pop("legend").default) == (True, True)
    assert found.options == {
        "corner": Option("corner", Literal["left", "right"], "left"),
        "size": Option("size", int, 3),
        "factor": Option("factor", float | None, None),
        "dims": Option("dims", tuple[int, ...], (0, -1)),
        "look": Option("look", dict | None, None),
    }


@pytest.mark.parametrize(
    "source",
    [
        "from slices.plots import wedge",
        "from .plots import wedge",
        "from .plots import wedge as wedge",
        "try:\n    from .plots import wedge\nexcept ImportError:\n    wedge = None",
        "if True:\n    from .plots import wedge",
        "'''wedge\nimport wedge\n'''\nfrom .plots import wedge",
    ],
)
def test_imported_functions_are_followed(make_package, source):
    make_package(plots=PLOT, again=source, shared="")
    assert outline(entry_for("slices.again")).summary == "Plot a wedge."


@pytest.mark.parametrize(
    "source",
    [
        "from numpy import wedge",
        "from json.encoder import *",
        "def __getattr__(name): ...",
        "wedge = make()",
        "from .m import wedge",
    ],
)
def test_a_name_that_cannot_be_read_has_an_empty_outline(make_package, source):
    make_package(m=source)
    assert outline(entry_for("slices.m")) == FunctionOutline()


@pytest.mark.parametrize(
    ("module", "source", "token"),
    [
        ("slices.m", "def wedge(:", "line 1"),
        ("slices.m", "def wedge(x): ...\n)", "line 2"),
        ("slices.m", "other = 3", "'wedge'"),
        ("slices.m", "wedge = 3", "int"),
        ("slices.absent", "", "slices.absent"),
        ("absent", "", "absent"),
    ],
)
def test_a_module_that_cannot_be_used_is_an_input_error(make_package, module, source, token):
    make_package(m=source)
    with pytest.raises(InputError) as caught:
        outline(entry_for(module))
    assert token in str(caught.value)
    assert "slices" in str(caught.value)


def test_a_model_may_be_any_object(make_package):
    make_package(m="wedge = 3")
    assert outline(entry_for("slices.m", group="vaeviz.models")) == FunctionOutline()


def test_classes_have_a_summary(make_package):
    make_package(m="class wedge:\n    '''A wedge.'''")
    assert outline(entry_for("slices.m", group="vaeviz.models")).summary == "A wedge."


def test_a_function_of_this_process_is_inspected(registered):
    def wedge(encoder, *, n_sides: int = 3, ax=None):
        """Plot a wedge."""

    registered.add("vaeviz.plots", "wedge", wedge)
    found = outline(registered.find("vaeviz.plots", "wedge"))
    assert (found.summary, found.required, list(found.options)) == ("Plot a wedge.", ("encoder",), ["n_sides"])
