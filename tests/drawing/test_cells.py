"""Grids of images and spectrograms."""

import numpy as np
import pytest
from matplotlib.colors import to_rgba

from vaeviz.drawing.cells import cells_aspect, draw_cells
from vaeviz.drawing.grid_layout import GridLayout
from vaeviz.drawing.sample_style import SampleStyle

RNG = np.random.default_rng(0)


def test_gray_images_share_a_colormap_and_a_range(ax):
    assert draw_cells(ax, RNG.random((2, 3, 8, 8)) * 4 - 2, SampleStyle(value_range=(-2, 2))) == "image"
    image = ax.images[0]
    assert len(ax.images) == 1
    assert image.get_cmap().name == "gray"
    assert image.get_clim() == (-2, 2)
    assert image.get_cmap()(np.nan) == to_rgba("white")


def test_color_images_are_rescaled_with_transparent_gaps(ax):
    cells = np.full((1, 2, 8, 8, 3), 100.0)
    cells[0, 1] = (0, 100, 200)
    draw_cells(ax, cells, SampleStyle(value_range=(0, 200)))
    pixels = np.asarray(ax.images[0].get_array())
    assert pixels.shape[-1] == 4
    np.testing.assert_allclose(pixels[0, 0], [0.5, 0.5, 0.5, 1])
    np.testing.assert_allclose(pixels[0, -1], [0, 0.5, 1, 1])
    assert pixels[:, pixels.shape[1] // 2, 3].max() == 0


def test_rows_and_columns_are_labeled(ax):
    draw_cells(
        ax, RNG.random((2, 3, 8, 8)), layout=GridLayout(row_labels=("top", "bottom"), column_labels=("a", "b", "c"))
    )
    ax.figure.draw_without_rendering()
    assert {tick.get_text(): y for y, tick in zip(ax.get_yticks(), ax.get_yticklabels())} == {"top": 1, "bottom": 0}
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["a", "b", "c"]
    assert list(ax.get_xticks()) == [0, 1, 2]


def test_without_labels_there_are_no_ticks(ax):
    draw_cells(ax, RNG.random((2, 3, 8, 8)))
    assert len(ax.get_xticks()) == len(ax.get_yticks()) == 0


@pytest.mark.parametrize(
    ("shape", "kind", "aspect"),
    [((8, 8), None, 2 / 4), ((6, 9), None, 2 * 6 / (4 * 9)), ((64,), None, 2 / 4), ((6, 9, 3), None, 12 / 36)],
)
def test_aspect_of_a_grid_of_images(ax, shape, kind, aspect):
    cells = RNG.random((2, 4, *shape))
    assert cells_aspect(cells, SampleStyle(kind)) == pytest.approx(aspect)


def test_lowest_frequency_of_a_spectrogram_is_at_the_bottom(ax):
    cells = np.zeros((1, 1, 6, 20), dtype=np.float32)
    cells[..., 0, :] = 1
    assert draw_cells(ax, cells, SampleStyle("spectrogram")) == "spectrogram"
    pixels = ax.images[0].get_array()
    assert (pixels[-1] == 1).all()
    assert (pixels[0] == 0).all()
    assert ax.images[0].get_cmap().name == "magma"
    assert ax.get_xlabel() == "each cell: time →, frequency ↑"
    assert len(ax.child_axes) == 1


@pytest.mark.parametrize("shape", [(6, 200), (200, 6), (1, 33, 31)])
def test_spectrograms_have_a_fixed_aspect(ax, shape):
    cells = RNG.random((2, 4, *shape))
    draw_cells(ax, cells, SampleStyle("spectrogram"))
    ax.figure.draw_without_rendering()
    box = ax.images[0].get_window_extent()
    assert box.height / box.width == pytest.approx(cells_aspect(cells, SampleStyle("spectrogram")), rel=0.03)
    assert cells_aspect(cells, SampleStyle("spectrogram")) == pytest.approx(0.375)


def test_tall_images_keep_their_aspect_and_transparency(ax):
    cells = np.full((1, 2, 30, 5, 4), 0.5)
    cells[..., 3] = 0.25
    assert draw_cells(ax, cells) == "image"
    assert np.asarray(ax.images[0].get_array())[0, 0, 3] == 0.25
    assert cells_aspect(cells, SampleStyle()) == pytest.approx(3)
