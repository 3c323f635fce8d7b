from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure, SubFigure
from matplotlib.ticker import MaxNLocator

from vaeviz.drawing.places import figure_for
from vaeviz.errors import InputError, NotApplicable
from vaeviz.plot import Page, register_plot

PANELS = {
    "elbo": "ELBO (nats)",
    "log_likelihood": r"$\mathrm{E}_q[\log p(x|z)]$ (nats)",
    "kl": "KL (nats)",
}
SETS = ("train", "validation", "test")


@register_plot(page=Page("full", 0.32))
def training_curves(
    history: Mapping[str, Sequence[float]], *, skip: int = 0, figure: Figure | SubFigure | None = None
) -> np.ndarray:
    """The ELBO and its two terms by epoch, on training, validation and test data.

    history: columns by name: ``epoch``, and any of ``{train,validation,test}_{elbo,log_likelihood,kl}`` in nats a
        sample, as a run's ``history.csv`` has them.
    skip: leave out so many first epochs, which would squeeze the rest. One panel for each quantity that is there.
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
        for colour, of in enumerate(SETS):
            values = columns.get(f"{of}_{panel}")
            if values is not None:
                ax.plot(epochs, values[shown], color=f"C{colour}", label=of, marker="o" * (len(epochs) < 3), ms=3)
        ax.set(xlabel="epoch", title=PANELS[panel])
        ax.xaxis.set_major_locator(MaxNLocator("auto", integer=True))
    if len(axes[0].lines) > 1:
        axes[0].legend()
    return axes


def _check_lengths(columns: Mapping[str, np.ndarray]) -> None:
    epochs = len(columns["epoch"])
    for name, values in columns.items():
        if len(values) != epochs:
            raise InputError(f"history: {name} has {len(values)} values for {epochs} epochs")
