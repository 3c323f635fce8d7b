"""Plot of the history of a training run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from matplotlib.ticker import MaxNLocator

from vaeviz.drawing.figure_factory import figure_for
from vaeviz.errors import InputError, NotApplicable
from vaeviz.plots._option_checks import check_minimum, option_fix
from vaeviz.plugins.plot_spec import PageShape, register_plot

PANELS = {
    "elbo": "ELBO, one-sample estimate",
    "log_likelihood": r"$\ln p(x|z)$, one sample of $z$",
    "kl": "KL to the prior",
}
SETS = ("train", "validation", "test")
MIN_EPOCHS_OF_A_LINE = 3  # fewer are drawn as markers, too


@register_plot(page=PageShape("full", 0.32))
def training_curves(
    history: Mapping[str, Sequence[float]],
    *,
    skip: int = 0,
    cut: bool = True,
    figure: Figure | SubFigure | None = None,
) -> np.ndarray:
    """Plot the ELBO and its two terms by epoch, on training, validation and test data.

    Parameters
    ----------
    history : mapping of str to sequence of float
        Columns by name: ``epoch``, and any of ``{train,validation,test}_{elbo,log_likelihood,kl}`` in nats per sample,
        as in the ``history.csv`` of a run.
    skip : int, default=0
        Number of first epochs to leave out.
    cut : bool, default=True
        Fit a vertical axis to the epochs after the first tenth if that tenth would take more than half of it.
    figure : Figure or SubFigure, optional
        Figure to draw into. By default, a new pyplot figure.

    Returns
    -------
    ndarray of Axes, shape (1,), (2,) or (3,)
        The Axes of each quantity that `history` holds.

    Raises
    ------
    NotApplicable
        If there are no epochs, or `skip` leaves none.
    InputError
        If `history` has no epochs or none of the quantities, or its columns differ in length.
    """
    columns = {name: np.asarray(values, dtype=float) for name, values in history.items()}
    panels = [name for name in PANELS if any(f"{part}_{name}" in columns for part in SETS)]
    _check_columns(columns, panels)
    check_minimum("skip", skip, 0)
    epochs = columns["epoch"][skip:]
    if not len(epochs):
        raise NotApplicable(
            f"The history has {len(columns['epoch'])} epochs, and skip={skip} leaves none.",
            fix=option_fix("skip", 0) if skip else "Train for one epoch or more.",
        )
    figure = figure or figure_for(training_curves)
    axes: np.ndarray = figure.subplots(1, len(panels), squeeze=False)[0]
    for ax, panel in zip(axes, panels):
        curves = {part: columns[f"{part}_{panel}"][skip:] for part in SETS if f"{part}_{panel}" in columns}
        for part, values in curves.items():
            marker = "o" if len(epochs) < MIN_EPOCHS_OF_A_LINE else ""
            ax.plot(epochs, values, color=f"C{SETS.index(part)}", label=part, marker=marker, ms=3)
        ax.set(xlabel="epoch", title=PANELS[panel])
        if cut:
            _cut_beginning(ax, np.stack(list(curves.values())))
        ax.xaxis.set_major_locator(MaxNLocator("auto", integer=True))
    axes[0].set_ylabel("nats per sample")
    if len(axes[0].lines) > 1:
        axes[0].legend()
    return axes


def _cut_beginning(ax: Axes, values: np.ndarray) -> None:
    """Fit the limits to the curves (C, E) after a tenth of the epochs, if the whole range is twice as large."""
    n_cut = values.shape[1] // 10
    later = values[:, n_cut:]
    low, high = np.nanmin(later), np.nanmax(later)
    if n_cut and high > low and np.nanmax(values) - np.nanmin(values) > 2 * (high - low):
        ax.set_ylim(low - 0.08 * (high - low), high + 0.08 * (high - low))
        ax.set_xlabel(f"epoch (first {n_cut} cut)" if n_cut > 1 else "epoch (first cut)")


def _check_columns(columns: Mapping[str, np.ndarray], panels: Sequence[str]) -> None:
    if "epoch" not in columns or not panels:
        received = ", ".join(columns) or "no columns"
        raise InputError(
            f"history holds {received}, but needs epoch and a quantity, for example train_elbo.",
            got=received,
            expected="epoch, and any of {train,validation,test}_{elbo,log_likelihood,kl}",
            fix='Pass history={"epoch": [1, 2], "train_elbo": [-120.0, -110.0]}.',
        )
    n_epochs = len(columns["epoch"])
    for name, values in columns.items():
        if len(values) != n_epochs:
            raise InputError(
                f"history has {len(values)} values of {name} for {n_epochs} epochs.",
                got=f"{len(values)} values of {name}",
                expected=f"{n_epochs} values",
                fix="Pass one value per epoch; write NaN for a missing one.",
            )
