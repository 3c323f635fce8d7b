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
from vaeviz.health.checks._sampling import choose_rows
from vaeviz.health.checks._wording import count_noun, percent
from vaeviz.model.encode import encode


@health_check(
    unit="accuracy",
    flags="below",
    source="beside the same vote among as many principal components, and the largest class; min_share: ours",
)
def classes(
    encoder: Any,
    x: Any,
    labels: Any,
    condition: Any = None,
    *,
    min_share: float = 0.5,
    k: int = 10,
    n: int = 2000,
    seed: int = 0,
) -> Measurement:
    """Do samples of a class lie together in the latent space?

    min_share: of what principal components gain over always naming the largest class, the codes must gain such a
    share. k: nearest other codes that vote for the class of each. n: of so many labeled samples, for both.
    """
    posterior, x = encode(encoder, x, condition), check_samples(x, "x")
    values = check_labels(labels, len(posterior))
    if not has_classes(values):
        raise NotApplicable("the labels are continuous: neighbors vote for classes, integers or strings")
    if condition is not None and np.array_equal(np.asarray(values), np.asarray(condition)):
        raise NotApplicable("the classes are the condition, which codes need not tell: the decoder knows it")
    codes, _ = factorize_labels(values)
    labeled = np.flatnonzero(codes >= 0)
    if not len(labeled):
        raise NotApplicable("all labels are missing")
    rows = choose_rows(x, n, seed, among=labeled)
    some = take_rows(x, rows)
    if not np.ptp(some, axis=0).any():
        raise NotApplicable("all samples are the same, so that nothing tells their classes apart")
    ours = class_structure(posterior.mean[rows], codes[rows], (k,), seed=seed)
    linear = class_structure(principal_components(some, posterior.size), codes[rows], (k,), seed=seed)
    accuracy, beside = _accuracy(ours), _accuracy(linear)
    if max(found.value - 2 * found.standard_error for found in (accuracy, beside)) <= ours.chance:
        raise NotApplicable(
            f"neither the codes ({accuracy}) nor {count_noun(posterior.size, 'principal component')} ({beside}) tell the "
            f"classes apart better than chance ({ours.chance:.3g}): the labels may have nothing to do with where x lies"
        )
    threshold = ours.chance + min_share * max(beside.value - ours.chance, 0)
    flagged = accuracy.value + 2 * accuracy.standard_error < threshold
    told = (
        f"{k} neighbors name the class of {percent(accuracy.value, accuracy.standard_error)} of samples "
        f"(a PCA of {count_noun(posterior.size)}: {percent(beside.value)}, largest class: {percent(ours.chance)})."
    )
    return Measurement(
        flagged=flagged,
        sentence=f"Classes are mixed: {told}" if flagged else f"Classes lie together: {told}",
        value=accuracy.value,
        error=accuracy.standard_error,
        threshold=threshold,
        samples=len(rows),
        baselines={"largest class": ours.chance, f"PCA, {posterior.size}-D": beside.value},
        numbers={
            "silhouette": ours.silhouette.value,
            "silhouette_error": ours.silhouette.standard_error,
            "classes": len(ours.confusion),
        },
    )


def _accuracy(found: ClassStructure) -> Estimate:
    return Estimate(float(found.accuracy[0]), float(found.accuracy_error[0]))
