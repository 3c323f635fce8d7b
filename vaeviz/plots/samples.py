from __future__ import annotations

import math
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from vaeviz.decoding import decode, latent_size
from vaeviz.drawing.cells import cells_aspect, draw_cells
from vaeviz.drawing.look import Look, look_of
from vaeviz.drawing.places import axes_for
from vaeviz.encoding import encode
from vaeviz.errors import InputError, NotApplicable
from vaeviz.kinds import Kind
from vaeviz.model import as_decoder
from vaeviz.plot import Page, register_plot
from vaeviz.posterior import Posterior


@register_plot(page=Page("column", None))
def samples(
    decoder: Any,
    encoder: Any = None,
    x: Any = None,
    feature_names: Any = None,
    *,
    n: int = 64,
    temperature: float = 1.0,
    kind: Kind | None = None,
    cmap: str | None = None,
    seed: int = 0,
    ax: Axes | None = None,
) -> Axes:
    """Means of p(x | z) for codes drawn from the prior, z ~ N(0, I).

    decoder: any callable or model. encoder and x: (N, ...), where the decoder does not say its latent size; an
        encoder that is known to have no such prior (a plain autoencoder's) makes this `NotApplicable`.
    n: how many samples. temperature: standard deviation of the codes, 1 for the prior itself.
    feature_names: of the values of a sample, where x has no named columns. kind: how a sample is drawn, told by its
        shape unless given. cmap: of what has one channel.
    """
    if n < 1 or temperature <= 0:
        raise InputError(f"n = {n}, temperature = {temperature}: expected n of 1 or more and a temperature above 0")
    decoder = as_decoder(decoder)
    posterior = None if encoder is None or x is None else encode(encoder, x)
    known = decoder.prior or (posterior and posterior.prior)
    if posterior is not None and not known:
        raise NotApplicable(
            "the model has no known prior to sample from; if it assumes N(0, I), write Decoder(fn, prior='normal')"
        )
    size = posterior.size if posterior is not None else latent_size(decoder)
    z = temperature * np.random.default_rng(seed).standard_normal((n, size))
    decoded = decode(decoder, Posterior(z, code_shape=posterior.code_shape) if posterior else z, like=x)
    look = look_of(x, feature_names, kind=kind, cmap=cmap)
    columns = _columns(decoded, look)
    blank = np.full((-n % columns, *decoded.shape[1:]), np.nan, dtype=np.float32)
    cells = np.concatenate([decoded, blank]).reshape(-1, columns, *decoded.shape[1:])
    ax = ax or axes_for(samples, cells_aspect(cells, look))
    draw_cells(ax, cells, look)
    scale = "" if temperature == 1 else f"{temperature:g}² "
    ax.set_title(f"Means of p(x | z), {n} draws,\n{'' if known else 'assuming '}z ~ N(0, {scale}I)")
    return ax


def _columns(decoded: np.ndarray, look: Look) -> int:
    """How many samples stand beside one another: as many as below, but tall images more and wide ones fewer."""
    one = cells_aspect(decoded[:1, None], look) if look.kind_of(decoded.shape[1:]) == "image" else 1.0
    return min(len(decoded), math.ceil(math.sqrt(len(decoded) * one)))
