from __future__ import annotations

from typing import Any, Literal

import numpy as np
from matplotlib.figure import Figure, SubFigure

from vaeviz.analysis.activity import activity
from vaeviz.analysis.condition_sets import ConditionSet, condition_set, decode_under_conditions
from vaeviz.analysis.traversals import MIN_KL, collapsed_dimensions, traversal_codes, traversal_ends, traversal_order
from vaeviz.data.out_of_core import as_samples
from vaeviz.data.sample_kind import SampleKind, as_images
from vaeviz.drawing.cells import draw_cells
from vaeviz.drawing.figure_factory import figure_for
from vaeviz.drawing.grid_layout import GridLayout
from vaeviz.drawing.latent_axes import dimension_label
from vaeviz.drawing.mosaic import CELL_GAP
from vaeviz.drawing.panels import draw_panels, panels_aspect
from vaeviz.drawing.sample_style import SampleStyle, sample_style
from vaeviz.errors import InputError, NotApplicable
from vaeviz.model.conditions import condition_names, fixed_condition_name
from vaeviz.model.decode import decode
from vaeviz.model.decoder import Decoder
from vaeviz.model.encode import encode
from vaeviz.model.opening import as_decoder
from vaeviz.model.posterior import Posterior
from vaeviz.plugins.plot_spec import PageShape, register_plot


@register_plot(page=PageShape("full", None))
def traversal(
    encoder: Any,
    decoder: Any,
    x: Any,
    condition: Any = None,
    feature_names: Any = None,
    *,
    top: int = 10,
    steps: int = 11,
    span: Literal["aggregate", "prior"] | float = "aggregate",
    order: Literal["activity", "effect"] = "activity",
    around: int | None = None,
    change: bool = False,
    collapsed: Literal["mark", "omit"] = "mark",
    min_kl: float = MIN_KL,
    kind: SampleKind | None = None,
    cmap: str | None = None,
    seed: int = 0,
    figure: Figure | SubFigure | None = None,
) -> np.ndarray:
    """What each latent dimension does: decoded samples as it moves and the others are held.

    encoder, decoder: any callables or models. x: (N, ...). condition: (N, ...), of a conditional model.
    top: at most so many dimensions. steps: decoded samples a row. order: by "activity" (mean KL; variance of the
        mean for a deterministic encoder) or by "effect" (mean change of the output), the strongest on top.
    span: "aggregate" from the 2.5 % to the 97.5 % quantile of q(z_j); "prior" those of N(0, 1); a number: ± so many σ.
    around: the row of x whose posterior mean is held, and its condition; by default the prior mean, or without one the
        mean code, with a panel for each condition of a conditional decoder.
    change: beside each row the last sample minus the first. collapsed: "mark" or "omit" dimensions whose mean KL is
        not above min_kl (nats). feature_names, kind, cmap: as in `samples`.
    """
    if steps < 2 or top < 1:
        raise InputError(f"steps = {steps}, top = {top}: expected at least 2 steps and 1 dimension")
    look = sample_style(x, feature_names, kind=kind, cmap=cmap)
    x = as_samples(x, "x")
    decoder, posterior = as_decoder(decoder), encode(encoder, x, condition)
    conditions = condition_set(decoder, condition) if around is None else ConditionSet()
    if change and len(conditions) > 1:
        raise NotApplicable(
            f"change is drawn under one condition, not under {conditions}: fix it with vaeviz.given(decoder, y)"
        )
    dead = collapsed_dimensions(posterior, min_kl)
    dims = traversal_order(posterior, order, decoder, like=x, seed=seed)
    dims = dims[~dead[dims]] if collapsed == "omit" else dims
    if not len(dims):
        raise NotApplicable(f"all {posterior.size} dimensions are collapsed; collapsed='mark' draws them")
    dims = dims[:top]
    codes = traversal_codes(_base(posterior, around), dims, traversal_ends(posterior, span), steps)
    grids = _decoded(decoder, codes, posterior, conditions, around, x)
    drawn = look.kind_of(grids.shape[3:])
    if change and drawn == "point":
        raise InputError("change: points in the plane have no change image, the path shows it")
    widths = [_width(steps, drawn), 1.0][: 1 + change]
    rows = [_row_label(dim, activity(posterior)[dim], dead[dim], posterior.std is not None) for dim in dims]
    layout = GridLayout(rows, _column_labels(span, steps), connect="rows")
    aspect = panels_aspect(grids, conditions.names, look, layout) * widths[0] / sum(widths)
    figure = figure or figure_for(traversal, aspect)
    axes = figure.subplots(1, 1 + change, width_ratios=widths, squeeze=False)[0]
    for panel in draw_panels(axes[0], grids, conditions.names, look, layout):
        for text, dim in zip(panel.get_yticklabels() if drawn != "point" else (), dims):
            text.set_color("0.6" if dead[dim] else "black")
    if change:
        _draw_change(axes[1], look.scaled(grids[0], n_leading_axes=2), look)
        if drawn == "table":
            axes[1].set(aspect="auto", box_aspect=_box_aspect(axes[0]))
    under = f", under {conditions}" if conditions else _told_condition(decoder, posterior, around)
    title = _title(posterior, len(dims), order, around) + under
    axes[0].set_title(title.replace(", ", ",\n", 1) if change and drawn == "table" else title)
    return axes


