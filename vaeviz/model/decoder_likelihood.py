"""Likelihoods of decoders by name: what a decoder's output means for ln p(x | z)."""

from __future__ import annotations

import math
import warnings
from contextlib import suppress
from dataclasses import replace
from typing import Any

import numpy as np

from vaeviz.data.out_of_core import take_rows
from vaeviz.errors import Fix, GuessWarning, InputError, NotApplicable, UnknownName, advise, declare, warn_user
from vaeviz.model.decode import decode
from vaeviz.model.decoder import Decoder
from vaeviz.model.likelihood import log_likelihood
from vaeviz.model.opening import as_decoder, open_with_adapter
from vaeviz.model.posterior import Posterior
from vaeviz.plugins.options import check_arguments

FIXED_GAUSSIAN = "gaussian-fixed:"
NAMES = ("bernoulli", "continuous-bernoulli", "gaussian", f"{FIXED_GAUSSIAN}0.1", "categorical")
MIN_PROBABILITY = 1e-7  # of a value; smaller ones are rounding errors of a float32 sigmoid
MIN_LOGIT = 2.0  # size of an output that neither a sigmoid nor a tanh returns, so that it is a logit
SMALL_LOGIT = 0.04  # below which the constant of the continuous Bernoulli is expanded in a series
MAX_SCALE_SAMPLES = 16  # on which a likelihood is compared with a mean over the values of a sample
SCALE_TOLERANCE = 1e-3  # relative; agreement of a likelihood in float32 with a formula


class DecoderLikelihood:
    """Function of samples and codes that returns ln p(x | z), see `decoder_likelihood`.

    Parameters
    ----------
    decoder : Decoder
        Computes the parameters of the distribution.
    name : str
        Name of the distribution.
    """

    def __init__(self, decoder: Decoder, name: str) -> None:
        self.decoder = decoder
        self.name = name

    def __repr__(self) -> str:
        return f"DecoderLikelihood({self.decoder!r}, {self.name!r})"

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
        x = np.asarray(x, dtype=np.float64)
        if self.name == "categorical":
            terms = _log_categorical(x, decode(self.decoder, z, condition).astype(np.float64))
        elif self.name.startswith("gaussian"):
            std = float(self.name.removeprefix(FIXED_GAUSSIAN)) if ":" in self.name else 1.0
            mean = decode(self.decoder, z, condition, reference=x).astype(np.float64)
            terms = -0.5 * ((x - mean) / std) ** 2 - math.log(std) - 0.5 * math.log(2 * math.pi)
        else:
            logits = self._decode_logits(x, z, condition)
            terms = _log_bernoulli(x, logits, is_continuous=self.name == "continuous-bernoulli")
        return np.asarray(terms.reshape(len(x), -1).sum(axis=1))

    def _decode_logits(self, x: np.ndarray, z: np.ndarray, condition: Any) -> np.ndarray:
        """Return the logits of a Bernoulli distribution; the first batch decides what an undeclared output is."""
        if self.decoder.output == "logits":
            return decode(_without_sigmoid(self.decoder), z, condition, reference=x).astype(np.float64)
        as_returned = replace(self.decoder, output="values")  # which of them are logits is decided here
        output = decode(as_returned, z, condition, reference=x).astype(np.float64)
        low, high = output.min(), output.max()
        if self.decoder.output is None and self.decoder.value_range is None and max(-low, high) > MIN_LOGIT:
            warn_user(
                GuessWarning(
                    f"The decoder returned values from {low:.3g} to {high:.3g}, which a Bernoulli likelihood reads as "
                    "logits.",
                    fix=advise(("To confirm this", declare("Decoder", output="logits"))),
                )
            )
            self.decoder = replace(self.decoder, output="logits")
            return output
        if low < 0 or high > 1:
            raise InputError(
                f"The decoder returned values from {low:.3g} to {high:.3g}, but a Bernoulli likelihood needs "
                "probabilities or logits.",
                got=f"values from {low:.3g} to {high:.3g}",
                expected="values in [0, 1], or logits",
                fix=advise(
                    ("If they are logits", declare("Decoder", output="logits")),
                    ("After a tanh", declare("Decoder", value_range=(-1, 1))),
                    ("If they are means", Fix('pass likelihood="gaussian".', "write --likelihood gaussian.")),
                ),
            )
        if self.decoder.output is None:
            self.decoder = replace(self.decoder, output="values")
        p = np.clip(output, MIN_PROBABILITY, 1 - MIN_PROBABILITY)
        return np.asarray(np.log(p) - np.log1p(-p))


