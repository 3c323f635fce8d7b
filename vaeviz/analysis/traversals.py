"""Codes along one latent dimension at a time."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from vaeviz.analysis.aggregate_posterior import aggregate_quantiles
from vaeviz.analysis.output_effects import output_effects
from vaeviz.errors import InputError
from vaeviz.model.posterior import Posterior

CENTRAL_LEVELS = (0.025, 0.975)  # quantiles between which a dimension is traversed
PRIOR_REACH = 1.959964  # the 97.5 % quantile of N(0, 1)


def effect_ranking(decoder: Any, posterior: Posterior, *, reference: Any = None, seed: int = 0) -> np.ndarray:
    """Return all latent dimensions by the decoder's response, the strongest first.

    Parameters
    ----------
    decoder : callable or model
        Maps codes (M, D) to samples.
    posterior : Posterior
        Posteriors of N samples.
    reference : array_like, shape (N, ...), optional
        Samples that have the shape of the decoder's output.
    seed : int, default: 0
        Seed of the samples around which the response is measured, see `output_effects`.

    Returns
    -------
    ndarray of int, shape (D,)
        Indices of the dimensions.
    """
    effects = output_effects(decoder, posterior, reference=reference, seed=seed)
    return np.argsort(-effects.share, kind="stable")


def traversal_ends(posterior: Posterior, span: Literal["aggregate", "prior"] | float) -> np.ndarray:
    """Return the two ends of each dimension's traversal.

    Parameters
    ----------
    posterior : Posterior
        Posteriors of N samples.
    span : {"aggregate", "prior"} or float
        The central 95 % of q(z_j), that of N(0, 1), or ± this many standard deviations of the prior.

    Returns
    -------
    ndarray, shape (2, D)
        Lower and upper ends.

    Raises
    ------
    InputError
        If `span` is not positive.
    """
    if span == "aggregate":
        return aggregate_quantiles(posterior, CENTRAL_LEVELS)
    reach = PRIOR_REACH if span == "prior" else float(span)
    if not reach > 0:
        raise InputError(
            f"span = {reach:g} is not a positive number of standard deviations.",
            got=f"{reach:g}",
            expected='"aggregate", "prior" or a positive number',
        )
    return np.array([[-reach], [reach]]) * np.ones(posterior.size)


def traversal_codes(base: np.ndarray, dims: np.ndarray, ends: np.ndarray, n_steps: int) -> np.ndarray:
    """Return the codes of a traversal, one row for each moved dimension.

    Parameters
    ----------
    base : ndarray, shape (D,)
        Code whose other dimensions are fixed.
    dims : ndarray of int, shape (K,)
        Dimensions to move.
    ends : ndarray, shape (2, D)
        Lower and upper ends of each dimension.
    n_steps : int
        Codes in a row, evenly spaced.

    Returns
    -------
    ndarray, shape (K, n_steps, D)
        The codes.
    """
    codes = np.tile(base.astype(np.float64), (len(dims), n_steps, 1))
    codes[np.arange(len(dims)), :, dims] = np.linspace(ends[0, dims], ends[1, dims], n_steps).T
    return codes
