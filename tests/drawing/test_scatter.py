"""Clouds of points, densities, and what all latent axes share."""

from io import BytesIO

import matplotlib
import numpy as np
import pytest
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from scipy.stats import norm

from vaeviz.drawing.colors import MISSING_COLOR, color_labels
from vaeviz.drawing.densities import draw_densities
from vaeviz.drawing.latent_axes import dimension_label, draw_prior_contours, equal_aspect
from vaeviz.drawing.scatter import MAX_ROUND_POINTS, MAX_VECTOR_POINTS, default_alpha, default_marker_size, draw_scatter
from vaeviz.errors import InputError

RNG = np.random.default_rng(0)
POINTS = RNG.standard_normal((300, 2))
LABELS = np.arange(300) % 3


def marks_in(ax):
    (marks,) = ax.collections
    return marks


def drawn(ax):
    """The points in the order in which they are drawn, and their colors."""
    marks = marks_in(ax)
    layers = list(marks.layers())
    colors = [to_rgba(color) for color, rows in layers for _ in rows]
    return marks.get_offsets()[np.concatenate([rows for _, rows in layers])], colors


def test_every_point_is_drawn_once_in_its_color(ax):
    colors = color_labels(LABELS, 300)
    draw_scatter(ax, POINTS, colors)
    points, found = drawn(ax)
    order = {tuple(point): color for point, color in zip(points, found)}
    assert len(points) == len(order) == 300
    assert all(order[tuple(point)] == colors.colors[code] for point, code in zip(POINTS, LABELS))


def test_marks_are_round_dots_without_edges_or_lines(ax):
    draw_scatter(ax, POINTS, color_labels(LABELS, 300))
    stamp = marks_in(ax).marker_line
    assert (stamp.get_linestyle(), stamp.get_marker(), stamp.get_markeredgewidth()) == ("None", "o", 0)


@pytest.mark.parametrize("labels", [np.repeat([0, 1, 2], 1000), np.linspace(0, 1, 3000)], ids=["classes", "gradient"])
def test_no_class_lies_above_another(ax, labels):
    draw_scatter(ax, np.column_stack([labels, RNG.random(3000)]), color_labels(labels, 3000))
    points, _ = drawn(ax)
    depth = np.arange(3000) / 3000
    thirds = np.digitize(points[:, 0], np.quantile(labels, [1 / 3, 2 / 3]))
    means = [depth[thirds == third].mean() for third in np.unique(thirds)]
    np.testing.assert_allclose(means, 0.5, atol=0.06)


def test_a_small_class_is_spread_through_the_depth_as_well(ax):
    labels = np.zeros(2000, dtype=int)
    labels[:100] = 1
    draw_scatter(ax, np.column_stack([labels, RNG.random(2000)]), color_labels(labels, 2000))
    points, _ = drawn(ax)
    depth = np.flatnonzero(points[:, 0] == 1) / 2000
    assert 0.4 < depth.mean() < 0.6
    assert depth.std() > 0.2


def test_missing_labels_are_gray_and_underneath(ax):
    labels = np.where(LABELS == 1, np.nan, LABELS)
    draw_scatter(ax, POINTS, color_labels(labels, 300, continuous=False))
    points, colors = drawn(ax)
    np.testing.assert_array_equal(points[:100], POINTS[LABELS == 1])
    assert [color == to_rgba(MISSING_COLOR) for color in colors] == [True] * 100 + [False] * 200


@pytest.mark.parametrize("labels", [None, np.arange(70_000) % 3], ids=["one color", "classes"])
def test_no_color_is_set_at_many_points_at_once(ax, labels):
    """Else the last class of a round lies above the others, wherever the cloud is dense."""
    marks = draw_scatter(ax, RNG.standard_normal((70_000, 2)), color_labels(labels, 70_000))
    assert max(len(rows) for _, rows in marks.layers()) <= MAX_ROUND_POINTS
    assert sum(len(rows) for _, rows in marks.layers()) == 70_000


def test_the_order_is_seeded(ax):
    orders = []
    for seed in (1, 1, 2):
        ax.clear()
        draw_scatter(ax, POINTS, color_labels(LABELS, 300), seed=seed)
        orders.append(drawn(ax)[0])
    np.testing.assert_array_equal(orders[0], orders[1])
    assert (orders[0] != orders[2]).any()


def test_size_and_opacity_follow_the_number_of_points():
    counts = [1, 10, 100, 1000, 10_000, 100_000, 10_000_000]
    for follows in (default_marker_size, default_alpha):
        values = [follows(count) for count in counts]
        assert values == sorted(values, reverse=True)
        assert values[0] > values[-1] > 0
    assert default_marker_size(10_000) == pytest.approx(1.5, abs=0.1)
    assert default_alpha(1) <= 1
    assert default_marker_size(0) > 0


def test_marks_follow_the_options(ax):
    draw_scatter(
        ax, POINTS, color_labels(LABELS, 300), marker_size=7, alpha=0.25, marker_kws={"marker": "s", "zorder": 4}
    )
    marks = marks_in(ax)
    stamp = marks.marker_line
    assert (stamp.get_markersize(), marks.get_alpha(), stamp.get_marker(), marks.get_zorder()) == (7, 0.25, "s", 4)


