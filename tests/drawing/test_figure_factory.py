"""Figures for plots that receive no Axes."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

import vaeviz
from vaeviz import Posterior
from vaeviz.drawing.figure_factory import axes_for, figure_for
from vaeviz.drawing.styles import get_style
from vaeviz.export.render import draw_figure
from vaeviz.plugins.plot_spec import PageShape, get_plot, register_plot


@pytest.mark.parametrize(
    ("page", "aspect", "shape"), [(PageShape("column", 0.5), None, 0.5), (PageShape("full", 0.25), None, 0.25)]
)
def test_new_figure_has_the_shape_of_the_page(registered, page, aspect, shape):
    @register_plot(page=page)
    def mine(encoder, *, ax=None):
        """Mine."""

    width, height = figure_for(mine, aspect).get_size_inches()
    assert height / width == pytest.approx(shape)


def test_new_figure_has_the_shape_of_its_content_if_the_page_has_none(registered):
    @register_plot(page=PageShape("column", None))
    def mine(encoder, *, ax=None):
        """Mine."""

    sizes = np.array([axes_for(mine, aspect).figure.get_size_inches() for aspect in (0.1, 0.5, 1.0, 20.0)])
    assert len(plt.get_fignums()) == 4
    (widths, heights) = sizes.T
    assert len({*widths}) == 1
    np.testing.assert_allclose(np.diff(heights), [0.4 * widths[0], 0.5 * widths[0], 0.25 * widths[0]])
    assert heights[0] - 0.1 * widths[0] > 0.7  # inches, for a title of two lines and the labels


@pytest.mark.parametrize("style", ["paper", "talk"])
@pytest.mark.parametrize("seed", [3, 22])
def test_ticks_that_change_with_the_layout_stay_on_the_page(style, seed):
    classes = np.arange(600) % 10
    points = np.random.default_rng(seed).normal(size=(600, 4))
    points[:, :2] += 2 * np.column_stack([np.cos(classes), np.sin(1.7 * classes)])
    names = np.array([f"{letter} marshes and floodplains" for letter in "abcdefghij"])[classes]
    inputs = {"encoder": Posterior(points, np.full_like(points, 0.3), "normal"), "x": points, "labels": names}
    with vaeviz.style(style):
        figure = draw_figure(get_plot("latent_scatter"), inputs, {}, get_style(style))
        FigureCanvasAgg(figure).draw()
    assert figure.axes[0].get_tightbbox().x0 >= 0
