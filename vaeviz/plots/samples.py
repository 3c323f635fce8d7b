"""Plot of samples decoded from the prior."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from vaeviz.analysis.condition_sets import ConditionSet, condition_set, decode_under_conditions
from vaeviz.data.out_of_core import as_samples
from vaeviz.data.sample_kind import SampleKind
from vaeviz.drawing.cells import cells_aspect, draw_cells
from vaeviz.drawing.figure_factory import axes_for
from vaeviz.drawing.grid_layout import Connect, GridLayout
from vaeviz.drawing.sample_style import SampleStyle, sample_style
from vaeviz.drawing.text_fit import drawable_text
from vaeviz.model.decode import check_normal_prior, has_normal_prior, latent_size
from vaeviz.model.encode import encode
from vaeviz.model.opening import as_decoder, check_columns, with_decoder
from vaeviz.plots._option_checks import check_minimum, check_positive
from vaeviz.plugins.plot_spec import PageShape, register_plot


@register_plot(page=PageShape("column", None), question="Can I sample from it?")
def samples(
    decoder: Any,
    encoder: Any = None,
    x: Any = None,
    condition: Any = None,
    feature_names: Any = None,
    *,
    n_samples: int = 64,
    temperature: float = 1.0,
    kind: SampleKind | None = None,
    cmap: str | None = None,
    seed: int = 0,
    ax: Axes | None = None,
) -> Axes:
    """Plot means of p(x | z) for codes z drawn from the prior, one row per condition.

    What to look for: each picture should look like one of the data. Unclear pictures between two classes come from
    codes between their regions; wrong ones from regions where there are no codes, which `prior_holes` finds.

    What commonly misleads: these are means and not samples of p(x | z): they are smoother than the data, and a
    blurred picture may be a correct mean. A lower ``temperature`` draws codes nearer to the center, where pictures
    look better and vary less.

    Parameters
    ----------
    decoder : callable or model
        Decoder of the codes.
    encoder : callable, model or Posterior, optional
        Encoder of `x`, by default that of the model if `decoder` is one without conditions. With `x`, it supplies the
        latent size and the prior if the decoder does not.
    x : array_like, shape (N, ...), optional
        Samples. Decoded samples are drawn with their range of values.
    condition : array_like, shape (M, ...), optional
        Conditions. Each different value has a row. By default, all that a conditional decoder knows, twelve at most.
    feature_names : sequence of str, optional
        Names of the values of a sample. By default, the column names of `x` if it is a data frame.
    n_samples : int, default=64
        Number of samples in all rows together. A conditional decoder has at most √n_samples per row.
    temperature : float, default=1.0
        Standard deviation of the codes; 1 is the prior itself.
    kind : {"image", "spectrogram", "signal", "point", "table"}, optional
        How to draw a sample. By default, its shape decides.
    cmap : str, optional
        Matplotlib colormap of samples with one channel.
    seed : int, default=0
        Seed of the codes.
    ax : Axes, optional
        Axes to draw into. By default, those of a new pyplot figure.

    Returns
    -------
    Axes
        The Axes that hold the samples.

    Raises
    ------
    NotApplicable
        If the model is known to have no prior N(0, I), or a conditional decoder has no known conditions.
    InputError
        If the latent size is unknown, or `n_samples` or `temperature` cannot be used.

    Notes
    -----
    Codes are drawn from N(0, temperature² I). All conditions share the same codes.
    """
    check_minimum("n_samples", n_samples, 1)
    check_positive("temperature", temperature)
    style = sample_style(x, feature_names, kind=kind, cmap=cmap)
    if encoder is not None or (x is not None and condition is None):  # an encoder takes a condition for that of x
        encoder = with_decoder(encoder, decoder)
        check_columns(encoder, x)
    decoder, x = as_decoder(decoder), x if x is None else as_samples(x, "x")
    conditions = condition_set(decoder, condition)
    posterior = None if encoder is None or x is None else encode(encoder, x, condition)
    check_normal_prior(decoder, posterior)
    size = posterior.size if posterior is not None else latent_size(decoder)
    n_draws = min(math.ceil(n_samples / len(conditions)), math.isqrt(n_samples - 1) + 1) if conditions else n_samples
    z = temperature * np.random.default_rng(seed).standard_normal((n_draws, size))
    decoded = decode_under_conditions(decoder, posterior.with_codes(z) if posterior else z, conditions, reference=x)
    cells = decoded if conditions else _arrange_in_square(decoded[0], style)
    connect: Connect | None = "rows" if conditions and style.kind_of(cells.shape[2:]) == "table" else None
    layout = GridLayout(row_labels=conditions.names, connect=connect)
    ax = ax or axes_for(samples, cells_aspect(cells, style, layout))
    draw_cells(ax, cells, style, layout)
    scale = "" if temperature == 1 else f"{temperature:g}² "
    source = f"{'' if has_normal_prior(decoder, posterior) else 'assuming '}z ~ N(0, {scale}I)"
    ax.set_title(f"{_samples_title(conditions, drawable_text(decoder.condition_name), n_draws)}{source}")
    return ax


def _samples_title(conditions: ConditionSet, fixed: str, n_draws: int) -> str:
    """Return the title up to the distribution of the codes; `fixed` names the condition of a decoder that has one."""
    if conditions:
        return f"Means of p(x | z, y) under {conditions},\nin each row the same {n_draws} draws, "
    return f"Means of p(x | z{fixed and f', y = {fixed}'}), {n_draws} draws,\n"


def _arrange_in_square(decoded: np.ndarray, style: SampleStyle) -> np.ndarray:
    """Return samples in rows and columns that fill about a square, with blanks after the last."""
    aspect = cells_aspect(decoded[:1, None], style) if style.kind_of(decoded.shape[1:]) == "image" else 1.0
    n_rows = math.ceil(len(decoded) / math.ceil(math.sqrt(len(decoded) * aspect)))
    n_columns = math.ceil(len(decoded) / n_rows)
    blank = np.full((-len(decoded) % n_columns, *decoded.shape[1:]), np.nan, dtype=np.float32)
    return np.concatenate([decoded, blank]).reshape(-1, n_columns, *decoded.shape[1:])
