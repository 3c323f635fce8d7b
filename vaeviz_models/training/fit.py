"""`fit`: train a model with Adam on the β-weighted ELBO, seeded and resumable."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any, Unpack

import numpy as np
import torch
from tqdm import tqdm

from vaeviz.data.out_of_core import SampleStream
from vaeviz.errors import Fix, InputError
from vaeviz_models.models.base import TrainableModel, check_trainable
from vaeviz_models.objectives import beta_at
from vaeviz_models.training.config import TrainConfig, TrainSettings
from vaeviz_models.training.evaluate import describe_terms, format_terms, mode_of, score
from vaeviz_models.training.loaders import (
    Batch,
    Loader,
    check_data,
    check_random_access,
    condition_codes,
    make_loader,
    split_order,
    split_rows,
)
from vaeviz_models.training.processes import Processes, Share
from vaeviz_models.training.state import TrainState, copy_weights
from vaeviz_models.training.step import TrainStep
from vaeviz_models.training.threads import restored_threads

STEPS_BETWEEN_CHECKS = 100  # for numbers that are not finite; on a GPU, each check waits for the steps before


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
        Show a progress bar with the terms of the ELBO if stderr is a terminal.
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
        If settings, data or state do not fit, if the device cannot be used, or if the training diverges. The model
        then has the weights of the last good epoch, with early stopping of the best.

    Notes
    -----
    All values are one-sample estimates. Train values are averages over the epoch, while the weights change; the others
    are of the weights after the epoch.

    In a process group of torch (`torch.distributed.init_process_group`), all processes train the model together by
    `DistributedDataParallel`. Each calls this with all samples, computes its rows of each batch, and calls
    `after_epoch`. The numbers are those of one process up to rounding.

    Examples
    --------
    >>> import numpy as np
    >>> from vaeviz_models import mlp
    >>> x = np.random.default_rng(0).random((64, 8, 8), dtype=np.float32)
    >>> history = fit(mlp((8, 8)), x, epochs=2, beta=4.0, device="cpu", progress=False)
    >>> history["epoch"]
    [1, 2]
    """
    _check_arguments(model, config, resume, after_epoch)
    config = replace(config or TrainConfig(), **settings)
    x, test_x = check_random_access(x, "x"), None if test_x is None else check_random_access(test_x, "test_x")
    check_data(model, x, test_x, binarize=config.binarize)
    state = resume or TrainState.start(model, config)
    state.restore_last()
    state.set_patience(config.patience)
    train, scored = _load_parts(model, x, test_x, condition, test_condition, config.holdout, state)
    processes = Processes.current()
    facts = {"model": type(model).__name__, "epoch": state.epoch, "samples": x.shape, "config": config}
    processes.check_same(facts | {f"{name} samples": len(data) for name, data in scored.items()})
    step = TrainStep(state, config.batch_size, binarize=config.binarize, threads=config.threads, processes=processes)
    n_steps = len(split_order(torch.arange(len(train)), config.batch_size))
    disable = None if progress and processes.rank == 0 else True  # None: shown if stderr is a terminal
    bar = tqdm(total=config.epochs * n_steps, initial=state.epoch * n_steps, unit="step", disable=disable, leave=False)
    with bar, restored_threads():
        while state.epoch < config.epochs and not state.stopped_early(config.patience):
            bar.set_description(f"epoch {state.epoch + 1}/{config.epochs}")
            state.set_learning_rate(config.schedule)
            row = _run_epoch(step, train, scored, beta_at(state.epoch + 1, config.beta, config.warmup), bar)
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

    Raises
    ------
    DivergedError
        If a term is not finite.
    InputError
        If the model cannot train on a batch of one sample.
    """
    sums, batch_size = step.sums, step.batch_size
    order = torch.randperm(len(data), generator=step.state.shuffling)
    step.begin_epoch(beta)
    number = 0
    with mode_of(step.state.model, training=True):
        for number, (share, batch) in enumerate(data.shuffled(order, batch_size, step.processes), start=1):
            _take_step(step, batch, share)
            after_step()
            if number % STEPS_BETWEEN_CHECKS == 0 and sums.n_finite_batches < number:
                break
    if sums.n_finite_batches < number:
        raise DivergedError(step.state, f"in step {sums.n_finite_batches + 1}", sums.means(number * batch_size))
    return sums.means(len(data))


class DivergedError(InputError):
    """The ELBO of a training is no longer finite.

    Parameters
    ----------
    state : TrainState
        State of the training before the epoch.
    place : str
        Where in the epoch it happened.
    means : dict of float
        The terms.
    """

    def __init__(self, state: TrainState, place: str, means: dict[str, float]) -> None:
        kept = f"the weights of epoch {state.weights_epoch}" if state.epoch else "its first weights"
        found, half = describe_terms(means), state.learning_rate / 2
        super().__init__(
            f"Training diverged {place} of epoch {state.epoch + 1}: {found}. The model keeps {kept}.",
            got=found,
            expected="finite numbers",
            fix=Fix(
                f"Lower learning_rate, e.g. {half:g}, or rescale the data.",
                f"Lower the learning rate, e.g. --learning-rate {half:g}, or rescale the data.",
            ),
        )


def _run_epoch(
    step: TrainStep, train: Loader, scored: dict[str, Loader], beta: float, bar: tqdm[Any]
) -> dict[str, float]:
    """Train and score for one epoch, and return its row of the history; restore the weights if they diverge."""
    state, before = step.state, copy_weights(step.state.model)
    try:
        means = train_means = train_epoch(step, train, beta, partial(_advance, bar, step))
        if not all(weights.isfinite().all() for weights in state.model.parameters()):
            raise DivergedError(state, "in the weights at the end", means)
        row = {"beta": beta} | _with_prefix("train", means)
        for name, data in scored.items():
            means = score(state.model, data, state.seed, binarize=step.binarize, processes=step.processes)
            if not all(map(math.isfinite, means.values())):
                raise DivergedError(state, f"in the {name} scores", means)
            row |= _with_prefix(name, means)
    except DivergedError:
        state.model.load_state_dict(before)
        state.restore_best()
        raise
    bar.set_postfix_str(format_terms(train_means))
    return row


def _advance(bar: tqdm[Any], step: TrainStep) -> None:
    """Count a step, and now and then show the terms of the epoch so far, for which a GPU must finish its steps.

    Of several processes only one has a bar, and the terms are read by all or by none.
    """
    bar.update(1)
    if step.processes.count == 1 and not bar.disable and bar.n % STEPS_BETWEEN_CHECKS == 0:
        n_steps = step.sums.n_finite_batches
        bar.set_postfix_str(format_terms(step.sums.means(max(n_steps, 1) * step.batch_size)))


def _take_step(step: TrainStep, batch: Batch, share: Share) -> None:
    try:
        step(*batch, share=share)
    except ValueError as error:  # torch's batch normalization raises it for one sample
        if isinstance(error, InputError) or len(batch[0]) > 1:
            raise
        raise InputError(
            f"This {type(step.state.model).__name__} cannot train on a batch of one sample: {error}.",
            got="a batch of 1",
            expected="2 samples or more",
            fix=Fix("Pass batch_size=2 or more, and at least two samples.", "Add --batch-size 2, or more."),
        ) from error


def _check_arguments(model: TrainableModel, config: Any, resume: Any, after_epoch: Any) -> None:
    """Raise InputError for arguments of another type, and for the state of another model."""
    check_trainable(model)
    for name, value, is_valid, expected in (
        ("config", config, isinstance(config, TrainConfig), "a TrainConfig"),
        ("resume", resume, isinstance(resume, TrainState), "a TrainState, as after_epoch receives it"),
        ("after_epoch", after_epoch, callable(after_epoch), "a function of the state"),
    ):
        if value is not None and not is_valid:
            kind = type(value).__name__
            raise InputError(f"{name} is of type {kind}, but must be {expected}.", got=kind, expected=expected)
    if resume is not None and resume.model is not model:
        raise InputError("resume is the state of another model.", fix="Pass resume.model as model.")


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
