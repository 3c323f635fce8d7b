"""Likelihoods p(x | z): what the decoder's output means. Log-likelihoods are sums over a sample, in nats."""

from __future__ import annotations

import math
from typing import Any, Literal, get_args

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from vaeviz.data.out_of_core import data_range
from vaeviz.errors import Fix, GuessWarning, InputError, UnknownName, warn_user

LikelihoodName = Literal["bernoulli", "gaussian", "gaussian-learned"]
MAX_UNIT_SCALE = 50.0  # the largest magnitude of a standardized feature with outliers


class Likelihood(nn.Module):
    """Distribution p(x | z) whose parameters the decoder computes.

    Subclasses define `log_prob` and `mean`, and may restrict the data with `check`.
    """

    def __init__(self) -> None:
        super().__init__()

    def check(self, x: Any) -> None:
        """Raise InputError unless the distribution allows all values of x.

        Parameters
        ----------
        x : array_like, shape (N, ...)
            Data to train on or to score.

        Raises
        ------
        InputError
            If the distribution does not allow a value of x.
        """

    def log_prob(self, output: Tensor, x: Tensor) -> Tensor:
        """Compute ln p(x | z) of each sample.

        Parameters
        ----------
        output : Tensor, shape (N, ...)
            What the decoder returned for z.
        x : Tensor, shape (N, ...)
            Samples.

        Returns
        -------
        Tensor, shape (N,)
            Log-likelihoods in nats.
        """
        raise NotImplementedError

    def total(self, output: Tensor, x: Tensor) -> Tensor:
        """Compute the log-likelihood of the whole batch.

        Parameters
        ----------
        output : Tensor, shape (N, ...)
            What the decoder returned for z.
        x : Tensor, shape (N, ...)
            Samples.

        Returns
        -------
        Tensor, shape ()
            The sum of `log_prob` over the batch, in nats.
        """
        return self.log_prob(output, x).sum()

    def mean(self, output: Tensor) -> Tensor:
        """Compute E[x | z].

        Parameters
        ----------
        output : Tensor, shape (N, ...)
            What the decoder returned for z.

        Returns
        -------
        Tensor, shape (N, ...)
            The mean of each sample.
        """
        raise NotImplementedError


class Bernoulli(Likelihood):
    """Independent pixels in [0, 1] as Bernoulli probabilities. The decoder returns logits.

    Notes
    -----
    For pixels between 0 and 1 `log_prob` is a cross-entropy rather than a log-probability, and its maximum is below 0
    (Loaiza-Ganem & Cunningham 2019).

    References
    ----------
    Loaiza-Ganem & Cunningham 2019, The continuous Bernoulli (arXiv:1907.06845).

    Examples
    --------
    >>> log_prob = Bernoulli().log_prob(torch.zeros(1, 4), torch.ones(1, 4))
    >>> bool(torch.isclose(log_prob, torch.tensor(4 * math.log(0.5))))
    True
    """

    def check(self, x: Any) -> None:
        """Raise InputError unless all values of x are in [0, 1].

        Parameters
        ----------
        x : array_like, shape (N, ...)
            Data to train on or to score.

        Raises
        ------
        InputError
            If a value is below 0 or above 1.
        """
        low, high = data_range(x)
        if low < 0 or high > 1:
            raise InputError(
                f"The data range over [{low:.3g}, {high:.3g}], but a Bernoulli likelihood needs values in [0, 1].",
                got=f"[{low:.3g}, {high:.3g}]",
                expected="[0, 1]",
                fix=Fix(
                    'Rescale the data, or build the model with likelihood="gaussian".',
                    "Rescale the data, or add --likelihood gaussian.",
                ),
            )

    def log_prob(self, output: Tensor, x: Tensor) -> Tensor:
        """Compute Σ x ln p + (1 − x) ln(1 − p) of each sample, with p = sigmoid(output).

        Parameters
        ----------
        output : Tensor, shape (N, ...)
            Logits.
        x : Tensor, shape (N, ...)
            Samples.

        Returns
        -------
        Tensor, shape (N,)
            Log-likelihoods in nats.
        """
        loss = F.binary_cross_entropy_with_logits(output, x, reduction="none")
        return -loss.flatten(1).sum(dim=1)

    def total(self, output: Tensor, x: Tensor) -> Tensor:
        """Compute the log-likelihood of the whole batch in one pass.

        Parameters
        ----------
        output : Tensor, shape (N, ...)
            Logits.
        x : Tensor, shape (N, ...)
            Samples.

        Returns
        -------
        Tensor, shape ()
            The log-likelihood in nats.
        """
        return -F.binary_cross_entropy_with_logits(output, x, reduction="sum")

    def mean(self, output: Tensor) -> Tensor:
        """Compute the probabilities sigmoid(output).

        Parameters
        ----------
        output : Tensor, shape (N, ...)
            Logits.

        Returns
        -------
        Tensor, shape (N, ...)
            Probabilities, in [0, 1].
        """
        return torch.sigmoid(output)


