from contextlib import nullcontext

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_hex, to_rgba

import vaeviz
from vaeviz import Posterior, latent_scatter
from vaeviz.data.labels import check_labels, factorize_labels
from vaeviz.drawing.colors import MAX_LEGEND_CLASSES, MISSING_COLOR, color_labels
from vaeviz.drawing.densities import draw_densities
from vaeviz.drawing.legends import add_color_key
from vaeviz.drawing.styles import CLASS_COLORS
from vaeviz.errors import InputError

CLASSES = [to_rgba(color) for color in CLASS_COLORS]


def colors_of(colors):
    return [None if index < 0 else tuple(colors.colors[index]) for index in colors.index]


# Categories


@pytest.mark.parametrize(
    ("labels", "codes", "names"),
    [
        ([2, 0, 2], [1, 0, 1], ("0", "2")),
        ([10, 9, 100], [1, 0, 2], ("9", "10", "100")),
        (["b", "a", "b"], [1, 0, 1], ("a", "b")),
        ([True, False], [1, 0], ("False", "True")),
        ([0.5, np.nan, 2.0], [0, -1, 1], ("0.5", "2")),
        (["b", "", "a"], [1, -1, 0], ("a", "b")),
        (np.array(["b", None, "a"], dtype=object), [1, -1, 0], ("a", "b")),
        (np.array([3, None, 10, np.nan], dtype=object), [0, -1, 1, -1], ("3", "10")),
        ([np.nan, np.nan], [-1, -1], ()),
    ],
)
def test_categories(labels, codes, names):
    found_codes, found_names = factorize_labels(np.asarray(labels))
    assert (found_codes.tolist(), found_names) == (codes, names)


@pytest.mark.parametrize(
    ("labels", "told"),
    [
        (np.zeros((3, 2)), r"labels: got shape \(3, 2\), expected \(3,\), one label a sample"),
        (5, r"labels: got shape \(\), expected \(3,\)"),
        ([1, 2], "labels: got 2 labels for 3 samples"),
        (["a"] * 4, "labels: got 4 labels for 3 samples"),
    ],
)
def test_labels_of_another_length_or_rank_are_an_error(labels, told):
    with pytest.raises(InputError, match=told):
        check_labels(labels, 3)


def test_what_pandas_holds_for_missing_is_missing():
    pandas = pytest.importorskip("pandas")
    for labels in (pandas.Series([10, None, 9], dtype="Int64"), pandas.Series([10, None, 9], dtype=object)):
        codes, names = factorize_labels(check_labels(labels, 3))
        assert (codes.tolist(), names) == ([1, -1, 0], ("9", "10"))
    codes, names = factorize_labels(check_labels(pandas.Series(["b", None, "a"]), 3))
    assert (codes.tolist(), names) == ([1, -1, 0], ("a", "b"))


def test_labels_may_be_a_column_or_a_tensor():
    torch = pytest.importorskip("torch")
    assert check_labels([[1], [2]], 2).tolist() == [1, 2]
    assert check_labels(torch.tensor([1, 2]), 2).tolist() == [1, 2]


# Colors


def test_without_labels_there_is_one_color():
    colors = color_labels(None, 3)
    assert colors.index.tolist() == [0, 0, 0]
    assert (len(colors.colors), colors.names, colors.n_missing) == (1, (), 0)


def test_integers_and_strings_are_categories_in_the_colors_of_the_house():
    for labels in ([7, 3, 7, 5], ["c", "a", "c", "b"]):
        colors = color_labels(labels, 4)
        assert colors_of(colors) == [CLASSES[2], CLASSES[0], CLASSES[2], CLASSES[1]]
        assert colors.mappable is None


def test_more_than_ten_classes_get_as_many_different_colors():
    colors = color_labels(np.arange(26), 26)
    assert len(set(map(tuple, colors.colors))) == 26


def test_a_label_keeps_its_color_when_only_some_samples_are_shown():
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


def test_integers_are_a_gradient_and_floats_categories_when_asked():
    assert color_labels([1, 2, 3], 3, continuous=True).mappable.get_clim() == (1, 3)
    assert color_labels([1.0, 2.0, 2.0], 3, continuous=False).names == ("1", "2")


