"""Neighbors in the latent space that are not similar in the data."""

from __future__ import annotations

from typing import Any

import numpy as np

from vaeviz.analysis.class_structure import principal_components
from vaeviz.analysis.estimates import Estimate
from vaeviz.analysis.map_quality import map_quality
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
        raise NotApplicable(
            "The codes of a conditional model need not contain the condition, so neighbors may differ in it.",
            fix=Fix(
                "Check the samples of one condition: encoder=vaeviz.condition_on(vaeviz.Encoder(fn), y).",
                "Add --condition VALUE to check the samples of one condition.",
            ),
        )
    rows = choose_rows(x, n_samples, seed)
    if len(rows) <= 2 * n_neighbors:
        fewer = max(1, (len(rows) - 1) // 2)
        raise NotApplicable(
            f"{n_neighbors} neighbors need more than {2 * n_neighbors} samples; there are {len(rows)}.",
            fix=Fix(
                f'Pass settings={{"neighbors": {{"n_neighbors": {fewer}}}}}.',
                f"Add --set neighbors.n_neighbors={fewer}.",
            ),
        )
    flat = take_rows(x, rows).reshape(len(rows), -1)
    if not np.ptp(flat, axis=0).any():
        raise NotApplicable("All samples are equal, so none is nearer than another.")
    ours = map_quality(flat, posterior.mean[rows], (n_neighbors,))
    linear = map_quality(flat, principal_components(flat, posterior.size), (n_neighbors,))
    value, error = float(ours.mean("trustworthiness")[0]), float(ours.error("trustworthiness")[0])
    linear_value = float(linear.mean("trustworthiness")[0])
    threshold = CHANCE + min_share * max(linear_value - CHANCE, 0)
    flagged = value + 2 * error < threshold
    compared = f"a PCA with {count_noun(posterior.size)}: {linear_value:.3g}, random codes: 0.5"
    return Measurement(
        flagged=flagged,
        sentence=f"Neighbors in the latent space are {'not ' if flagged else ''}similar in the data: trustworthiness "
        f"{Estimate(value, error)} ({compared}).",
        value=value,
        error=error,
        threshold=threshold,
        n_samples=len(rows),
        baselines={"random codes": CHANCE, f"PCA, {posterior.size}-D": linear_value},
        numbers={"continuity": ours.mean("continuity")[0], "recall": ours.mean("recall")[0]},
    )
