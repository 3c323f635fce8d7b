"""Densities along one axis, one a class."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from vaeviz.drawing.colors import PLAIN_COLOR, LabelColors
from vaeviz.drawing.legends import add_color_key
from vaeviz.errors import NotApplicable

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FILLED_UP_TO = 4  # classes; the fillings of more would blend into colors that stand for none


def draw_densities(ax: Axes, values: np.ndarray, colors: LabelColors, *, prior: bool) -> None:
    """Kernel density estimates of values (N,), one a class and each of area 1, and N(0, 1) if `prior`.

    Samples without a label are left out.
    """
    if colors.mappable is not None:
        raise NotApplicable("densities need classes, and the labels are continuous")
    peaks = draw_density(ax, values, colors, prior=prior)
    add_color_key(ax, colors[colors.index >= 0], label_positions=peaks)
    ax.set_ylabel("density")


def draw_density(ax: Axes, values: np.ndarray, colors: LabelColors, *, prior: bool) -> np.ndarray:
    """The curves of `draw_densities` without a legend; one curve of all values where the labels are a gradient.

    Returns where they are highest, (C, 2), NaN for a class without a curve.
    """
    from scipy.stats import gaussian_kde

    if colors.mappable is not None:
        colors = LabelColors(np.zeros(len(values), int), [PLAIN_COLOR])
    peaks = np.full((len(colors.colors), 2), np.nan)
    for code, color in enumerate(colors.colors):
        mine = values[colors.index == code]
        if len(mine) > 1 and np.ptp(mine) > 0:
            density = gaussian_kde(mine)
            reach = 3 * density.factor * mine.std()
            z = np.linspace(mine.min() - reach, mine.max() + reach, 201)
            height = density(z)
            if len(colors.colors) <= FILLED_UP_TO:
                ax.fill_between(z, height, color=color, alpha=0.35, lw=0, zorder=2)
            ax.plot(z, height, color=color, lw=1, zorder=2)
            peaks[code] = z[height.argmax()], height.max()
    ax.set_ylim(bottom=0)
    if prior:
        z = np.linspace(-4, 4, 201)
        ax.plot(
            z, np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi), color="0.25", lw=0.8, ls=(0, (4, 3)), label="prior N(0, 1)"
        )
    return peaks
