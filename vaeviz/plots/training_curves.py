"""Plot of the history of a training run."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from matplotlib.ticker import MaxNLocator

from vaeviz.data.history import history_columns
from vaeviz.drawing.figure_factory import figure_for
from vaeviz.drawing.text_fit import drawable_text
from vaeviz.errors import InputError, NotApplicable
from vaeviz.plots._option_checks import check_minimum, option_fix
from vaeviz.plugins.plot_spec import PageShape, register_plot

TIMES = ("epoch", "step", "global_step", "iteration")  # columns that count, the first that repeats no value
COUNTERS = {*TIMES, "time", "seconds", "index", "Unnamed: 0"}  # columns that are not drawn
SETS = {
    "train": "train", "training": "train",
    "val": "validation", "valid": "validation", "validation": "validation", "dev": "validation",
    "test": "test",
}  # fmt: skip
SET_COLORS = {"train": "C0", "validation": "C1", "test": "C2"}
RUN_COLUMNS = {"epoch", "beta", "best"}  # of a history of vaeviz_models, beside the quantities
RUN_TITLES = {
    "elbo": "ELBO, one-sample estimate",
    "log_likelihood": r"$\ln p(x|z)$, one sample of $z$",
    "kl": "KL to the prior",
}
TITLES = {"elbo": "ELBO", "kl": "KL"}  # of quantities in any other history, if not their names
MAX_COLUMNS = 3  # panels side by side
MIN_EPOCHS_OF_A_LINE = 3  # fewer are drawn as markers, too
LARGEST_VALUE = 1e300  # larger ones would overflow the limits of an axis


@dataclass(frozen=True)
class _Curve:
    """A column of the history."""

    quantity: str
    part: str  # the set of data it was measured on; empty if its name does not tell
    values: np.ndarray


@register_plot(page=PageShape("full", 0.32), question="Is the bound tight?")
def training_curves(
    history: Any,
    *,
    skip: int = 0,
    cut: bool = True,
    figure: Figure | SubFigure | None = None,
) -> np.ndarray:
    """Plot the quantities of a training by epoch, on training, validation and test data.

    What to look for: an ELBO that still rises or a loss that still falls: train longer. A gap between training and test
    data that grows: the model overfits. A KL near 0 that stays there: the code is not used (posterior collapse).

    What commonly misleads: an ELBO can be compared only with ELBOs of the same data under the same likelihood. Early
    epochs would set the scale, so they may be cut; the axis says so, and ``cut=False`` shows them.

    Parameters
    ----------
    history : mapping, data frame, Keras History, sequence or path
        Columns by name, such as ``train_loss``, ``val_loss`` or ``test/kl``, with a column ``epoch`` or ``step`` if
        there is one; a sequence of losses or of one mapping per epoch; or the path of a ``.csv`` file or of a run.
    skip : int, default=0
        Number of first epochs to leave out.
    cut : bool, default=True
        Fit the vertical axes to the epochs after the first tenth if that tenth would take more than half of one.
    figure : Figure or SubFigure, optional
        Figure to draw into. By default, a new pyplot figure.

    Returns
    -------
    ndarray of Axes, shape (Q,)
        The Axes of each quantity that `history` holds.

    Raises
    ------
    NotApplicable
        If there are no epochs, or `skip` leaves none.
    InputError
        If `history` holds no quantity, or its columns differ in length.

    Notes
    -----
    The history of a run of `vaeviz_models` is recognized by its columns. Its values are one-sample estimates in nats
    per sample. Nothing is known of other histories but their names. Missing values are left out of a curve.

    Examples
    --------
    >>> import vaeviz
    >>> (ax,) = vaeviz.training_curves({"loss": [3.0, 2.0, 1.5], "val_loss": [3.2, 2.5, 2.4]})
    >>> ax.get_title(), [line.get_label() for line in ax.lines]
    ('loss', ['loss', 'validation'])
    """
    columns = history_columns(history)
    curves = _find_curves(columns)
    _check_lengths(columns, curves)
    check_minimum("skip", skip, 0)
    time, epochs = _find_times(columns, curves)
    if skip >= len(epochs):
        raise NotApplicable(
            f"The history has {len(epochs)} epochs, and skip={skip} leaves none.",
            fix=option_fix("skip", 0) if skip else "Train for one epoch or more.",
        )
    is_run = _is_run(columns)
    panels = _group_by_quantity(curves, RUN_TITLES if is_run else {})
    axes = _add_panels(figure, len(panels))
    for ax, (quantity, group) in zip(axes, panels.items()):
        _draw_curves(ax, epochs[skip:], group, skip)
        title = (RUN_TITLES if is_run else TITLES).get(
            quantity, drawable_text(quantity.replace("_", " ").replace("$", r"\$"))
        )
        ax.set(xlabel=time, title=title)
    n_cut = _count_cut([curve.values[skip:] for curve in curves]) if cut else 0
    if n_cut:
        for ax, group in zip(axes, panels.values()):
            _fit_to_later(ax, np.stack([curve.values[skip + n_cut :] for curve in group]))
            ax.set_xlabel(f"{time} (first {n_cut} cut)" if n_cut > 1 else f"{time} (first cut)")
    if is_run:
        axes[0].set_ylabel("nats per sample")
    _add_legends(axes)
    return axes


def _is_run(columns: Mapping[str, np.ndarray]) -> bool:
    """Return True for the columns of a history that `vaeviz_models` writes."""
    known = {f"{part}_{quantity}" for part in SET_COLORS for quantity in RUN_TITLES}
    return {"epoch", "beta"} <= set(columns) <= RUN_COLUMNS | known


def _find_curves(columns: Mapping[str, np.ndarray]) -> list[_Curve]:
    """Return the columns that are quantities, with the set of data that their names begin or end with."""
    left_out = COUNTERS | (RUN_COLUMNS if _is_run(columns) else set())
    curves = []
    for name, values in columns.items():
        if name in left_out:
            continue
        words = "|".join(SETS)
        match = re.fullmatch(rf"(?:({words})[_/. -])?(.+?)(?:[_/. -]({words}))?", name, re.IGNORECASE)
        first, quantity, last = match.groups() if match else (None, name, None)
        curves.append(_Curve(quantity, SETS.get((first or last or "").lower(), ""), values))
    if not curves:
        received = ", ".join(columns) or "no columns"
        raise InputError(
            f"history holds {received}, but no quantity.",
            got=received,
            expected="epoch, and columns such as train_loss or train_elbo",
            fix='Pass history={"epoch": [1, 2], "train_elbo": [-120.0, -110.0]}.',
        )
    return curves


def _check_lengths(columns: Mapping[str, np.ndarray], curves: list[_Curve]) -> None:
    n_epochs = len(columns["epoch"]) if "epoch" in columns else len(curves[0].values)
    for name, values in columns.items():
        if len(values) != n_epochs:
            raise InputError(
                f"history has {len(values)} values of {name} for {n_epochs} epochs.",
                got=f"{len(values)} values of {name}",
                expected=f"{n_epochs} values",
                fix="Pass one value per epoch; write NaN for a missing one.",
            )


def _find_times(columns: Mapping[str, np.ndarray], curves: list[_Curve]) -> tuple[str, np.ndarray]:
    """Return the name and the values of the horizontal axis; entries are counted where no column counts."""
    for name in TIMES:
        if name in columns and len(np.unique(columns[name])) == len(columns[name]):
            return name.replace("_", " "), columns[name]
    return "entry", np.arange(1.0, len(curves[0].values) + 1)


def _group_by_quantity(curves: list[_Curve], first: Mapping[str, str]) -> dict[str, list[_Curve]]:
    """Return the curves of each quantity, those of `first` in front."""
    quantities = dict.fromkeys([*first, *(curve.quantity for curve in curves)])
    groups = {name: [curve for curve in curves if curve.quantity == name] for name in quantities}
    return {
        name: sorted(group, key=lambda curve: ["", *SET_COLORS].index(curve.part))
        for name, group in groups.items()
        if group
    }


def _add_panels(figure: Figure | SubFigure | None, n_panels: int) -> np.ndarray:
    """Add Axes in rows of up to three, to a new figure if there is none."""
    n_rows = math.ceil(n_panels / MAX_COLUMNS)
    figure = figure or figure_for(training_curves, None if n_rows == 1 else 0.3 * n_rows)
    axes: np.ndarray = figure.subplots(n_rows, min(n_panels, MAX_COLUMNS), squeeze=False).ravel()
    for ax in axes[n_panels:]:
        ax.remove()
    return axes[:n_panels]


def _draw_curves(ax: Axes, epochs: np.ndarray, curves: list[_Curve], skip: int) -> None:
    """Draw the curves of one quantity, with labels that count what cannot be drawn."""
    has_train = any(curve.part == "train" for curve in curves)
    for curve in curves:
        values = curve.values[skip:]
        is_drawn = np.abs(values) < LARGEST_VALUE
        n_infinite = int((~is_drawn & ~np.isnan(values)).sum())
        label = drawable_text(curve.part or curve.quantity) + (f", {n_infinite} infinite" if n_infinite else "")
        marker = "o" if is_drawn.sum() < MIN_EPOCHS_OF_A_LINE else ""
        color = SET_COLORS.get(curve.part, "C3" if has_train else "C0")
        ax.plot(epochs[is_drawn], values[is_drawn], color=color, label=label, marker=marker, ms=3)
    if len(epochs) > 1:
        # At most half an epoch beside the curves, so that no tick stands where there is no epoch.
        margin = min(0.04 * np.ptp(epochs), 0.5 * np.diff(np.sort(epochs)).min())
        ax.set_xlim(epochs.min() - margin, epochs.max() + margin)
    ax.xaxis.set_major_locator(MaxNLocator("auto", integer=True))


def _add_legends(axes: np.ndarray) -> None:
    """Add a legend to each Axes that has several curves or infinite values, unless one before it names them all."""
    named: set[str] = set()
    for ax in axes:
        labels = {str(line.get_label()) for line in ax.lines}
        if labels - named and (len(labels) > 1 or any("infinite" in label for label in labels)):
            ax.legend()
            named |= labels


def _count_cut(columns: list[np.ndarray]) -> int:
    """Return the tenth of the epochs if it would take more than half of the height of a panel, otherwise 0."""
    n_cut = len(columns[0]) // 10
    spans = [(_finite_span(values), _finite_span(values[n_cut:])) for values in columns]
    return n_cut if any(whole > 2 * later > 0 for whole, later in spans) else 0


def _finite_span(values: np.ndarray) -> float:
    drawn = values[np.abs(values) < LARGEST_VALUE]
    return float(np.ptp(drawn)) if len(drawn) else 0.0


def _fit_to_later(ax: Axes, values: np.ndarray) -> None:
    """Fit the vertical axis to values (C, E)."""
    drawn = values[np.abs(values) < LARGEST_VALUE]
    if len(drawn) and np.ptp(drawn) > 0:
        margin = 0.08 * np.ptp(drawn)
        ax.set_ylim(drawn.min() - margin, drawn.max() + margin)
