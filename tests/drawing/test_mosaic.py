"""Grids of images on plain and latent axes."""

import base64
import io
import re

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from vaeviz.data.sample_kind import as_images
from vaeviz.drawing import tables
from vaeviz.drawing.cells import draw_cells
from vaeviz.drawing.grid_axis import GridAxis
from vaeviz.drawing.grid_layout import GridLayout
from vaeviz.drawing.mosaic import assemble_mosaic
from vaeviz.drawing.sample_style import SampleStyle
from vaeviz.errors import UnknownName

RNG = np.random.default_rng(0)


def test_unknown_colormap_is_an_error(ax):
    with pytest.raises(UnknownName, match="viridis") as caught:
        draw_cells(ax, RNG.random((2, 3, 8, 8)), SampleStyle(cmap="virids"))
    assert caught.value.got == "virids"


@pytest.mark.parametrize("shape", [(8, 8), (28, 28), (5, 9), (1, 3), (6, 8, 3)])
def test_every_image_is_in_its_cell_with_gaps_between(shape):
    images = RNG.random((3, 4, *shape), dtype=np.float32)
    mosaic, (gap_up, gap_across) = assemble_mosaic(images)
    height = (mosaic.shape[0] + gap_up) // 3 - gap_up
    width = (mosaic.shape[1] + gap_across) // 4 - gap_across
    factor = height // shape[0]
    assert (height, width) == (factor * shape[0], factor * shape[1])
    filled = np.zeros(mosaic.shape[:2], dtype=bool)
    for row in range(3):
        for column in range(4):
            place = (
                slice(row * (height + gap_up), row * (height + gap_up) + height),
                slice(column * (width + gap_across), column * (width + gap_across) + width),
            )
            np.testing.assert_array_equal(mosaic[place][::factor, ::factor], images[row, column])
            filled[place] = True
    assert np.isnan(mosaic[~filled]).all()
    assert (~filled).sum() > 0


@pytest.mark.parametrize("shape", [(8, 8), (28, 28), (64, 64), (200, 200)])
def test_gaps_are_hairlines(shape):
    mosaic, gaps = assemble_mosaic(np.zeros((2, 2, *shape)))
    side = (mosaic.shape[0] - gaps[0]) / 2
    assert all(0.02 < gap / side < 0.05 for gap in gaps)


def test_single_image_has_no_gap():
    mosaic, _ = assemble_mosaic(np.zeros((1, 1, 28, 28)))
    assert mosaic.shape == (28, 28)


def cell_centers(ax, shape, gaps):
    """Return the center of each cell of a mosaic in pixels (rows, columns, 2)."""
    image = ax.images[0]
    (left, right, bottom, top), (height, width) = image.get_extent(), image.get_array().shape[:2]
    (x0, y0), (x1, y1) = image.get_transform().transform([(left, bottom), (right, top)])
    (rows, columns), (gap_up, gap_across) = shape, gaps
    across = (np.arange(columns) + 0.5) * (width + gap_across) / columns - gap_across / 2
    down = (np.arange(rows) + 0.5) * (height + gap_up) / rows - gap_up / 2
    return np.stack(np.meshgrid(x0 + across / width * (x1 - x0), y1 - down / height * (y1 - y0)), axis=-1)


@pytest.mark.no_cover
@pytest.mark.parametrize("shape", [(8, 8), (6, 10), (8, 8, 3), (5,)], ids=["square", "wide", "color", "table"])
@pytest.mark.parametrize("across, up", [("even", "even"), ("even", "skewed"), ("uneven", "two"), ("skewed", "uneven")])
def test_points_at_the_nodes_are_at_the_centers_of_their_cells(ax, nodes_by_name, across, up, shape):
    x_nodes, y_nodes = nodes_by_name[across], nodes_by_name[up]
    rows, columns = len(y_nodes), len(x_nodes)
    cells = RNG.random((rows, columns, *shape), dtype=np.float32)
    kind = draw_cells(ax, cells, layout=GridLayout(x_axis=GridAxis(x_nodes), y_axis=GridAxis(y_nodes)))
    (dots,) = ax.plot(*np.meshgrid(x_nodes, y_nodes[::-1]), "o", zorder=3)[:1]
    ax.figure.draw_without_rendering()

    images = cells.reshape(rows, columns, -1, 1) if kind == "table" else as_images(cells, 2)
    gap = {"stretched": True, "gap": tables.STRIP_GAP} if kind == "table" else {}
    images = images.repeat(images.shape[2], axis=3) if kind == "table" else images
    _, gaps = assemble_mosaic(images, **gap)
    points = np.stack(np.meshgrid(x_nodes, y_nodes[::-1]), axis=-1)
    expected = ax.transData.transform(points.reshape(-1, 2)).reshape(points.shape)
    np.testing.assert_allclose(cell_centers(ax, (rows, columns), gaps), expected, atol=0.02)
    assert dots.get_transform() == ax.transData


