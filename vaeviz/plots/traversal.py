"""Plot of what each latent dimension changes in decoded samples."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure

from vaeviz.analysis.active_dimensions import MIN_KL, MIN_SHARE, ActiveDimensions, active_dimensions
from vaeviz.analysis.condition_sets import ConditionSet, condition_set, decode_under_conditions
from vaeviz.analysis.estimates import Estimate
from vaeviz.analysis.traversals import effect_ranking, traversal_codes, traversal_ends
from vaeviz.data.out_of_core import as_samples
from vaeviz.data.sample_kind import SampleKind, as_images
from vaeviz.drawing.cells import draw_cells
from vaeviz.drawing.figure_factory import figure_for
from vaeviz.drawing.grid_layout import GridLayout
from vaeviz.drawing.latent_axes import dimension_label
from vaeviz.drawing.mosaic import CELL_GAP
from vaeviz.drawing.panels import draw_panels, panels_aspect
from vaeviz.drawing.sample_style import SampleStyle, sample_style
from vaeviz.drawing.text_fit import drawable_text
from vaeviz.errors import Fix, InputError, NotApplicable
from vaeviz.model.conditions import condition_names
from vaeviz.model.decode import decode
from vaeviz.model.decoder import Decoder
from vaeviz.model.encode import encode
from vaeviz.model.opening import as_decoder, check_columns, with_decoder
from vaeviz.model.posterior import Posterior
from vaeviz.plots._option_checks import check_minimum, check_rows, option_fix
from vaeviz.plots._prior_codes import prior_codes
from vaeviz.plugins.plot_spec import PageShape, register_plot

N_PRIOR_CODES = 256  # of a decoder without encoder and data: enough for a stable ranking by effect


@register_plot(page=PageShape("full", None), question="Which dimensions matter?")
def traversal(
    decoder: Any,
    encoder: Any = None,
    x: Any = None,
    condition: Any = None,
    feature_names: Any = None,
    *,
    max_dims: int = 10,
    n_steps: int = 11,
    span: Literal["aggregate", "prior"] | float = "aggregate",
    order: Literal["activity", "effect"] = "activity",
    around: int | None = None,
    change: bool = False,
    collapsed: Literal["mark", "omit"] = "mark",
    min_kl: float = MIN_KL,
    min_share: float = MIN_SHARE,
    kind: SampleKind | None = None,
    cmap: str | None = None,
    seed: int = 0,
    figure: Figure | SubFigure | None = None,
) -> np.ndarray:
    """Plot decoded samples as one latent dimension moves and the others are held.

    What to look for: a row in which one thing changes (a slant, a width) is a dimension with a meaning. Rows without
    any change belong to dimensions that the decoder ignores. The number at each row is its mean KL, or the variance of
    the codes of a deterministic encoder.

    What commonly misleads: what a dimension does depends on where the others are held; the title names the sample. Try
    several with ``around``. A row can show a smooth change of many things at once, and this is the common case: nothing
    makes the axes of a plain VAE meaningful.

    Parameters
    ----------
    decoder : callable or model
        Decoder of the codes.
    encoder : callable, model or Posterior, optional
        Encoder of `x`, by default that of the model if `decoder` is one without conditions. Without `encoder` and `x`,
        draws from the prior N(0, I) replace the codes of samples.
    x : array_like, shape (N, ...), optional
        Samples.
    condition : array_like, shape (N, ...), optional
        Condition of each sample. Only a conditional model needs it.
    feature_names : sequence of str, optional
        Names of the values of a sample. By default, the column names of `x` if it is a data frame.
    max_dims : int, default=10
        Largest number of dimensions to draw, the strongest on top.
    n_steps : int, default=11
        Decoded samples per row.
    span : {"aggregate", "prior"} or float, default="aggregate"
        Ends of a row: the 2.5 % and 97.5 % quantiles of q(z_j), those of N(0, 1), or ± a number of standard deviations
        of the prior. Draws from the prior have the ends of N(0, 1).
    order : {"activity", "effect"}, default="activity"
        Order of the dimensions: by mean KL (by variance of the codes for a deterministic encoder), or by mean change of
        the output, as always for draws from the prior.
    around : int, optional
        Row of `x` whose posterior mean and condition are held. By default, the code of a sample that is nearest to the
        prior mean (where no prior is known, to the mean code) is held, with one panel per condition of a conditional
        decoder.
    change : bool, default=False
        Draw the last sample minus the first beside each row.
    collapsed : {"mark", "omit"}, default="mark"
        Mark collapsed dimensions, or leave them out.
    min_kl : float, default=0.005
        A dimension with a mean KL at or below this (nats) counts as collapsed.
    min_share : float, default=0.01
        A dimension whose posterior mean varies by this share of the variance of q(z_j) or less counts as collapsed.
    kind : {"image", "spectrogram", "signal", "point", "table"}, optional
        How to draw a sample. By default, its shape decides.
    cmap : str, optional
        Matplotlib colormap of samples with one channel.
    seed : int, default=0
        Seed of the samples on which the effect is measured, and of draws from the prior.
    figure : Figure or SubFigure, optional
        Figure to draw into. By default, a new pyplot figure.

    Returns
    -------
    ndarray of Axes, shape (1,) or (2,)
        The Axes of the rows and, with `change`, of the changes.

    Raises
    ------
    NotApplicable
        If all dimensions are collapsed and left out, or changes are wanted under several conditions.
    InputError
        If a count, `span` or `around` cannot be used, the latent size is unknown, or changes of points in the plane are
        wanted.

    Notes
    -----
    The prior mean itself may be far from all codes, where a decoder was never trained. Collapsed dimensions are labeled
    in gray. In change images, red values grow and blue values fall, on one scale for
    all rows.
    """
    _check_counts(n_steps, max_dims)
    style = sample_style(x, feature_names, kind=kind, cmap=cmap)
    if encoder is not None or x is not None:
        encoder = with_decoder(encoder, decoder)
        check_columns(encoder, x)
    decoder, x = as_decoder(decoder), x if x is None else as_samples(x, "x")
    is_encoded = encoder is not None and x is not None
    posterior = encode(encoder, x, condition) if is_encoded else prior_codes(decoder, N_PRIOR_CODES, seed)
    conditions = condition_set(decoder, condition) if around is None else ConditionSet()
    active = active_dimensions(posterior, min_kl=min_kl, min_share=min_share)
    by_effect = order == "effect" or not is_encoded
    dims = effect_ranking(decoder, posterior, reference=x, seed=seed) if by_effect else active.ranking
    dims = (_active_dims(dims, active) if collapsed == "omit" else dims)[:max_dims]
    base, held = _choose_base(posterior, around, is_encoded=is_encoded)
    span = span if is_encoded or span != "aggregate" else "prior"
    codes = traversal_codes(base, dims, traversal_ends(posterior, span), n_steps)
    grids = _decode_rows(decoder, codes, posterior, conditions, around, x)
    labels = [_row_label(dim, active, posterior) if is_encoded else dimension_label(dim) for dim in dims]
    rows = _Rows(grids, labels, ~active.mask[dims], conditions, _column_labels(span, n_steps))
    held += f", under {conditions}" if conditions else _held_condition(decoder, posterior, around)
    title = f"{_which_dims(posterior, len(dims), by_effect=by_effect)}, the others held at {held}"
    return _draw_rows(figure, rows, style, title, change=change)


@dataclass(frozen=True, eq=False)
class _Rows:
    """Decoded samples of all rows, and their labels."""

    grids: np.ndarray  # (C, dims, steps, *sample), one grid per condition
    labels: list[str]
    is_collapsed: np.ndarray
    conditions: ConditionSet
    column_labels: list[str]


def _check_counts(n_steps: int, max_dims: int) -> None:
    check_minimum("n_steps", n_steps, 2)
    check_minimum("max_dims", max_dims, 1)


def _active_dims(dims: np.ndarray, active: ActiveDimensions) -> np.ndarray:
    if not active.mask.any():
        raise NotApplicable(f"All {len(dims)} dimensions are collapsed.", fix=option_fix("collapsed", "mark"))
    return np.asarray(dims[active.mask[dims]])


def _choose_base(posterior: Posterior, around: int | None, *, is_encoded: bool) -> tuple[np.ndarray, str]:
    """Return the code whose other dimensions are held, and its name."""
    if around is not None:
        _check_around(around, len(posterior), is_encoded=is_encoded)
        return np.asarray(posterior.mean[around]), f"the {posterior.code_name} of sample {around}"
    center = np.zeros(posterior.size) if posterior.prior else posterior.mean.mean(axis=0)
    row = int(((posterior.mean - center) ** 2).sum(axis=1).argmin())
    if not is_encoded:
        return np.asarray(posterior.mean[row]), "the draw from N(0, I) nearest to 0"
    name = "the prior mean" if posterior.prior else "the mean code"
    return np.asarray(posterior.mean[row]), f"the {posterior.code_name} nearest to {name} (sample {row})"


def _check_around(around: Any, n_samples: int, *, is_encoded: bool) -> None:
    if is_encoded and np.ndim(around) == 0:
        check_rows("around", [around], n_samples, example=0)
        return
    got = f"of shape {np.shape(around)}" if is_encoded else f"{around}, but there is no x"
    raise InputError(
        f"around is {got}, expected a row of x.",
        got=got,
        expected="a row of x",
        fix=Fix("Pass the number of a row, such as around=0, with encoder and x.", "Add --around 0."),
    )


def _decode_rows(
    decoder: Decoder, codes: np.ndarray, posterior: Posterior, conditions: ConditionSet, around: int | None, x: Any
) -> np.ndarray:
    """Decode codes (dims, steps, D), and return (C, dims, steps, *sample).

    Codes around a sample are decoded under its condition, others under each condition.
    """
    flat = codes.reshape(-1, posterior.size)
    if around is None:
        decoded = decode_under_conditions(decoder, posterior.with_codes(flat), conditions, reference=x)
    else:
        decoded = decode(decoder, posterior.with_codes(flat, np.full(len(flat), around)), reference=x)[None]
    return decoded.reshape(len(decoded), *codes.shape[:2], *decoded.shape[2:])


def _draw_rows(
    figure: Figure | SubFigure | None, rows: _Rows, style: SampleStyle, title: str, *, change: bool
) -> np.ndarray:
    """Draw all rows and, with `change`, the changes beside them; return their Axes."""
    kind, names = style.kind_of(rows.grids.shape[3:]), rows.conditions.names
    if change:
        _check_change(rows.conditions, kind)
    layout = GridLayout(rows.labels, rows.column_labels, connect="rows")
    widths = [_row_width(len(rows.column_labels), kind), 1.0][: 1 + change]
    aspect = panels_aspect(rows.grids, names, style, layout) * widths[0] / sum(widths)
    figure = figure or figure_for(traversal, aspect)
    axes: np.ndarray = figure.subplots(1, 1 + change, width_ratios=widths, squeeze=False)[0]
    for panel in draw_panels(axes[0], rows.grids, names, style, layout):
        for text, is_collapsed in zip(panel.get_yticklabels() if kind != "point" else (), rows.is_collapsed):
            text.set_color("0.6" if is_collapsed else "black")
    if change:
        _draw_change(axes[1], style.scaled(rows.grids[0], n_leading_axes=2), style)
        if kind == "table":
            axes[1].set(aspect="auto", box_aspect=_box_aspect(axes[0]))
        figure.suptitle(title)
    else:
        axes[0].set_title(title)
    return axes


def _check_change(conditions: ConditionSet, kind: SampleKind) -> None:
    if len(conditions) > 1:
        raise NotApplicable(
            f"The change is drawn under one condition, but the decoder has {conditions}.",
            fix=Fix(
                f"Pass vaeviz.condition_on(decoder, {conditions.names[0]!r}) to fix one.",
                "Add --around 0 to use that of row 0.",
            ),
        )
    if kind == "point":
        raise InputError(
            "change was requested for points in the plane, but they have no change image.",
            got="samples of two values",
            expected="images, signals or rows of a table",
            fix=Fix("Pass change=False; the path shows the change.", "Leave out --change; the path shows the change."),
        )


def _row_width(n_steps: int, kind: SampleKind) -> float:
    """Return the width of a row in cells; mosaics have gaps, and a row of a table is as wide as one cell."""
    if kind == "table":
        return 1.0
    return n_steps if kind == "signal" else n_steps + (n_steps - 1) * CELL_GAP


def _box_aspect(ax: Axes) -> float:
    """Return the height / width of Axes whose aspect is a number."""
    (left, right), (low, high) = ax.get_xlim(), ax.get_ylim()
    return float(ax.get_aspect()) * abs(high - low) / abs(right - left)


def _row_label(dim: int, active: ActiveDimensions, posterior: Posterior) -> str:
    if not active.mask[dim]:
        return f"{dimension_label(dim)}  collapsed"
    if np.isinf(active.activity[dim]):
        return f"{dimension_label(dim)}  infinite KL"
    if posterior.std is None:
        return f"{dimension_label(dim)}  var. {Estimate(active.variance[dim], active.variance_error[dim])}"
    return f"{dimension_label(dim)}  {Estimate(active.kl[dim], active.kl_error[dim])} nats"


def _column_labels(span: str | float, n_steps: int) -> list[str]:
    if span == "aggregate":
        return ["2.5 %", *[""] * (n_steps - 2), "97.5 %"]
    end = 1.96 if span == "prior" else float(span)
    return [f"{value:.3g}".replace("-", "−") for value in np.linspace(-end, end, n_steps)]


def _held_condition(decoder: Decoder, posterior: Posterior, around: int | None) -> str:
    """Return the words on the one condition that is held; empty for a plain decoder."""
    if around is None or not decoder.is_conditional:
        return decoder.condition_name and f", given y = {drawable_text(decoder.condition_name)}"
    (name,) = condition_names(posterior.condition_of([around]), decoder.conditions)
    return f", given y = {drawable_text(name)}"


def _draw_change(ax: Axes, cells: np.ndarray, style: SampleStyle) -> None:
    """Draw last minus first sample of each row, red where a value grows and blue where it falls, on one scale."""
    kind, unit = style.kind_of(cells.shape[2:]), style.unit_of(cells.shape[2:])
    changes = cells[:, -1:] - cells[:, :1]
    if kind == "image":
        changes = as_images(changes, n_leading_axes=2)
        changes = changes.mean(axis=-1) if changes.ndim == 5 else changes
    limit = float(np.abs(changes).max()) or 1.0
    style = SampleStyle(kind, "RdBu_r", (-limit, limit), style.names, unit=unit)
    column_labels = [] if kind == "table" else [f"±{limit:.2g}"]
    draw_cells(ax, changes, style, GridLayout(column_labels=column_labels, connect="rows"))
    ax.set_title("change")


def _which_dims(posterior: Posterior, n_dims: int, *, by_effect: bool) -> str:
    which = f"{n_dims} of {posterior.size} dimensions" if n_dims < posterior.size else "Each dimension"
    return f"{which} by {'effect' if by_effect else ('KL' if posterior.std is not None else 'variance of the mean')}"
