"""Likelihoods of decoders by name: what a decoder's output means for ln p(x | z)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from vaeviz.data.channels import match_shape
from vaeviz.errors import InputError, UnknownName
from vaeviz.model.decode import decode
from vaeviz.model.decoder import Decoder
from vaeviz.model.opening import as_decoder
from vaeviz.plugins.options import check_arguments

FIXED_GAUSSIAN = "gaussian-fixed:"
NAMES = ("bernoulli", "continuous-bernoulli", "gaussian", f"{FIXED_GAUSSIAN}0.1", "categorical")
MIN_PROBABILITY = 1e-7  # of a value; smaller ones are rounding errors of a float32 sigmoid
SMALL_ARGUMENT = 0.02  # |1 − 2p| below which the constant of the continuous Bernoulli is expanded in a series


@dataclass(frozen=True, eq=False)
class DecoderLikelihood:
    """Function of samples and codes that returns ln p(x | z), see `decoder_likelihood`.

    Attributes
    ----------
    decoder : Decoder
        Computes the parameters of the distribution.
    name : str
        Name of the distribution.
    """

    decoder: Decoder
    name: str

    @property
    def conditions(self) -> Any:
        """Conditions that the decoder declares."""
        return self.decoder.conditions

    def __call__(self, x: np.ndarray, z: np.ndarray, condition: Any = None) -> np.ndarray:
        """Return ln p(x | z) of pairs.

        Parameters
        ----------
        x : ndarray, shape (N, ...)
            Samples.
        z : ndarray, shape (N, D)
            Codes.
        condition : ndarray, shape (N, ...), optional
            Conditions, for a conditional decoder.

        Returns
        -------
        ndarray, shape (N,)
            Log-likelihoods in nats, sums over the values of a sample.
        """
        output = np.asarray(decode(self.decoder, z, condition), dtype=np.float64)
        x = np.asarray(x, dtype=np.float64)
        if self.name == "categorical":
            return _log_categorical(x, output)
        output = match_shape(output, x.shape[1:])
        if self.name.startswith("gaussian"):
            std = float(self.name.removeprefix(FIXED_GAUSSIAN)) if ":" in self.name else 1.0
            terms = -0.5 * ((x - output) / std) ** 2 - math.log(std) - 0.5 * math.log(2 * math.pi)
        else:
            terms = _log_bernoulli(x, output, is_continuous=self.name == "continuous-bernoulli")
        return np.asarray(terms.reshape(len(x), -1).sum(axis=1))


def decoder_likelihood(decoder: Any, name: str) -> DecoderLikelihood:
    """Return the log-likelihood that a decoder was trained with.

    Parameters
    ----------
    decoder : callable or model
        Maps codes (N, D) to samples. A decoder that returns logits declares it: ``Decoder(fn, output="logits")``.
    name : str
        "bernoulli" (binary cross-entropy), "continuous-bernoulli", "gaussian" (unit variance, half the sum of
        squares), "gaussian-fixed:0.1" (standard deviation 0.1), or "categorical" (probabilities along the last axis,
        samples as one-hot vectors or class codes).

    Returns
    -------
    DecoderLikelihood
        Function of x and z that returns ln p(x | z) in nats, for every parameter `likelihood`.

    Raises
    ------
    InputError
        If the name is unknown, or a standard deviation is not positive.

    References
    ----------
    Loaiza-Ganem & Cunningham 2019, "The continuous Bernoulli", arXiv:1907.06845.

    Examples
    --------
    The cross-entropy of two values at p = ½ is 2 ln 2:

    >>> likelihood = decoder_likelihood(lambda z: np.full((len(z), 2), 0.5), "bernoulli")
    >>> likelihood(np.ones((1, 2)), np.zeros((1, 3))).round(4).tolist()
    [-1.3863]
    """
    check_arguments(decoder_likelihood, locals())
    is_fixed = name.startswith(FIXED_GAUSSIAN)
    if not is_fixed and name not in NAMES:
        raise UnknownName("likelihood", name, NAMES)
    if is_fixed and not _is_positive(name.removeprefix(FIXED_GAUSSIAN)):
        raise InputError(
            f"likelihood = {name!r} has no positive standard deviation after the colon.",
            got=name,
            expected=f"{FIXED_GAUSSIAN}0.1",
            fix=f'Pass "{FIXED_GAUSSIAN}0.1".',
        )
    return DecoderLikelihood(as_decoder(decoder), name)


def _is_positive(text: str) -> bool:
    try:
        return 0 < float(text) < math.inf
    except ValueError:
        return False


def _log_bernoulli(x: np.ndarray, p: np.ndarray, *, is_continuous: bool) -> np.ndarray:
    """Return x ln p + (1 − x) ln(1 − p), and the constant that normalizes it for a continuous x in [0, 1]."""
    low, high = min(x.min(), p.min()), max(x.max(), p.max())
    if low < 0 or high > 1:
        raise InputError(
            f"x and the decoder's output have values from {low:.3g} to {high:.3g}, but a Bernoulli likelihood needs "
            "values in [0, 1].",
            got=f"values from {low:.3g} to {high:.3g}",
            expected="values in [0, 1]",
            fix='Write Decoder(fn, output="logits") if the decoder returns logits, or use "gaussian".',
        )
    p = np.clip(p, MIN_PROBABILITY, 1 - MIN_PROBABILITY)
    terms = x * np.log(p) + (1 - x) * np.log1p(-p)
    return np.asarray(terms + _log_constant(p)) if is_continuous else terms


def _log_constant(p: np.ndarray) -> np.ndarray:
    """Return ln(2 artanh(1 − 2p) / (1 − 2p)), the constant of the continuous Bernoulli."""
    u = 1 - 2 * p
    far = np.where(np.abs(u) < SMALL_ARGUMENT, 0.5, u)
    return np.asarray(np.where(np.abs(u) < SMALL_ARGUMENT, math.log(2) + u**2 / 3, np.log(2 * np.arctanh(far) / far)))


def _log_categorical(x: np.ndarray, output: np.ndarray) -> np.ndarray:
    """Return the sum of ln p of the observed classes; x holds one-hot vectors or codes of classes."""
    total = output.sum(axis=-1, keepdims=True)
    if output.min() < 0 or np.abs(total - 1).max() > 1e-3:
        shifted = output - output.max(axis=-1, keepdims=True)  # logits
        log_p = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    else:
        log_p = np.log(np.clip(output, MIN_PROBABILITY, 1))
    if x.shape == output.shape:
        return np.asarray((x * log_p).reshape(len(x), -1).sum(axis=1))
    if x.shape != output.shape[:-1]:
        raise InputError(
            f"x has shape {x.shape}, but the decoder's classes have shape {output.shape}.",
            got=str(x.shape),
            expected=f"{output.shape} one-hot, or {output.shape[:-1]} class codes",
        )
    observed = np.take_along_axis(log_p, x[..., None].astype(int), axis=-1)
    return np.asarray(observed.reshape(len(x), -1).sum(axis=1))
