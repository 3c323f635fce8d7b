"""Colors of labels."""

import re

import matplotlib
import numpy as np
import pandas as pd
import pytest
import seaborn
from matplotlib.colors import ListedColormap, to_hex, to_rgba

from vaeviz.drawing.colors import color_labels
from vaeviz.drawing.styles import CLASS_COLORS
from vaeviz.errors import InputError

CLASSES = [to_rgba(color) for color in CLASS_COLORS]


def colors_of(colors):
    return [None if index < 0 else tuple(colors.colors[index]) for index in colors.index]


def test_without_labels_there_is_one_color():
    colors = color_labels(None, 3)
    assert colors.index.tolist() == [0, 0, 0]
    assert (len(colors.colors), colors.names, colors.n_missing) == (1, (), 0)


def test_integers_and_strings_have_class_colors():
    for labels in ([7, 3, 7, 5], ["c", "a", "c", "b"]):
        colors = color_labels(labels, 4)
        assert colors_of(colors) == [CLASSES[2], CLASSES[0], CLASSES[2], CLASSES[1]]
        assert colors.mappable is None


def test_many_classes_have_different_colors():
    colors = color_labels(np.arange(26), 26)
    assert len(set(map(tuple, colors.colors))) == 26


def test_subsampling_keeps_the_color_of_each_label():
    labels = np.array(["d", "b", "a", "c", "b"])
    colors = color_labels(labels, 5)
    some = colors[[0, 4]]
    assert colors_of(some) == [colors_of(colors)[0], colors_of(colors)[4]]
    assert some.names == colors.names


def test_missing_labels_have_no_color():
    colors = color_labels(np.array(["b", "", "a", None], dtype=object), 4)
    assert colors_of(colors) == [CLASSES[1], None, CLASSES[0], None]
    assert colors.n_missing == 2


def test_floats_are_a_gradient():
    colors = color_labels([0.0, 0.5, 1.0, np.nan], 4)
    low, middle, high, missing = colors.index
    assert (low, middle, high, missing) == (0, 32, 63, -1)
    assert colors.mappable.get_clim() == (0, 1)
    assert colors.mappable.get_cmap().name == "viridis"
    np.testing.assert_allclose(colors.colors[63], matplotlib.colormaps["viridis"](127 / 128), atol=0.01)


def test_continuous_overrides_the_type_of_the_labels():
    assert color_labels([1, 2, 3], 3, continuous=True).mappable.get_clim() == (1, 3)
    assert color_labels([1.0, 2.0, 2.0], 3, continuous=False).names == ("1", "2")


def test_gradient_of_a_single_value_has_one_color():
    colors = color_labels([2.0, 2.0], 2)
    assert colors.index.tolist() == [0, 0]


@pytest.mark.parametrize(
    ("palette", "expected"),
    [
        ("tab10", ["#1f77b4", "#ff7f0e"]),
        ("red,#00ff00", ["#ff0000", "#00ff00"]),
        ("red, blue, green", ["#ff0000", "#0000ff"]),
        ("viridis", [to_hex(matplotlib.colormaps["viridis"](0.04)), to_hex(matplotlib.colormaps["viridis"](0.96))]),
    ],
)
def test_palettes_color_classes(palette, expected):
    assert [to_hex(color) for color in color_labels(["a", "b"], 2, palette=palette).colors] == expected


def test_palette_of_a_gradient_is_its_colormap():
    assert color_labels([0.0, 1.0], 2, palette="magma").mappable.get_cmap().name == "magma"


@pytest.mark.parametrize(
    ("labels", "settings", "got"),
    [
        (["a", "b"], {"palette": "tab99"}, "tab99"),
        (["a", "b"], {"palette": "red,bleu"}, "bleu"),
        (["a", "b"], {"palette": "red"}, "1 colors"),
        (np.arange(11), {"palette": "tab10"}, "10 colors"),
        ([0.0, 1.0], {"palette": "tab99"}, "tab99"),
        (["a", "b"], {"palette": ["red"]}, "1 colors"),
        (["a", "b"], {"palette": {"a": "red"}}, "a"),
        (["a", "b"], {"highlight": ("c",)}, "c"),
        ([0.0, 1.0], {"limits": (1.0, 0.0)}, "(1, 0)"),
        (["a", "b"], {"continuous": True}, "<U1"),
        ([None, None], {}, "no label"),
        ([np.nan, np.nan], {}, "no label"),
    ],
)
def test_labels_or_palettes_that_do_not_fit_are_an_error(labels, settings, got):
    with pytest.raises(InputError) as caught:
        color_labels(labels, len(labels), **settings)
    assert caught.value.got == got
    assert caught.value.fix.python


