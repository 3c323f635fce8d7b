"""Codes along one latent dimension at a time."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from vaeviz.analysis.active_dimensions import CENTRAL_LEVELS, output_changes
from vaeviz.analysis.activity import activity
from vaeviz.analysis.aggregate_posterior import aggregate_quantiles, analysis_rng, sample_rows
from vaeviz.errors import InputError
from vaeviz.model.posterior import Posterior

AROUND = 64  # random codes around which the decoder's answer is measured
ROUNDING = 1e-5  # of a code in float32, and of what it is summed from
MIN_KL = 0.005
"""Below so many nats a dimension counts as collapsed, see `vaeviz.analysis.active_dimensions.triage`."""


def collapsed_dimensions(posterior: Posterior, min_kl: float = MIN_KL) -> np.ndarray:
    """Which dimensions carry no KL, (D,); for a deterministic encoder those whose code is constant but for rounding."""
    if posterior.std is not None:
        return activity(posterior) <= min_kl
    variance, size = activity(posterior), (posterior.mean.astype(np.float64) ** 2).mean(axis=0)
    return variance <= ROUNDING**2 * np.maximum(size, variance.max())


def traversal_order(
    posterior: Posterior, order: Literal["activity", "effect"], decoder: Any = None, *, like: Any = None, seed: int = 0
) -> np.ndarray:
    """All dimensions, the strongest first: by mean KL (by variance of the mean for a deterministic encoder), or by
    the decoder's answer."""
    if order == "activity":
        return np.argsort(-activity(posterior), kind="stable")
    rows = sample_rows(posterior, AROUND, analysis_rng(seed))
    return np.argsort(-output_changes(decoder, posterior, rows, like=like).mean(axis=0), kind="stable")


def traversal_ends(posterior: Posterior, span: Literal["aggregate", "prior"] | float) -> np.ndarray:
    """Where each dimension's traversal begins and ends, (2, D).

    "aggregate": the central 95 % of q(z_j); "prior": that of N(0, 1), ±1.96; a number: ± so many σ of the prior.
    """
    if span == "aggregate":
        return aggregate_quantiles(posterior, CENTRAL_LEVELS)
    reach = 1.959964 if span == "prior" else float(span)
    if not reach > 0:
        raise InputError(f"span = {reach:g}: expected more than 0")
    return np.array([[-reach], [reach]]) * np.ones(posterior.size)


def traversal_codes(base: np.ndarray, dims: np.ndarray, ends: np.ndarray, steps: int) -> np.ndarray:
    """Codes (len(dims), steps, D): each row moves one dimension evenly between its ends, the rest as in `base` (D,)."""
    codes = np.tile(base.astype(np.float64), (len(dims), steps, 1))
    codes[np.arange(len(dims)), :, dims] = np.linspace(ends[0, dims], ends[1, dims], steps).T
    return codes
