from __future__ import annotations

from typing import Any

import numpy as np

from vaeviz.analysis.active_dimensions import N_TRAVERSAL_NODES, active_dimensions, gray_step, output_changes
from vaeviz.analysis.aggregate_posterior import analysis_rng, check_gaussian_posterior, sample_rows
from vaeviz.analysis.estimates import Estimate, standard_error
from vaeviz.data.batches import check_samples
from vaeviz.data.out_of_core import data_range
from vaeviz.errors import NotApplicable
from vaeviz.health.check import Measurement, health_check
from vaeviz.health.checks._wording import all_of_them, list_dimensions
from vaeviz.model.encode import encode
from vaeviz.model.posterior import Posterior


@health_check(
    unit="dimensions",
    flags="above",
    source="min_effect: 1/255 of the data's range, one step of an 8-bit gray level; max_count: ours",
)
def ignored(
    encoder: Any,
    decoder: Any,
    x: Any,
    condition: Any = None,
    *,
    max_count: int = 0,
    min_effect: float | None = None,
    n: int = 64,
    max_decoded: int = 50_000,
    seed: int = 0,
) -> Measurement:
    """Does the decoder ignore dimensions that the encoder fills?

    max_count: so many may be ignored. min_effect: a dimension is ignored if a decoded value changes by no more, on
    average, as the code crosses the central 95 % of that dimension; by default 1/255 of the range of the data.
    n: around so many random codes, fewer where more than max_decoded samples would be decoded.
    """
    posterior = encode(encoder, x, condition)
    if posterior.std is not None:
        check_gaussian_posterior(posterior, needs_prior=False)
    encoded = active_dimensions(posterior).mask
    if not encoded.any():
        raise NotApplicable("no dimension is encoded, so there is none to ignore: see collapsed")
    step = _least_effect(x, min_effect)
    rows = sample_rows(posterior, _around(posterior, n, max_decoded), analysis_rng(seed))
    effects = output_changes(decoder, posterior, rows, reference=x)
    effect, error = effects.mean(axis=0), standard_error(effects)
    dims = np.flatnonzero(encoded & (effect <= step))
    least = int(np.where(encoded, effect, np.inf).argmin())
    told = Estimate(effect[least], error[least])
    total = int(encoded.sum())
    if len(dims):
        which = "the one encoded dimension" if total == 1 else f"{len(dims)} of {total} encoded dimensions"
        sentence = (
            f"The decoder ignores {which}: along {list_dimensions(dims)} a value changes by no more than {step:.2g} on average "
            f"(the least: {told})."
        )
    else:
        sentence = (
            f"The decoder answers to {all_of_them(total, 'encoded dimension').lower()}: the least to z{least + 1}, along "
            f"which a value changes by {told} on average."
        )
    numbers = {"ignored": dims, "encoded": np.flatnonzero(encoded), "effect": effect, "effect_error": error}
    numbers["min_effect"] = step
    return Measurement(len(dims) > max_count, sentence, len(dims), max_count, len(rows), numbers=numbers)


def _least_effect(x: Any, min_effect: float | None) -> float:
    low, high = data_range(check_samples(x, "x"))
    if min_effect is None and not high > low:
        raise NotApplicable("all values of x are the same, so that no change can be judged; give ignored.min_effect")
    return gray_step(x) if min_effect is None else min_effect


def _around(posterior: Posterior, n: int, max_decoded: int) -> int:
    most = max_decoded // (N_TRAVERSAL_NODES * posterior.size)
    if most < 2:
        raise NotApplicable(
            f"{posterior.size:,} dimensions need {2 * N_TRAVERSAL_NODES * posterior.size:,} decoded samples, and "
            f"ignored.max_decoded = {max_decoded:,}"
        )
    return min(n, most)