@pytest.mark.parametrize(
    ("labels", "palette", "class_names"),
    [
        ([0, 1, 1], {0: "red", 1: "blue"}, ("cat", "dog")),
        ([0, 1, 1], {"cat": "red", "dog": "blue"}, ("cat", "dog")),
        ([0, 1, 1], {"cat": "red", 1: "blue"}, ("cat", "dog", "a class without samples")),
        (["a", "b", "b"], {"a": "red", "b": "blue"}, {"a": "cat"}),
    ],
)
def test_a_palette_names_classes_by_label_or_by_name(labels, palette, class_names):
    colors = color_labels(labels, 3, palette, class_names=class_names)
    assert [to_hex(color) for color in colors.colors] == ["#ff0000", "#0000ff"]


def test_palette_may_be_a_list_a_dictionary_a_colormap_or_a_palette_of_seaborn():
    labels = ["a", "b"]
    for palette in (
        ["red", "blue"],
        [(1, 0, 0), (0, 0, 1)],
        {"b": "blue", "a": "red"},
        ListedColormap(["red", "blue"]),
    ):
        assert [to_hex(color) for color in color_labels(labels, 2, palette).colors] == ["#ff0000", "#0000ff"]
    deep = color_labels(labels, 2, "deep").colors
    assert [to_hex(color) for color in deep] == [to_hex(color) for color in seaborn.color_palette("deep")[:2]]
    assert len(set(color_labels(np.arange(15), 15, "husl").colors)) == 15
    with pytest.raises(InputError):
        color_labels(np.arange(15), 15, "deep")  # seaborn would repeat its ten colors
    viridis = matplotlib.colormaps["viridis"]
    assert color_labels([0.0, 1.0], 2, viridis).mappable.get_cmap().name == "viridis"
    assert color_labels([0.0, 1.0], 2, ["white", "red"]).colors[-1][:3] == pytest.approx((1, 0, 0), abs=0.02)


def test_classes_without_samples_keep_the_colors_of_the_others():
    categories = pd.Categorical(["c", "a"], ["a", "b", "c"])
    colors = color_labels(categories, 2)
    assert colors.names == ("a", "c")
    assert colors_of(colors) == [CLASSES[2], CLASSES[0]]


def test_highlighted_classes_keep_their_colors_and_others_are_gray():
    colors = color_labels(["a", "b", "c"], 3, highlight=("b",))
    assert colors_of(colors) == [None, CLASSES[1], None]
    assert (colors.names, colors.gray_name) == (("b",), "other")


def test_one_extreme_value_does_not_take_the_scale():
    values = np.append(np.linspace(0, 1, 100), 1e6)
    colors = color_labels(values, 101)
    assert colors.mappable.get_clim() == (0, 1)
    assert colors.index[-1] == 63
    assert "1 beyond" in colors.scale_label
    assert colors.mappable.cmap.colorbar_extend == "max"
    assert color_labels(values, 101, limits=(0, 1e6)).mappable.get_clim() == (0, 1e6)
    assert color_labels(values[:-1], 100).scale_label == "label"


def test_dates_have_a_scale_of_days():
    colors = color_labels(np.array(["1970-01-02", "1970-01-05", "NaT"], "datetime64[D]"), 3)
    assert colors.is_date
    assert colors.mappable.get_clim() == (1, 4)
    assert colors.index.tolist() == [0, 63, -1]


def test_suggested_palettes_work():
    with pytest.raises(InputError) as caught:
        color_labels(["a", "b", "c"], 3, palette="bleu")
    palettes = re.findall('palette="([^"]+)"', caught.value.fix.python)
    assert len(palettes) == 3
    for palette in palettes:
        assert len(color_labels(["a", "b", "c"], 3, palette=palette).colors) == 3
        assert palette in caught.value.fix.command_line


@pytest.mark.parametrize(
    ("name", "shown"),
    [("$_$", r"\$_\$"), ("costs 5 $", "costs 5 $"), ("$z_1$", "$z_1$"), ("a\x1bb", "a\N{REPLACEMENT CHARACTER}b")],
)
def test_names_of_classes_can_be_drawn(name, shown):
    assert color_labels([name, "other"], 2).names == tuple(sorted((shown, "other")))
