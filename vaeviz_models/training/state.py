"""The state of a training after an epoch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Unpack

import torch
from torch import Tensor

from vaeviz.errors import InputError
from vaeviz_models.models.base import TrainableModel
from vaeviz_models.objectives import Schedule, learning_rate_at
from vaeviz_models.training.config import TrainConfig, TrainSettings
from vaeviz_models.training.devices import pick_device
from vaeviz_models.training.precision import Precision, autocast_for

BEST_COLUMN = "best"  # 1 in the epoch whose weights are kept, 0 in the others; only with early stopping


@dataclass
class TrainState:
    """State of a training: what a checkpoint contains, and what `fit` updates epoch by epoch.

    Parameters
    ----------
    model : torch.nn.Module
        The model after `epoch` epochs.
    optimizer : torch.optim.Adam
        Adam after `epoch` epochs.
    shuffling : torch.Generator
        Source of the order of the samples, on the CPU.
    noise : torch.Generator
        Source of posterior samples, on the device.
    epoch : int, default 0
        Number of finished epochs.
    history : dict of list of float
        Columns by name, one value per epoch, as `fit` returns them.
    best : dict of Tensor, optional
        Weights of the epoch with the best validation score. Only early stopping keeps them.
    best_epoch : int, default 0
        Number of that epoch; 0 without early stopping.
    last : dict of Tensor, optional
        Weights of the last epoch, while the model holds the best ones.
    learning_rate : float, default 0.001
        Learning rate of the first epoch, which a schedule lowers.
    precision : {"float32", "bfloat16"}, default "float32"
        Precision of matrix products in a step.
    seed : int, default 0
        Seed of the training.
    thread_steps : dict of int
        Number of steps by the number of threads that torch had, which can change the last digits.
    """

    model: TrainableModel
    optimizer: torch.optim.Adam
    shuffling: torch.Generator
    noise: torch.Generator
    epoch: int = 0
    history: dict[str, list[float]] = field(default_factory=dict)
    best: dict[str, Tensor] | None = None
    best_epoch: int = 0
    last: dict[str, Tensor] | None = None
    learning_rate: float = 1e-3
    precision: Precision = "float32"
    seed: int = 0
    thread_steps: dict[int, int] = field(default_factory=dict)

    @classmethod
    def start(
        cls, model: TrainableModel, config: TrainConfig | None = None, **settings: Unpack[TrainSettings]
    ) -> TrainState:
        """Return the state before the first epoch, and move the model to its device.

        Parameters
        ----------
        model : torch.nn.Module
            Model to train, see `fit`.
        config : TrainConfig, optional
            Settings. Learning rate, ε, precision, seed and device are used.
        **settings
            Fields of `TrainConfig` that replace those of `config`.

        Returns
        -------
        TrainState
            The state.

        Raises
        ------
        InputError
            If the device cannot be used, or lacks the precision.
        """
        config = replace(config or TrainConfig(), **settings)
        device = pick_device(config.device)
        autocast_for(config.precision, device)
        model.to(device)
        fused = device.type in ("cpu", "cuda")
        return cls(
            model,
            torch.optim.Adam(model.parameters(), lr=config.learning_rate, eps=config.epsilon, fused=fused),
            torch.Generator().manual_seed(config.seed),
            torch.Generator(device).manual_seed(config.seed),
            learning_rate=config.learning_rate,
            precision=config.precision,
            seed=config.seed,
        )

    @property
    def device(self) -> torch.device:
        """Device of the model."""
        return self.noise.device

    @property
    def weights(self) -> dict[str, Tensor]:
        """Weights that the training keeps: those of the best epoch under early stopping, else the last ones."""
        return self.best if self.best is not None else self.model.state_dict()

    @property
    def weights_epoch(self) -> int:
        """Number of the epoch that `weights` belong to."""
        return self.best_epoch if self.best is not None else self.epoch

    def set_learning_rate(self, schedule: Schedule) -> None:
        """Give Adam the learning rate of the next epoch.

        Parameters
        ----------
        schedule : {"constant", "burda"}
            How the rate changes, see `learning_rate_at`.
        """
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate_at(self.epoch + 1, self.learning_rate, schedule)

    def set_patience(self, patience: int | None) -> None:
        """Start or stop keeping the weights of the best epoch.

        Parameters
        ----------
        patience : int or None
            Patience of the next epochs. None forgets the best epoch, so that the last weights are kept. If no epoch was
            kept before, the current one is the first candidate, since the weights of earlier ones are lost.
        """
        if patience is None:
            self.best, self.best_epoch = None, 0
        elif self.best is None and self.epoch in self.history.get("epoch", []) and self._validation_scores():
            self._keep_weights()
        self._mark_best_epoch()

    def stopped_early(self, patience: int | None) -> bool:
        """Return True if early stopping ends the training here.

        Parameters
        ----------
        patience : int or None
            Number of epochs without a better validation score to wait for.

        Returns
        -------
        bool
            Whether that many epochs have passed since the best one.
        """
        return patience is not None and self.best is not None and self.epoch - self.best_epoch >= patience

    def record_epoch(self, row: Mapping[str, float], *, keep_best: bool) -> None:
        """Count a finished epoch and append its row to the history.

        Parameters
        ----------
        row : mapping of str to float
            Values by column.
        keep_best : bool
            Keep the weights if no earlier epoch has a better validation score.

        Raises
        ------
        InputError
            If the history has other columns.
        """
        columns = [name for name in self.history if name not in ("epoch", BEST_COLUMN)]
        if self.history and set(row) != set(columns):
            raise InputError(
                f"The state to resume has the history columns {', '.join(columns)}, but this epoch has "
                f"{', '.join(row)}.",
                got=", ".join(row),
                expected=", ".join(columns),
                fix="Pass the same test_x and holdout as before.",
            )
        self.epoch += 1
        for name, value in {"epoch": self.epoch, **row}.items():
            self.history.setdefault(name, []).append(value)
        if keep_best and self._is_best_so_far():
            self._keep_weights()
        self._mark_best_epoch()

    def restore_best(self) -> None:
        """Give the model the weights of the best epoch, if they were kept, and set the last ones aside."""
        if self.best is not None:
            self.last = copy_weights(self.model)
            self.model.load_state_dict(self.best)

    def restore_last(self) -> None:
        """Give the model the weights of the last epoch again, to train on."""
        if self.last is not None:
            self.model.load_state_dict(self.last)
            self.last = None

    def _is_best_so_far(self) -> bool:
        scores = self._validation_scores()
        return self.best is None or scores[-1] >= scores[self.history["epoch"].index(self.best_epoch)]

    def _validation_scores(self) -> list[float]:
        return self.history.get("validation_elbo") or self.history.get("validation_log_likelihood") or []

    def _keep_weights(self) -> None:
        self.best, self.best_epoch = copy_weights(self.model), self.epoch

    def _mark_best_epoch(self) -> None:
        self.history.pop(BEST_COLUMN, None)
        if self.best is not None:
            self.history[BEST_COLUMN] = [float(epoch == self.best_epoch) for epoch in self.history["epoch"]]


def copy_weights(model: TrainableModel) -> dict[str, Tensor]:
    """Return a copy of the weights of a model.

    Parameters
    ----------
    model : torch.nn.Module
        The model.

    Returns
    -------
    dict of Tensor
        Weights by name.
    """
    return {name: value.detach().clone() for name, value in model.state_dict().items()}
