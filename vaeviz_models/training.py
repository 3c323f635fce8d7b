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
from vaeviz_models.devices import pick_device
from vaeviz_models.objectives import Schedule, beta_at, rate_at

EVALUATION_BATCH = 1000


@dataclass
class Training:
    """The whole state of a training: what a checkpoint holds, and what `fit` moves on epoch by epoch.

    model, optimiser: as after `epoch` epochs. shuffling, noise: the random generators of the order of samples (on
    the CPU) and of the posterior samples (on the device). history: columns by name, one value an epoch.
    best: the weights of the epoch with the best validation ELBO, while early stopping watches it.
    last: the last epoch's weights, while the model holds the best epoch's after early stopping.
    learning_rate: the first, which a schedule lowers.
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
    learning_rate: float = 1e-3

    @classmethod
    def start(
        cls,
        model: nn.Module,
        *,
        learning_rate: float = 1e-3,
        epsilon: float = 1e-8,
        seed: int = 0,
        device: str = "auto",
    ) -> Training:
        """The state before the first epoch. Moves the model to the device. epsilon: of Adam."""
        place = pick_device(device)
        model.to(place)
        fused = place.type in ("cpu", "cuda")
        optimiser = torch.optim.Adam(model.parameters(), lr=learning_rate, eps=epsilon, fused=fused)
        shuffling = torch.Generator().manual_seed(seed)
        noise = torch.Generator(place).manual_seed(seed)
        return cls(model, optimiser, shuffling, noise, learning_rate=learning_rate)

    @property
    def device(self) -> torch.device:
        return self.noise.device

    def take_rate(self, schedule: Schedule) -> None:
        """Give Adam the learning rate of the epoch that comes next."""
        for group in self.optimiser.param_groups:
            group["lr"] = rate_at(self.epoch + 1, self.learning_rate, schedule)

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
    *,
    epochs: int = 10,
    batch_size: int = 128,
    learning_rate: float = 1e-3,
    schedule: Schedule = "constant",
    epsilon: float = 1e-8,
    beta: float = 1.0,
    warmup: int = 0,
    binarise: bool = False,
    holdout: float = 0.0,
    patience: int | None = None,
    seed: int = 0,
    device: str = "auto",
    progress: bool = True,
    resume: Training | None = None,
    after_epoch: Callable[[Training], None] | None = None,
) -> dict[str, list[float]]:
    """Train `model`, in place, to maximise E_q[ln p(x|z)] − β·KL; returns the history.

    model: has ``terms(x, generator) -> (log-likelihood, KL or None)``, sums over the batch; its mode is kept.
    x: (N, *sample) float, in [0, 1] for a Bernoulli likelihood.
    test_x: scored after each epoch. warmup: epochs over which β rises linearly from 0 (Bowman et al. 2016).
    schedule, epsilon: of Adam's learning rate, see `rate_at`, and its ε.
    binarise: train on 0 and 1, drawn anew each time a sample is shown with its values as chances (Salakhutdinov &
        Murray 2008); validation and test scores are of one such draw, always the same.
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
    check_training(epochs, batch_size, learning_rate, epsilon, beta, warmup, holdout, patience, seed)
    x, test_x = samples(x, "x"), None if test_x is None else samples(test_x, "test_x")
    check_data(model, x, test_x, binarise=binarise)
    if resume is not None and resume.model is not model:
        raise InputError("resume: is the state of another model; fit the one that it holds, resume.model")
    state = resume or Training.start(model, learning_rate=learning_rate, epsilon=epsilon, seed=seed, device=device)
    state.to_last()
    train_x, validation_x = _split(x, holdout, seed)
    scored = {"validation": validation_x, "test": test_x}
    on_device = {name: _tensor_on(state.device, part) for name, part in scored.items() if part is not None}
    data = _tensor_on(state.device, train_x)
    steps = -(-len(data) // batch_size)
    with tqdm(
        total=epochs * steps, initial=state.epoch * steps, unit="step", disable=None if progress else True, leave=False
    ) as bar:
        while state.epoch < epochs and not state.stopped_early(patience):
            weight = beta_at(state.epoch + 1, beta, warmup)
            state.take_rate(schedule)
            bar.set_description(f"epoch {state.epoch + 1}/{epochs}")
            means = train_epoch(state, data, batch_size, weight, bar.update, binarise=binarise)
            row = {"beta": weight} | _prefixed("train", means)
            for name, part in on_device.items():
                row |= _prefixed(name, evaluate(state.model, part, seed=seed, binarise=binarise))
            _record(state, row, keep_best=patience is not None)
            if after_epoch is not None:
                after_epoch(state)
    state.to_best()
    return state.history


def train_epoch(
    state: Training,
    x: Tensor,
    batch_size: int,
    beta: float,
    advance: Callable[[int], Any] = lambda steps: None,
    *,
    binarise: bool = False,
) -> dict[str, float]:
    """One pass over x in random order; returns the mean log-likelihood and KL per sample, in nats."""
    totals = torch.zeros(2, dtype=torch.float64 if x.device.type != "mps" else torch.float32, device=x.device)
    order = torch.randperm(len(x), generator=state.shuffling).to(x.device)
    with _in_mode(state.model, training=True):
        for rows in order.split(batch_size):
            batch = _binarised(x[rows], state.noise) if binarise else x[rows]
            log_likelihood, kl = state.model.terms(batch, state.noise)
            loss = -log_likelihood if kl is None else beta * kl - log_likelihood
            state.optimiser.zero_grad(set_to_none=True)
            (loss / len(batch)).backward()
            state.optimiser.step()
            _add(totals, log_likelihood, kl)
            advance(1)
    return _means(totals, len(x), has_kl=kl is not None)


@torch.no_grad()
def evaluate(model: nn.Module, x: Any, *, seed: int = 0, binarise: bool = False) -> dict[str, float]:
    """Means over x (N, *sample) of log-likelihood, KL and ELBO per sample, in nats: one-sample estimates.

    The noise is the same for the same seed, so that epochs and runs can be compared. The ELBO of a model without
    KL is left out. binarise: score 0 and 1, drawn with the values as chances, see `fit`.
    """
    place = next(model.parameters()).device
    x = x.to(place, torch.float32) if isinstance(x, Tensor) else _tensor_on(place, samples(x, "x"))
    noise = torch.Generator(place).manual_seed(seed)
    totals = torch.zeros(2, dtype=torch.float64 if place.type != "mps" else torch.float32, device=place)
    with _in_mode(model, training=False):
        for batch in x.split(EVALUATION_BATCH):
            batch = _binarised(batch, noise) if binarise else batch
            log_likelihood, kl = model.terms(batch, noise)
            _add(totals, log_likelihood, kl)
    return _means(totals, len(x), has_kl=kl is not None)


def seeded(build: Callable[..., nn.Module], *args: Any, seed: int, **settings: Any) -> nn.Module:
    """``build(*args, **settings)`` with first weights that depend on the seed alone; global random state is kept."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        return build(*args, **settings)


def training_options() -> dict[str, Option]:
    """The options of `fit` that a person can write, and that a run's config holds."""
    return {key: option for key, option in options_of(fit).items() if key not in ("progress", "resume", "after_epoch")}


def check_data(model: nn.Module, x: np.ndarray, test_x: np.ndarray | None = None, *, binarise: bool = False) -> None:
    """`InputError` unless samples (N, *sample) have the model's shape, and values that its likelihood takes.

    binarise: they must be chances of a 1, whatever the likelihood.
    """
    expected = getattr(getattr(model, "decoder", None), "sample_shape", None)
    likelihood = getattr(model, "likelihood", None)
    for name, part in {"x": x, "test_x": test_x}.items():
        if part is not None and expected is not None and part.shape[1:] != tuple(expected):
            raise InputError(f"{name}: got samples of shape {part.shape[1:]}, the model takes {tuple(expected)}")
        if part is not None and hasattr(likelihood, "check"):
            likelihood.check(part)
        if part is not None and binarise and not (part.min() >= 0 and part.max() <= 1):
            found = f"the values lie in [{part.min():.3g}, {part.max():.3g}]"
            raise InputError(f"{name}: {found}; to binarise, they must be chances of a 1, in [0, 1]")


def check_training(
    epochs: int,
    batch_size: int,
    learning_rate: float,
    epsilon: float,
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
        ("epsilon", epsilon, epsilon > 0, "more than 0"),
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


def _split(x: np.ndarray, holdout: float, seed: int) -> tuple[np.ndarray, np.ndarray | None]:
    if holdout == 0:
        return x, None
    held = max(1, round(holdout * len(x)))
    if held >= len(x):
        raise InputError(f"holdout = {holdout}: leaves none of {len(x)} samples to train on")
    order = np.random.default_rng(seed).permutation(len(x))
    return x[np.sort(order[held:])], x[np.sort(order[:held])]


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


def _tensor_on(device: torch.device, x: np.ndarray) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(x, dtype=np.float32)).to(device)


def _binarised(x: Tensor, noise: torch.Generator) -> Tensor:
    """0 and 1, drawn with the values of x as chances of a 1."""
    return torch.bernoulli(x, generator=noise)


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
