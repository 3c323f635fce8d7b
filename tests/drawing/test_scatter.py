"""Clouds of points."""

import re
from base64 import b64decode
from io import BytesIO

import matplotlib
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgba
from PIL import Image

from vaeviz.drawing.colors import MISSING_COLOR, color_labels
from vaeviz.drawing.scatter import (
    MAX_ROUND_POINTS,
    MAX_VECTOR_POINTS,
    ScatterStyle,
    default_alpha,
    default_marker_size,
    draw_scatter,
)
from vaeviz.errors import InputError

RNG = np.random.default_rng(0)
POINTS = RNG.standard_normal((300, 2))
LABELS = np.arange(300) % 3


def markers_in(ax):
    (markers,) = ax.collections
    return markers


def drawn_points(ax):
    """Return the points in the order in which they are drawn, and their colors."""
    markers = markers_in(ax)
    layers = list(markers.layers())
    colors = [to_rgba(color) for color, rows in layers for _ in rows]
    return markers.get_offsets()[np.concatenate([rows for _, rows in layers])], colors


def test_every_point_is_drawn_once_in_its_color(ax):
    colors = color_labels(LABELS, 300)
    draw_scatter(ax, POINTS, colors)
    points, found = drawn_points(ax)
    order = {tuple(point): color for point, color in zip(points, found)}
    assert len(points) == len(order) == 300
    assert all(order[tuple(point)] == colors.colors[code] for point, code in zip(POINTS, LABELS))


def test_markers_are_dots_without_edges_or_lines(ax):
    draw_scatter(ax, POINTS, color_labels(LABELS, 300))
    line = markers_in(ax).marker_line
    assert (line.get_linestyle(), line.get_marker(), line.get_markeredgewidth()) == ("None", "o", 0)


@pytest.mark.parametrize("labels", [np.repeat([0, 1, 2], 1000), np.linspace(0, 1, 3000)], ids=["classes", "gradient"])
def test_no_class_is_on_top(ax, labels):
    draw_scatter(ax, np.column_stack([labels, RNG.random(3000)]), color_labels(labels, 3000))
    points, _ = drawn_points(ax)
    depth = np.arange(3000) / 3000
    thirds = np.digitize(points[:, 0], np.quantile(labels, [1 / 3, 2 / 3]))
    means = [depth[thirds == third].mean() for third in np.unique(thirds)]
    np.testing.assert_allclose(means, 0.5, atol=0.06)


def test_small_class_is_spread_over_the_drawing_order(ax):
    labels = np.zeros(2000, dtype=int)
    labels[:100] = 1
    draw_scatter(ax, np.column_stack([labels, RNG.random(2000)]), color_labels(labels, 2000))
    points, _ = drawn_points(ax)
    depth = np.flatnonzero(points[:, 0] == 1) / 2000
    assert 0.4 < depth.mean() < 0.6
    assert depth.std() > 0.2


def test_missing_labels_are_gray_and_underneath(ax):
    labels = np.where(LABELS == 1, np.nan, LABELS)
    draw_scatter(ax, POINTS, color_labels(labels, 300, continuous=False))
    points, colors = drawn_points(ax)
    np.testing.assert_array_equal(points[:100], POINTS[LABELS == 1])
    assert [color == to_rgba(MISSING_COLOR) for color in colors] == [True] * 100 + [False] * 200


@pytest.mark.parametrize("labels", [None, np.arange(70_000) % 3], ids=["one color", "classes"])
def test_layers_have_a_maximum_size(ax, labels):
    """In larger layers the last class would hide the others where the cloud is dense."""
    markers = draw_scatter(ax, RNG.standard_normal((70_000, 2)), color_labels(labels, 70_000))
    assert max(len(rows) for _, rows in markers.layers()) <= MAX_ROUND_POINTS
    assert sum(len(rows) for _, rows in markers.layers()) == 70_000


