"""Classes that are mixed in the latent space."""

from __future__ import annotations

from typing import Any

import numpy as np

from vaeviz.analysis.class_structure import ClassStructure, class_structure, principal_components
from vaeviz.analysis.estimates import Estimate
from vaeviz.data.batches import check_samples
from vaeviz.data.labels import check_labels, factorize_labels, has_classes
from vaeviz.data.out_of_core import take_rows
from vaeviz.errors import NotApplicable
from vaeviz.health.check import Measurement, health_check
from vaeviz.health.checks._phrases import count_noun, percent
from vaeviz.health.checks._sampling import choose_rows
from vaeviz.model.encode import encode


@health_check(
    "Are samples of the same class close together in the latent space?",
    unit="of samples",
    flags="below",
    source="compared with the same vote among as many principal components, and with the largest class; min_share: our "
    "choice",
)
def classes(
    encoder: Any,
    x: Any,
    labels: Any,
    condition: Any = None,
    *,
    min_share: float = 0.5,
    n_neighbors: int = 10,
    n_samples: int = 5000,
    seed: int = 0,
) -> Measurement:
    """Measure how often the nearest codes name the class of a sample.

    Parameters
    ----------
    encoder : object
        Anything that `vaeviz.encode` takes.
    x : array_like, shape (N, ...)
        Samples.
    labels : array_like, shape (N,)
        Class of each sample; missing ones are left out.
    condition : array_like, shape (N, ...), optional
        Condition of each sample.
    min_share : float, default 0.5
        Smallest share allowed of what as many principal components gain over always naming the largest class.
    n_neighbors : int, default 10
        Number of nearest other codes that vote for a class.
    n_samples : int, default 5000
        Number of labeled samples, as `latent_neighbors` uses, for the codes and the principal components.
    seed : int, default 0
        Seed of the choice of samples.

    Returns
    -------
    Measurement
        The share of samples whose class is named.

    Raises
    ------
    NotApplicable
        If the labels are continuous, are the condition, are all missing, or have nothing to do with x.
    """
    posterior, x = encode(encoder, x, condition), check_samples(x, "x")
    codes, labeled = _class_codes(labels, condition, len(posterior))
    rows = choose_rows(x, n_samples, seed, among=labeled)
    chosen = take_rows(x, rows)
    if not np.ptp(chosen, axis=0).any():
        raise NotApplicable("All samples are equal, so they cannot tell their classes apart.")
    ours = class_structure(posterior.mean[rows], codes[rows], (n_neighbors,), seed=seed)
    linear = class_structure(principal_components(chosen, posterior.size), codes[rows], (n_neighbors,), seed=seed)
    accuracy, linear_accuracy = _accuracy_of(ours), _accuracy_of(linear)
    _check_related(accuracy, linear_accuracy, ours.chance, posterior.size)
    threshold = ours.chance + min_share * max(linear_accuracy.value - ours.chance, 0)
    baseline = f"a PCA with {count_noun(posterior.size)}"
    return Measurement(
        sentence=f"{n_neighbors} neighbors name the class of {percent(accuracy.value, accuracy.standard_error)} of "
        f"samples ({baseline}: {percent(linear_accuracy.value)}, largest class: {percent(ours.chance)}).",
        value=accuracy.value,
        error=accuracy.standard_error,
        threshold=threshold,
        n_samples=len(rows),
        reference=baseline,
        baselines={"largest class": ours.chance, baseline: linear_accuracy.value},
        numbers={
            "silhouette": ours.silhouette.value,
            "silhouette_error": ours.silhouette.standard_error,
            "classes": len(ours.confusion),
        },
    )


def _class_codes(labels: Any, condition: Any, n_samples: int) -> tuple[np.ndarray, np.ndarray]:
    """Return an integer for each class, -1 if missing, and the rows that have one."""
    values = check_labels(labels, n_samples)
    if not has_classes(values):
        raise NotApplicable("The labels are continuous; this check needs classes, which are integers or strings.")
    if condition is not None and np.array_equal(np.asarray(values), np.asarray(condition)):
        raise NotApplicable("The labels are the condition, which the decoder knows and the codes need not contain.")
    codes = factorize_labels(values)[0]
    labeled = np.flatnonzero(codes >= 0)
    if not len(labeled):
        raise NotApplicable("All labels are missing.")
    return codes, labeled


def _check_related(accuracy: Estimate, linear_accuracy: Estimate, chance: float, size: int) -> None:
    """Raise `NotApplicable` if neither codes nor principal components name classes better than chance."""
    if max(found.value - 2 * found.standard_error for found in (accuracy, linear_accuracy)) <= chance:
        raise NotApplicable(
            f"Neither the codes ({accuracy}) nor {count_noun(size, 'principal component')} ({linear_accuracy}) tell "
            f"the classes apart better than chance ({chance:.3g}). The labels may be unrelated to x."
        )


def _accuracy_of(found: ClassStructure) -> Estimate:
    return Estimate(float(found.accuracy[0]), float(found.accuracy_error[0]))
