from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure

from vaeviz.analysis.jackknife import standard_error
from vaeviz.analysis.reconstruction import Measure, reconstruction_errors, roc, worst_and_median
from vaeviz.batches import samples
from vaeviz.decoding import decode
from vaeviz.drawing.cells import draw_cells, range_of
from vaeviz.drawing.colours import Colouring, colouring
from vaeviz.drawing.numbers import with_error
from vaeviz.drawing.places import figure_for
from vaeviz.encoding import encode
from vaeviz.errors import NotApplicable
from vaeviz.kinds import Kind
from vaeviz.layout import arranged
from vaeviz.model import as_encoder
from vaeviz.plot import Page, register_plot
from vaeviz.posterior import Posterior

UNITS = {
    "squared": "mean squared error",
    "absolute": "mean absolute error",
    "cross-entropy": "cross-entropy (nats)",
}


@register_plot(page=Page("full", 0.42))
def reconstruction_error(
    encoder: Any,
    decoder: Any,
    x: Any,
    labels: Any = None,
    condition: Any = None,
    other_x: Any = None,
    *,
    measure: Measure = "squared",
    n: int = 8,
    palette: str | None = None,
    kind: Kind | None = None,
    cmap: str | None = None,
    figure: Figure | SubFigure | None = None,
) -> np.ndarray:
    """Errors of reconstructions by label, and the worst and the median cases, each decoded from its posterior mean.

    encoder, decoder: any callables or models. x: (N, ...). labels: (N,) or None. condition: (N, ...), of a conditional
        model. other_x: (M, ...) samples of another kind: a third panel shows how well the error tells them from x (ROC,
        with the area and DeLong's error).
    measure: "squared" or "absolute", a mean over the values of a sample, or "cross-entropy", a sum in nats.
    n: how many worst and how many median cases. palette: of the labels. kind, cmap: of the samples drawn.
    """
    _check_condition(encoder, other_x)
    reconstructed = decode(decoder, encode(encoder, x, condition), like=x)
    errors = reconstruction_errors(x, reconstructed, measure)
    figure = figure or figure_for(reconstruction_error)
    widths = (1.0, 1.25) if other_x is None else (1.0, 1.15, 0.85)
    axes = figure.subplots(1, len(widths), width_ratios=widths)
    _draw_by_label(axes[0], errors, colouring(labels, len(errors), palette=palette, continuous=False), UNITS[measure])
    originals = arranged(samples(x, "x"), reconstructed.shape[1:])
    rows = [row for few in worst_and_median(errors, n) for row in few]
    cells = np.stack([originals, reconstructed])[:, rows].reshape(2, 2, -1, *originals.shape[1:])
    draw_cells(
        axes[1],
        np.moveaxis(cells, 1, 0).reshape(4, -1, *originals.shape[1:]),
        kind=kind,
        cmap=cmap,
        value_range=range_of(x),
        row_labels=("worst", "decoded", "median", "decoded"),
        connect="columns",
    )
    axes[1].set_anchor("N")
    axes[1].set_title(f"The {len(rows) // 2} worst and the {len(rows) // 2} median cases")
    if other_x is not None:
        others = reconstruction_errors(other_x, decode(decoder, encode(encoder, other_x), like=other_x), measure)
        _draw_roc(axes[2], errors, others)
    return axes


def _check_condition(encoder: Any, other_x: Any) -> None:
    if other_x is not None and not isinstance(encoder, Posterior) and as_encoder(encoder).is_conditional:
        raise NotApplicable(
            "other_x has no condition to be encoded under; fix one in both parts: vaeviz.given(Encoder(fn), y) and "
            "vaeviz.given(decoder, y)"
        )


def _draw_by_label(ax: Axes, errors: np.ndarray, colours: Colouring, unit: str) -> None:
    """A box for each label, whiskers from the 5th to the 95th percentile."""
    names = colours.names or ("all",)
    groups = [errors[colours.index == code] for code in range(len(names))]
    boxes = ax.boxplot(
        groups,
        whis=(5, 95),
        widths=0.65,
        patch_artist=True,
        sym=".",
        flierprops={"ms": 2, "mfc": "0.5", "mec": "none"},
        whiskerprops={"lw": 0.6, "color": "0.3"},
        capprops={"lw": 0.6, "color": "0.3"},
    )
    for patch, median, colour in zip(boxes["boxes"], boxes["medians"], colours.colours):
        patch.set(facecolor=colour, alpha=0.55, linewidth=0.6)
        median.set(color="0.1")
    ax.set_xticks(range(1, len(names) + 1), names, rotation=90 if sum(map(len, names)) > 30 else 0)
    ax.set(ylim=(0, None), ylabel=unit, xlabel="label" if colours.names else "")
    ax.set_title(f"Mean {with_error(errors.mean(), standard_error(errors))}, N = {len(errors):,}")


def _draw_roc(ax: Axes, errors: np.ndarray, others: np.ndarray) -> None:
    curve = roc(errors, others)
    ax.plot((0, 1), (0, 1), color="0.35", lw=0.8, ls=(0, (4, 3)))
    ax.plot(curve.false_positive, curve.true_positive)
    ax.set(xlabel="share of $x$ above threshold", ylabel="share of other $x$ above it", xlim=(0, 1), ylim=(0, 1.01))
    ax.set(box_aspect=1, anchor="N")
    ax.set_title(f"ROC area {with_error(curve.area, curve.error)}")
