"""Latent dimensions that the encoder fills and the decoder ignores."""

from __future__ import annotations

from typing import Any

import numpy as np

from vaeviz.analysis.active_dimensions import active_dimensions
from vaeviz.analysis.aggregate_posterior import check_gaussian_posterior
from vaeviz.analysis.estimates import Estimate
from vaeviz.analysis.output_effects import default_min_effect, output_effects
from vaeviz.errors import NotApplicable
from vaeviz.health.check import Measurement, health_check
from vaeviz.health.checks._phrases import all_of_them, dimension_names, list_dimensions
from vaeviz.model.encode import encode
from vaeviz.model.posterior import Posterior


@health_check(
    "Does the decoder ignore latent dimensions that the encoder fills?",
    unit="dimensions",
    flags="above",
    source="total effect on the output's variance, Homma & Saltelli 1996; min_effect, max_count: our choice",
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
        A dimension is ignored if it causes at most this share of the variance of the decoder's output, and at most
        ten times as much of the variance of any single value. By default 0.001, or 0.01 / D for more than ten
        dimensions.
    n_codes : int, default 64
        Largest number of random codes around which the effect is measured.
    seed : int, default 0
        Seed of the choice of codes.

    Returns
    -------
    Measurement
        The number of ignored dimensions.

    Raises
    ------
    NotApplicable
        If no dimension is active, or codes are spatial.
    """
    posterior = encode(encoder, x, condition)
    if posterior.std is not None:
        check_gaussian_posterior(posterior, needs_prior=False)
    _check_not_spatial(posterior)
    encoded = active_dimensions(posterior).mask
    if not encoded.any():
        raise NotApplicable("No dimension is active, so the decoder can ignore none; see collapsed.")
    min_effect = default_min_effect(posterior.size) if min_effect is None else min_effect
    found = output_effects(decoder, posterior, n_samples=n_codes, reference=x, seed=seed)
    dims = np.flatnonzero(encoded & found.ignored(min_effect))
    least = int(np.where(encoded, found.share, np.inf).argmin())
    smallest = Estimate(100 * found.share[least], 100 * found.share_error[least])
    n_encoded = int(encoded.sum())
    if len(dims):
        which = "the one active dimension" if n_encoded == 1 else f"{len(dims)} of {n_encoded} active dimensions"
        sentence = (
            f"The decoder ignores {which}: {list_dimensions(dims)} cause{'s' * (len(dims) == 1)} at most "
            f"{100 * min_effect:g} % of the variance of its output (smallest share: {smallest} %)."
        )
    else:
        sentence = (
            f"The decoder uses {all_of_them(n_encoded, 'active dimension').lower()}: the smallest share of the "
            f"variance of its output, that of z{least + 1}, is {smallest} %."
        )
    possible = float(np.sum(encoded & ~found.used(min_effect)))
    numbers = {
        "ignored": dims,
        "ignored_names": dimension_names(dims),
        "encoded": np.flatnonzero(encoded),
        "effect": found.share,
        "effect_error": found.share_error,
        "local_effect": found.local,
        "local_effect_error": found.local_error,
        "min_effect": min_effect,
    }
    return Measurement(
        sentence, len(dims), max_count, found.n_rows, interval=(float(len(dims)), possible), numbers=numbers
    )


def _check_not_spatial(posterior: Posterior) -> None:
    """Raise `NotApplicable` if a value of the code belongs to a place of the sample."""
    if sum(length > 1 for length in posterior.code_shape) > 1:
        raise NotApplicable(
            f"The code is spatial, {posterior.code_shape}: each of its {posterior.size:,} values changes a part of "
            "a sample, so its share of the whole says nothing."
        )
