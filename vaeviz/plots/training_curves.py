from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from matplotlib.ticker import MaxNLocator

from vaeviz.drawing.figure_factory import figure_for
from vaeviz.errors import InputError, NotApplicable
from vaeviz.plugins.plot_spec import PageShape, register_plot

PANELS = {
    "elbo": "ELBO, one-sample estimate",
    "log_likelihood": r"$\log p(x|z)$, one sample of $z$",
    "kl": "KL to the prior",
}
SETS = ("train", "validation", "test")


@register_plot(page=PageShape("full", 0.32))
def training_curves(
    history: Mapping[str, Sequence[float]],
    *,
    skip: int = 0,
    cut: bool = True,
    figure: Figure | SubFigure | None = None,
) -> np.ndarray:
    """The ELBO and its two terms by epoch, on training, validation and test data.

    history: columns by name: ``epoch``, and any of ``{train,validation,test}_{elbo,log_likelihood,kl}`` in nats a
        sample, as a run's ``history.csv`` has them.
    skip: leave out so many first epochs. cut: where the first tenth of the epochs would take more than half of a panel,
        its axis holds the others alone, and the curves enter from beyond. One panel for each quantity that is there.
    """
    columns = {name: np.asarray(values, dtype=float) for name, values in history.items()}
    panels = [name for name in PANELS if any(f"{of}_{name}" in columns for of in SETS)]
    if "epoch" not in columns or not panels:
        raise InputError(f"history: got columns {', '.join(columns) or 'none'}; expected epoch and e.g. train_elbo")
    _check_lengths(columns)
    if skip < 0:
        raise InputError(f"skip = {skip}: expected 0 or more")
    shown = slice(skip, None)
    epochs = columns["epoch"][shown]
    if not len(epochs):
        raise NotApplicable(f"the history has {len(columns['epoch'])} epochs, skip = {skip} leaves none")
    figure = figure or figure_for(training_curves)
    axes = figure.subplots(1, len(panels), squeeze=False)[0]
    for ax, panel in zip(axes, panels):
        curves = {of: columns[f"{of}_{panel}"][shown] for of in SETS if f"{of}_{panel}" in columns}
        for of, values in curves.items():
            marker = "o" * (len(epochs) < 3)
            ax.plot(epochs, values, color=f"C{SETS.index(of)}", label=of, marker=marker, ms=3)
        ax.set(xlabel="epoch", title=PANELS[panel])
        if cut:
            _cut_beginning(ax, np.stack(list(curves.values())))
        ax.xaxis.set_major_locator(MaxNLocator("auto", integer=True))
    axes[0].set_ylabel("nats per sample")
    if len(axes[0].lines) > 1:
        axes[0].legend()
    return axes


def _cut_beginning(ax: Axes, values: np.ndarray) -> None:
    """Limits that hold the curves (C, E) after a tenth of the epochs, if the beginning is wider than all of that."""
    few = values.shape[1] // 10
    later = values[:, few:]
    low, high = np.nanmin(later), np.nanmax(later)
    if few and high > low and np.nanmax(values) - np.nanmin(values) > 2 * (high - low):
        ax.set_ylim(low - 0.08 * (high - low), high + 0.08 * (high - low))
        ax.set_xlabel(f"epoch (first {few} cut)" if few > 1 else "epoch (first cut)")


def _check_lengths(columns: Mapping[str, np.ndarray]) -> None:
    epochs = len(columns["epoch"])
    for name, values in columns.items():
        if len(values) != epochs:
            raise InputError(f"history: {name} has {len(values)} values for {epochs} epochs")