def _decoded(
    decoder: Decoder, codes: np.ndarray, posterior: Posterior, conditions: ConditionSet, around: int | None, x: Any
) -> np.ndarray:
    """The codes (dims, steps, D) decoded, (C, dims, steps, *sample): around a sample under its condition, else each."""
    flat = codes.reshape(-1, posterior.size)
    if around is None:
        decoded = decode_under_conditions(decoder, posterior.with_codes(flat), conditions, like=x)
    else:
        decoded = decode(decoder, posterior.with_codes(flat, np.full(len(flat), around)), like=x)[None]
    return decoded.reshape(len(decoded), *codes.shape[:2], *decoded.shape[2:])


def _width(steps: int, kind: SampleKind) -> float:
    """The width of a row in cells; in a mosaic there are gaps between them, and a row of a table is as wide as one."""
    if kind == "table":
        return 1.0
    return steps if kind == "signal" else steps + (steps - 1) * CELL_GAP


def _box_aspect(ax: Any) -> float:
    """The height / width of what is drawn, where data units are as they are set."""
    (left, right), (low, high) = ax.get_xlim(), ax.get_ylim()
    return ax.get_aspect() * abs(high - low) / abs(right - left)


def _base(posterior: Posterior, around: int | None) -> np.ndarray:
    if around is None:
        return np.zeros(posterior.size) if posterior.prior else posterior.mean.mean(axis=0)
    if not 0 <= around < len(posterior):
        raise InputError(f"around = {around}: expected a row of x, from 0 to {len(posterior) - 1}")
    return posterior.mean[around]


def _row_label(dim: int, strength: float, dead: bool, is_kl: bool) -> str:
    if dead:
        return f"{dimension_label(dim)}  collapsed"
    if np.isinf(strength):
        return f"{dimension_label(dim)}  infinite KL"
    return f"{dimension_label(dim)}  {strength:.2f} nats" if is_kl else f"{dimension_label(dim)}  var. {strength:.2g}"


def _column_labels(span: str | float, steps: int) -> list[str]:
    if span == "aggregate":
        return ["2.5 %", *[""] * (steps - 2), "97.5 %"]
    reach = 1.96 if span == "prior" else float(span)
    return [f"{value:.3g}".replace("-", "−") for value in np.linspace(-reach, reach, steps)]


def _told_condition(decoder: Decoder, posterior: Posterior, around: int | None) -> str:
    """The one condition that is held; empty for a plain decoder."""
    if around is None or not decoder.is_conditional:
        return fixed_condition_name(decoder) and f", given y = {fixed_condition_name(decoder)}"
    return f", given y = {condition_names(posterior.condition_of([around]), decoder.conditions)[0]}"


def _draw_change(ax: Any, cells: np.ndarray, look: SampleStyle) -> None:
    """The change images, red where a value grows and blue where it falls, on one scale for all rows."""
    kind, unit = look.kind_of(cells.shape[2:]), look.unit_of(cells.shape[2:])
    changes = cells[:, -1:] - cells[:, :1]
    if kind == "image":
        changes = as_images(changes, lead=2)
        changes = changes.mean(axis=-1) if changes.ndim == 5 else changes
    reach = float(np.abs(changes).max()) or 1.0
    look = SampleStyle(kind, "RdBu_r", (-reach, reach), look.names, unit=unit)
    column_labels = [] if kind == "table" else [f"±{reach:.2g}"]
    draw_cells(ax, changes, look, GridLayout(column_labels=column_labels, connect="rows"))
    ax.set_title("change")


def _title(posterior: Posterior, count: int, order: str, around: int | None) -> str:
    which = f"{count} of {posterior.size} dimensions" if count < posterior.size else "Each dimension"
    by = "effect" if order == "effect" else ("KL" if posterior.std is not None else "variance of the mean")
    if around is None:
        held = "the prior mean" if posterior.prior else "the mean code"
    else:
        held = f"the {posterior.code_name} of sample {around}"
    return f"{which} by {by}, the others held at {held}"
