from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure, SubFigure

from vaeviz.analysis.similarity import CodeSimilarity, code_similarity, procrustes
from vaeviz.analysis.subsampling import subsample_rows
from vaeviz.data.out_of_core import as_samples
from vaeviz.drawing.colors import color_labels
from vaeviz.drawing.figure_factory import figure_for
from vaeviz.drawing.latent_axes import dimension_label
from vaeviz.drawing.legends import add_color_key
from vaeviz.drawing.scatter import draw_scatter
from vaeviz.model.encode import encode
from vaeviz.plugins.plot_spec import PageShape, register_plot


@register_plot(page=PageShape("full", 0.5))
def compare(
    encoder: Any,
    x: Any,
    other_encoder: Any,
    labels: Any = None,
    condition: Any = None,
    *,
    k: int = 10,
    max_points: int | None = 5000,
    palette: str | None = None,
    continuous: bool | None = None,
    seed: int = 0,
    figure: Figure | SubFigure | None = None,
) -> np.ndarray:
    """The same data in two latent spaces, the second aligned to the first by Procrustes.

    encoder, other_encoder: any callables, models, or Posteriors; their sizes may differ. x: (N, ...). labels: (N,).
        condition: (N, ...), of a conditional model.
    k: neighbors whose agreement is asked. max_points: at most so many x, chosen at random with `seed`; None for all.
    The alignment is a shift, a rotation or reflection, and one scale (Gower 1975), in all dimensions; above two, both
    are drawn in the plane of the first's two leading principal components. CKA: linear (Kornblith et al. 2019). Each
    number has its standard error, and in brackets its value for unrelated codes. palette, continuous: of the labels.
    """
    x = as_samples(x, "x")
    posterior, other = (encode(given, x, condition) for given in (encoder, other_encoder))
    colors = color_labels(labels, len(posterior), palette=palette, continuous=continuous)
    rows = subsample_rows(max_points, len(posterior), seed)
    codes, others = posterior.mean[rows], other.mean[rows]
    found = code_similarity(codes, others, k=k, seed=seed)
    aligned = procrustes(codes, others).aligned
    figure = figure or figure_for(compare)
    left, right = axes = figure.subplots(1, 2)
    names, planes = _in_one_plane(codes, aligned)
    for ax, points, of, title in (
        (left, planes[0], posterior, "First"),
        (right, planes[1], other, "Second, aligned"),
    ):
        draw_scatter(ax, points, colors[rows], seed=seed)
        ax.set(**_limits(np.concatenate(planes)), aspect="equal")
        ax.set(xlabel=names[0], title=f"{title}: {of.size}-D {of.code_name}s, N = {len(rows):,}")
    left.set_ylabel(names[1])
    add_color_key(right, colors, planes[1])
    figure.supxlabel(_told(found), fontsize="small")
    return axes


def _in_one_plane(codes: np.ndarray, aligned: np.ndarray) -> tuple[tuple[str, str], tuple[np.ndarray, np.ndarray]]:
    """((names of the axes), (points, points)): the latent itself in 2-D, else the first's leading components."""
    codes = np.pad(codes, ((0, 0), (0, aligned.shape[1] - codes.shape[1])))
    if codes.shape[1] == 1:
        codes, aligned = (np.pad(part, ((0, 0), (0, 1))) for part in (codes, aligned))
    if codes.shape[1] == 2:
        return (dimension_label(0), dimension_label(1)), (codes, aligned)
    center = codes.mean(axis=0, dtype=np.float64)
    axes = np.linalg.svd(codes - center, full_matrices=False)[2][:2].T
    names = "first principal component of the first", "second principal component"
    return names, ((codes - center) @ axes, (aligned - center) @ axes)


def _limits(points: np.ndarray) -> dict[str, tuple[float, float]]:
    """Limits that hold all points (N, 2) with a little room: the same for both panels, so that they compare."""
    low, high = points.min(axis=0), points.max(axis=0)
    room = 0.04 * (high - low).max()
    return {name: (a - room, b + room) for name, a, b in zip(("xlim", "ylim"), low, high)}


def _told(found: CodeSimilarity) -> str:
    parts = (
        ("CKA", found.cka),
        ("variance left by Procrustes", found.residual),
        (f"shared of {found.k} nearest", found.overlap),
    )
    numbers = ",  ".join(f"{name} {score} [{score.null:.3f}]" for name, score in parts)
    return f"{numbers}\n±1 standard error; in brackets, for codes of shuffled samples"
