"""Densities of classes along one axis."""

import numpy as np
import pytest
from matplotlib.colors import to_rgba
from scipy.stats import norm

from vaeviz.drawing.colors import MISSING_COLOR, color_labels
from vaeviz.drawing.densities import draw_densities, draw_density_curves
from vaeviz.errors import NotApplicable

RNG = np.random.default_rng(0)


def test_many_classes_are_named_at_the_peaks_of_their_densities(ax):
    values = np.random.default_rng(0).standard_normal(400) + np.repeat(np.arange(20), 20)
    draw_densities(ax, values, color_labels(np.repeat(np.arange(20), 20), 400), prior=False)
    curves = [line for line in ax.lines if len(line.get_xydata())]
    peaks = [tuple(max(line.get_xydata(), key=lambda point: point[1])) for line in curves]
    assert [text.xy if hasattr(text, "xy") else text.get_position() for text in ax.texts] == peaks[::-1]
    assert [text.get_text() for text in ax.texts] == [str(label) for label in range(20)]


def test_each_class_and_the_prior_have_a_density(ax):
    values = np.concatenate([RNG.normal(-3, 0.5, 400), RNG.normal(2, 1, 400)])
    colors = color_labels(np.repeat(["left", "right"], 400), 800)
    draw_densities(ax, values, colors, prior=True)
    right, left = (area.get_paths()[0].vertices for area in ax.collections)
    assert left[left[:, 1].argmax(), 0] == pytest.approx(-3, abs=0.4)
    assert right[right[:, 1].argmax(), 0] == pytest.approx(2, abs=0.4)
    assert [tuple(area.get_edgecolor()[0][:3]) for area in ax.collections] == [c[:3] for c in colors.colors[::-1]]
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


def test_missing_labels_have_a_gray_density(ax):
    labels = np.where(np.arange(200) < 100, "a", "")
    draw_densities(ax, RNG.standard_normal(200), color_labels(labels, 200), prior=False)
    assert to_rgba(MISSING_COLOR)[:3] == tuple(ax.collections[0].get_edgecolor()[0][:3])
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["a", "no label"]


def test_without_labels_there_is_one_density(ax):
    draw_densities(ax, RNG.standard_normal(200), color_labels(None, 200), prior=False)
    assert len(ax.collections) == 1
    assert ax.get_legend() is None


def test_class_with_one_value_has_a_tick(ax):
    draw_densities(ax, np.array([0.0, 1.0, 2.0, 5.0]), color_labels([0, 0, 0, 1], 4), prior=False)
    assert len(ax.collections) == 1
    (tick,) = [line for line in ax.lines if len(line.get_xdata())]
    assert tick.get_xdata()[0] == 5


def test_continuous_labels_have_no_class_densities(ax):
    colors = color_labels(np.linspace(0, 1, 50), 50)
    with pytest.raises(NotApplicable):
        draw_densities(ax, RNG.standard_normal(50), colors, prior=False)
    assert draw_density_curves(ax, RNG.standard_normal(50), colors, prior=False).shape == (1, 2)


def test_values_without_any_spread_have_a_tick(ax):
    peaks = draw_density_curves(ax, np.zeros(5), color_labels(None, 5), prior=True)
    assert peaks[0, 0] == 0
    assert [line.get_label() for line in ax.lines][:1] == ["prior N(0, 1)"]
    assert list(ax.lines[1].get_xdata()) == [0, 0]


def test_the_density_of_the_prior_is_not_cut(ax):
    draw_density_curves(ax, 5 * RNG.standard_normal(200), color_labels(None, 200), prior=True)
    assert ax.get_ylim()[1] > norm.pdf(0)


def test_peaks_are_those_of_a_gaussian(ax):
    values = norm.ppf((np.arange(4000) + 0.5) / 4000, loc=3)
    ((x, height),) = draw_density_curves(ax, values, color_labels(None, 4000), prior=False)
    assert x == pytest.approx(3, abs=0.05)
    assert height == pytest.approx(norm.pdf(0), rel=0.05)


def test_seaborn_is_imported_only_for_densities(python):
    code = "import sys, vaeviz, vaeviz.drawing.densities, vaeviz.drawing.cells; print('seaborn' in sys.modules)"
    assert python(code) == "False"
