from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes

from vaeviz.analysis.subsampling import stratified_rows
from vaeviz.data.channels import match_shape
from vaeviz.data.labels import check_labels, factorize_labels, has_classes
from vaeviz.data.out_of_core import as_samples, take_rows
from vaeviz.data.sample_kind import SampleKind
from vaeviz.drawing.cells import cells_aspect, draw_cells
from vaeviz.drawing.figure_factory import axes_for
from vaeviz.drawing.grid_layout import GridLayout
from vaeviz.drawing.sample_style import sample_style
from vaeviz.errors import InputError
from vaeviz.model.conditions import fixed_condition_name
from vaeviz.model.decode import decode
from vaeviz.model.encode import encode
from vaeviz.model.opening import as_decoder
from vaeviz.plugins.plot_spec import PageShape, register_plot


@register_plot(page=PageShape("full", None))
def reconstruction_pairs(
    encoder: Any,
    decoder: Any,
    x: Any,
    labels: Any = None,
    condition: Any = None,
    feature_names: Any = None,
    *,
    n: int = 10,
    rows: tuple[int, ...] | None = None,
    kind: SampleKind | None = None,
    cmap: str | None = None,
    seed: int = 0,
    ax: Axes | None = None,
) -> Axes:
    """Samples above their reconstructions: each decoded from its posterior mean.

    encoder, decoder: any callables or models. x: (N, ...). labels: (N,) or None, to show every class alike. condition:
        (N, ...), of a conditional model.
    n: how many samples, drawn at random with `seed`, evenly over the labels. rows: which samples instead.
    feature_names: of the values of a sample, where x has no named columns. kind: how a sample is drawn, told by its
        shape unless given. cmap: of what has one channel.
    """
    if n < 1:
        raise InputError(f"n = {n}: expected 1 or more")
    look = sample_style(x, feature_names, kind=kind, cmap=cmap)
    x = as_samples(x, "x")
    decoder, posterior = as_decoder(decoder), encode(encoder, x, condition)
    values = None if labels is None else check_labels(labels, len(posterior))
    codes, names = factorize_labels(values) if values is not None and has_classes(values) else (None, ())
    picked = stratified_rows(n, len(posterior), codes, seed) if rows is None else checked_rows(rows, len(posterior))
    reconstructed = decode(decoder, posterior[picked], like=x)
    originals = match_shape(take_rows(x, picked), reconstructed.shape[1:])
    cells = np.stack([originals, reconstructed])
    layout = GridLayout(
        row_labels=("original", "reconstruction"),
        connect="pairs",
        column_labels=() if codes is None else [names[code] if code >= 0 else "" for code in codes[picked]],
    )
    ax = ax or axes_for(reconstruction_pairs, cells_aspect(cells, look, layout))
    draw_cells(ax, cells, look, layout)
    fixed = fixed_condition_name(decoder)
    classes = 0 if codes is None else len(np.unique(codes[picked]))
    some = f", {classes} of {len(names)} classes" if 0 < classes < len(names) else ""
    ax.set_title(f"Reconstructions from the {posterior.code_name}{fixed and f', given y = {fixed}'}{some}")
    return ax


def checked_rows(rows: tuple[int, ...], total: int) -> np.ndarray:
    """`rows` as indices into `total` samples; `InputError` if one lies outside."""
    wrong = [row for row in rows if not 0 <= row < total]
    if wrong or not rows:
        raise InputError(f"rows: got {wrong[0] if wrong else 'none'}, expected rows from 0 to {total - 1}")
    return np.array(rows)