class Gaussian(Likelihood):
    """N(x; output, σ² I) with one standard deviation σ for all values. The decoder returns the means.

    Parameters
    ----------
    std : float, default 1.0
        σ, or its first value if it is learned.
    learned : bool, default False
        Train σ together with the networks.

    References
    ----------
    A learned σ: Rybkin, Daniilidis & Levine 2021, Simple and effective VAE training with calibrated decoders
    (arXiv:2006.13202).

    Examples
    --------
    >>> log_prob = Gaussian(std=0.5).log_prob(torch.zeros(1, 1), torch.zeros(1, 1))
    >>> bool(torch.isclose(log_prob, torch.tensor(-math.log(0.5 * math.sqrt(2 * math.pi)))))
    True
    """

    log_var: Tensor

    def __init__(self, std: float = 1.0, learned: bool = False) -> None:
        super().__init__()
        if not std > 0:
            raise InputError(f"std is {std}, but must be greater than 0.", got=str(std), expected="more than 0")
        log_var = torch.tensor(2 * math.log(std))
        if learned:
            self.log_var = nn.Parameter(log_var)
        else:
            self.register_buffer("log_var", log_var)

    def check(self, x: Any) -> None:
        """Warn if x is far from unit scale. All values are allowed.

        Parameters
        ----------
        x : array_like, shape (N, ...)
            Data to train on or to score.
        """
        low, high = data_range(x)
        if max(-low, high) > MAX_UNIT_SCALE:
            warn_user(
                GuessWarning(
                    f"The data range over [{low:.3g}, {high:.3g}], far from the unit scale that the networks and "
                    "Adam expect, so the ELBO may stay poor.",
                    fix=Fix(
                        "Standardize each feature first. A table is loaded so by "
                        'vaeviz.load_data("standardized:table.csv", split="train").',
                        "Standardize each feature first. For a table, write standardized: before its name in --data.",
                    ),
                )
            )

    def log_prob(self, output: Tensor, x: Tensor) -> Tensor:
        """Compute Σ −½ [ln 2π + ln σ² + (x − output)²/σ²] of each sample.

        Parameters
        ----------
        output : Tensor, shape (N, ...)
            Means.
        x : Tensor, shape (N, ...)
            Samples.

        Returns
        -------
        Tensor, shape (N,)
            Log-likelihoods in nats.

        Raises
        ------
        InputError
            If the shapes differ.
        """
        _check_same_shape(output, x)
        square = (x - output).square().flatten(1)
        return -0.5 * (square / self.log_var.exp() + self.log_var + math.log(2 * math.pi)).sum(dim=1)

    def total(self, output: Tensor, x: Tensor) -> Tensor:
        """Compute the log-likelihood of the whole batch in one pass.

        Parameters
        ----------
        output : Tensor, shape (N, ...)
            Means.
        x : Tensor, shape (N, ...)
            Samples.

        Returns
        -------
        Tensor, shape ()
            The log-likelihood in nats.

        Raises
        ------
        InputError
            If the shapes differ.
        """
        _check_same_shape(output, x)
        constant = x.numel() * (self.log_var + math.log(2 * math.pi))
        return -0.5 * (F.mse_loss(output, x, reduction="sum") / self.log_var.exp() + constant)

    def mean(self, output: Tensor) -> Tensor:
        """Return the decoder's output, which is the mean.

        Parameters
        ----------
        output : Tensor, shape (N, ...)
            Means.

        Returns
        -------
        Tensor, shape (N, ...)
            The same means.
        """
        return output


def make_likelihood(name: LikelihoodName, std: float = 1.0) -> Likelihood:
    """Build a likelihood by name.

    Parameters
    ----------
    name : {"bernoulli", "gaussian", "gaussian-learned"}
        The distribution; ``"gaussian-learned"`` trains its standard deviation.
    std : float, default 1.0
        Standard deviation of a Gaussian, or its first value if it is learned.

    Returns
    -------
    Likelihood
        The module.

    Raises
    ------
    UnknownName
        If there is no such likelihood.
    """
    if name == "bernoulli":
        return Bernoulli()
    if name in ("gaussian", "gaussian-learned"):
        return Gaussian(std, learned=name == "gaussian-learned")
    raise UnknownName("likelihood", name, get_args(LikelihoodName))


def _check_same_shape(output: Tensor, x: Tensor) -> None:
    """Raise InputError for shapes that torch would broadcast."""
    if output.shape != x.shape:
        raise InputError(
            f"The decoder returned shape {tuple(output.shape)} for samples of shape {tuple(x.shape)}. "
            "Both shapes must be equal.",
            got=str(tuple(output.shape)),
            expected=str(tuple(x.shape)),
        )
