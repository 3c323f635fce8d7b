"""`fit`: train a model with Adam on the β-weighted ELBO, seeded and resumable."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Unpack

import numpy as np
import torch
from tqdm import tqdm

from vaeviz.data.out_of_core import SampleStream
from vaeviz.errors import InputError
from vaeviz_models.models.base import TrainableModel
from vaeviz_models.objectives import beta_at
from vaeviz_models.training.config import TrainConfig, TrainSettings
from vaeviz_models.training.evaluate import mode_of, score
from vaeviz_models.training.loaders import (
    Loader,
    check_data,
    check_random_access,
    condition_codes,
    make_loader,
    split_rows,
)
from vaeviz_models.training.state import TrainState
from vaeviz_models.training.step import TrainStep


def fit(
    model: TrainableModel,
    x: Any,
    test_x: Any = None,
    condition: Any = None,
    test_condition: Any = None,
    *,
    config: TrainConfig | None = None,
    progress: bool = True,
    resume: TrainState | None = None,
    after_epoch: Callable[[TrainState], None] | None = None,
    **settings: Unpack[TrainSettings],
) -> dict[str, list[float]]:
    """Train a model in place to maximize E_q[ln p(x|z)] − β·KL.

    Parameters
    ----------
    model : torch.nn.Module
        Model with a method ``terms(x, generator) -> (log_likelihood, kl or None)`` that returns sums over the batch,
        in nats. A conditional model has `classes` and a method ``terms(x, generator, y)``. Its first weights are kept,
        see `seeded`, and its mode is restored.
    x : array_like, shape (N, ...)
        Training data, in [0, 1] for a Bernoulli likelihood. Data on disk, e.g. ``np.load(file, mmap_mode="r")``, stay
        there, and give the same weights as data in memory.
    test_x : array_like, shape (M, ...), optional
        Data to score after each epoch.
    condition, test_condition : array_like, shape (N,) and (M,), optional
        Labels of `x` and `test_x`, for a conditional model.
    config : TrainConfig, optional
        Settings. By default those of ``TrainConfig()``.
    progress : bool, default True
        Show a progress bar if stderr is a terminal.
    resume : TrainState, optional
        State of this model to continue from, as if the training had never stopped. Its seed, device, precision, ε and
        first learning rate are kept. Pass the same data and holdout as before.
    after_epoch : callable, optional
        Called with the state after each epoch.
    **settings
        Fields of `TrainConfig` that replace those of `config`, e.g. ``epochs=10, beta=4.0``.

    Returns
    -------
    dict of list of float
        The history: ``epoch``, ``beta``, and for each of train, validation and test the means per sample of
        ``{set}_elbo``, ``{set}_log_likelihood`` and ``{set}_kl`` in nats, at β = 1. With early stopping, ``best`` is 1
        in the epoch whose weights the model has, and 0 in the others; without, the model has the last weights.

    Raises
    ------
    InputError
        If settings, data or state do not fit, if the device cannot be used, or if the training diverges.

    Notes
    -----
    All values are one-sample estimates. Train values are averages over the epoch, while the weights change; the others
    are of the weights after the epoch.

    Examples
    --------
    >>> import numpy as np
    >>> from vaeviz_models import mlp
    >>> x = np.random.default_rng(0).random((64, 8, 8), dtype=np.float32)
    >>> history = fit(mlp((8, 8)), x, epochs=2, beta=4.0, device="cpu", progress=False)
    >>> history["epoch"]
    [1, 2]
    """
    config = replace(config or TrainConfig(), **settings)
    x, test_x = check_random_access(x, "x"), None if test_x is None else check_random_access(test_x, "test_x")
    check_data(model, x, test_x, binarize=config.binarize)
    if resume is not None and resume.model is not model:
        raise InputError("resume is the state of another model.", fix="Pass resume.model as model.")
    state = resume or TrainState.start(model, config)
    state.restore_last()
    state.set_patience(config.patience)
    train, scored = _load_parts(model, x, test_x, condition, test_condition, config.holdout, state)
    step = TrainStep(state, config.batch_size, binarize=config.binarize)
    n_steps = -(-len(train) // config.batch_size)
    disable = None if progress else True  # None: shown if stderr is a terminal
    with tqdm(
        total=config.epochs * n_steps, initial=state.epoch * n_steps, unit="step", disable=disable, leave=False
    ) as bar:
        while state.epoch < config.epochs and not state.stopped_early(config.patience):
            bar.set_description(f"epoch {state.epoch + 1}/{config.epochs}")
            state.set_learning_rate(config.schedule)
            beta = beta_at(state.epoch + 1, config.beta, config.warmup)
            row = {"beta": beta} | _with_prefix("train", train_epoch(step, train, beta, lambda: bar.update(1)))
            for name, data in scored.items():
                row |= _with_prefix(name, score(model, data, state.seed, binarize=config.binarize))
            state.record_epoch(row, keep_best=config.patience is not None)
            if after_epoch is not None:
                after_epoch(state)
    state.restore_best()
    return state.history


def train_epoch(
    step: TrainStep, data: Loader, beta: float, after_step: Callable[[], Any] = lambda: None
) -> dict[str, float]:
    """Train on all samples once, in random order.

    Parameters
    ----------
    step : TrainStep
        What takes the steps.
    data : MemoryLoader or DiskLoader
        Training data.
    beta : float
        Weight of the KL.
    after_step : callable, optional
        Called after each step.

    Returns
    -------
    dict of float
        Means per sample of ``elbo``, ``log_likelihood`` and ``kl`` over the epoch, in nats.
    """
    order = torch.randperm(len(data), generator=step.state.shuffling)
    step.begin_epoch(beta)
    with mode_of(step.state.model, training=True):
        for batch in data.shuffled(order, step.batch_size):
            step(*batch)
            after_step()
    return step.sums.means(len(data))


def _load_parts(
    model: TrainableModel,
    x: np.ndarray | SampleStream,
    test_x: np.ndarray | SampleStream | None,
    condition: Any,
    test_condition: Any,
    holdout: float,
    state: TrainState,
) -> tuple[Loader, dict[str, Loader]]:
    """Load the data to train on, and by name those to score."""
    codes = condition_codes(model, x, condition, "x")
    test_codes = condition_codes(model, test_x, test_condition, "test_x")
    train_rows, validation_rows = split_rows(len(x), holdout, state.seed)
    scored: dict[str, Loader] = {}
    if validation_rows is not None:
        scored["validation"] = make_loader(x, state.device, validation_rows, codes)
    if test_x is not None:
        scored["test"] = make_loader(test_x, state.device, codes=test_codes)
    return make_loader(x, state.device, train_rows, codes), scored


def _with_prefix(prefix: str, means: dict[str, float]) -> dict[str, float]:
    return {f"{prefix}_{name}": value for name, value in means.items()}