@pytest.mark.parametrize(("kws", "told"), [({"s": 3}, "unexpected keyword argument 's'"), ({"marker": "?"}, "marker")])
def test_properties_that_marks_do_not_have_are_an_error(ax, kws, told):
    with pytest.raises(InputError, match=f"^marker_kws: .*{told}"):
        draw_scatter(ax, POINTS, color_labels(None, 300), marker_kws=kws)


@pytest.mark.parametrize("name", ["color", "c", "markerfacecolor", "mfc"])
def test_one_color_for_all_marks_takes_the_place_of_the_classes(ax, name):
    marks = draw_scatter(ax, POINTS, color_labels(LABELS, 300), marker_kws={name: "red"})
    assert set(drawn(ax)[1]) == {to_rgba("red")}
    assert marks.colors.names == ()


def test_properties_are_the_same_by_long_and_by_short_names(ax):
    for kws in ({"markersize": 9, "markeredgewidth": 1}, {"ms": 9, "mew": 1}):
        marks = draw_scatter(ax, POINTS, color_labels(LABELS, 300), marker_kws=kws)
        assert (marks.marker_line.get_markersize(), marks.marker_line.get_markeredgewidth()) == (9, 1)
    with pytest.raises(InputError, match=r"^marker_kws: "):
        draw_scatter(ax, POINTS, color_labels(None, 300), marker_kws={"ms": 9, "markersize": 8})


@pytest.mark.parametrize(
    ("total", "rasterized", "expected"),
    [
        (MAX_VECTOR_POINTS, None, False),
        (MAX_VECTOR_POINTS + 1, None, True),
        (MAX_VECTOR_POINTS + 1, False, False),
        (10, True, True),
    ],
)
def test_marks_are_rasterized_above_the_rule_unless_told_otherwise(ax, total, rasterized, expected):
    draw_scatter(ax, np.zeros((total, 2)), color_labels(None, total), rasterized=rasterized)
    assert bool(marks_in(ax).get_rasterized()) == expected


@pytest.mark.parametrize("total", [1, 2, 5])
def test_a_few_points_are_drawn_too(ax, total):
    draw_scatter(ax, POINTS[:total], color_labels(LABELS[:total], total))
    assert len(drawn(ax)[0]) == total


