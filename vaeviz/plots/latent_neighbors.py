from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure

from vaeviz.analysis.class_structure import ClassStructure, class_structure, principal_components
from vaeviz.analysis.estimates import Estimate
from vaeviz.analysis.subsampling import subsample_rows
from vaeviz.data.labels import check_labels, factorize_labels, has_classes
from vaeviz.data.out_of_core import as_samples, take_rows
from vaeviz.drawing.figure_factory import figure_for
from vaeviz.drawing.legends import legend_below
from vaeviz.drawing.matrices import draw_matrix
from vaeviz.errors import NotApplicable
from vaeviz.model.encode import encode
from vaeviz.plugins.plot_spec import PageShape, register_plot


@register_plot(page=PageShape("full", 0.44))
def latent_neighbors(
    encoder: Any,
    x: Any,
    labels: Any,
    condition: Any = None,
    *,
    neighbors: tuple[int, ...] = (1, 5, 10, 20),
    max_points: int | None = 5000,
    seed: int = 0,
    figure: Figure | SubFigure | None = None,
) -> np.ndarray:
    """Whether classes lie together: how well the nearest neighbors in latent space tell a sample's label.

    encoder: any callable, model, or `Posterior`. x: (N, ...). labels: (N,) categories; missing ones are left out.
        condition: (N, ...), of a conditional model.
    neighbors: how many of them vote, leave-one-out; the confusion is at the middle one. max_points: at most so many
        samples, chosen at random with `seed`; None for all.
    Left: share of each class (row) voted into each (column). Right: accuracy with ±1 standard error and mean silhouette
    (Rousseeuw 1987), beside the principal components of x, as many as the latent has dimensions, and beside chance.
    """
    x = as_samples(x, "x")
    posterior = encode(encoder, x, condition)
    values = check_labels(labels, len(posterior))
    if not has_classes(values):
        raise NotApplicable("the labels are continuous: neighbors vote for classes, integers or strings")
    codes, names = factorize_labels(values)
    labeled = np.flatnonzero(codes >= 0)
    rows = labeled[subsample_rows(max_points, len(labeled), seed)]
    present, classes = np.unique(codes[rows], return_inverse=True)
    ours = class_structure(posterior.mean[rows], classes, neighbors, seed=seed)
    baseline = principal_components(take_rows(x, rows), posterior.size)
    theirs = class_structure(baseline, classes, neighbors, seed=seed)
    figure = figure or figure_for(latent_neighbors)
    left, right = axes = figure.subplots(1, 2, width_ratios=(1.15, 1))
    seen = [names[code] for code in present]
    draw_matrix(left, ours.confusion, rows=seen, columns=seen)
    left.set(xlabel=f"voted by {ours.k[len(ours.k) // 2]} neighbors", ylabel="label", aspect="equal")
    is_given = condition is not None and np.array_equal(np.asarray(values), np.asarray(condition))
    known = "\nthe label is the condition: codes need not tell it" if is_given else ""
    count = f"N = {len(rows):,}" if len(rows) == len(labeled) else f"{len(rows):,} of {len(labeled):,} samples"
    left.set_title(f"Confusion in {posterior.size} latent dimensions, {count}{known}")
    _draw_accuracy(right, {f"{posterior.code_name}s": ours, f"PCA of $x$, {baseline.shape[1]}-D": theirs})
    return axes


def _draw_accuracy(ax: Axes, structures: dict[str, ClassStructure]) -> None:
    for name, found in structures.items():
        silhouette = found.silhouette
        label = f"{name}\nsilhouette {silhouette if np.isfinite(silhouette.value) else 'not defined'}"
        ax.errorbar(found.k, found.accuracy, yerr=found.accuracy_error, marker="o", ms=3, label=label)
    first = next(iter(structures.values()))
    ax.axhline(first.chance, color="0.35", lw=0.8, ls=(0, (4, 3)), label="largest\nclass")
    ax.set(xlabel="neighbors that vote", ylabel="accuracy, leave-one-out", ylim=(0, 1.02), xticks=first.k)
    middle = len(first.k) // 2
    told = Estimate(first.accuracy[middle], first.accuracy_error[middle])
    ax.set_title(f"Accuracy {told} with {first.k[middle]} neighbors")
    legend_below(ax, columnspacing=1.0, handlelength=1.4)