def test_each_cell_is_rendered_at_its_node(ax, nodes):
    for row, column in [(0, 0), (len(nodes) - 1, 1)]:
        ax.clear()
        cells = np.zeros((len(nodes), len(nodes), 8, 8))
        cells[row, column] = 1
        draw_cells(ax, cells, layout=GridLayout(x_axis=GridAxis(nodes), y_axis=GridAxis(nodes)))
        ax.axis("off")
        canvas = FigureCanvasAgg(ax.figure)
        canvas.draw()
        screen = np.asarray(canvas.buffer_rgba())[..., :3].astype(int)
        box = ax.get_window_extent()
        inside = screen[::-1][int(box.y0) + 2 : int(box.y1) - 2, int(box.x0) + 2 : int(box.x1) - 2]
        # the mean of everything white in the columns and rows through the cell's own center: the cell, not the gaps
        x, y = ax.transData.transform((nodes[column], nodes[::-1][row]))
        x, y = int(x - int(box.x0) - 2), int(y - int(box.y0) - 2)
        assert inside[y, x].min() > 200
        others = [(c, r) for c in range(len(nodes)) for r in range(len(nodes)) if (c, r) != (column, row)]
        for other_column, other_row in others:
            x, y = ax.transData.transform((nodes[other_column], nodes[::-1][other_row]))
            assert inside[int(y - int(box.y0) - 2), int(x - int(box.x0) - 2)].max() < 50


def test_cells_have_equal_width_and_images_keep_their_aspect(ax, nodes):
    draw_cells(
        ax,
        RNG.random((len(nodes), len(nodes), 6, 9)),
        layout=GridLayout(x_axis=GridAxis(nodes), y_axis=GridAxis(nodes)),
    )
    ax.figure.draw_without_rendering()
    edges = GridAxis(nodes).to_value(np.arange(len(nodes) + 1) - 0.5)
    x, y = ax.transData.transform(np.column_stack([edges, edges])).T
    np.testing.assert_allclose(np.diff(x), np.diff(x)[0], rtol=1e-6)
    np.testing.assert_allclose(np.diff(y), np.diff(y)[0], rtol=1e-6)
    image = ax.images[0].get_window_extent()
    height, width = ax.images[0].get_array().shape[:2]
    assert image.height / image.width == pytest.approx(height / width, rel=1e-3)


def test_axis_limits_match_the_image(ax, nodes_by_name):
    axis = GridAxis(nodes_by_name["uneven"])
    draw_cells(ax, RNG.random((6, 6, 8, 8)), layout=GridLayout(x_axis=axis, y_axis=axis))
    ax.figure.draw_without_rendering()
    np.testing.assert_allclose(ax.images[0].get_window_extent().bounds, ax.get_window_extent().bounds, atol=0.01)
    assert axis.values[0] > ax.get_xlim()[0] > axis.to_value(-0.5)


def test_first_row_is_on_top_for_any_image_origin(ax):

    cells = np.zeros((2, 1, 8, 8))
    cells[0] = 1
    with matplotlib.rc_context({"image.origin": "lower"}):
        draw_cells(ax, cells)
    assert ax.images[0].origin == "upper"
    assert ax.images[0].get_array()[0, 0] == 1


@pytest.mark.parametrize("shape", [(9, 8), (9, 8, 3)])
def test_vector_files_hold_the_pixels_of_a_mosaic(tmp_path, shape):
    figure = Figure(figsize=(1, 1))  # a tenth of the pixels at its 100 dpi
    draw_cells(figure.subplots(), RNG.random((40, 30, *shape)))
    figure.savefig(tmp_path / "mosaic.svg")
    encoded = re.findall(r'base64,([^"]+)"', (tmp_path / "mosaic.svg").read_text())
    mosaic, _ = assemble_mosaic(np.zeros((40, 30, *shape)))
    heights_and_widths = [plt.imread(io.BytesIO(base64.b64decode(image))).shape[:2] for image in encoded]
    assert heights_and_widths == [mosaic.shape[:2]]


@pytest.mark.parametrize(("value", "n_lines"), [(0.0, 0), (0.5, 0), (1.0, 3)])
@pytest.mark.parametrize("shape", [(8, 8), (8, 8, 3)])
def test_white_images_have_borders(ax, shape, value, n_lines):
    draw_cells(ax, np.full((2, 3, *shape), value), SampleStyle(value_range=(0, 1)))
    assert len(ax.lines) == n_lines


def test_black_images_on_latent_axes_join_and_others_have_gaps():
    dark, gray = np.zeros((4, 4, 8, 8)), np.full((4, 4, 8, 8), 0.5)
    dark[..., 2:6, 2:6] = 1
    latent = GridLayout(connect="both", x_axis=GridAxis(np.arange(4.0)), y_axis=GridAxis(np.arange(4.0)))
    for images, layout, has_gaps in ((dark, latent, False), (gray, latent, True), (dark, GridLayout(), True)):
        ax = Figure().subplots()
        draw_cells(ax, images, layout=layout)
        assert np.isnan(np.ma.filled(ax.images[0].get_array().astype(float), np.nan)).any() == has_gaps
