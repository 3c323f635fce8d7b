"""``fit``: Adam on the (β-weighted) ELBO, seeded, resumable, from data held in memory on the device."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from tqdm import tqdm

from vaeviz.batches import samples
from vaeviz.errors import InputError
from vaeviz.options import Option, options_of
from vaeviz_models.classes import class_codes
from vaeviz_models.devices import pick_device
from vaeviz_models.objectives import beta_at

EVALUATION_BATCH = 1000


@dataclass
class Training:
    """The whole state of a training: what a checkpoint holds, and what `fit` moves on epoch by epoch.

    model, optimiser: as after `epoch` epochs. shuffling, noise: the random generators of the order of samples (on
    the CPU) and of the posterior samples (on the device). history: columns by name, one value an epoch.
    best: the weights of the epoch with the best validation ELBO, while early stopping watches it.
    last: the last epoch's weights, while the model holds the best epoch's after early stopping.
    """

    model: nn.Module
    optimiser: torch.optim.Adam
    shuffling: torch.Generator
    noise: torch.Generator
    epoch: int = 0
    history: dict[str, list[float]] = field(default_factory=dict)
    best: dict[str, Tensor] | None = None
    last: dict[str, Tensor] | None = None
    best_epoch: int = 0

    @classmethod
    def start(cls, model: nn.Module, *, learning_rate: float = 1e-3, seed: int = 0, device: str = "auto") -> Training:
        """The state before the first epoch. Moves the model to the device."""
        place = pick_device(device)
        model.to(place)
        fused = place.type in ("cpu", "cuda")
        optimiser = torch.optim.Adam(model.parameters(), lr=learning_rate, fused=fused)
        shuffling = torch.Generator().manual_seed(seed)
        noise = torch.Generator(place).manual_seed(seed)
        return cls(model, optimiser, shuffling, noise)

    @property
    def device(self) -> torch.device:
        return self.noise.device

    def stopped_early(self, patience: int | None) -> bool:
        """Whether `patience` epochs have passed without a better validation ELBO."""
        return patience is not None and self.epoch - self.best_epoch >= patience

    def weights(self) -> dict[str, Tensor]:
        """The weights that the training ends with: the best epoch's under early stopping, else the last's."""
        return self.best if self.best is not None else self.model.state_dict()

    def to_best(self) -> None:
        """Give the model the best epoch's weights, if they are known; the last epoch's are set aside."""
        if self.best is not None:
            self.last = _copied(self.model)
            self.model.load_state_dict(self.best)

    def to_last(self) -> None:
        """Give the model the last epoch's weights back, to train on."""
        if self.last is not None:
            self.model.load_state_dict(self.last)
            self.last = None