def test_a_gradient_of_one_value_is_one_color():
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
def test_palettes_of_categories(palette, expected):
    assert [to_hex(color) for color in color_labels(["a", "b"], 2, palette=palette).colors] == expected


def test_a_palette_of_a_gradient():
    assert color_labels([0.0, 1.0], 2, palette="magma").mappable.get_cmap().name == "magma"


@pytest.mark.parametrize(
    ("labels", "settings", "told"),
    [
        (["a", "b"], {"palette": "tab99"}, "palette: 'tab99' is no color, color sequence or colormap; write e.g."),
        (["a", "b"], {"palette": "red,bleu"}, "palette: 'bleu' is no color"),
        (["a", "b"], {"palette": "red"}, "palette 'red': has 1 colors, the labels have 2 classes"),
        (np.arange(11), {"palette": "tab10"}, "palette 'tab10': has 10 colors, the labels have 11 classes"),
        ([0.0, 1.0], {"palette": "tab99"}, "continuous labels need the name of a matplotlib colormap"),
        (["a", "b"], {"continuous": True}, "continuous labels: got labels of <U1, expected numbers"),
        ([np.nan, np.nan], {}, "labels: all of them are missing"),
    ],
)
def test_what_cannot_be_colored_is_an_error(labels, settings, told):
    with pytest.raises(InputError, match=told):
        color_labels(labels, len(labels), **settings)


# Legends


def legend(ax):
    return {handle.get_label(): handle.get_color() for handle in ax.get_legend().legend_handles}


def test_up_to_ten_classes_have_a_legend(ax):
    add_color_key(ax, color_labels(["b", "a"], 2), np.zeros((2, 2)))
    assert legend(ax) == {"a": CLASSES[0], "b": CLASSES[1]}
    add_color_key(ax, color_labels(np.arange(MAX_LEGEND_CLASSES), MAX_LEGEND_CLASSES), np.zeros((MAX_LEGEND_CLASSES, 2)))
    assert list(legend(ax)) == [str(label) for label in range(10)]


def test_the_legend_tells_of_missing_labels_and_of_what_else_is_labeled(ax):
    ax.plot([0, 1], [0, 1], color="k", label="something else")
    add_color_key(ax, color_labels(np.array(["a", None], dtype=object), 2))
    assert legend(ax) == {"a": CLASSES[0], "no label": MISSING_COLOR, "something else": "k"}


def test_without_labels_there_is_no_legend(ax):
    add_color_key(ax, color_labels(None, 2), np.zeros((2, 2)))
    assert ax.get_legend() is None


def test_more_than_ten_classes_are_named_at_their_medians(ax):
    labels = np.repeat(np.arange(11), 3)
    points = np.column_stack([labels + np.tile([-0.1, 0, 5], 11), -labels])
    add_color_key(ax, color_labels(labels, 33), points)
    assert {text.get_text(): text.get_position() for text in ax.texts} == {str(i): (i, -i) for i in range(11)}
    assert ax.get_legend() is None


def is_short_for(text, name):
    head, _, tail = text.partition("…")
    return text == name or (text != head and name.startswith(head) and name.endswith(tail))


def test_many_long_names_have_a_legend_below_that_meets_nothing():
    names = np.array([f"{i:02d}".rjust(24, "a") for i in range(14)])
    points = np.random.default_rng(0).standard_normal((14, 2))
    with vaeviz.style("paper"):
        ax = latent_scatter(Posterior(points, np.ones_like(points), "normal"), points, names)
    ax.figure.canvas.draw()
    assert not ax.texts
    assert ax.get_legend().get_window_extent().y1 < ax.xaxis.label.get_window_extent().y0
    plt.close(ax.figure)


def test_where_a_color_bar_stands_beside_missing_labels_are_named_below():
    points = np.random.default_rng(0).standard_normal((4, 2))
    ax = latent_scatter(Posterior(points, np.ones_like(points), "normal"), points, [0.0, 1.0, 2.0, np.nan])
    ax.figure.canvas.draw()
    assert ax.get_legend().get_window_extent().y1 < ax.xaxis.label.get_window_extent().y0
    plt.close(ax.figure)


