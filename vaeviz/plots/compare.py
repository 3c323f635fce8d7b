"""Plot of the same data in two latent spaces."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure, SubFigure

from vaeviz.analysis.similarity import CodeSimilarity, code_similarity, compared_rows, procrustes
from vaeviz.analysis.subsampling import subsample_rows
from vaeviz.data.labels import labels_for
from vaeviz.data.out_of_core import as_samples
from vaeviz.drawing.colors import ClassNames, Palette, color_labels
from vaeviz.drawing.figure_factory import figure_for
from vaeviz.drawing.latent_axes import AXES_MARGIN, dimension_label
from vaeviz.drawing.legends import add_color_key
from vaeviz.drawing.scatter import draw_scatter
from vaeviz.drawing.text_fit import abbreviate, drawable_text
from vaeviz.model.encode import encode
from vaeviz.model.opening import as_encoder, check_columns
from vaeviz.model.posterior import Posterior
from vaeviz.plots._titles import sample_count
from vaeviz.plugins.plot_spec import PageShape, register_plot

MAX_NAME_LENGTH = 24  # characters of the name of an encoder in a title


@register_plot(page=PageShape("full", 0.5), question="Are two runs the same?")
def compare(
    encoder: Any,
    x: Any,
    other_encoder: Any,
    labels: Any = None,
    condition: Any = None,
    *,
    n_neighbors: int = 10,
    max_points: int | None = 5000,
    palette: Palette | None = None,
    continuous: bool | None = None,
    class_names: ClassNames | None = None,
    highlight: tuple[str, ...] | None = None,
    limits: tuple[float, float] | None = None,
    seed: int = 0,
    figure: Figure | SubFigure | None = None,
) -> np.ndarray:
    """Plot the same data in two latent spaces, the second aligned to the first by Procrustes.

    What to look for: classes at the same places mean that both runs found the same arrangement. The line below
    measures it three ways, with the value for shuffled samples in brackets: the similarity CKA, the variance that the
    alignment leaves, and the share of common neighbors.

    What commonly misleads: two runs of one model usually differ: a latent space is known up to rotation and
    reflection at best, so never compare raw coordinates or axes between runs. Neighbors can agree where the global
    arrangement does not, as the numbers then show.

    Parameters
    ----------
    encoder : callable, model or Posterior
        First encoder of `x`.
    x : array_like, shape (N, ...)
        Samples.
    other_encoder : callable, model or Posterior
        Second encoder of `x`. Its latent size may differ.
    labels : array_like, shape (N,), optional
        One label per sample: integers, texts and categories are classes, floats and dates lie on a scale. By default,
        those that come with `x`, if it is a loader or a `Dataset`.
    condition : array_like, shape (N, ...), optional
        Condition of each sample. Only a conditional model needs it.
    n_neighbors : int, default=10
        Nearest neighbors whose agreement is measured.
    max_points : int or None, default=5000
        Largest number of samples to compare. More are subsampled at random; None keeps all. Codes of more than 400
        dimensions are compared on at most 400 samples.
    palette : str, tuple or dict, optional
        Color sequence or colormap of matplotlib, palette of seaborn, colors (also separated by commas), or a color for
        each class by name.
    continuous : bool, optional
        Color integer labels along a gradient. By default, their type decides.
    class_names : tuple or dict, optional
        Names of the integer labels 0, 1, ..., or all names in order, or new names by label.
    highlight : tuple of str, optional
        Classes that keep their colors. The others become gray.
    limits : tuple of float, optional
        Ends of the scale of continuous labels. By default, a few that are far out are left out and counted.
    seed : int, default=0
        Seed of the subsample, of the order of the points and of the shuffled baseline.
    figure : Figure or SubFigure, optional
        Figure to draw into. By default, a new pyplot figure.

    Returns
    -------
    ndarray of Axes, shape (2,)
        The Axes of the first and of the second latent space.

    Raises
    ------
    NotApplicable
        If a latent space is constant, or there are no more samples than neighbors.
    InputError
        If the numbers of rows differ, or `n_neighbors` is too small.

    Notes
    -----
    The alignment is a shift, a rotation or reflection (Gower 1975), and one scale that gives both the same variance, in
    all dimensions. The panels have the names of the encoders if these differ. Above two dimensions, both are drawn in
    the plane of the first two principal components of the first. Below the panels are linear CKA (Kornblith et al.
    2019), the share of variance that the least-squares alignment leaves, and the share of common nearest neighbors,
    each with its standard error and, in brackets, its value for shuffled samples.

    References
    ----------
    Gower, Generalized Procrustes analysis, Psychometrika 40, 1975.
    Kornblith et al., Similarity of Neural Network Representations Revisited, ICML 2019.
    """
    check_columns(encoder, x)
    check_columns(other_encoder, x)
    labels, x = labels_for(x, labels), as_samples(x, "x")
    posterior, other = encode(encoder, x, condition), encode(other_encoder, x, condition)
    colors = color_labels(
        labels, len(posterior), palette, continuous, class_names=class_names, highlight=highlight, limits=limits
    )
    rows = subsample_rows(max_points, len(posterior), seed)
    rows = rows[compared_rows(posterior.mean[rows], other.mean[rows], seed)]
    codes, others = posterior.mean[rows], other.mean[rows]
    found = code_similarity(codes, others, k=n_neighbors, seed=seed)
    aligned = _with_spread_of(codes, procrustes(codes, others).aligned)
    names = _space_names(encoder, other_encoder)
    axis_names, planes = _project_to_plane(codes, aligned, names[0])
    count = sample_count(len(rows), len(posterior))
    headings = names[0], f"{names[1]}, aligned"
    figure = figure or figure_for(compare)
    axes: np.ndarray = figure.subplots(1, 2)
    for ax, points, shown, title in zip(axes, planes, (posterior, other), headings):
        draw_scatter(ax, points, colors[rows], seed=seed)
        ax.set(**_shared_limits(np.concatenate(planes)), aspect="equal")
        ax.set(xlabel=axis_names[0], title=f"{title}: {shown.size}-D {shown.code_name}s, {count}")
    axes[0].set_ylabel(axis_names[1])
    add_color_key(axes[1], colors, planes[1])
    figure.supxlabel(_similarity_text(found), fontsize="small")
    return axes


def _space_names(*encoders: Any) -> tuple[str, str]:
    """Return names for the panels: those of two encoders, or their order where they do not differ."""
    names = ["" if isinstance(encoder, Posterior) else drawable_text(as_encoder(encoder).name) for encoder in encoders]
    is_named = all(names) and len(set(names)) == 2
    first, second = abbreviate(names, MAX_NAME_LENGTH) if is_named else ("encoder 1", "encoder 2")
    return first, second


def _with_spread_of(codes: np.ndarray, aligned: np.ndarray) -> np.ndarray:
    """Scale aligned codes to the total variance of others: the least-squares scale shrinks them where they differ."""
    center, spread = aligned.mean(axis=0), np.sqrt(aligned.var(axis=0).sum())
    return center + (aligned - center) * np.sqrt(codes.var(axis=0).sum()) / spread if spread > 0 else aligned


def _project_to_plane(
    codes: np.ndarray, aligned: np.ndarray, name: str
) -> tuple[tuple[str, str], tuple[np.ndarray, np.ndarray]]:
    """Return labels of two axes, and both sets of codes in the plane of the first two principal components of `codes`.

    Codes of two dimensions stay as they are. `name` is that of the first encoder.
    """
    size = max(codes.shape[1], aligned.shape[1], 2)
    codes, aligned = (np.pad(part, ((0, 0), (0, size - part.shape[1]))) for part in (codes, aligned))
    if size == 2:
        return (dimension_label(0), dimension_label(1)), (codes, aligned)
    center = codes.mean(axis=0, dtype=np.float64)
    components = np.linalg.svd(codes - center, full_matrices=False)[2][:2].T
    labels = f"principal component 1 of {name}", f"principal component 2 of {name}"
    return labels, ((codes - center) @ components, (aligned - center) @ components)


def _shared_limits(points: np.ndarray) -> dict[str, tuple[float, float]]:
    """Return limits that hold all points (N, 2), so that both panels can be compared."""
    low, high = points.min(axis=0), points.max(axis=0)
    margin = AXES_MARGIN * (high - low).max()
    return {name: (a - margin, b + margin) for name, a, b in zip(("xlim", "ylim"), low, high)}


def _similarity_text(found: CodeSimilarity) -> str:
    parts = (
        ("CKA", found.cka),
        ("variance left by Procrustes", found.residual),
        (f"shared of {found.k} nearest", found.overlap),
    )
    numbers = ",  ".join(f"{name} {score} [{score.null:.3f}]" for name, score in parts)
    return f"{numbers}\n±1 standard error; in brackets, for codes of shuffled samples"
