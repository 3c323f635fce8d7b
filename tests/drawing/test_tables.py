"""Rows of a table as heat maps and strips."""

import matplotlib.pyplot as plt
import numpy as np

from vaeviz.drawing.cells import cells_aspect, draw_cells
from vaeviz.drawing.grid_axis import GridAxis
from vaeviz.drawing.grid_layout import GridLayout
from vaeviz.drawing.sample_style import SampleStyle, sample_style

RNG = np.random.default_rng(0)


def values_at(ax, places):
    """Return the values of the only image of an Axes at positions in data units."""
    image = ax.images[0]
    left, right, bottom, top = image.get_extent()
    pixels = image.get_array()
    across, up = np.asarray(places).T
    columns = (across - left) / (right - left) * pixels.shape[1]
    rows = (top - up) / (top - bottom) * pixels.shape[0]
    return pixels[rows.astype(int), columns.astype(int)]


def ticks(axis, *, minor=False):
    axis.axes.figure.draw_without_rendering()
    places, texts = axis.get_ticklocs(minor=minor), axis.get_ticklabels(minor="minor" if minor else None)
    return [(place, text.get_text()) for place, text in zip(places, texts)]


def test_pairs_are_adjacent_rows(ax):
    cells = RNG.random((2, 3, 5), dtype=np.float32)
    names = ("a", "b", "c", "d", "e")
    labels = {"row_labels": ("original", "reconstruction"), "column_labels": ("one", "two", "three")}
    assert draw_cells(ax, cells, SampleStyle(names=names), layout=GridLayout(connect="pairs", **labels)) == "table"
    assert ax.images[0].get_cmap().name == "viridis"
    assert [text for _, text in ticks(ax.xaxis)] == list(names)
    assert [text for _, text in ticks(ax.yaxis)] == ["one", "two", "three"]
    assert ax.get_ylabel() == "original above reconstruction"
    for (middle, _), column in zip(ticks(ax.yaxis), range(3)):
        for row, offset in ((0, 0.2), (1, -0.2)):
            places = [(place, middle + offset) for place, _ in ticks(ax.xaxis)]
            np.testing.assert_array_equal(values_at(ax, places), cells[row, column])


def test_first_and_last_sample_of_a_sequence_are_labeled(ax):
    cells = RNG.random((2, 6, 4), dtype=np.float32)
    labels = {"row_labels": ("up", "down"), "column_labels": ("first", "", "", "", "", "last")}
    draw_cells(ax, cells, SampleStyle(names=("a", "b", "c", "d")), layout=GridLayout(connect="rows", **labels))
    assert [text for _, text in ticks(ax.yaxis)] == ["up", "down"]
    across = [place for place, _ in ticks(ax.xaxis)]
    ends = ticks(ax.yaxis, minor=True)
    assert [text for _, text in ends] == ["first", "first", "last", "last"]
    for (place, _), row in zip(ends, (cells[0, 0], cells[1, 0], cells[0, -1], cells[1, -1])):
        np.testing.assert_array_equal(values_at(ax, [(x, place) for x in across]), row)


def test_several_bands_of_pairs_have_one_label_each(ax):
    names = ("worst", "decoded", "median", "decoded")
    draw_cells(ax, RNG.random((4, 3, 5)), layout=GridLayout(connect="pairs", row_labels=names))
    assert [text for _, text in ticks(ax.yaxis)] == ["worst,\ndecoded\nbelow", "median,\ndecoded\nbelow"]


def test_blank_rows_are_not_drawn(ax):
    cells = RNG.random((2, 2, 5)).astype(np.float32)
    cells[1, 1] = np.nan
    draw_cells(ax, cells)
    assert np.isfinite(ax.images[0].get_array()).all()
    assert cells_aspect(cells, SampleStyle()) == cells_aspect(cells[:1], SampleStyle())
    assert ax.get_xlabel() == "5 features"


def test_names_that_do_not_fit_are_counted_and_long_ones_abbreviated(ax):
    draw_cells(ax, RNG.random((2, 2, 500)), SampleStyle("table", names=tuple(f"gene {i}" for i in range(500))))
    assert ax.get_xlabel() == "500 features"
    assert not len(ax.get_xticks())
    ax.clear()
    draw_cells(ax, RNG.random((2, 2, 3)), SampleStyle(names=("od280/od315 of diluted wines", "hue", "ash")))
    assert [text for _, text in ticks(ax.xaxis)] == ["od280/o…d wines", "hue", "ash"]


def test_one_feature_and_one_sample(ax):
    assert draw_cells(ax, RNG.random((1, 1, 1)), SampleStyle(names=("mass",))) == "table"
    assert [text for _, text in ticks(ax.xaxis)] == ["mass"]


def test_table_rows_on_latent_axes_are_strips(ax, nodes_by_name):
    cells, nodes = RNG.random((5, 5, 3)), nodes_by_name["even"]
    on = {"x_axis": GridAxis(nodes, "z_1"), "y_axis": GridAxis(nodes, "z_2")}
    draw_cells(ax, cells, SampleStyle(names=("a", "b", "c")), layout=GridLayout(**on))
    assert ax.get_xlabel() == "z_1\neach cell from the top: a, b, c"
    assert ax.get_ylabel() == "z_2"
    center = nodes[2]
    third = (nodes[1] - nodes[0]) / 4
    found = values_at(ax, [(center, center + third), (center, center), (center, center - third)])
    np.testing.assert_allclose(found, cells[2, 2])
    ax.clear()
    draw_cells(ax, cells[:1], SampleStyle(names=("a", "b", "c")), layout=GridLayout(x_axis=GridAxis(nodes, "z_1")))
    assert ax.get_xlabel() == "z_1"
    across = nodes[0]
    for (place, name), value in zip(ticks(ax.yaxis), cells[0, 0]):
        assert name in "abc"
        np.testing.assert_allclose(values_at(ax, [(across, place)]), value)


def test_color_bar_names_the_unit_of_separate_scales(ax):
    x = RNG.random((50, 3)) * [1, 1000, 5]
    draw_cells(ax, x[:4].reshape(2, 2, 3), sample_style(x))
    assert ax.images[0].get_clim() == (0, 1)
    assert ax.child_axes[0].get_ylabel() == "share of span"


def test_long_names_of_features_leave_most_of_a_low_axes_to_the_table():
    names = [f"{letter} long name of a feature" for letter in "abc"]
    figure, (tall, low) = plt.subplots(2, 1, height_ratios=(8, 1), figsize=(3, 8))
    lengths = []
    for ax in (tall, low):
        draw_cells(ax, RNG.random((1, 3, 3)), SampleStyle(names=names))
        lengths.append(max(len(text) for _, text in ticks(ax.xaxis)))
    assert lengths[1] <= 12 < lengths[0]
    plt.close(figure)