def decoder_likelihood(decoder: Any, name: str) -> DecoderLikelihood:
    """Return the log-likelihood that a decoder was trained with.

    Parameters
    ----------
    decoder : callable or model
        Maps codes (N, D) to samples.
    name : str
        "bernoulli" (binary cross-entropy), "continuous-bernoulli", "gaussian" (unit variance, half the sum of
        squares), "gaussian-fixed:0.1" (standard deviation 0.1), or "categorical" (along the last axis, samples as
        one-hot vectors or class codes).

    Returns
    -------
    DecoderLikelihood
        Function of x and z that returns ln p(x | z) in nats, for every parameter `likelihood`.

    Raises
    ------
    InputError
        If the name is unknown, or a standard deviation is not positive.

    Notes
    -----
    A Bernoulli likelihood takes probabilities or logits: ``Decoder(fn, output="logits")`` declares them, and values
    beyond ±2 are read as logits with a warning. A categorical one takes probabilities, which add up to 1, or logits.
    Standard deviations have the unit of x.

    Functions that take a likelihood beside a model take its name as well, such as
    ``vaeviz.analyze(model, x, likelihood="bernoulli")``.

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
    _check_name(name)
    return DecoderLikelihood(as_decoder(decoder), name)


def as_likelihood(likelihood: Any, decoder: Any) -> Any:
    """Return a likelihood that can be called.

    Parameters
    ----------
    likelihood : callable or str
        A function of x and z, or a name that `decoder_likelihood` knows.
    decoder : callable, model or None
        Anything that has a decoder. Only a name needs it.

    Returns
    -------
    callable
        `likelihood` itself, or that of the decoder.

    Raises
    ------
    InputError
        If the name is unknown, or there is no decoder.
    """
    if not isinstance(likelihood, str):
        return likelihood
    _check_name(likelihood)
    if decoder is None:
        raise InputError(
            f"likelihood = {likelihood!r} needs a decoder, and none is known.",
            got="no decoder",
            expected="a model with a decoder",
            fix=Fix(
                f'Pass a model with a decoder, or likelihood=vaeviz.decoder_likelihood(decoder, "{likelihood}").',
                "Add MODEL or --decoder MODEL.",
            ),
        )
    return decoder_likelihood(decoder, likelihood)


def find_decoder(model: Any) -> Decoder | None:
    """Return the decoder of a model, or of the model that an encoder is part of.

    Parameters
    ----------
    model : Any
        A model, an `Encoder` or a `Decoder`.

    Returns
    -------
    Decoder or None
        None if it has none.
    """
    if model is None or isinstance(model, Posterior):
        return None
    opened = open_with_adapter(model)[1]
    if opened is None or opened.either:
        return None
    whole = None if opened.encoder is None else opened.encoder._whole
    return opened.decoder or (None if whole is None else whole.decoder)


def warn_of_mean_likelihood(likelihood: Any, decoder: Any, x: Any, posterior: Posterior) -> None:
    """Warn if a likelihood is proven to be a mean over the values of a sample instead of a sum.

    Parameters
    ----------
    likelihood : callable
        Function of x and z, supposed to return ln p(x | z).
    decoder : Decoder or None
        The decoder that it uses. Without one nothing is known.
    x : array_like, shape (N, ...)
        Samples.
    posterior : Posterior
        Their posteriors.

    Warns
    -----
    GuessWarning
        If the likelihood of some samples is 1/n of the Bernoulli or Gaussian log-likelihood of their n values.

    Notes
    -----
    A Gaussian log-likelihood is a line in the sum of squares, −S / 2σ² − n/2 ln 2πσ². The slope and the intercept tell
    a sum from a mean, −S / 2σ²n − ½ ln 2πσ²; a mean squared error has the slope −1/n or −1/2n and no intercept.
    """
    if decoder is None or isinstance(likelihood, DecoderLikelihood):
        return
    rows = np.arange(min(MAX_SCALE_SAMPLES, len(posterior)))
    first = take_rows(x, rows)
    n_values, is_mean = math.prod(first.shape[1:]), False
    with suppress(InputError, NotApplicable), warnings.catch_warnings():  # errors are reported where x is scored
        warnings.simplefilter("ignore")
        is_mean = n_values > 1 and _is_mean(likelihood, decoder, first, posterior[rows])
    if is_mean:
        warn_user(
            GuessWarning(
                f"The likelihood is a mean over the {n_values:,} values of a sample, so the ELBO is not in nats: its "
                f"reconstruction term is {n_values:,} times too small.",
                fix=Fix(
                    'Return the sum over the values of each sample, or pass likelihood="bernoulli" or another name.',
                    "Return the sum over the values of each sample, or write --likelihood bernoulli or another name.",
                ),
            )
        )


def _is_mean(likelihood: Any, decoder: Decoder, x: np.ndarray, posterior: Posterior) -> bool:
    """Return True if a likelihood is 1/n of the Bernoulli or Gaussian log-likelihood of n values."""
    found, n_values = log_likelihood(likelihood, x, posterior), math.prod(x.shape[1:])
    squares = (x.astype(np.float64) - decode(decoder, posterior, reference=x)) ** 2
    if _is_mean_gaussian(found, squares.reshape(len(x), -1).sum(axis=1), n_values):
        return True
    sums = (
        log_likelihood(decoder_likelihood(decoder, name), x, posterior)
        for name in ("bernoulli", "continuous-bernoulli")
    )
    return any(np.allclose(n_values * found, values, rtol=SCALE_TOLERANCE, atol=0) for values in sums)


def _is_mean_gaussian(found: np.ndarray, squares: np.ndarray, n_values: int) -> bool:
    """Return True if log-likelihoods are 1/n of Gaussian ones, or a mean squared error, of sums of squares (R,)."""
    if len(found) < 3 or np.ptp(squares) <= SCALE_TOLERANCE * squares.max():
        return False
    slope, intercept = np.polyfit(squares, found, 1)
    is_line = np.ptp(found - slope * squares) <= SCALE_TOLERANCE * np.ptp(found)
    if not is_line or slope >= 0:
        return False
    of_unit = -0.5 * math.log(math.pi / (-slope * n_values))  # ½ ln 2πσ² of the σ² that the slope of a mean has
    is_error = np.isclose(-slope * n_values, [0.5, 1], rtol=SCALE_TOLERANCE).any()
    tolerance = SCALE_TOLERANCE * max(1, np.abs(found).max())
    return bool(abs(intercept - of_unit) <= tolerance or (is_error and abs(intercept) <= tolerance))


def _check_name(name: str) -> None:
    is_fixed = name.startswith(FIXED_GAUSSIAN)
    if not is_fixed and name not in NAMES:
        raise UnknownName("likelihood", name, NAMES)
    if is_fixed and not _is_positive(name.removeprefix(FIXED_GAUSSIAN)):
        raise InputError(
            f"likelihood = {name!r} has no positive standard deviation after the colon.",
            got=name,
            expected=f"{FIXED_GAUSSIAN}0.1",
            fix=Fix(f'Pass "{FIXED_GAUSSIAN}0.1".', f"Write {FIXED_GAUSSIAN}0.1."),
        )


def _is_positive(text: str) -> bool:
    try:
        return 0 < float(text) < math.inf
    except ValueError:
        return False


def _without_sigmoid(decoder: Decoder) -> Decoder:
    return replace(decoder, output="values", value_range=None)


def _log_bernoulli(x: np.ndarray, logits: np.ndarray, *, is_continuous: bool) -> np.ndarray:
    """Return x ln p + (1 − x) ln(1 − p), and the constant that normalizes it for a continuous x in [0, 1]."""
    if x.min() < 0 or x.max() > 1:
        raise InputError(
            f"x has values from {x.min():.3g} to {x.max():.3g}, but a Bernoulli likelihood needs values in [0, 1].",
            got=f"values from {x.min():.3g} to {x.max():.3g}",
            expected="values in [0, 1]",
            fix=Fix('Rescale x, or pass likelihood="gaussian".', "Rescale the data, or write --likelihood gaussian."),
        )
    terms = x * logits - np.logaddexp(0, logits)
    return np.asarray(terms + _log_constant(logits)) if is_continuous else terms


def _log_constant(logits: np.ndarray) -> np.ndarray:
    """Return ln(2 artanh(1 − 2p) / (1 − 2p)) = ln(l / tanh(l / 2)), the constant of the continuous Bernoulli."""
    is_small = np.abs(logits) < SMALL_LOGIT
    far = np.where(is_small, 1, logits)
    return np.asarray(np.where(is_small, math.log(2) + logits**2 / 12, np.log(far / np.tanh(far / 2))))


def _log_categorical(x: np.ndarray, output: np.ndarray) -> np.ndarray:
    """Return ln p of the observed classes; x holds one-hot vectors or codes of classes."""
    n_classes = output.shape[-1]
    if output.min() < 0 or np.abs(output.sum(axis=-1) - 1).max() > 1e-3:
        shifted = output - output.max(axis=-1, keepdims=True)  # logits
        log_p = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    else:
        log_p = np.log(np.clip(output, MIN_PROBABILITY, 1))
    if x.shape == output.shape:
        return np.asarray(x * log_p)
    codes = x.astype(int)
    if x.shape != output.shape[:-1] or (codes != x).any() or codes.min() < 0 or codes.max() >= n_classes:
        got = f"shape {x.shape}, values from {x.min():g} to {x.max():g}"
        raise InputError(
            f"x has {got}, but the decoder's classes have shape {output.shape}.",
            got=got,
            expected=f"{output.shape} one-hot, or {output.shape[:-1]} class codes from 0 to {n_classes - 1}",
        )
    return np.take_along_axis(log_p, codes[..., None], axis=-1)