def test_drawing_order_is_seeded(ax):
    orders = []
    for seed in (1, 1, 2):
        ax.clear()
        draw_scatter(ax, POINTS, color_labels(LABELS, 300), seed=seed)
        orders.append(drawn_points(ax)[0])
    np.testing.assert_array_equal(orders[0], orders[1])
    assert (orders[0] != orders[2]).any()


def test_marker_size_and_alpha_follow_the_number_of_points():
    counts = [1, 10, 100, 1000, 10_000, 100_000, 10_000_000]
    for follows in (default_marker_size, default_alpha):
        values = [follows(count) for count in counts]
        assert values == sorted(values, reverse=True)
        assert values[0] > values[-1] > 0
    assert default_marker_size(10_000) == pytest.approx(1.5, abs=0.1)
    assert default_alpha(1) <= 1
    assert default_marker_size(0) > 0


def test_options_set_marker_properties(ax):
    draw_scatter(ax, POINTS, color_labels(LABELS, 300), ScatterStyle(7, 0.25, marker_kws={"marker": "s", "zorder": 4}))
    markers = markers_in(ax)
    line = markers.marker_line
    assert (line.get_markersize(), markers.get_alpha(), line.get_marker(), markers.get_zorder()) == (7, 0.25, "s", 4)


@pytest.mark.parametrize("kws", [{"s": 3}, {"marker": "?"}, {"ms": 9, "markersize": 8}])
def test_unknown_marker_property_is_an_error(ax, kws):
    with pytest.raises(InputError, match="marker_kws") as caught:
        draw_scatter(ax, POINTS, color_labels(None, 300), ScatterStyle(marker_kws=kws))
    assert caught.value.got == repr(kws)


@pytest.mark.parametrize("name", ["color", "c", "markerfacecolor", "mfc"])
def test_common_color_replaces_class_colors(ax, name):
    markers = draw_scatter(ax, POINTS, color_labels(LABELS, 300), ScatterStyle(marker_kws={name: "red"}))
    assert set(drawn_points(ax)[1]) == {to_rgba("red")}
    assert markers.colors.names == ()


def test_short_property_names_work(ax):
    for kws in ({"markersize": 9, "markeredgewidth": 1}, {"ms": 9, "mew": 1}):
        markers = draw_scatter(ax, POINTS, color_labels(LABELS, 300), ScatterStyle(marker_kws=kws))
        assert (markers.marker_line.get_markersize(), markers.marker_line.get_markeredgewidth()) == (9, 1)


@pytest.mark.parametrize(
    ("total", "rasterized", "expected"),
    [
        (MAX_VECTOR_POINTS, None, False),
        (MAX_VECTOR_POINTS + 1, None, True),
        (MAX_VECTOR_POINTS + 1, False, False),
        (10, True, True),
    ],
)
def test_many_markers_are_rasterized_by_default(ax, total, rasterized, expected):
    draw_scatter(ax, np.zeros((total, 2)), color_labels(None, total), ScatterStyle(rasterized=rasterized))
    assert bool(markers_in(ax).get_rasterized()) == expected


@pytest.mark.parametrize("total", [1, 2, 5])
def test_few_points_are_drawn(ax, total):
    draw_scatter(ax, POINTS[:total], color_labels(LABELS[:total], total))
    assert len(drawn_points(ax)[0]) == total


def pixels(ax):
    """Return the rendered Axes as an array (height, width, 3) from 0 to 255."""

    canvas = FigureCanvasAgg(ax.figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].astype(int)


@pytest.fixture
def blank_ax(ax):
    """An empty white Axes with a side of 400 pixels."""
    ax.set_axis_off()
    ax.figure.set(dpi=100, layout_engine="none")
    ax.set_position((0, 0, 1, 1))
    ax.set(xlim=(-1, 1), ylim=(-1, 1))
    return ax