def fit(
    model: nn.Module,
    x: Any,
    test_x: Any = None,
    condition: Any = None,
    test_condition: Any = None,
    *,
    epochs: int = 10,
    batch_size: int = 128,
    learning_rate: float = 1e-3,
    beta: float = 1.0,
    warmup: int = 0,
    holdout: float = 0.0,
    patience: int | None = None,
    seed: int = 0,
    device: str = "auto",
    progress: bool = True,
    resume: Training | None = None,
    after_epoch: Callable[[Training], None] | None = None,
) -> dict[str, list[float]]:
    """Train `model`, in place, to maximise E_q[ln p(x|z)] − β·KL; returns the history.

    model: has ``terms(x, generator) -> (log-likelihood, KL or None)``, sums over the batch; its mode is kept. A
        conditional one has `classes`, and ``terms(x, generator, y)`` with y their places.
    x: (N, *sample) float, in [0, 1] for a Bernoulli likelihood.
    test_x: scored after each epoch. condition, test_condition: (N,) labels of x and test_x, for a conditional model.
    warmup: epochs over which β rises linearly from 0 (Bowman et al. 2016).
    holdout: this share of x is kept from training, and scored as validation. patience: stop after so many epochs
        without a better validation ELBO, and keep the best epoch's weights; needs a holdout.
    seed: of order and noise; the same seed on the same device gives the same weights. The model's first weights
        are the caller's, see `seeded`.
    resume: a state of this very model to go on from, as if it had never stopped. after_epoch: called with the
        state after each epoch.

    History: ``epoch``, ``beta``, and for train, validation and test the means per sample, in nats, of
    ``{set}_elbo``, ``{set}_log_likelihood``, ``{set}_kl``: one-sample estimates at β = 1. Train values are averages
    over the epoch, while the weights move; the others are of the weights after it.
    """
    check_training(epochs, batch_size, learning_rate, beta, warmup, holdout, patience, seed)
    x, test_x = samples(x, "x"), None if test_x is None else samples(test_x, "test_x")
    check_data(model, x, test_x)
    if resume is not None and resume.model is not model:
        raise InputError("resume: is the state of another model; fit the one that it holds, resume.model")
    state = resume or Training.start(model, learning_rate=learning_rate, seed=seed, device=device)
    state.to_last()
    train, validation = _split(len(x), holdout, seed)
    data = _given(model, x, condition)
    scored = {} if validation is None else {"validation": [part[validation] for part in data]}
    if test_x is not None:
        scored["test"] = _given(model, test_x, test_condition, of="test_x")
    scored = {name: _on(state.device, part) for name, part in scored.items()}
    data = _on(state.device, [part[train] for part in data])
    steps = -(-len(data[0]) // batch_size)
    with tqdm(
        total=epochs * steps, initial=state.epoch * steps, unit="step", disable=None if progress else True, leave=False
    ) as bar:
        while state.epoch < epochs and not state.stopped_early(patience):
            weight = beta_at(state.epoch + 1, beta, warmup)
            bar.set_description(f"epoch {state.epoch + 1}/{epochs}")
            row = {"beta": weight} | _prefixed("train", train_epoch(state, data, batch_size, weight, bar.update))
            for name, part in scored.items():
                row |= _prefixed(name, _scores(state.model, part, seed))
            _record(state, row, keep_best=patience is not None)
            if after_epoch is not None:
                after_epoch(state)
    state.to_best()
    return state.history


def train_epoch(
    state: Training,
    data: list[Tensor],
    batch_size: int,
    beta: float,
    advance: Callable[[int], Any] = lambda steps: None,
) -> dict[str, float]:
    """One pass over the data, [x] or [x, y], in random order; returns the mean log-likelihood and KL per sample."""
    x, *given = data
    totals = torch.zeros(2, dtype=torch.float64 if x.device.type != "mps" else torch.float32, device=x.device)
    order = torch.randperm(len(x), generator=state.shuffling).to(x.device)
    with _in_mode(state.model, training=True):
        for rows in order.split(batch_size):
            batch = x[rows]
            log_likelihood, kl = state.model.terms(batch, state.noise, *(part[rows] for part in given))
            loss = -log_likelihood if kl is None else beta * kl - log_likelihood
            state.optimiser.zero_grad(set_to_none=True)
            (loss / len(batch)).backward()
            state.optimiser.step()
            _add(totals, log_likelihood, kl)
            advance(1)
    return _means(totals, len(x), has_kl=kl is not None)


def evaluate(model: nn.Module, x: Any, condition: Any = None, *, seed: int = 0) -> dict[str, float]:
    """Means over x (N, *sample) of log-likelihood, KL and ELBO per sample, in nats: one-sample estimates.

    condition: (N,) labels, for a conditional model. The noise is the same for the same seed, so that epochs and runs
    can be compared. The ELBO of a model without KL is left out.
    """
    return _scores(model, _on(next(model.parameters()).device, _given(model, samples(x, "x"), condition)), seed)


@torch.no_grad()
def _scores(model: nn.Module, data: list[Tensor], seed: int) -> dict[str, float]:
    place = data[0].device
    noise = torch.Generator(place).manual_seed(seed)
    totals = torch.zeros(2, dtype=torch.float64 if place.type != "mps" else torch.float32, device=place)
    with _in_mode(model, training=False):
        for batch, *given in zip(*(part.split(EVALUATION_BATCH) for part in data)):
            log_likelihood, kl = model.terms(batch, noise, *given)
            _add(totals, log_likelihood, kl)
    return _means(totals, len(data[0]), has_kl=kl is not None)


def seeded(build: Callable[..., nn.Module], *args: Any, seed: int, **settings: Any) -> nn.Module:
    """``build(*args, **settings)`` with first weights that depend on the seed alone; global random state is kept."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        return build(*args, **settings)


def training_options() -> dict[str, Option]:
    """The options of `fit` that a person can write, and that a run's config holds."""
    return {key: option for key, option in options_of(fit).items() if key not in ("progress", "resume", "after_epoch")}


def check_data(model: nn.Module, x: np.ndarray, test_x: np.ndarray | None = None) -> None:
    """`InputError` unless samples (N, *sample) have the model's shape, and values that its likelihood takes."""
    expected = getattr(getattr(model, "decoder", None), "sample_shape", None)
    likelihood = getattr(model, "likelihood", None)
    for name, part in {"x": x, "test_x": test_x}.items():
        if part is not None and expected is not None and part.shape[1:] != tuple(expected):
            raise InputError(f"{name}: got samples of shape {part.shape[1:]}, the model takes {tuple(expected)}")
        if part is not None and hasattr(likelihood, "check"):
            likelihood.check(part)


def check_training(
    epochs: int,
    batch_size: int,
    learning_rate: float,
    beta: float,
    warmup: int,
    holdout: float,
    patience: int | None,
    seed: int,
) -> None:
    """`InputError` unless these settings of `fit` make sense together."""
    for name, value, fine, wanted in (
        ("epochs", epochs, epochs >= 1, "1 or more"),
        ("batch_size", batch_size, batch_size >= 1, "1 or more"),
        ("learning_rate", learning_rate, learning_rate > 0, "more than 0"),
        ("beta", beta, beta >= 0, "0 or more"),
        ("warmup", warmup, warmup >= 0, "0 or more epochs"),
        ("holdout", holdout, 0 <= holdout < 1, "a share from 0 to less than 1"),
        ("patience", patience, patience is None or patience >= 1, "1 or more epochs"),
        ("seed", seed, 0 <= seed < 2**63, "0 or more, and less than 2**63"),
    ):
        if not fine:
            raise InputError(f"{name} = {value}: expected {wanted}")
    if patience is not None and holdout == 0:
        raise InputError("early stopping watches a validation ELBO: give a holdout as well, e.g. holdout 0.1")


def _split(count: int, holdout: float, seed: int) -> tuple[np.ndarray | slice, np.ndarray | None]:
    """Which samples to train on, and which to validate on, None for none."""
    if holdout == 0:
        return slice(None), None
    held = max(1, round(holdout * count))
    if held >= count:
        raise InputError(f"holdout = {holdout}: leaves none of {count} samples to train on")
    order = np.random.default_rng(seed).permutation(count)
    return np.sort(order[held:]), np.sort(order[:held])


def _given(model: nn.Module, x: np.ndarray, condition: Any, *, of: str = "x") -> list[np.ndarray]:
    """What the model is trained on: [x], and for a conditional model [x, y] with y the places of its classes."""
    classes = getattr(model, "classes", None)
    if classes is None and condition is not None:
        raise InputError(f"{of}: got a condition, and the model takes none")
    if classes is None:
        return [x]
    codes = class_codes(condition, classes, of=of)
    if len(codes) != len(x):
        raise InputError(f"{of}: got {len(codes)} labels for {len(x)} samples")
    return [x, codes]


@contextmanager
def _in_mode(model: nn.Module, *, training: bool) -> Iterator[None]:
    """The model in train or eval mode; afterwards each of its parts in the mode that it was in."""
    modes = {part: part.training for part in model.modules()}
    model.train(training)
    try:
        yield
    finally:
        for part, mode in modes.items():
            part.training = mode


def _on(device: torch.device, data: list[np.ndarray]) -> list[Tensor]:
    """The samples, as float32, and their classes."""
    x, *given = data
    arrays = [np.ascontiguousarray(x, dtype=np.float32), *given]
    return [torch.from_numpy(array).to(device) for array in arrays]


def _add(totals: Tensor, log_likelihood: Tensor, kl: Tensor | None) -> None:
    """Adds on the device: no step waits for the numbers of the one before."""
    totals[0] += log_likelihood.detach()
    if kl is not None:
        totals[1] += kl.detach()


def _means(totals: Tensor, count: int, *, has_kl: bool) -> dict[str, float]:
    log_likelihood, kl = (totals / count).tolist()
    if not np.isfinite(log_likelihood + kl):
        raise InputError("training diverged: the ELBO is no longer finite; lower the learning rate, or check the data")
    if not has_kl:
        return {"log_likelihood": log_likelihood}
    return {"elbo": log_likelihood - kl, "log_likelihood": log_likelihood, "kl": kl}


def _prefixed(part: str, means: dict[str, float]) -> dict[str, float]:
    return {f"{part}_{name}": value for name, value in means.items()}


def _record(state: Training, row: dict[str, float], *, keep_best: bool) -> None:
    state.epoch += 1
    for name, value in {"epoch": state.epoch, **row}.items():
        state.history.setdefault(name, []).append(value)
    scores = _validation(state)
    if keep_best and scores[-1] >= max(scores):
        state.best = _copied(state.model)
        state.best_epoch = state.epoch


def _copied(model: nn.Module) -> dict[str, Tensor]:
    return {name: value.detach().clone() for name, value in model.state_dict().items()}


def _validation(state: Training) -> list[float]:
    history = state.history
    return history.get("validation_elbo") or history.get("validation_log_likelihood") or []
