"""Latent axes with even and uneven nodes."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from vaeviz.analysis.latent_grid import equal_mass_nodes, linear_nodes
from vaeviz.drawing.grid_axis import GridAxis
from vaeviz.drawing.mosaic import ColorScale, draw_mosaic


def test_cells_and_values_convert_both_ways(nodes):
    axis = GridAxis(nodes)
    cells = np.linspace(-1.5, len(nodes) + 0.5, 41)
    np.testing.assert_allclose(axis.to_value(np.arange(len(nodes))), nodes)
    np.testing.assert_allclose(axis.to_cell(axis.to_value(cells)), cells)
    assert (np.diff(axis.to_value(cells)) > 0).all()


def test_even_nodes_are_recognized():
    assert GridAxis(linear_nodes(-1.96, 1.96, 20)).is_even
    assert not GridAxis(equal_mass_nodes(20)).is_even
    assert GridAxis(1e6 + linear_nodes(0, 1, 20)).is_even


@pytest.mark.parametrize("n", [3, 10, 20, 50])
def test_ticks_of_uneven_nodes_are_round_and_spaced(n):
    nodes = GridAxis(equal_mass_nodes(n))
    ticks = nodes.ticks()
    assert 0 in ticks
    np.testing.assert_allclose(ticks, np.negative(ticks[::-1]))
    assert all(abs(tick * 20 - round(tick * 20)) < 1e-9 for tick in ticks)
    assert 3 <= len(ticks) <= 11
    assert np.diff(nodes.to_cell(np.array(ticks))).min() >= n / 10


@pytest.mark.parametrize("inches", [1.2, 2.3, 5.0])
def test_tick_labels_of_uneven_nodes_do_not_meet_at_any_size(inches):
    axis = GridAxis(equal_mass_nodes(20))
    ax = Figure(figsize=(inches, inches), layout="constrained").subplots()
    draw_mosaic(ax, np.zeros((20, 20, 8, 8)), ColorScale("gray", 0, 1), x_axis=axis, y_axis=axis)
    ax.figure.draw_without_rendering()
    for labels, side in ((ax.get_xticklabels(), 0), (ax.get_yticklabels(), 1)):
        ends = np.array([text.get_window_extent().get_points()[:, side] for text in labels if text.get_text()])
        assert len(ends) >= 1
        assert (ends[1:, 0] > ends[:-1, 1]).all()
