"""Plot of samples and their reconstructions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from vaeviz.analysis.subsampling import stratified_rows
from vaeviz.data.channels import match_shape
from vaeviz.data.labels import check_labels, factorize_labels, has_classes, labels_for, name_classes
from vaeviz.data.out_of_core import as_samples, take_rows
from vaeviz.data.sample_kind import SampleKind
from vaeviz.drawing.cells import cells_aspect, draw_cells
from vaeviz.drawing.colors import ClassNames
from vaeviz.drawing.figure_factory import axes_for
from vaeviz.drawing.grid_layout import GridLayout
from vaeviz.drawing.sample_style import sample_style
from vaeviz.drawing.text_fit import drawable_text
from vaeviz.model.decode import decode
from vaeviz.model.encode import encode
from vaeviz.model.opening import as_decoder, both_parts, check_columns, with_decoder
from vaeviz.plots._option_checks import check_minimum, check_rows
from vaeviz.plugins.plot_spec import PageShape, register_plot

MAX_COLUMNS = 12  # more pairs continue below, where they stay large enough
MAX_ASPECT = 0.6  # height / width of the figure; a few pairs do not fill its width


@register_plot(page=PageShape("full", None), question="What does it reconstruct?")
def reconstruction_pairs(
    encoder: Any,
    decoder: Any,
    x: Any,
    labels: Any = None,
    condition: Any = None,
    feature_names: Any = None,
    *,
    n_samples: int = 10,
    rows: tuple[int, ...] | None = None,
    class_names: ClassNames | None = None,
    kind: SampleKind | None = None,
    cmap: str | None = None,
    seed: int = 0,
    ax: Axes | None = None,
) -> Axes:
    """Plot samples above their reconstructions, each decoded from its posterior mean.

    What to look for: what is lost: thin strokes, texture, a class that turns into another one. With labels, every class
    is shown; if there are too many, the title says how many are.

    What commonly misleads: these are a few samples of the whole set, chosen by the seed: `reconstruction_error`
    measures all and shows the worst. Sharp reconstructions say nothing about samples from the prior. An autoencoder
    without KL reconstructs best of all.

    Parameters
    ----------
    encoder : callable, model or Posterior
        Encoder of `x`.
    decoder : callable or model
        Decoder of the codes, by default that of the model if `encoder` is one.
    x : array_like, shape (N, ...)
        Samples.
    labels : array_like, shape (N,), optional
        One label per sample. Classes are then shown equally often and named.
    condition : array_like, shape (N, ...), optional
        Condition of each sample. Only a conditional model needs it.
    feature_names : sequence of str, optional
        Names of the values of a sample. By default, the column names of `x` if it is a data frame.
    n_samples : int, default=10
        Number of samples to draw, chosen at random. More than 12 images or signals are drawn in several bands, without
        the names of their classes.
    rows : tuple of int, optional
        Rows of `x` to draw instead.
    class_names : tuple or dict, optional
        Names of the integer labels 0, 1, ..., or all names in order, or new names by label.
    kind : {"image", "spectrogram", "signal", "point", "table"}, optional
        How to draw a sample. By default, its shape decides.
    cmap : str, optional
        Matplotlib colormap of samples with one channel.
    seed : int, default=0
        Seed of the choice of samples.
    ax : Axes, optional
        Axes to draw into. By default, those of a new pyplot figure.

    Returns
    -------
    Axes
        The Axes that hold the samples, each original above its reconstruction.

    Raises
    ------
    InputError
        If `labels`, `rows` or `n_samples` cannot be used.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.decomposition import PCA
    >>> import vaeviz
    >>> x = np.random.default_rng(0).random((100, 8, 8))
    >>> pca = PCA(5).fit(x.reshape(100, 64))
    >>> ax = vaeviz.reconstruction_pairs(
    ...     lambda x: pca.transform(x.reshape(len(x), 64)), lambda z: pca.inverse_transform(z).reshape(-1, 8, 8), x
    ... )
    >>> ax.get_title()
    'Reconstructions from the code'
    """
    check_minimum("n_samples", n_samples, 1)
    labels = labels_for(x, labels)
    style = sample_style(x, feature_names, kind=kind, cmap=cmap)
    encoder, decoder = both_parts(encoder, decoder)
    check_columns(encoder, x)
    x = as_samples(x, "x")
    decoder, posterior = as_decoder(decoder), encode(with_decoder(encoder, decoder), x, condition)
    values = None if labels is None else check_labels(labels, len(posterior))
    if values is not None and class_names is not None:
        values = name_classes(values, class_names)
    codes, names = factorize_labels(values) if values is not None and has_classes(values) else (None, ())
    if rows is not None:
        check_rows("rows", rows, len(posterior), example=(0, 1))
    chosen = stratified_rows(n_samples, len(posterior), codes, seed) if rows is None else np.array(rows)
    reconstructed = decode(decoder, posterior[chosen], reference=x)
    originals = match_shape(take_rows(x, chosen), reconstructed.shape[1:])
    pairs = np.stack([originals, reconstructed])
    cells = pairs if style.kind_of(pairs.shape[2:]) in ("table", "point") else _wrap_columns(pairs)
    layout = GridLayout(
        row_labels=("original", "reconstruction") * (len(cells) // 2),
        connect="pairs",
        column_labels=_class_names(codes[chosen], names) if codes is not None and len(cells) == 2 else (),
    )
    ax = ax or axes_for(reconstruction_pairs, min(cells_aspect(cells, style, layout), MAX_ASPECT))
    draw_cells(ax, cells, style, layout)
    fixed, n_classes = drawable_text(decoder.condition_name), 0 if codes is None else len(np.unique(codes[chosen]))
    some_classes = f", {n_classes} of {len(names)} classes" if 0 < n_classes < len(names) else ""
    ax.set_title(f"Reconstructions from the {posterior.code_name}{fixed and f', given y = {fixed}'}{some_classes}")
    return ax


def _class_names(codes: np.ndarray, names: Sequence[str]) -> list[str]:
    return [names[code] if code >= 0 else "" for code in codes]


def _wrap_columns(pairs: np.ndarray) -> np.ndarray:
    """Return pairs (2, N, *sample) in bands of equal width, (2 · bands, columns, *sample), with blanks at the end."""
    n_bands = math.ceil(pairs.shape[1] / MAX_COLUMNS)
    n_columns = math.ceil(pairs.shape[1] / n_bands)
    blank = np.full((2, n_bands * n_columns - pairs.shape[1], *pairs.shape[2:]), np.nan, dtype=np.float32)
    bands = np.concatenate([pairs, blank], axis=1).reshape(2, n_bands, n_columns, *pairs.shape[2:])
    return bands.swapaxes(0, 1).reshape(2 * n_bands, n_columns, *pairs.shape[2:])
