"""``fit``: Adam on the (β-weighted) ELBO, seeded, resumable, from data in memory or in a memory-mapped file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from tqdm import tqdm

from vaeviz.data.batches import check_samples, iterate_batches
from vaeviz.data.out_of_core import Batches, SampleStream, data_range, is_out_of_core
from vaeviz.errors import InputError
from vaeviz.plugins.options import Option, options_of
from vaeviz_models.models.class_labels import class_codes
from vaeviz_models.objectives import Schedule, beta_at, rate_at
from vaeviz_models.training.devices import pick_device
from vaeviz_models.training.loaders import DiskLoader, MemoryLoader, make_loader
from vaeviz_models.training.precision import Precision, autocast_for
from vaeviz_models.training.step import TrainStep, accumulate, draw_binary, sums_dtype

EVALUATION_BATCH = 1000


@dataclass
class TrainState:
    """The whole state of a training: what a checkpoint holds, and what `fit` moves on epoch by epoch.

    model, optimizer: as after `epoch` epochs. shuffling, noise: the random generators of the order of samples (on
    the CPU) and of the posterior samples (on the device). history: columns by name, one value an epoch.
    best: the weights of the epoch with the best validation ELBO, while early stopping watches it.
    last: the last epoch's weights, while the model holds the best epoch's after early stopping.
    learning_rate: the first, which a schedule lowers. precision: of the products in a step. seed: of it all.
    """

    model: nn.Module
    optimizer: torch.optim.Adam
    shuffling: torch.Generator
    noise: torch.Generator
    epoch: int = 0
    history: dict[str, list[float]] = field(default_factory=dict)
    best: dict[str, Tensor] | None = None
    last: dict[str, Tensor] | None = None
    best_epoch: int = 0
    learning_rate: float = 1e-3
    precision: Precision = "float32"
    seed: int = 0

    @classmethod
    def start(
        cls,
        model: nn.Module,
        *,
        learning_rate: float = 1e-3,
        epsilon: float = 1e-8,
        precision: Precision = "float32",
        seed: int = 0,
        device: str = "auto",
    ) -> TrainState:
        """The state before the first epoch. Moves the model to the device; `InputError` if that lacks the precision.

        epsilon: of Adam.
        """
        place = pick_device(device)
        autocast_for(precision, place)
        model.to(place)
        fused = place.type in ("cpu", "cuda")
        optimizer = torch.optim.Adam(model.parameters(), lr=learning_rate, eps=epsilon, fused=fused)
        shuffling = torch.Generator().manual_seed(seed)
        noise = torch.Generator(place).manual_seed(seed)
        own = {"learning_rate": learning_rate, "precision": precision, "seed": seed}
        return cls(model, optimizer, shuffling, noise, **own)

    @property
    def device(self) -> torch.device:
        return self.noise.device

    def take_rate(self, schedule: Schedule) -> None:
        """Give Adam the learning rate of the epoch that comes next."""
        for group in self.optimizer.param_groups:
            group["lr"] = rate_at(self.epoch + 1, self.learning_rate, schedule)

    def stopped_early(self, patience: int | None) -> bool:
        """Whether `patience` epochs have passed without a better validation ELBO."""
        watched = self.best is not None  # a resumed state may not have been
        return patience is not None and watched and self.epoch - self.best_epoch >= patience

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
    schedule: Schedule = "constant",
    epsilon: float = 1e-8,
    beta: float = 1.0,
    warmup: int = 0,
    binarize: bool = False,
    holdout: float = 0.0,
    patience: int | None = None,
    precision: Precision = "float32",
    seed: int = 0,
    device: str = "auto",
    progress: bool = True,
    resume: TrainState | None = None,
    after_epoch: Callable[[TrainState], None] | None = None,
) -> dict[str, list[float]]:
    """Train `model`, in place, to maximize E_q[ln p(x|z)] − β·KL; returns the history.

    model: has ``terms(x, generator) -> (log-likelihood, KL or None)``, sums over the batch; its mode is kept. Where
        it says ``capturable = True``, as ours do, its steps on CUDA are captured in a CUDA graph and replayed. A
        conditional one has `classes`, and ``terms(x, generator, y)`` with y their places.
    x: (N, *sample) float, in [0, 1] for a Bernoulli likelihood. What lies on disk (``np.load(file, mmap_mode="r")``)
        stays there: batches are gathered from all over the file, to the same weights as from memory.
    test_x: scored after each epoch. condition, test_condition: (N,) labels of x and test_x, for a conditional model.
    warmup: epochs over which β rises linearly from 0 (Bowman et al. 2016).
    schedule, epsilon: of Adam's learning rate, see `rate_at`, and its ε.
    binarize: train on 0 and 1, drawn anew each time a sample is shown with its values as chances (Salakhutdinov &
        Murray 2008); validation and test scores are of one such draw, always the same.
    holdout: this share of x is kept from training, and scored as validation. patience: stop after so many epochs
        without a better validation ELBO, and keep the best epoch's weights; needs a holdout.
    precision: "bfloat16" multiplies in it, where the device has units for that; weights, Adam, sums and scores stay
        float32. `InputError` where it would be slower.
    seed: of order and noise; the same seed on the same device gives the same weights. The model's first weights
        are the caller's, see `seeded`.
    resume: a state of this very model to go on from, as if it had never stopped; its seed, device, precision, ε and
        first learning rate are kept, whatever is said here. Give it the same data and holdout.
    after_epoch: called with the state after each epoch.

    History: ``epoch``, ``beta``, and for train, validation and test the means per sample, in nats, of
    ``{set}_elbo``, ``{set}_log_likelihood``, ``{set}_kl``: one-sample estimates at β = 1. Train values are averages
    over the epoch, while the weights move; the others are of the weights after it.
    """
    check_training(epochs, batch_size, learning_rate, epsilon, beta, warmup, holdout, patience, seed)
    x, test_x = _read_through(x, "x"), None if test_x is None else _read_through(test_x, "test_x")
    check_data(model, x, test_x, binarize=binarize)
    if resume is not None and resume.model is not model:
        raise InputError("resume: is the state of another model; fit the one that it holds, resume.model")
    state = resume or TrainState.start(
        model, learning_rate=learning_rate, epsilon=epsilon, precision=precision, seed=seed, device=device
    )
    state.to_last()
    codes = [_codes(model, *given) for given in ((x, condition, "x"), (test_x, test_condition, "test_x"))]
    data, scored = _parts(x, test_x, *codes, holdout, state.seed, state.device)
    steps = TrainStep(state, batch_size, binarize=binarize)
    count = -(-len(data) // batch_size)
    with tqdm(
        total=epochs * count, initial=state.epoch * count, unit="step", disable=None if progress else True, leave=False
    ) as bar:
        while state.epoch < epochs and not state.stopped_early(patience):
            weight = beta_at(state.epoch + 1, beta, warmup)
            state.take_rate(schedule)
            bar.set_description(f"epoch {state.epoch + 1}/{epochs}")
            means = train_epoch(steps, data, weight, bar.update)
            row = {"beta": weight} | _prefixed("train", means)
            for name, part in scored.items():
                row |= _prefixed(name, _scores(state.model, part, state.seed, binarize))
            _record(state, row, keep_best=patience is not None)
            if after_epoch is not None:
                after_epoch(state)
    state.to_best()
    return state.history


def train_epoch(
    steps: TrainStep, data: MemoryLoader | DiskLoader, beta: float, advance: Callable[[int], Any] = lambda steps: None
) -> dict[str, float]:
    """One pass over the data in random order; returns the mean log-likelihood and KL per sample, in nats."""
    order = torch.randperm(len(data), generator=steps.state.shuffling)
    steps.begin_epoch(beta)
    with _in_mode(steps.state.model, training=True):
        for batch in data.shuffled(order, steps.batch_size):
            steps(*batch)
            advance(1)
    return _means(steps.sums, len(data), has_kl=steps.has_kl)


def evaluate(
    model: nn.Module, x: Any, condition: Any = None, *, seed: int = 0, binarize: bool = False
) -> dict[str, float]:
    """Means over x (N, *sample) of log-likelihood, KL and ELBO per sample, in nats: one-sample estimates.

    condition: (N,) labels, for a conditional model. binarize: score 0 and 1, drawn with the values as chances, see
        `fit`.
    In float32. The noise is the same for the same seed, so that epochs and runs can be compared. The ELBO of a model
    without KL is left out.
    """
    place = next(model.parameters()).device
    x = x if isinstance(x, Tensor) else _read_through(x, "x")
    check_data(model, x, binarize=binarize)
    return _scores(model, make_loader(x, place, codes=_codes(model, x, condition, "x")), seed, binarize)


@torch.no_grad()
def _scores(model: nn.Module, data: MemoryLoader | DiskLoader, seed: int, binarize: bool) -> dict[str, float]:
    noise = torch.Generator(data.device).manual_seed(seed)
    sums = torch.zeros(2, dtype=sums_dtype(data.device), device=data.device)
    with _in_mode(model, training=False):
        for x, *given in data.in_order(EVALUATION_BATCH):
            x = draw_binary(x, noise) if binarize else x
            log_likelihood, kl = model.terms(x, noise, *given)
            accumulate(sums, log_likelihood, kl)
    return _means(sums, len(data), has_kl=kl is not None)


def seeded(build: Callable[..., nn.Module], *args: Any, seed: int, **settings: Any) -> nn.Module:
    """``build(*args, **settings)`` with first weights that depend on the seed alone; global random state is kept."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        return build(*args, **settings)


