"""Codes with the samples that the decoder makes of them, to check what a page computes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from vaeviz.explorer.condition_choices import Conditions
from vaeviz.model.decode import OutputLayout, trace_decoding
from vaeviz.model.decoder import Decoder
from vaeviz.model.posterior import Posterior

N_CHECKED = 64  # codes with which a network is checked, half of them of the data


@dataclass(frozen=True, eq=False)
class CheckedCodes:
    """Codes, and the samples to which the decoder decodes them.

    Parameters
    ----------
    codes : ndarray, shape (M, D)
        The codes.
    samples : ndarray, shape (M, *sample)
        The samples.
    layout : OutputLayout
        How the samples are arranged.
    value_range : tuple of float
        Range of the values, of which differences are shares.
    condition : ndarray, shape (M, ...), optional
        What the decoder received as the condition of each code.
    choices : ndarray of int, shape (M,), optional
        Index of each condition.
    """

    codes: np.ndarray
    samples: np.ndarray
    layout: OutputLayout
    value_range: tuple[float, float]
    condition: np.ndarray | None = None
    choices: np.ndarray | None = None

    def share_of_range(self, difference: float) -> float:
        """Return a difference of values as a share of their range.

        Parameters
        ----------
        difference : float
            The difference.

        Returns
        -------
        float
            The share.
        """
        return difference / (self.value_range[1] - self.value_range[0])

    def graph_inputs(self) -> tuple[np.ndarray, ...]:
        """Return the inputs of a graph.

        Returns
        -------
        tuple of ndarray
            The codes (M, D), and the conditions (M, K) if there are any.
        """
        if self.condition is None:
            return (self.codes,)
        return self.codes, self.condition.reshape(len(self.codes), -1)


def checked_codes(
    decoder: Decoder,
    posterior: Posterior,
    conditions: Conditions | None,
    *,
    reference: Any,
    value_range: tuple[float, float],
    seed: int,
) -> CheckedCodes:
    """Decode codes of the data and of a normal distribution as wide, in turn.

    Parameters
    ----------
    decoder : Decoder
        The decoder.
    posterior : Posterior
        Posteriors of N samples.
    conditions : Conditions or None
        Conditions, which the codes take in turn.
    reference : array_like, shape (N, ...)
        Samples that have the shape of the decoder's output.
    value_range : tuple of float
        Range of the values.
    seed : int
        Seed of the codes.

    Returns
    -------
    CheckedCodes
        The codes and their samples.

    Raises
    ------
    InputError
        If the decoder fails.
    """
    rng = np.random.default_rng(seed)
    half = N_CHECKED // 2
    codes = np.empty((N_CHECKED, posterior.size), np.float32)
    codes[::2] = posterior.mean[rng.integers(len(posterior), size=half)]
    wide = rng.standard_normal((half, posterior.size))
    if posterior.prior != "normal":
        wide = posterior.mean.mean(axis=0) + posterior.mean.std(axis=0) * wide
    codes[1::2] = wide
    if conditions is None:
        found = trace_decoding(decoder, posterior.with_codes(codes), reference=reference)
        return CheckedCodes(codes, found.samples, found.layout, value_range)
    choices = np.arange(N_CHECKED) % len(conditions.names)
    found = trace_decoding(decoder, posterior.with_codes(codes), conditions.inputs[choices], reference=reference)
    return CheckedCodes(codes, found.samples, found.layout, value_range, conditions.values[choices], choices)
