"""Clouds of millions of points, drawn as cells."""

import matplotlib
import numpy as np
import pytest
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure

from vaeviz import Posterior, latent_scatter
from vaeviz.drawing import binned_scatter
from vaeviz.drawing.binned_scatter import BinnedScatter, cell_shape, count_cells, draw_binned_scatter
from vaeviz.drawing.colors import MISSING_COLOR, color_labels
from vaeviz.plots import latent_scatter as module

N = 3000


@pytest.fixture
def points():
    return np.random.default_rng(0).standard_normal((N, 2)).astype(np.float32)


@pytest.fixture
def axes():
    figure = Figure((3, 3), dpi=100)
    return figure.add_axes((0, 0, 1, 1))


def drawn(axes):
    """Return the pixels of a figure of which the Axes fill all."""
    axes.set_axis_off()
    canvas = matplotlib.backends.backend_agg.FigureCanvasAgg(axes.figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())


def test_counts_are_those_of_a_histogram(points):
    labels = np.where(points[:, 0] > 0, 1, 0)
    colors = color_labels(labels, N)
    counts = count_cells(points, colors, (-2, 3, -1, 2), (30, 40))
    for code in (0, 1):
        expected, _, _ = np.histogram2d(*points[labels == code].T[::-1], (30, 40), ((-1, 2), (-2, 3)))
        assert abs(counts[..., code] - expected).sum() <= 4  # float32 rounding at the edges
    assert not counts[..., 2].any()


def test_memory_mapped_points_in_blocks_have_the_same_counts(points, tmp_path, monkeypatch):
    np.save(tmp_path / "z.npy", points)
    colors = color_labels(np.arange(N) % 3, N)
    expected = count_cells(points, colors, (-2, 2, -2, 2), (20, 20))
    monkeypatch.setattr("vaeviz.data.out_of_core.MAX_ROW_VALUES", 1000)
    mapped = np.load(tmp_path / "z.npy", mmap_mode="r")
    np.testing.assert_array_equal(count_cells(mapped, colors, (-2, 2, -2, 2), (20, 20)), expected)


def test_no_class_hides_another_whatever_the_order(axes):
    points = np.random.default_rng(0).uniform(size=(400_000, 2))
    labels = np.arange(len(points)) * 4 // len(points)  # sorted: the last would hide the others
    colors = color_labels(labels, len(points))
    cells = draw_binned_scatter(axes, points, colors)
    axes.set(xlim=(0, 1), ylim=(0, 1))
    drawn(axes)
    rgb = cells.get_array()[..., :3]
    for color in colors.colors:
        share = (rgb == np.rint(255 * np.array(to_rgba(color)[:3]))).all(axis=-1).mean()
        assert share == pytest.approx(0.25, abs=0.01)


def test_a_rare_class_is_drawn_over_the_others(axes):
    points = np.random.default_rng(0).uniform(size=(400_000, 2))
    colors = color_labels(np.arange(len(points)) < 20, len(points))
    cells = draw_binned_scatter(axes, points, colors)
    axes.set(xlim=(0, 1), ylim=(0, 1))
    drawn(axes)
    is_rare = (cells.get_array()[..., :3] == np.rint(255 * np.array(to_rgba(colors.colors[1])[:3]))).all(axis=-1)
    assert 100 < np.count_nonzero(is_rare) <= 9 * 20
    assert cells.scale_note.endswith("larger for rare classes")


def test_cells_have_one_size_on_a_logarithmic_axis(axes):
    points = np.array([[1.0, 1.0], [10.0, 1.0], [0.1, 2.0]])
    axes.set(xscale="log", xlim=(0.1, 10), ylim=(0, 2))
    cells = draw_binned_scatter(axes, points, color_labels(None, 3))
    pixels = drawn(axes)
    rows, columns = np.nonzero(cells.get_array()[..., 3])
    assert (rows.tolist(), columns.tolist()) == ([150, 150, 299], [150, 299, 0])  # points on the ends are drawn
    assert pixels[149, 150, 0] < 255