def training_options() -> dict[str, Option]:
    """The options of `fit` that a person can write, and that a run's config holds."""
    return {key: option for key, option in options_of(fit).items() if key not in ("progress", "resume", "after_epoch")}


def check_data(model: nn.Module, x: np.ndarray, test_x: np.ndarray | None = None, *, binarize: bool = False) -> None:
    """`InputError` unless samples (N, *sample) have the model's shape, and values that its likelihood takes.

    binarize: they must be chances of a 1, whatever the likelihood.
    """
    expected = getattr(getattr(model, "decoder", None), "sample_shape", None)
    likelihood = getattr(model, "likelihood", None)
    for name, part in {"x": x, "test_x": test_x}.items():
        if part is not None and expected is not None and part.shape[1:] != tuple(expected):
            raise InputError(f"{name}: got samples of shape {part.shape[1:]}, the model takes {tuple(expected)}")
        if part is not None and hasattr(likelihood, "check"):
            likelihood.check(part)
        low, high = data_range(part) if part is not None and binarize else (0, 1)
        if not (low >= 0 and high <= 1):
            found = f"the values lie in [{low:.3g}, {high:.3g}]"
            raise InputError(f"{name}: {found}; to binarize, they must be chances of a 1, in [0, 1]")


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


def _read_through(x: Any, name: str) -> np.ndarray | SampleStream:
    """Samples that can be had in any order, all of them finite."""
    x = check_samples(x, name)
    if isinstance(x, Batches):
        raise InputError(
            f"{name}: got batches, and training takes samples in random order; give an array, in memory or on disk"
        )
    if is_out_of_core(x):
        for _ in iterate_batches(x, None, desc=f"reading {name}", name=name):
            pass
    return x


