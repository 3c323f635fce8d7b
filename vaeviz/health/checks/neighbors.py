from __future__ import annotations

from typing import Any

import numpy as np

from vaeviz.analysis.class_structure import principal_components
from vaeviz.analysis.estimates import Estimate
from vaeviz.analysis.map_quality import map_quality
from vaeviz.data.batches import check_samples
from vaeviz.data.out_of_core import take_rows
from vaeviz.errors import NotApplicable
from vaeviz.health.check import Measurement, health_check
from vaeviz.health.checks._sampling import choose_rows
from vaeviz.health.checks._wording import count_noun
from vaeviz.model.encode import encode

CHANCE = 0.5  # of codes that have nothing to do with x


@health_check(
    unit="trustworthiness",
    flags="below",
    source="trustworthiness of Venna & Kaski 2001 (ICANN), about 0.5 for random codes; min_share: ours",
)
def neighbors(
    encoder: Any, x: Any, condition: Any = None, *, min_share: float = 0.5, k: int = 10, n: int = 1000, seed: int = 0
) -> Measurement:
    """Are neighbors in the latent space alike in the data?

    min_share: of what as many principal components gain over random codes, the codes must gain such a share. k:
    neighbors of each that are asked. n: of so many samples, and among them. Distances are Euclidean, of posterior
    means and of the values of x.
    """
    posterior, x = encode(encoder, x, condition), check_samples(x, "x")
    if condition is not None:
        raise NotApplicable(
            "codes need not tell what the condition tells, and so need not lie as x does: ask under one condition, "
            "vaeviz.given(Encoder(fn), y), of samples that have it"
        )
    rows = choose_rows(x, n, seed)
    if len(rows) <= 2 * k:
        raise NotApplicable(
            f"{k} neighbors need more than {2 * k} samples, got {len(rows)}; ask for fewer: neighbors.k"
        )
    flat = take_rows(x, rows).reshape(len(rows), -1)
    if not np.ptp(flat, axis=0).any():
        raise NotApplicable("all samples are the same, so that none is nearer than another")
    ours = map_quality(flat, posterior.mean[rows], (k,))
    linear = map_quality(flat, principal_components(flat, posterior.size), (k,))
    value, error = float(ours.mean("trustworthiness")[0]), float(ours.error("trustworthiness")[0])
    beside = float(linear.mean("trustworthiness")[0])
    threshold = CHANCE + min_share * max(beside - CHANCE, 0)
    flagged = value + 2 * error < threshold
    alike = "not alike" if flagged else "alike"
    beside_it = f"a PCA of {count_noun(posterior.size)}: {beside:.3g}, random codes: 0.5"
    return Measurement(
        flagged=flagged,
        sentence=f"Neighbors in the latent space are {alike} in the data: trustworthiness {Estimate(value, error)} "
        f"({beside_it}).",
        value=value,
        error=error,
        threshold=threshold,
        samples=len(rows),
        baselines={"random codes": CHANCE, f"PCA, {posterior.size}-D": beside},
        numbers={"continuity": ours.mean("continuity")[0], "recall": ours.mean("recall")[0]},
    )
