"""Plot of how well nearest neighbors in latent space predict a label."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure

from vaeviz.analysis.class_structure import ClassStructure, class_structure, principal_components
from vaeviz.analysis.estimates import Estimate
from vaeviz.analysis.subsampling import subsample_rows
from vaeviz.data.labels import (
    all_missing_error,
    check_labels,
    factorize_labels,
    has_classes,
    label_name,
    labels_for,
    name_classes,
)
from vaeviz.data.out_of_core import as_samples, take_rows
from vaeviz.drawing.colors import ClassNames
from vaeviz.drawing.figure_factory import figure_for
from vaeviz.drawing.latent_axes import DASHES
from vaeviz.drawing.legends import legend_below
from vaeviz.drawing.matrices import draw_matrix
from vaeviz.drawing.text_fit import drawable_text
from vaeviz.errors import NotApplicable
from vaeviz.model.encode import encode
from vaeviz.model.opening import check_columns
from vaeviz.plots._titles import sample_count
from vaeviz.plugins.plot_spec import PageShape, register_plot


@register_plot(page=PageShape("full", 0.5), question="Where do my classes lie?")
def latent_neighbors(
    encoder: Any,
    x: Any,
    labels: Any,
    condition: Any = None,
    *,
    n_neighbors: tuple[int, ...] = (1, 5, 10, 20),
    max_points: int | None = 5000,
    class_names: ClassNames | None = None,
    seed: int = 0,
    figure: Figure | SubFigure | None = None,
) -> np.ndarray:
    """Plot how well the nearest neighbors in latent space predict the label of a sample.

    What to look for: a dark diagonal means that classes form regions of their own. Off the diagonal are pairs of
    classes that the code confuses. The curve should be above that of a PCA with as many dimensions, or the latent space
    adds nothing for this purpose.

    What commonly misleads: an accuracy is high by itself if one class is most of the data: the dashed line is its
    share. Distances are those in all latent dimensions, also in those that have nothing to do with the labels. Labels
    that were never used for training may well have nothing to do with the code.

    Parameters
    ----------
    encoder : callable, model or Posterior
        Encoder of `x`.
    x : array_like, shape (N, ...)
        Samples.
    labels : array_like, shape (N,), or None
        One class per sample, as integers, texts or categories. None takes those of a loader or a `Dataset`. Samples
        without a label are left out.
    condition : array_like, shape (N, ...), optional
        Condition of each sample. Only a conditional model needs it.
    n_neighbors : tuple of int, default=(1, 5, 10, 20)
        Numbers of neighbors that vote. The confusion matrix uses the middle one.
    max_points : int or None, default=5000
        Largest number of samples to use. More are subsampled at random; None keeps all.
    class_names : tuple or dict, optional
        Names of the integer labels 0, 1, ..., or all names in order, or new names by label.
    seed : int, default=0
        Seed of the subsample and of the silhouette.
    figure : Figure or SubFigure, optional
        Figure to draw into. By default, a new pyplot figure.

    Returns
    -------
    ndarray of Axes, shape (2,)
        The Axes of the confusion matrix and of the accuracies.

    Raises
    ------
    NotApplicable
        If the labels are continuous or hold one class only, or there are no more samples than neighbors.
    InputError
        If `labels` does not fit `x`, or a number of neighbors is below 1.

    Notes
    -----
    Neighbors vote leave-one-out. Each row of the confusion matrix shows the share of a class that is voted into every
    class. Accuracy has ±1 standard error, and the title shows the mean silhouette (Rousseeuw 1987). Both are compared
    with the principal components of x, as many as the latent space has dimensions, and the accuracy with the share of
    the largest class.

    References
    ----------
    Rousseeuw, Silhouettes, Journal of Computational and Applied Mathematics 20, 1987.
    """
    check_columns(encoder, x)
    labels, x = labels_for(x, labels), as_samples(x, "x")
    posterior = encode(encoder, x, condition)
    values = check_labels(labels, len(posterior))
    if not has_classes(values):
        raise NotApplicable(
            "The labels are continuous, but neighbors vote for classes.", fix="Pass labels as integers or strings."
        )
    codes, names = factorize_labels(values if class_names is None else name_classes(values, class_names))
    labeled = np.flatnonzero(codes >= 0)
    if not len(labeled):
        raise all_missing_error()
    rows = labeled[subsample_rows(max_points, len(labeled), seed)]
    present, classes = np.unique(codes[rows], return_inverse=True)
    latent = class_structure(posterior.mean[rows], classes, n_neighbors, seed=seed)
    components = principal_components(take_rows(x, rows), posterior.size)
    baseline = class_structure(components, classes, n_neighbors, seed=seed)
    figure = figure or figure_for(latent_neighbors)
    axes: np.ndarray = figure.subplots(1, 2, width_ratios=(1.15, 1))
    _draw_confusion(axes[0], latent, [names[code] for code in present], label_name(labels) or "label")
    is_condition = condition is not None and np.array_equal(np.asarray(values), np.asarray(condition))
    note = "\nthe label is the condition, which codes need not encode" if is_condition else ""
    count = sample_count(len(rows), len(labeled))
    axes[0].set_title(f"Confusion in {posterior.size} latent dimensions, {count}{note}")
    _draw_accuracy(axes[1], {f"{posterior.code_name}s": latent, f"PCA of $x$, {components.shape[1]}-D": baseline})
    return axes


def _draw_confusion(ax: Axes, structure: ClassStructure, names: list[str], label: str) -> None:
    draw_matrix(ax, structure.confusion, rows=names, columns=names)
    order = "" if ax.get_xticklabels() else ", in the order of the labels"
    votes = f"voted by {structure.k[len(structure.k) // 2]} neighbors{order}"
    ax.set(xlabel=votes, ylabel=drawable_text(label), aspect="equal")


def _draw_accuracy(ax: Axes, structures: dict[str, ClassStructure]) -> None:
    """Draw accuracy against the number of neighbors, one line per set of codes."""
    for name, found in structures.items():
        ax.errorbar(found.k, found.accuracy, yerr=found.accuracy_error, marker="o", ms=3, label=name)
    latent, components = structures.values()
    ax.axhline(latent.chance, color="0.35", lw=0.8, ls=DASHES, label="largest class")
    ax.set(xlabel="neighbors that vote", ylabel="accuracy, leave-one-out", ylim=(0, 1.02), xticks=latent.k)
    middle = len(latent.k) // 2
    accuracy = Estimate(latent.accuracy[middle], latent.accuracy_error[middle])
    silhouette = "not defined"
    if np.isfinite(latent.silhouette.value):
        silhouette = f"{latent.silhouette}, of the PCA {components.silhouette}"
    ax.set_title(f"Accuracy {accuracy} with {latent.k[middle]} neighbors\nsilhouette {silhouette}")
    legend_below(ax, text_above=("xtick.labelsize", "axes.labelsize"))
