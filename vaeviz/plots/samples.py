from __future__ import annotations

import math
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from vaeviz.analysis.condition_sets import condition_set, decode_under_conditions
from vaeviz.data.out_of_core import as_samples
from vaeviz.data.sample_kind import SampleKind
from vaeviz.drawing.cells import cells_aspect, draw_cells
from vaeviz.drawing.figure_factory import axes_for
from vaeviz.drawing.grid_layout import GridLayout
from vaeviz.drawing.sample_style import SampleStyle, sample_style
from vaeviz.errors import InputError, NotApplicable
from vaeviz.model.conditions import fixed_condition_name
from vaeviz.model.decode import latent_size
from vaeviz.model.decoder import Decoder
from vaeviz.model.encode import encode
from vaeviz.model.opening import as_decoder
from vaeviz.plugins.plot_spec import PageShape, register_plot


@register_plot(page=PageShape("column", None))
def samples(
    decoder: Any,
    encoder: Any = None,
    x: Any = None,
    condition: Any = None,
    feature_names: Any = None,
    *,
    n: int = 64,
    temperature: float = 1.0,
    kind: SampleKind | None = None,
    cmap: str | None = None,
    seed: int = 0,
    ax: Axes | None = None,
) -> Axes:
    """Means of p(x | z) for codes drawn from the prior, z ~ N(0, I); of a conditional model a row for each condition.

    decoder: any callable or model. encoder and x: (N, ...), where the decoder does not say its latent size; an
        encoder that is known to have no such prior (a plain autoencoder's) makes this `NotApplicable`.
    condition: (N, ...), whose different values have a row each, with the same codes in all; by default all that a
        conditional decoder knows. Of more than twelve, twelve are drawn.
    n: how many samples, in all rows together; at most √n stand in a row. temperature: standard deviation of the codes,
        1 for the prior itself.
    feature_names: of the values of a sample, where x has no named columns. kind: how a sample is drawn, told by its
        shape unless given. cmap: of what has one channel.
    """
    if n < 1 or temperature <= 0:
        raise InputError(f"n = {n}, temperature = {temperature}: expected n of 1 or more and a temperature above 0")
    look = sample_style(x, feature_names, kind=kind, cmap=cmap)
    decoder, x = as_decoder(decoder), x if x is None else as_samples(x, "x")
    conditions = condition_set(decoder, condition)
    posterior = None if encoder is None or x is None else encode(encoder, x, condition)
    known = decoder.prior or (posterior and posterior.prior)
    if posterior is not None and not known:
        raise NotApplicable(
            "the model has no known prior to sample from; if it assumes N(0, I), write Decoder(fn, prior='normal')"
        )
    size = posterior.size if posterior is not None else latent_size(decoder)
    draws = min(math.ceil(n / len(conditions)), math.ceil(math.sqrt(n))) if conditions else n
    z = temperature * np.random.default_rng(seed).standard_normal((draws, size))
    decoded = decode_under_conditions(decoder, posterior.with_codes(z) if posterior else z, conditions, like=x)
    cells = decoded if conditions else _in_square(decoded[0], look)
    connect = "rows" if conditions and look.kind_of(cells.shape[2:]) == "table" else None
    layout = GridLayout(row_labels=conditions.names, connect=connect)
    ax = ax or axes_for(samples, cells_aspect(cells, look, layout))
    draw_cells(ax, cells, look, layout)
    scale = "" if temperature == 1 else f"{temperature:g}² "
    drawn_from = f"{'' if known else 'assuming '}z ~ N(0, {scale}I)"
    if conditions:
        ax.set_title(f"Means of p(x | z, y) under {conditions},\nin each row the same {draws} draws, {drawn_from}")
    else:
        ax.set_title(f"Means of p(x | {_given(decoder)}), {draws} draws,\n{drawn_from}")
    return ax


def _in_square(decoded: np.ndarray, look: SampleStyle) -> np.ndarray:
    """Samples (n, ...) in rows and columns, with blanks after the last: tall images more in a row, wide ones fewer."""
    one = cells_aspect(decoded[:1, None], look) if look.kind_of(decoded.shape[1:]) == "image" else 1.0
    rows = math.ceil(len(decoded) / math.ceil(math.sqrt(len(decoded) * one)))
    columns = math.ceil(len(decoded) / rows)
    blank = np.full((-len(decoded) % columns, *decoded.shape[1:]), np.nan, dtype=np.float32)
    return np.concatenate([decoded, blank]).reshape(-1, columns, *decoded.shape[1:])


def _given(decoder: Decoder) -> str:
    return f"z, y = {fixed_condition_name(decoder)}" if fixed_condition_name(decoder) else "z"
