"""Grids of signals."""

import numpy as np
import pytest
from matplotlib.colors import to_rgba

from vaeviz.drawing.cells import draw_cells
from vaeviz.drawing.grid_axis import GridAxis
from vaeviz.drawing.grid_layout import GridLayout
from vaeviz.drawing.sample_style import SampleStyle

RNG = np.random.default_rng(0)


def test_channels_have_colors_and_names(ax):
    signals = RNG.random((2, 3, 2, 50))
    assert draw_cells(ax, signals, SampleStyle(names=("left", "right"))) == "signal"
    assert len(ax.collections) == 2
    assert [len(lines.get_segments()) for lines in ax.collections] == [6, 6]
    handles = ax.get_legend().legend_handles
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["left", "right"]
    assert [to_rgba(handle.get_color()) for handle in handles] == [to_rgba("#3f90da"), to_rgba("#ffa90e")]
    heights = ax.collections[1].get_segments()[4][:, 1]
    np.testing.assert_allclose(np.corrcoef(heights, signals[1, 1, 1])[0, 1], 1, atol=1e-6)


def test_range_of_a_cell_is_written_unless_it_is_zero_to_one(ax):
    draw_cells(ax, RNG.random((2, 2, 50)) * 4 - 2, SampleStyle(value_range=(-2, 2)))
    assert ax.get_xlabel() == "each cell from −2 to 2"
    assert ax.get_legend() is None


@pytest.mark.parametrize("name", [None, "even", "uneven"])
def test_signals_are_lines_in_their_cells(ax, nodes_by_name, name):
    on = None if name is None else GridAxis(nodes_by_name[name])
    count = 3 if on is None else len(on.values)
    signals = RNG.random((count, count, 50))
    signals[0, 1, 10], signals[0, 1, 20] = 1.0, 0.0
    assert draw_cells(ax, signals, SampleStyle(value_range=(0, 1)), layout=GridLayout(x_axis=on, y_axis=on)) == "signal"
    lines = ax.collections[0].get_segments()
    assert len(lines) == count**2
    place = (lambda value: value) if on is None else on.to_cell
    for index, line in enumerate(lines):
        row, column = divmod(index, count)
        x, y = place(line[:, 0]) - column, place(line[:, 1]) - (count - 1 - row)
        assert x.min() == pytest.approx(-x.max())
        assert np.abs(x).max() < 0.5
        assert np.abs(y).max() < 0.5
        np.testing.assert_allclose(np.corrcoef(y, signals[row, column])[0, 1], 1, atol=1e-6)
    y = place(lines[1][:, 1]) - (count - 1)
    assert y[10] == pytest.approx(-y[20])
    ax.figure.draw_without_rendering()
    assert not ax.images


def test_blank_signal_is_not_drawn(ax):
    signals = RNG.random((2, 2, 50))
    signals[1, 1] = np.nan
    draw_cells(ax, signals)
    ax.figure.draw_without_rendering()
    assert np.isfinite(ax.collections[0].get_segments()[0]).all()
