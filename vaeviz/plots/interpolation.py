from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import numpy as np
from matplotlib.axes import Axes

from vaeviz.analysis.condition_sets import same_condition
from vaeviz.analysis.interpolation import PATHS
from vaeviz.analysis.subsampling import cross_class_pairs, pairs_between, same_class_pairs
from vaeviz.data.channels import match_shape
from vaeviz.data.labels import check_labels, factorize_labels
from vaeviz.data.out_of_core import as_samples, take_rows
from vaeviz.data.sample_kind import SampleKind
from vaeviz.drawing.cells import cells_aspect, draw_cells
from vaeviz.drawing.figure_factory import axes_for
from vaeviz.drawing.grid_layout import GridLayout
from vaeviz.drawing.sample_style import sample_style
from vaeviz.errors import InputError, UnknownName
from vaeviz.model.conditions import condition_names
from vaeviz.model.decode import decode
from vaeviz.model.encode import encode
from vaeviz.model.opening import as_decoder
from vaeviz.plugins.plot_spec import PageShape, register_plot


@register_plot(page=PageShape("full", None))
def interpolation(
    encoder: Any,
    decoder: Any,
    x: Any,
    labels: Any = None,
    condition: Any = None,
    feature_names: Any = None,
    *,
    method: Literal["linear", "slerp"] = "linear",
    steps: int = 10,
    n: int = 5,
    pair: tuple[int, int] | None = None,
    between: tuple[str, str] | None = None,
    kind: SampleKind | None = None,
    cmap: str | None = None,
    seed: int = 0,
    ax: Axes | None = None,
) -> Axes:
    """Paths between the codes of two samples, decoded step by step.

    encoder, decoder: any callables or models. x: (N, ...). labels: (N,) or None. condition: (N, ...), of a conditional
        model.
    method: "linear", or "slerp" along the great arc (Shoemake 1985; White 2016). steps: decoded codes a path, both
        ends included; the samples themselves stand outside them.
    n: how many random paths, between different labels where there are any; of a conditional decoder between samples of
        one condition. pair: one path, between these rows of x. between: n random paths from one label to another. A
        path is decoded under the condition of its first sample.
    feature_names: of the values of a sample, where x has no named columns. kind: how a sample is drawn, told by its
        shape unless given. cmap: of what has one channel.
    """
    if steps < 2 or n < 1:
        raise InputError(f"steps = {steps}, n = {n}: expected at least 2 steps and 1 path")
    look = sample_style(x, feature_names, kind=kind, cmap=cmap)
    x = as_samples(x, "x")
    decoder, posterior = as_decoder(decoder), encode(encoder, x, condition)
    alike = same_condition(decoder, posterior)
    pairs = _pairs(pair, between, n, len(posterior), labels, alike, seed)
    path = _path(method)
    t = np.linspace(0, 1, steps)
    codes = np.concatenate([path(posterior.mean[a], posterior.mean[b], t) for a, b in pairs])
    starts = np.array([first for first, _ in pairs])
    decoded = decode(decoder, posterior.with_codes(codes, np.repeat(starts, steps)), like=x)
    paths = decoded.reshape(len(pairs), steps, *decoded.shape[1:])
    ends = match_shape(take_rows(x, np.ravel(pairs)), decoded.shape[1:]).reshape(len(pairs), 2, *decoded.shape[1:])
    cells = np.concatenate([ends[:, :1], paths, ends[:, 1:]], axis=1)
    times = [f"{time:.2f}".rstrip("0").rstrip(".") for time in t]
    layout = GridLayout(
        connect="rows",
        row_labels=() if alike is None else condition_names(posterior.condition_of(starts), decoder.conditions),
        column_labels=["$x$", *times, "$x'$"],
        data_columns=(0, -1),
    )
    ax = ax or axes_for(interpolation, cells_aspect(cells, look, layout))
    draw_cells(ax, cells, look, layout)
    ax.set_title(f"{method.capitalize()} interpolation between {posterior.code_name}s{_told(pairs, alike)}")
    return ax


def _told(pairs: list[tuple[int, int]], alike: np.ndarray | None) -> str:
    """Under which condition; empty for a plain decoder."""
    if alike is None:
        return ""
    unlike = any(alike[first] != last for first, last in ((a, alike[b]) for a, b in pairs))
    return ", under the condition of the first" if unlike else ", within a condition"


def _path(method: str) -> Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]:
    if method not in PATHS:
        raise UnknownName("method", str(method), PATHS)
    return PATHS[method]


def _pairs(
    pair: tuple[int, int] | None,
    between: tuple[str, str] | None,
    n: int,
    total: int,
    labels: Any,
    alike: np.ndarray | None,
    seed: int,
) -> list[tuple[int, int]]:
    if pair is not None:
        if not all(0 <= row < total for row in pair):
            raise InputError(f"pair = {pair}: expected two rows from 0 to {total - 1}")
        return [pair]
    if between is None and alike is not None:
        return same_class_pairs(n, alike, seed) or cross_class_pairs(n, total, None, seed)
    if labels is None:
        if between is not None:
            raise InputError("between: choosing ends by label needs labels")
        return cross_class_pairs(n, total, None, seed)
    codes, names = factorize_labels(check_labels(labels, total))
    if between is None:
        return cross_class_pairs(n, total, codes, seed)
    between = tuple(map(str, between))
    for name in between:
        if name not in names:
            raise UnknownName("label", name, names)
    return pairs_between((names.index(between[0]), names.index(between[1])), codes, n, seed)