def test_more_points_are_more_opaque_and_missing_labels_are_underneath(axes):
    points = np.repeat([[0.25, 0.5], [0.75, 0.5], [0.5, 0.25]], [1, 100, 100], axis=0)
    labels = np.array(["a", *["a"] * 50, *[""] * 50, *[""] * 100])
    cells = draw_binned_scatter(axes, points, color_labels(labels, len(points)))
    axes.set(xlim=(0, 1), ylim=(0, 1))
    assert cells.full_count == 100
    drawn(axes)
    rgba = cells.get_array()
    shown = rgba[rgba[..., 3] > 0]
    assert len(shown) == 3
    missing = (shown[:, :3] == np.rint(255 * np.array(to_rgba(MISSING_COLOR)[:3]))).all(axis=1)
    assert missing.tolist() == [True, False, False]  # from below
    assert shown[0, 3] == 255
    assert shown[1, 3] < shown[2, 3] < 255


def test_limits_that_change_are_counted_again(axes, points):
    cells = draw_binned_scatter(axes, points, color_labels(None, N))
    drawn(axes)
    scale = cells.full_count
    axes.set(xlim=(0, 0.5), ylim=(0.5, 0))
    drawn(axes)
    occupied, _, _ = np.histogram2d(0.5 - points[:, 1], points[:, 0], 300, ((0, 0.5), (0, 0.5)))
    assert abs((cells.get_array()[..., 3] > 0).astype(int) - (occupied > 0)).sum() <= 4  # rounding at the edges
    assert cells.full_count == scale


def test_the_limits_hold_all_points(axes, points):
    draw_binned_scatter(axes, points, color_labels(None, N))
    np.testing.assert_allclose(axes.dataLim.extents, [*points.min(axis=0), *points.max(axis=0)])


def test_very_many_classes_have_larger_cells(axes):
    assert cell_shape(axes, 10) == (300, 300)
    n_rows, n_columns = cell_shape(axes, 2000)
    assert n_rows * n_columns * 2001 < 1.01 * binned_scatter.MAX_COUNTS


@pytest.mark.parametrize("suffix", ["pdf", "svg"])
def test_vector_files_hold_an_image(points, tmp_path, suffix):
    figure = Figure((2, 2), layout="constrained")
    draw_binned_scatter(figure.subplots(), points, color_labels(None, N))
    figure.savefig(tmp_path / f"cells.{suffix}")
    assert (b"/Subtype /Image" if suffix == "pdf" else b"<image") in (tmp_path / f"cells.{suffix}").read_bytes()


@pytest.fixture
def few_markers(monkeypatch):
    monkeypatch.setattr(module, "MAX_MARKERS", 1000)


@pytest.mark.usefixtures("few_markers")
def test_a_large_latent_scatter_is_drawn_as_cells_and_says_so(ax, points):
    posterior = Posterior(np.column_stack([points, 0.1 * points[:, :1]]), np.full((N, 3), 0.5), "normal")
    latent_scatter(posterior, np.zeros((N, 1)), np.arange(N) % 3, ax=ax)
    (cells,) = ax.images
    assert isinstance(cells, BinnedScatter)
    assert not ax.collections
    np.testing.assert_array_equal(cells.points, points)
    assert cells.scale_note in ax.get_title()
    assert [text.get_text() for text in ax.get_legend().get_texts()][:3] == ["0", "1", "2"]


@pytest.mark.usefixtures("few_markers")
def test_dimensions_in_any_order_are_views(ax, points):
    codes = np.column_stack([points, points**2])
    latent_scatter(Posterior(codes), np.zeros((N, 1)), dims=(3, 1), ax=ax)
    np.testing.assert_array_equal(ax.images[0].points, codes[:, [3, 1]])


@pytest.mark.usefixtures("few_markers")
def test_points_far_out_are_counted_in_the_title(ax, points):
    points[7] = 1000
    latent_scatter(Posterior(points), np.zeros((N, 1)), ax=ax)
    assert "beyond the axes" in ax.get_title()
    assert ax.get_xlim()[1] < 10


@pytest.mark.usefixtures("few_markers")
def test_a_marker_option_draws_markers(ax, points):
    latent_scatter(Posterior(points), np.zeros((N, 1)), marker_size=2, ax=ax)
    assert len(ax.collections) == 1
    assert not ax.images
