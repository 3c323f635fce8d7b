"""Kernel density estimates along one axis, one per class."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from vaeviz.drawing.colors import MISSING_COLOR, PLAIN_COLOR, LabelColors
from vaeviz.drawing.latent_axes import DASHES
from vaeviz.drawing.legends import add_color_key
from vaeviz.errors import NotApplicable

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MAX_FILLED_CLASSES = 4  # the fills of more classes would blend into colors of no class
TICK_HEIGHT = 0.12  # of the Axes, of a class whose values are all equal and have no density


def draw_densities(ax: Axes, values: np.ndarray, colors: LabelColors, *, prior: bool) -> None:
    """Draw a kernel density estimate of each class, each with area 1, and a legend.

    Parameters
    ----------
    ax : Axes
        Where to draw.
    values : ndarray, shape (N,)
        Values, in latent units.
    colors : LabelColors
        Classes of the values. Gray values have a density of their own.
    prior : bool
        Draw the density of the prior N(0, 1) as well.

    Raises
    ------
    NotApplicable
        If the labels are continuous.
    """
    if colors.mappable is not None:
        raise NotApplicable(
            "Densities need classes, but the labels are continuous.", fix="Pass class labels, or labels=None."
        )
    peaks = draw_density_curves(ax, values, colors, prior=prior)
    add_color_key(ax, colors, label_positions=peaks)
    ax.set_ylabel("density")


def draw_density_curves(ax: Axes, values: np.ndarray, colors: LabelColors, *, prior: bool) -> np.ndarray:
    """Draw the curves of `draw_densities` without a legend.

    Parameters
    ----------
    ax : Axes
        Where to draw.
    values : ndarray, shape (N,)
        Values, in latent units.
    colors : LabelColors
        Classes of the values; with continuous labels all values have one curve.
    prior : bool
        Draw the density of the prior N(0, 1) as well.

    Returns
    -------
    ndarray, shape (C, 2)
        Where the curve of each class is highest, or its values are if they are all equal; NaN for a class without
        values.

    Notes
    -----
    A class with a single value has a tick there instead of a curve.
    """
    import seaborn

    if colors.mappable is not None:
        colors = LabelColors(np.zeros(len(values), int), [PLAIN_COLOR])
    palette = [*colors.colors, MISSING_COLOR]
    places = np.where(colors.index < 0, len(colors.colors), colors.index)
    groups = [values[places == code] for code in range(len(palette))]
    shown = [code for code, group in enumerate(groups) if len(group) > 1 and np.ptp(group) > 0]
    is_filled = len(colors.colors) <= MAX_FILLED_CLASSES
    if shown:
        seaborn.kdeplot(
            {code: groups[code] for code in shown},
            palette={code: palette[code] for code in shown},
            common_norm=False,
            fill=is_filled,
            alpha=0.35 if is_filled else 1,
            linewidth=1,
            zorder=2,
            legend=False,
            ax=ax,
        )
    peaks = np.full((len(groups), 2), np.nan)
    artists: Any = ax.collections if is_filled else ax.lines
    for code, curve in zip(shown, reversed(artists)):  # seaborn draws the last class first
        points = curve.get_paths()[0].vertices if is_filled else curve.get_xydata()
        peaks[code] = points[points[:, 1].argmax()]
    if prior:
        z = np.linspace(-4, 4, 201)
        density = np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi)
        ax.plot(z, density, color="0.25", lw=0.8, ls=DASHES, label="prior N(0, 1)")
    ax.set(ylabel="", ylim=(0, None))
    for code, group in enumerate(groups):
        if len(group) and code not in shown:
            ax.axvline(group[0], ymax=TICK_HEIGHT, color=palette[code], lw=1.5)
            peaks[code] = group[0], TICK_HEIGHT * ax.get_ylim()[1]
    return peaks[:-1]  # without the gray values
