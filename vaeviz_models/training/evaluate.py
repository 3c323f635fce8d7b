"""Scores of a model: means of the ELBO and its terms over data."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

from vaeviz.errors import InputError
from vaeviz_models.models.base import TrainableModel, check_trainable
from vaeviz_models.training.loaders import Loader, check_data, check_random_access, condition_codes, make_loader
from vaeviz_models.training.processes import ONE_PROCESS, Processes
from vaeviz_models.training.term_sums import TermSums

EVALUATION_BATCH_SIZE = 1000  # fixed, so that scores do not depend on the batch size of the training


def evaluate(
    model: TrainableModel, x: Any, condition: Any = None, *, seed: int = 0, binarize: bool = False
) -> dict[str, float]:
    """Estimate the ELBO and its terms on data, in float32.

    Parameters
    ----------
    model : torch.nn.Module
        Model with a method `terms`, see `fit`. It is scored in eval mode, and its mode is restored.
    x : array_like, shape (N, ...)
        Samples in memory or on disk.
    condition : array_like, shape (N,), optional
        Labels, for a conditional model.
    seed : int, default 0
        Seed of the noise. The same seed gives the same noise, so that epochs and runs can be compared.
    binarize : bool, default False
        Score pixels of 0 and 1, drawn with the values of x as probabilities.

    Returns
    -------
    dict of float
        Means per sample of ``elbo``, ``log_likelihood`` and ``kl`` in nats, from one posterior sample each; only
        ``log_likelihood`` for a model without KL.

    Raises
    ------
    InputError
        If the data do not fit the model, or if a term is not finite.
    """
    check_trainable(model)
    device = next(model.parameters()).device
    samples = x if isinstance(x, Tensor) else check_random_access(x, "x")
    check_data(model, samples, binarize=binarize)
    codes = condition_codes(model, samples, condition, "x")
    means = score(model, make_loader(samples, device, codes=codes), seed, binarize=binarize)
    if not all(map(math.isfinite, means.values())):
        found = describe_terms(means)
        raise InputError(
            f"The ELBO of this {type(model).__name__} on x is not finite: {found}.",
            got=found,
            expected="finite numbers",
            fix="Check the weights of the model, and the scale of the data.",
        )
    return means


@torch.no_grad()
def score(
    model: TrainableModel, data: Loader, seed: int, *, binarize: bool, processes: Processes = ONE_PROCESS
) -> dict[str, float]:
    """Score data that were checked and loaded.

    Parameters
    ----------
    model : torch.nn.Module
        The model.
    data : MemoryLoader or DiskLoader
        The data.
    seed : int
        Seed of the noise.
    binarize : bool
        Draw pixels of 0 and 1.
    processes : Processes, optional
        Processes that share each batch. All must call this.

    Returns
    -------
    dict of float
        Means per sample, as `evaluate` returns them, finite or not.
    """
    noise = torch.Generator(data.device).manual_seed(seed)
    sums = TermSums(data.device, processes)
    with mode_of(model, training=False):
        for share, (x, *codes) in data.in_order(EVALUATION_BATCH_SIZE, processes):
            with share.noise():
                x = torch.bernoulli(x, generator=noise) if binarize else x
                sums.add(*share.counted(*model.terms(x, noise, *codes)))
    return sums.means(len(data))


def describe_terms(means: dict[str, float]) -> str:
    """Return the terms of an ELBO as text, for messages.

    Parameters
    ----------
    means : dict of float
        Values by name.

    Returns
    -------
    str
        Names and values.

    Examples
    --------
    >>> describe_terms({"log_likelihood": float("nan"), "kl": 3.5})
    'log-likelihood nan, KL 3.5'
    """
    names = {"elbo": "ELBO", "log_likelihood": "log-likelihood", "kl": "KL"}
    return ", ".join(f"{names[name]} {value:g}" for name, value in means.items())


def format_terms(means: Mapping[str, float]) -> str:
    """Return the ELBO and its two terms as a short text, for lines of progress.

    Parameters
    ----------
    means : mapping of str to float
        Values by name.

    Returns
    -------
    str
        The ELBO, and in parentheses the log-likelihood minus the KL; the log-likelihood of a model without KL.

    Examples
    --------
    >>> format_terms({"elbo": -10.5, "log_likelihood": -7.25, "kl": 3.25})
    'ELBO −10.50 (−7.25 − 3.25)'
    """
    texts = {name: f"{value:.2f}".replace("-", "−") for name, value in means.items()}
    if "elbo" not in texts:
        return f"log-likelihood {texts['log_likelihood']}"
    return f"ELBO {texts['elbo']} ({texts['log_likelihood']} − {texts['kl']})"


@contextmanager
def mode_of(model: TrainableModel, *, training: bool) -> Iterator[None]:
    """Put a model in train or eval mode, and restore the mode of each part afterwards.

    Parameters
    ----------
    model : torch.nn.Module
        The model.
    training : bool
        True for train mode.
    """
    modes = {part: part.training for part in model.modules()}
    model.train(training)
    try:
        yield
    finally:
        for part, mode in modes.items():
            part.training = mode
