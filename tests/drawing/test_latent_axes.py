"""Names, aspect and prior contours of latent axes."""

import numpy as np
import pytest

import vaeviz
from vaeviz.drawing.latent_axes import dimension_label, draw_prior_contours, equal_aspect


def test_dimension_labels_count_from_one():
    assert dimension_label(0) == "$z_{1}$"
    assert dimension_label(11) == "$z_{12}$"


def test_prior_contours_are_circles_and_keep_the_limits(ax):
    ax.plot([0, 0.5], [0, 0.5])
    limits = ax.get_xlim(), ax.get_ylim()
    draw_prior_contours(ax)
    radii = [np.linalg.norm(line.get_xydata(), axis=1) for line in ax.lines[1:]]
    np.testing.assert_allclose(radii, np.repeat([[1], [2], [3]], 181, axis=1))
    assert (ax.get_xlim(), ax.get_ylim()) == limits
    assert len(ax.get_legend_handles_labels()[0]) == 1


def test_both_axes_have_the_same_scale(ax):
    ax.plot([0, 10], [0, 1])
    equal_aspect(ax)
    ax.figure.draw_without_rendering()
    (x0, y0), (x1, y1) = ax.transData.transform([(0, 0), (1, 1)])
    assert x1 - x0 == pytest.approx(y1 - y0)
    assert ax.get_xlim()[0] <= 0
    assert ax.get_xlim()[1] >= 10


@pytest.mark.parametrize("seed", [13, 21])
def test_names_of_axes_are_inside_the_figure_beside_long_tick_labels(seed):
    rng = np.random.default_rng(seed)
    n_classes = rng.integers(2, 11)
    labels = rng.integers(n_classes, size=3000)
    scale = 10 ** rng.uniform(-1, 1.5)
    centers = 3 * rng.standard_normal((n_classes, 2))
    points = (scale * (centers[labels] + rng.standard_normal((3000, 2)))).astype(np.float32)
    points[:5] = 200 * scale  # beyond the axes
    ax = vaeviz.latent_scatter(vaeviz.Posterior(points), points, np.char.add("class ", labels.astype(str)))
    ax.figure.draw_without_rendering()
    assert ax.yaxis.label.get_window_extent().x0 > 0
