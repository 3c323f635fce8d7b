"""Neighbors in the latent space that are not similar in the data."""

from __future__ import annotations

from typing import Any

import numpy as np

from vaeviz.analysis.class_structure import principal_components
from vaeviz.analysis.estimates import Estimate
from vaeviz.analysis.map_quality import MapQuality, map_quality
from vaeviz.data.batches import check_samples
from vaeviz.data.out_of_core import take_rows
from vaeviz.errors import Fix, NotApplicable
from vaeviz.health.check import Measurement, health_check
from vaeviz.health.checks._phrases import count_noun
from vaeviz.health.checks._sampling import choose_rows
from vaeviz.model.encode import encode

CHANCE = 0.5  # trustworthiness of codes that have nothing to do with x


@health_check(
    "Are neighbors in the latent space similar in the data?",
    unit="trustworthiness",
    flags="below",
    source="trustworthiness of Venna & Kaski 2001 (ICANN), about 0.5 for random codes; min_share: our choice",
)
def neighbors(
    encoder: Any,
    x: Any,
    condition: Any = None,
    *,
    min_share: float = 0.5,
    n_neighbors: int = 10,
    n_samples: int = 1000,
    seed: int = 0,
) -> Measurement:
    """Measure the trustworthiness of the codes.

    Parameters
    ----------
    encoder : object
        Anything that `vaeviz.encode` takes.
    x : array_like, shape (N, ...)
        Samples.
    condition : array_like, shape (N, ...), optional
        Condition of each sample. The check does not apply if it is given.
    min_share : float, default 0.5
        Smallest share allowed of what as many principal components gain over random codes.
    n_neighbors : int, default 10
        Number of neighbors of each sample.
    n_samples : int, default 1000
        Number of samples, which are neighbors of each other.
    seed : int, default 0
        Seed of the choice of samples.

    Returns
    -------
    Measurement
        The trustworthiness, by Euclidean distances of posterior means and of the values of x.

    Raises
    ------
    NotApplicable
        If there is a condition, there are too few samples, or all of them are equal.
    """
    posterior, x = encode(encoder, x, condition), check_samples(x, "x")
    if condition is not None:
        (value,) = np.asarray(condition)[:1].tolist()
        raise NotApplicable(
            "The codes of a conditional model need not contain the condition, so neighbors may differ in it.",
            fix=Fix(
                "Pass the samples of one condition, with "
                f"encoder=vaeviz.condition_on(vaeviz.Encoder(encoder), {value!r}).",
                "Add --condition VALUE to check the samples of one condition.",
            ),
        )
    rows = choose_rows(x, n_samples, seed)
    _check_enough_samples(len(rows), n_neighbors)
    flat = take_rows(x, rows).reshape(len(rows), -1)
    if not np.ptp(flat, axis=0).any():
        raise NotApplicable("All samples are equal, so none is nearer than another.")
    ours = map_quality(flat, posterior.mean[rows], (n_neighbors,))
    linear = map_quality(flat, principal_components(flat, posterior.size), (n_neighbors,))
    found, linear_value = _trustworthiness(ours), _trustworthiness(linear).value
    threshold = CHANCE + min_share * max(linear_value - CHANCE, 0)
    baseline = f"a PCA with {count_noun(posterior.size)}"
    return Measurement(
        sentence=f"Neighbors in the latent space have a trustworthiness of {found} ({baseline}: {linear_value:.3g}, "
        f"random codes: {CHANCE}).",
        value=found.value,
        error=found.standard_error,
        threshold=threshold,
        n_samples=len(rows),
        reference=baseline,
        baselines={"random codes": CHANCE, baseline: linear_value},
        numbers={"continuity": ours.mean("continuity")[0], "recall": ours.mean("recall")[0]},
    )


def _check_enough_samples(n_samples: int, n_neighbors: int) -> None:
    """Raise `NotApplicable` unless there are more than twice as many samples as neighbors."""
    if n_samples > 2 * n_neighbors:
        return
    fewer = (n_samples - 1) // 2
    advice = Fix(
        f'Pass settings={{"neighbors": {{"n_neighbors": {fewer}}}}}.', f"Add --set neighbors.n_neighbors={fewer}."
    )
    raise NotApplicable(
        f"x has {count_noun(n_samples, 'sample')}, but {count_noun(n_neighbors, 'neighbor')} per sample can be "
        f"compared only among more than {2 * n_neighbors}.",
        fix=advice if fewer else "Use more samples.",
    )


def _trustworthiness(found: MapQuality) -> Estimate:
    return Estimate(float(found.mean("trustworthiness")[0]), float(found.error("trustworthiness")[0]))