def _codes(model: nn.Module, x: np.ndarray | SampleStream | None, condition: Any, name: str) -> np.ndarray | None:
    """The place of each sample's class among those of a conditional model, (N,); None for a plain one."""
    classes = getattr(model, "classes", None)
    if classes is None and condition is not None:
        raise InputError(f"{name}: got a condition, and the model takes none")
    if classes is None or x is None:
        return None
    codes = class_codes(condition, classes, of=name)
    if len(codes) != len(x):
        raise InputError(f"{name}: got {len(codes)} labels for {len(x)} samples")
    return codes


def _parts(
    x: np.ndarray | SampleStream,
    test_x: np.ndarray | SampleStream | None,
    codes: np.ndarray | None,
    test_codes: np.ndarray | None,
    holdout: float,
    seed: int,
    device: torch.device,
) -> tuple[MemoryLoader | DiskLoader, dict[str, MemoryLoader | DiskLoader]]:
    """The data to train on, and by name those to score."""
    train, validation = _split(len(x), holdout, seed)
    scored = {} if validation is None else {"validation": make_loader(x, device, validation, codes)}
    if test_x is not None:
        scored["test"] = make_loader(test_x, device, None, test_codes)
    return make_loader(x, device, train, codes), scored


def _split(count: int, holdout: float, seed: int) -> tuple[np.ndarray | None, np.ndarray | None]:
    """Which samples to train on, None for all of them, and which to validate on, None for none."""
    if holdout == 0:
        return None, None
    held = max(1, round(holdout * count))
    if held >= count:
        raise InputError(f"holdout = {holdout}: leaves none of {count} samples to train on")
    order = np.random.default_rng(seed).permutation(count)
    return np.sort(order[held:]), np.sort(order[:held])


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


def _means(sums: Tensor, count: int, *, has_kl: bool) -> dict[str, float]:
    log_likelihood, kl = (sums / count).tolist()
    if not np.isfinite(log_likelihood + kl):
        raise InputError("training diverged: the ELBO is no longer finite; lower the learning rate, or check the data")
    if not has_kl:
        return {"log_likelihood": log_likelihood}
    return {"elbo": log_likelihood - kl, "log_likelihood": log_likelihood, "kl": kl}


def _prefixed(part: str, means: dict[str, float]) -> dict[str, float]:
    return {f"{part}_{name}": value for name, value in means.items()}


def _record(state: TrainState, row: dict[str, float], *, keep_best: bool) -> None:
    if state.history and set(row) != set(state.history) - {"epoch"}:
        before = ", ".join(state.history)
        raise InputError(f"resume: its history has other columns ({before}): give the same test_x and holdout again")
    state.epoch += 1
    for name, value in {"epoch": state.epoch, **row}.items():
        state.history.setdefault(name, []).append(value)
    scores = _validation(state)
    if keep_best and scores[-1] >= max(scores):
        state.best = _copied(state.model)
        state.best_epoch = state.epoch


def _copied(model: nn.Module) -> dict[str, Tensor]:
    return {name: value.detach().clone() for name, value in model.state_dict().items()}


def _validation(state: TrainState) -> list[float]:
    history = state.history
    return history.get("validation_elbo") or history.get("validation_log_likelihood") or []
