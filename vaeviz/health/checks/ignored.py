"""Latent dimensions that the encoder fills and the decoder ignores."""

from __future__ import annotations

from typing import Any

import numpy as np

from vaeviz.analysis.active_dimensions import N_TRAVERSAL_NODES, active_dimensions, gray_step, output_changes
from vaeviz.analysis.aggregate_posterior import analysis_rng, check_gaussian_posterior, sample_rows
from vaeviz.analysis.estimates import Estimate, standard_error
from vaeviz.data.batches import check_samples
from vaeviz.data.out_of_core import data_range
from vaeviz.errors import Fix, NotApplicable
from vaeviz.health.check import N_ERRORS, Measurement, health_check
from vaeviz.health.checks._phrases import all_of_them, dimension_names, list_dimensions
from vaeviz.model.encode import encode
from vaeviz.model.posterior import Posterior


@health_check(
    "Does the decoder ignore latent dimensions that the encoder fills?",
    unit="dimensions",
    flags="above",
    source="min_effect: 1/255 of the data's range, one gray level of an 8-bit image; max_count: our choice",
)
def ignored(
    encoder: Any,
    decoder: Any,
    x: Any,
    condition: Any = None,
    *,
    max_count: int = 0,
    min_effect: float | None = None,
    n_codes: int = 64,
    max_decoded: int = 50_000,
    seed: int = 0,
) -> Measurement:
    """Count active latent dimensions that hardly change a decoded sample.

    Parameters
    ----------
    encoder, decoder : object
        Anything that `vaeviz.encode` and `vaeviz.decode` take.
    x : array_like, shape (N, ...)
        Samples.
    condition : array_like, shape (N, ...), optional
        Condition of each sample.
    max_count : int, default 0
        Number of ignored dimensions allowed.
    min_effect : float, optional
        A dimension is ignored if a decoded value changes by at most this on average, as the code crosses the central
        95 % of the dimension. By default 1/255 of the range of the data.
    n_codes : int, default 64
        Number of random codes at which the change is measured.
    max_decoded : int, default 50000
        Largest number of decoded samples; fewer codes are used where there would be more.
    seed : int, default 0
        Seed of the choice of codes.

    Returns
    -------
    Measurement
        The number of ignored dimensions.

    Raises
    ------
    NotApplicable
        If no dimension is active, codes are spatial, all values of x are equal, or there are too many dimensions for
        `max_decoded`.
    """
    posterior = encode(encoder, x, condition)
    if posterior.std is not None:
        check_gaussian_posterior(posterior, needs_prior=False)
    _check_not_spatial(posterior)
    encoded = active_dimensions(posterior).mask
    if not encoded.any():
        raise NotApplicable("No dimension is active, so the decoder can ignore none; see collapsed.")
    step = _smallest_effect(x, min_effect)
    rows = sample_rows(posterior, _affordable_codes(posterior, n_codes, max_decoded), analysis_rng(seed))
    effects = output_changes(decoder, posterior, rows, reference=x)
    effect, error = effects.mean(axis=0), standard_error(effects)
    dims = np.flatnonzero(encoded & (effect <= step))
    least = int(np.where(encoded, effect, np.inf).argmin())
    smallest = Estimate(effect[least], error[least])
    n_encoded = int(encoded.sum())
    if len(dims):
        which = "the one active dimension" if n_encoded == 1 else f"{len(dims)} of {n_encoded} active dimensions"
        sentence = (
            f"The decoder ignores {which}: along {list_dimensions(dims)}, a value changes by at most {step:.2g} on "
            f"average (smallest change: {smallest})."
        )
    else:
        sentence = (
            f"The decoder uses {all_of_them(n_encoded, 'active dimension').lower()}: the smallest change, along "
            f"z{least + 1}, is {smallest} on average."
        )
    fewest, most = (float(np.sum(encoded & (effect + sign * N_ERRORS * error <= step))) for sign in (1, -1))
    numbers = {"ignored": dims, "ignored_names": dimension_names(dims), "encoded": np.flatnonzero(encoded)}
    numbers |= {"effect": effect, "effect_error": error, "min_effect": step}
    return Measurement(sentence, len(dims), max_count, len(rows), interval=(fewest, most), numbers=numbers)


def _check_not_spatial(posterior: Posterior) -> None:
    """Raise `NotApplicable` if a value of the code belongs to a place of the sample."""
    if sum(length > 1 for length in posterior.code_shape) > 1:
        raise NotApplicable(
            f"The code is spatial, {posterior.code_shape}: each of its {posterior.size:,} values changes a part of "
            "a sample, so the mean change says nothing."
        )


def _smallest_effect(x: Any, min_effect: float | None) -> float:
    """Return the change at or below which a dimension is ignored."""
    low, high = data_range(check_samples(x, "x"))
    if min_effect is None and not high > low:
        raise NotApplicable(
            "All values of x are equal, so there is no scale for changes.",
            fix=Fix('Pass settings={"ignored": {"min_effect": 0.01}}.', "Add --set ignored.min_effect=0.01."),
        )
    return gray_step(x) if min_effect is None else min_effect


def _affordable_codes(posterior: Posterior, n_codes: int, max_decoded: int) -> int:
    """Return the number of codes, of which each is decoded at several values of each dimension."""
    affordable = max_decoded // (N_TRAVERSAL_NODES * posterior.size)
    if affordable < 2:
        needed = 2 * N_TRAVERSAL_NODES * posterior.size
        raise NotApplicable(
            f"{posterior.size:,} dimensions need {needed:,} decoded samples; max_decoded={max_decoded:,}.",
            fix=Fix(
                f'Pass settings={{"ignored": {{"max_decoded": {needed}}}}}.', f"Add --set ignored.max_decoded={needed}."
            ),
        )
    return min(n_codes, affordable)
