"""Grids of points in the plane."""

import numpy as np
import pytest

from vaeviz.drawing.cells import draw_cells
from vaeviz.drawing.grid_layout import GridLayout
from vaeviz.drawing.sample_style import SampleStyle

RNG = np.random.default_rng(0)


@pytest.mark.parametrize(("connect", "lines"), [(None, 0), ("rows", 4), ("pairs", 6), ("both", 7)])
def test_points_are_dots_in_data_units(ax, connect, lines):
    points = RNG.standard_normal((4, 3, 2)) * 100
    assert draw_cells(ax, points, layout=GridLayout(connect=connect)) == "point"
    dots = [line for line in ax.lines if line.get_marker() == "o"]
    joined = [line for line in ax.lines if line.get_marker() != "o"]
    np.testing.assert_allclose(np.concatenate([line.get_xydata() for line in dots]), points.reshape(-1, 2))
    assert len(joined) == lines
    assert all(line.get_zorder() < dots[0].get_zorder() for line in joined)
    assert ax.get_aspect() == 1
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("$x_1$", "$x_2$")


def test_rows_with_different_labels_have_different_colors(ax):
    draw_cells(ax, RNG.standard_normal((2, 4, 2)), layout=GridLayout(row_labels=("original", "reconstruction")))
    handles = ax.get_legend().legend_handles
    assert [handle.get_label() for handle in handles] == ["original", "reconstruction"]
    assert handles[0].get_color() != handles[1].get_color()


def test_rows_with_the_same_label_share_a_color(ax):
    names = ("worst", "decoded", "median", "decoded")
    draw_cells(
        ax,
        RNG.standard_normal((4, 3, 2)),
        SampleStyle(names=("width", "height")),
        layout=GridLayout(connect="pairs", row_labels=names),
    )
    assert [handle.get_label() for handle in ax.get_legend().legend_handles] == ["worst", "decoded", "median"]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("width", "height")