@pytest.mark.parametrize("count", [3, 10])
def test_few_long_names_leave_room_for_the_data(count):
    names = np.array([f"{i:02d}".rjust(40, "a") for i in range(count)])
    points = np.random.default_rng(0).standard_normal((count, 2))
    with vaeviz.style("paper"):
        ax = latent_scatter(Posterior(points, np.ones_like(points), "normal"), points, names)
    ax.figure.canvas.draw()
    assert ax.get_window_extent().width > 0.4 * ax.figure.bbox.width
    assert ax.get_legend().get_window_extent().x1 <= ax.figure.bbox.x1
    plt.close(ax.figure)


def test_a_layout_that_was_turned_off_makes_no_room():
    figure = plt.figure(layout="constrained")
    ax = figure.subplots()
    figure.colorbar(plt.cm.ScalarMappable(), ax=ax)
    figure.set_layout_engine("none")
    add_color_key(ax, color_labels(np.array([f"class {i}" for i in range(12)]), 12), np.zeros((12, 2)))
    assert len(ax.texts) == 12
    plt.close(figure)


@pytest.mark.parametrize("style", ["default", "paper", "talk"])
@pytest.mark.parametrize("letter", ["a", "W"])
@pytest.mark.parametrize("letters", [1, 8, 20, 40])
@pytest.mark.parametrize("count", [11, 14, 16, 17, 60])
def test_many_classes_have_a_legend_only_where_it_leaves_room_for_the_data(style, letter, letters, count):
    names = np.array([f"{i:02d}".rjust(letters, letter) for i in range(count)])
    points = np.random.default_rng(0).standard_normal((count, 2))
    with nullcontext() if style == "default" else vaeviz.style(style):
        ax = latent_scatter(Posterior(points, np.ones_like(points), "normal"), points, names)
    ax.figure.canvas.draw()
    page, place, plane = ax.figure.bbox, ax.get_legend().get_window_extent(), ax.get_window_extent()
    assert ax.texts or (plane.width > 0.4 * page.width and plane.height > 0.25 * page.height)
    assert place.x1 <= page.x1 + 1 and place.x0 >= -1 and place.y0 >= -1
    shown = [text.get_text() for text in (*ax.get_legend().get_texts(), *ax.texts)]
    assert all(any(is_short_for(text, name) for text in shown) for name in names)
    assert len(set(shown)) == count + 1  # and the prior's circles
    assert (count > 16) <= (len(ax.texts) == count)
    plt.close(ax.figure)


def test_where_nobody_makes_room_many_classes_are_named_among_the_data():
    names = np.array([f"class {i}" for i in range(12)])
    ax = plt.figure().subplots()
    add_color_key(ax, color_labels(names, 12), np.zeros((12, 2)))
    assert len(ax.texts) == 12
    plt.close(ax.figure)


def test_many_densities_are_named_at_their_peaks(ax):
    values = np.random.default_rng(0).standard_normal(400) + np.repeat(np.arange(20), 20)
    draw_densities(ax, values, color_labels(np.repeat(np.arange(20), 20), 400), prior=False)
    for line, text in zip(ax.lines, ax.texts, strict=True):
        assert text.get_position() == tuple(max(line.get_xydata(), key=lambda place: place[1]))


def test_a_class_that_is_not_shown_is_not_named_in_the_plane(ax):
    labels = np.arange(11)
    points = np.column_stack([labels, labels])
    add_color_key(ax, color_labels(labels, 11)[2:], points[2:])
    assert [text.get_text() for text in ax.texts] == [str(i) for i in range(2, 11)]


def test_a_gradient_has_a_color_bar(ax):
    colors = color_labels([0.0, 3.0, 4.0], 3)
    add_color_key(ax, colors, np.zeros((3, 2)))
    (bar,) = [other for other in ax.figure.axes if other is not ax]
    assert bar.get_ylim() == (0, 4)
    assert bar.get_ylabel() == "label"
