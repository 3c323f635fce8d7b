from __future__ import annotations

from typing import Any

import numpy as np

from vaeviz.analysis.estimates import Estimate
from vaeviz.analysis.maps import map_quality
from vaeviz.analysis.neighbours import principal_components
from vaeviz.batches import samples
from vaeviz.encoding import encode
from vaeviz.errors import NotApplicable
from vaeviz.finding import Answer, question
from vaeviz.findings._sampling import chosen_rows
from vaeviz.findings._wording import counted
from vaeviz.streams import rows_of

CHANCE = 0.5  # of codes that have nothing to do with x


@question(
    unit="trustworthiness",
    flags="below",
    source="trustworthiness of Venna & Kaski 2001 (ICANN), about 0.5 for random codes; min_share: ours",
)
def neighbours(
    encoder: Any, x: Any, condition: Any = None, *, min_share: float = 0.5, k: int = 10, n: int = 1000, seed: int = 0
) -> Answer:
    """Are neighbours in the latent space alike in the data?

    min_share: of what as many principal components gain over random codes, the codes must gain such a share. k:
    neighbours of each that are asked. n: of so many samples, and among them. Distances are Euclidean, of posterior
    means and of the values of x.
    """
    posterior, x = encode(encoder, x, condition), samples(x, "x")
    if condition is not None:
        raise NotApplicable(
            "codes need not tell what the condition tells, and so need not lie as x does: ask under one condition, "
            "vaeviz.given(Encoder(fn), y), of samples that have it"
        )
    rows = chosen_rows(x, n, seed)
    if len(rows) <= 2 * k:
        raise NotApplicable(
            f"{k} neighbours need more than {2 * k} samples, got {len(rows)}; ask for fewer: neighbours.k"
        )
    flat = rows_of(x, rows).reshape(len(rows), -1)
    if not np.ptp(flat, axis=0).any():
        raise NotApplicable("all samples are the same, so that none is nearer than another")
    ours = map_quality(flat, posterior.mean[rows], (k,))
    linear = map_quality(flat, principal_components(flat, posterior.size), (k,))
    value, error = float(ours.mean("trustworthiness")[0]), float(ours.error("trustworthiness")[0])
    beside = float(linear.mean("trustworthiness")[0])
    threshold = CHANCE + min_share * max(beside - CHANCE, 0)
    flagged = value + 2 * error < threshold
    alike = "not alike" if flagged else "alike"
    beside_it = f"a PCA of {counted(posterior.size)}: {beside:.3g}, random codes: 0.5"
    return Answer(
        flagged=flagged,
        sentence=f"Neighbours in the latent space are {alike} in the data: trustworthiness {Estimate(value, error)} "
        f"({beside_it}).",
        value=value,
        error=error,
        threshold=threshold,
        samples=len(rows),
        baselines={"random codes": CHANCE, f"PCA, {posterior.size}-D": beside},
        numbers={"continuity": ours.mean("continuity")[0], "recall": ours.mean("recall")[0]},
    )