def test_markers_are_rendered_at_their_points(blank_ax):
    draw_scatter(blank_ax, np.array([[-0.5, 0.5], [0.5, -0.5]]), color_labels(None, 2), ScatterStyle(20, 1))
    dark = pixels(blank_ax).sum(axis=2) < 600
    rows, columns = np.nonzero(dark)
    left = columns < 200
    np.testing.assert_allclose([columns[left].mean(), rows[left].mean()], 100, atol=1)
    np.testing.assert_allclose([columns[~left].mean(), rows[~left].mean()], 300, atol=1)
    assert dark.sum() == pytest.approx(2 * np.pi * (20 / 72 * 100 / 2) ** 2, rel=0.05)


def test_picture_equals_one_plot_call_per_layer(blank_ax):
    """The picture must not depend on how many points one call draws."""
    points = RNG.uniform(-0.9, 0.9, (400, 2))
    markers = draw_scatter(blank_ax, points, color_labels(np.arange(400) % 3, 400), ScatterStyle(6, 0.4))
    shown = pixels(blank_ax)
    markers.remove()
    for color, rows in markers.layers():
        blank_ax.plot(*points[rows].T, ls="", marker="o", mew=0, ms=6, alpha=0.4, color=color)
    np.testing.assert_array_equal(pixels(blank_ax), shown)


def test_mixed_classes_have_a_mixed_color(blank_ax):
    points = RNG.uniform(-1, 1, (60_000, 2))
    draw_scatter(blank_ax, points, color_labels(np.arange(60_000) % 2, 60_000, palette="#ff0000,#0000ff"))
    red, _, blue = pixels(blank_ax).mean(axis=(0, 1))
    assert red == pytest.approx(blue, abs=5)


def test_later_changes_are_drawn(blank_ax):
    markers = draw_scatter(blank_ax, np.zeros((1, 2)), color_labels(None, 1), ScatterStyle(20, 1))
    opaque = pixels(blank_ax).min()
    markers.set_alpha(0.3)
    assert pixels(blank_ax).min() > opaque + 50
    markers.set_visible(False)
    assert pixels(blank_ax).min() == 255


def test_axis_limits_include_all_points(ax):
    draw_scatter(ax, np.array([[-3, 10], [5, 20]], float), color_labels(None, 2))
    ax.relim()
    ax.autoscale_view()
    (left, right), (low, high) = ax.get_xlim(), ax.get_ylim()
    assert left < -3 < 5 < right
    assert low < 10 < 20 < high


@pytest.mark.parametrize(("rasterized", "images"), [(True, 1), (False, 0)])
def test_vector_files_hold_markers_or_one_image(ax, tmp_path, rasterized, images):
    draw_scatter(ax, POINTS, color_labels(LABELS, 300), ScatterStyle(rasterized=rasterized))
    ax.figure.savefig(tmp_path / "markers.svg")
    text = (tmp_path / "markers.svg").read_text()
    assert text.count("<image") == images
    assert (text.count("<use") > 300) != rasterized


def test_an_image_in_a_vector_file_has_at_least_300_dots_per_inch(ax, tmp_path):
    draw_scatter(ax, POINTS, color_labels(LABELS, 300), ScatterStyle(rasterized=True))
    for dpi, expected in ((72, 300), (600, 600)):
        ax.figure.savefig(tmp_path / "markers.svg", dpi=dpi)
        text = (tmp_path / "markers.svg").read_text()
        encoded = re.search(r'xlink:href="data:image/png;base64,([^"]+)"', text)[1]
        width, height = Image.open(BytesIO(b64decode(encoded))).size
        assert width == pytest.approx(expected * ax.get_window_extent().width / ax.figure.dpi, abs=2)
        assert height == pytest.approx(expected * ax.get_window_extent().height / ax.figure.dpi, abs=2)


def test_marker_size_follows_the_style(ax):
    draw_scatter(ax, POINTS, color_labels(None, 300))
    small = markers_in(ax).marker_line.get_markersize()
    ax.clear()
    with matplotlib.rc_context({"lines.markersize": 12}):
        draw_scatter(ax, POINTS, color_labels(None, 300))
    assert markers_in(ax).marker_line.get_markersize() == pytest.approx(2 * small)
