"""The settings of a training."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TypedDict

from vaeviz.errors import Fix, InputError
from vaeviz.plugins.options import options_of
from vaeviz_models.objectives import Schedule
from vaeviz_models.training.precision import Precision
from vaeviz_models.training.threads import Threads

MAX_SEED = 2**63 - 1  # the largest that torch and NumPy both accept


@dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """Settings of `fit`, checked when they are made.

    Parameters
    ----------
    epochs : int, default 10
        Passes over the training data.
    batch_size : int, default 128
        Samples per step.
    learning_rate : float, default 0.001
        Learning rate of Adam in the first epoch.
    schedule : {"constant", "burda"}, default "constant"
        How the learning rate changes, see `learning_rate_at`.
    epsilon : float, default 1e-8
        ε of Adam.
    beta : float, default 1.0
        Weight of the KL (Higgins et al. 2017).
    warmup : int, default 0
        Epochs over which the weight of the KL rises linearly from 0 to `beta` (Bowman et al. 2016).
    binarize : bool, default False
        Train on pixels of 0 and 1 that are drawn at each presentation, with the values of x as probabilities
        (Salakhutdinov & Murray 2008). Validation and test scores use one fixed draw.
    holdout : float, default 0.0
        Fraction of the training data that is kept for validation, from 0 to less than 1.
    patience : int, optional
        Stop after this many epochs without a better validation ELBO, and keep the weights of the best epoch. Needs a
        holdout. By default all epochs are trained and the last weights are kept.
    precision : {"float32", "bfloat16"}, default "float32"
        Precision of matrix products in training steps. Weights, Adam, sums and scores stay float32. bfloat16 needs a
        device with hardware support.
    seed : int, default 0
        Seed of the order of the samples and of the noise. The same seed on the same device, with the same number of
        threads, gives the same weights.
    device : str, default "auto"
        ``"auto"`` (CUDA, then MPS, then CPU), ``"cpu"``, ``"cuda"`` or ``"mps"``.
    threads : int, "auto" or None, default None
        Threads of torch on a CPU during the training. None uses the number that torch has. ``"auto"`` times steps on
        one thread and on all, and chooses again and again; the last digits of the weights then depend on the choice.

    Raises
    ------
    InputError
        If a setting has another type or is out of range, or if `patience` is set without a `holdout`.

    Examples
    --------
    >>> TrainConfig(epochs=3, beta=4.0).beta
    4.0
    """

    epochs: int = 10
    batch_size: int = 128
    learning_rate: float = 1e-3
    schedule: Schedule = "constant"
    epsilon: float = 1e-8
    beta: float = 1.0
    warmup: int = 0
    binarize: bool = False
    holdout: float = 0.0
    patience: int | None = None
    precision: Precision = "float32"
    seed: int = 0
    device: str = "auto"
    threads: Threads = None

    def __post_init__(self) -> None:
        for name, option in options_of(type(self)).items():
            object.__setattr__(self, name, option.check(getattr(self, name)))
        for name, is_valid, expected in (
            ("epochs", self.epochs >= 1, "1 or more"),
            ("batch_size", self.batch_size >= 1, "1 or more"),
            ("learning_rate", 0 < self.learning_rate < math.inf, "more than 0 and finite"),
            ("epsilon", 0 < self.epsilon < math.inf, "more than 0 and finite"),
            ("beta", 0 <= self.beta < math.inf, "0 or more and finite"),
            ("warmup", self.warmup >= 0, "0 or more"),
            ("holdout", 0 <= self.holdout < 1, "a fraction from 0 to less than 1"),
            ("patience", self.patience is None or self.patience >= 1, "1 or more, or None"),
            ("threads", self.threads in (None, "auto") or int(self.threads) >= 1, '1 or more, "auto", or None'),
            ("seed", 0 <= self.seed <= MAX_SEED, "0 or more, and less than 2**63"),
        ):
            if not is_valid:
                value = getattr(self, name)
                raise InputError(f"{name} is {value}, but must be {expected}.", got=str(value), expected=expected)
        if self.patience is not None and self.holdout == 0:
            raise InputError(
                f"patience is {self.patience}, but there is no validation set to watch.",
                got="holdout=0.0",
                expected="a holdout above 0",
                fix=Fix("Pass a holdout as well, e.g. holdout=0.1.", "Add a holdout, e.g. --holdout 0.1."),
            )


class TrainSettings(TypedDict, total=False):
    """Keyword arguments of `fit` that set the fields of a `TrainConfig`."""

    epochs: int
    batch_size: int
    learning_rate: float
    schedule: Schedule
    epsilon: float
    beta: float
    warmup: int
    binarize: bool
    holdout: float
    patience: int | None
    precision: Precision
    seed: int
    device: str
    threads: Threads
