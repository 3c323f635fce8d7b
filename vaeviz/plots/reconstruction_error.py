from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure

from vaeviz.analysis.jackknife import mean_standard_error
from vaeviz.analysis.reconstruction import Measure, errors_from_means, roc, worst_and_median
from vaeviz.data.channels import match_shape
from vaeviz.data.labels import check_labels, has_classes
from vaeviz.data.out_of_core import as_samples, take_rows
from vaeviz.data.sample_kind import SampleKind
from vaeviz.drawing.cells import draw_cells
from vaeviz.drawing.colors import MISSING_COLOR, LabelColors, color_labels
from vaeviz.drawing.figure_factory import figure_for
from vaeviz.drawing.grid_layout import GridLayout
from vaeviz.drawing.numbers import with_error
from vaeviz.drawing.sample_style import sample_style
from vaeviz.drawing.scatter import MAX_VECTOR_POINTS
from vaeviz.drawing.text_fit import abbreviate, label_rotation
from vaeviz.errors import InputError, NotApplicable
from vaeviz.model.decode import decode
from vaeviz.model.encode import encode
from vaeviz.model.opening import as_encoder
from vaeviz.model.posterior import Posterior
from vaeviz.plugins.plot_spec import PageShape, register_plot

UNITS = {
    "squared": "mean squared error",
    "absolute": "mean absolute error",
    "cross-entropy": "cross-entropy (nats)",
}

LONGEST = 16  # letters of a name below a box


@register_plot(page=PageShape("full", 0.42))
def reconstruction_error(
    encoder: Any,
    decoder: Any,
    x: Any,
    labels: Any = None,
    condition: Any = None,
    other_x: Any = None,
    feature_names: Any = None,
    *,
    measure: Measure = "squared",
    n: int = 8,
    palette: str | None = None,
    kind: SampleKind | None = None,
    cmap: str | None = None,
    figure: Figure | SubFigure | None = None,
) -> np.ndarray:
    """Errors of reconstructions by label, and the worst and the median cases, each decoded from its posterior mean.

    encoder, decoder: any callables or models. x: (N, ...). labels: (N,) or None; continuous ones are no groups, and
        are passed over. condition: (N, ...), of a conditional model. other_x: (M, ...) samples of another kind: a third
        panel shows how well the error tells them from x (ROC, with the area and DeLong's error).
    measure: "squared" or "absolute", a mean over the values of a sample, or "cross-entropy", a sum in nats.
    n: how many worst and how many median cases. palette: of the labels. feature_names, kind,
        cmap: of the samples drawn, as in `reconstruction_pairs`.
    """
    if n < 1:
        raise InputError(f"n = {n}: expected 1 or more")
    _check_condition(encoder, other_x)
    look = sample_style(x, feature_names, kind=kind, cmap=cmap)
    x = as_samples(x, "x")
    posterior = encode(encoder, x, condition)
    errors = errors_from_means(decoder, posterior, x, measure)
    colors = color_labels(_classes(labels, len(errors)), len(errors), palette=palette)
    others = None if other_x is None else _errors_of(other_x, encoder, decoder, measure)
    rows = np.concatenate(worst_and_median(errors, n))
    decoded = decode(decoder, posterior[rows], like=x)
    originals = match_shape(take_rows(x, rows), decoded.shape[1:])
    cells = np.stack([originals, decoded]).reshape(2, 2, -1, *decoded.shape[1:])
    figure = figure or figure_for(reconstruction_error)
    widths = (1.0, 1.25) if others is None else (1.0, 1.15, 0.85)
    axes = figure.subplots(1, len(widths), width_ratios=widths)
    _draw_by_label(axes[0], errors, colors, UNITS[measure])
    axes[1].set_anchor("N")
    draw_cells(
        axes[1],
        np.moveaxis(cells, 1, 0).reshape(4, -1, *decoded.shape[1:]),
        look,
        GridLayout(row_labels=("worst", "decoded", "median", "decoded"), connect="pairs"),
    )
    axes[1].set_title(f"The {len(rows) // 2} worst and the {len(rows) // 2} median cases")
    if others is not None:
        _draw_roc(axes[2], errors, others)
    return axes


def _classes(labels: Any, total: int) -> Any:
    """The labels, or None for continuous ones, which name no groups."""
    if labels is None:
        return None
    values = check_labels(labels, total)
    return values if has_classes(values) else None


def _errors_of(x: Any, encoder: Any, decoder: Any, measure: Measure) -> np.ndarray:
    x = as_samples(x, "other_x")
    return errors_from_means(decoder, encode(encoder, x), x, measure)


def _check_condition(encoder: Any, other_x: Any) -> None:
    if other_x is not None and not isinstance(encoder, Posterior) and as_encoder(encoder).is_conditional:
        raise NotApplicable(
            "other_x has no condition to be encoded under; fix one in both parts: vaeviz.given(Encoder(fn), y) and "
            "vaeviz.given(decoder, y)"
        )


def _draw_by_label(ax: Axes, errors: np.ndarray, colors: LabelColors, unit: str) -> None:
    """A box for each label, whiskers from the 5th to the 95th percentile."""
    groups = {name: errors[colors.index == code] for code, name in enumerate(colors.names)}
    if colors.n_missing:
        groups["no label"] = errors[colors.index < 0]
    groups = groups or {"all": errors}
    boxes = ax.boxplot(
        list(groups.values()),
        whis=(5, 95),
        widths=0.65,
        patch_artist=True,
        sym=".",
        flierprops={"ms": 2, "mfc": "0.5", "mec": "none", "rasterized": len(errors) > MAX_VECTOR_POINTS},
        whiskerprops={"lw": 0.6, "color": "0.3"},
        capprops={"lw": 0.6, "color": "0.3"},
    )
    for patch, median, color in zip(boxes["boxes"], boxes["medians"], [*colors.colors, MISSING_COLOR]):
        patch.set(facecolor=color, alpha=0.55, linewidth=0.6)
        median.set(color="0.1")
    names = abbreviate(list(groups), LONGEST)
    ax.set_xticks(range(1, len(groups) + 1), names, rotation=label_rotation(ax, names))
    ax.set(ylim=(0, None), ylabel=unit, xlabel=f"{'label; ' * bool(colors.names)}whiskers from 5 to 95 %")
    ax.set_title(f"Mean {with_error(errors.mean(), mean_standard_error(errors))}, N = {len(errors):,}")


def _draw_roc(ax: Axes, errors: np.ndarray, others: np.ndarray) -> None:
    curve = roc(errors, others)
    ax.plot((0, 1), (0, 1), color="0.35", lw=0.8, ls=(0, (4, 3)))
    ax.plot(curve.false_positive, curve.true_positive)
    ax.set(xlabel="share of $x$ above threshold", ylabel="share of other $x$ above it", xlim=(0, 1), ylim=(0, 1.01))
    ax.set(box_aspect=1, anchor="N")
    ax.set_title(f"ROC area {with_error(curve.area, curve.error)}")