def pixels(ax):
    """What the Axes look like: (height, width, 3) from 0 to 255."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    canvas = FigureCanvasAgg(ax.figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].astype(int)


@pytest.fixture
def bare(ax):
    """Axes of nothing but a white field, 400 pixels a side."""
    ax.set_axis_off()
    ax.figure.set(dpi=100, layout_engine="none")
    ax.set_position((0, 0, 1, 1))
    ax.set(xlim=(-1, 1), ylim=(-1, 1))
    return ax


def test_marks_are_where_their_points_are(bare):
    draw_scatter(bare, np.array([[-0.5, 0.5], [0.5, -0.5]]), color_labels(None, 2), marker_size=20, alpha=1)
    dark = pixels(bare).sum(axis=2) < 600
    rows, columns = np.nonzero(dark)
    left = columns < 200
    np.testing.assert_allclose([columns[left].mean(), rows[left].mean()], 100, atol=1)
    np.testing.assert_allclose([columns[~left].mean(), rows[~left].mean()], 300, atol=1)
    assert dark.sum() == pytest.approx(2 * np.pi * (20 / 72 * 100 / 2) ** 2, rel=0.05)


def test_the_picture_is_that_of_the_lines_of_which_it_is_made(bare):
    """At any N: no other way of drawing begins where points are many."""
    points = RNG.uniform(-0.9, 0.9, (400, 2))
    marks = draw_scatter(bare, points, color_labels(np.arange(400) % 3, 400), marker_size=6, alpha=0.4)
    shown = pixels(bare)
    marks.remove()
    for color, rows in marks.layers():
        bare.plot(*points[rows].T, ls="", marker="o", mew=0, ms=6, alpha=0.4, color=color)
    np.testing.assert_array_equal(pixels(bare), shown)


def test_where_two_classes_mix_neither_color_wins(bare):
    points = RNG.uniform(-1, 1, (60_000, 2))
    draw_scatter(bare, points, color_labels(np.arange(60_000) % 2, 60_000, palette="#ff0000,#0000ff"))
    red, _, blue = pixels(bare).mean(axis=(0, 1))
    assert red == pytest.approx(blue, abs=5)


def test_what_is_set_later_is_drawn(bare):
    marks = draw_scatter(bare, np.zeros((1, 2)), color_labels(None, 1), marker_size=20, alpha=1)
    opaque = pixels(bare).min()
    marks.set_alpha(0.3)
    assert pixels(bare).min() > opaque + 50
    marks.set_visible(False)
    assert pixels(bare).min() == 255


def test_points_set_the_limits_of_the_axes(ax):
    draw_scatter(ax, np.array([[-3, 10], [5, 20]], float), color_labels(None, 2))
    ax.relim()
    ax.autoscale_view()
    (left, right), (low, high) = ax.get_xlim(), ax.get_ylim()
    assert left < -3 < 5 < right
    assert low < 10 < 20 < high


@pytest.mark.parametrize(("rasterized", "images"), [(True, 1), (False, 0)])
def test_inside_a_vector_file_the_marks_are_one_image_or_marks(ax, tmp_path, rasterized, images):
    draw_scatter(ax, POINTS, color_labels(LABELS, 300), rasterized=rasterized)
    ax.figure.savefig(tmp_path / "marks.svg")
    text = (tmp_path / "marks.svg").read_text()
    assert text.count("<image") == images
    assert (text.count("<use") > 300) != rasterized


# Densities


def test_a_density_for_each_class_and_the_prior(ax):
    values = np.concatenate([RNG.normal(-3, 0.5, 400), RNG.normal(2, 1, 400)])
    colors = color_labels(np.repeat(["left", "right"], 400), 800)
    draw_densities(ax, values, colors, prior=True)
    left, right = (area.get_paths()[0].vertices for area in ax.collections)
    assert left[left[:, 1].argmax(), 0] == pytest.approx(-3, abs=0.4)
    assert right[right[:, 1].argmax(), 0] == pytest.approx(2, abs=0.4)
    assert [tuple(area.get_edgecolor()[0][:3]) for area in ax.collections] == [c[:3] for c in colors.colors]
    (prior,) = [line for line in ax.lines if line.get_label() == "prior N(0, 1)"]
    np.testing.assert_allclose(prior.get_ydata(), norm.pdf(prior.get_xdata()), atol=1e-12)
    texts = [text.get_text() for text in ax.get_legend().get_texts()]
    assert texts == ["left", "right", "prior N(0, 1)"]
    assert ax.get_ylabel() == "density"


def test_each_density_has_an_area_of_one(ax):
    draw_densities(ax, RNG.standard_normal(900), color_labels(np.repeat([0, 1], [100, 800]), 900), prior=False)
    for area in ax.collections:
        x, y = area.get_paths()[0].vertices.T
        shoelace = abs(np.dot(x, np.roll(y, 1)) - np.dot(y, np.roll(x, 1))) / 2
        assert shoelace == pytest.approx(1, abs=0.03)


def test_what_has_no_label_has_no_density_and_no_name(ax):
    labels = np.where(np.arange(200) < 100, "a", "")
    draw_densities(ax, RNG.standard_normal(200), color_labels(labels, 200), prior=False)
    assert len(ax.collections) == 1
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["a"]


def test_without_labels_there_is_one_density(ax):
    draw_densities(ax, RNG.standard_normal(200), color_labels(None, 200), prior=False)
    assert len(ax.collections) == 1
    assert ax.get_legend() is None


def test_a_class_of_one_value_has_no_density_but_spoils_nothing(ax):
    draw_densities(ax, np.array([0.0, 1.0, 2.0, 5.0]), color_labels([0, 0, 0, 1], 4), prior=False)
    assert len(ax.collections) == 1


# Latent axes


def test_dimensions_are_counted_from_one_in_their_names():
    assert dimension_label(0) == "$z_{1}$"
    assert dimension_label(11) == "$z_{12}$"


def test_prior_contours_are_circles_of_1_2_and_3_sigma_that_leave_the_limits_alone(ax):
    ax.plot([0, 0.5], [0, 0.5])
    limits = ax.get_xlim(), ax.get_ylim()
    draw_prior_contours(ax)
    radii = [np.linalg.norm(line.get_xydata(), axis=1) for line in ax.lines[1:]]
    np.testing.assert_allclose(radii, np.repeat([[1], [2], [3]], 181, axis=1))
    assert (ax.get_xlim(), ax.get_ylim()) == limits
    assert len(ax.get_legend_handles_labels()[0]) == 1


def test_one_unit_is_as_long_across_as_up(ax):
    ax.plot([0, 10], [0, 1])
    equal_aspect(ax)
    ax.figure.draw_without_rendering()
    (x0, y0), (x1, y1) = ax.transData.transform([(0, 0), (1, 1)])
    assert x1 - x0 == pytest.approx(y1 - y0)
    assert ax.get_xlim()[0] <= 0
    assert ax.get_xlim()[1] >= 10


def test_sizes_of_marks_grow_with_the_style(ax):
    draw_scatter(ax, POINTS, color_labels(None, 300))
    small = marks_in(ax).marker_line.get_markersize()
    ax.clear()
    with matplotlib.rc_context({"lines.markersize": 12}):
        draw_scatter(ax, POINTS, color_labels(None, 300))
    assert marks_in(ax).marker_line.get_markersize() == pytest.approx(2 * small)


def test_marks_are_drawn_once_where_a_page_is_laid_out_and_saved(monkeypatch):
    figure, drawn_times = Figure(layout="constrained"), []
    marks = draw_scatter(figure.subplots(), POINTS, color_labels(LABELS, 300))
    layers = marks.layers
    monkeypatch.setattr(marks, "layers", lambda: drawn_times.append(1) or layers())
    figure.savefig(BytesIO(), format="png")
    assert len(drawn_times) == 1
