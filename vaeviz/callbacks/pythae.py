"""A callback for the trainers of Pythae."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pythae.trainers.training_callbacks import TrainingCallback

from vaeviz.callbacks.watch import Watch


class PythaeWatch(TrainingCallback):  # type: ignore[misc]  # Pythae is untyped
    """Watch a training of Pythae, after each epoch.

    Parameters
    ----------
    watch : Watch
        The object that `vaeviz.watch` returns.
    parts : callable, optional
        Returns ``(encoder, decoder)`` of the model. By default, `vaeviz.open` finds them.
    """

    def __init__(self, watch: Watch, *, parts: Callable[[Any], Any] | None = None) -> None:
        self.watch, self.parts = watch, parts or (lambda model: (model,))

    def on_log(
        self,
        training_config: Any,
        logs: Mapping[str, Any],
        *,
        model: Any = None,
        global_step: int = 0,
        rank: int = -1,
        **others: Any,
    ) -> None:
        """Draw after an epoch, and write its losses.

        Parameters
        ----------
        training_config : BaseTrainerConfig
            Settings of the training.
        logs : mapping
            Losses by name.
        model : BaseAE
            The model.
        global_step : int
            Number of the epoch, from 1.
        rank : int
            Rank of the process; -1 if there is only one.
        **others
            See Pythae.
        """
        if rank in (-1, 0):
            self.watch(global_step, *self.parts(model), **logs)

    def on_train_end(self, training_config: Any, **others: Any) -> None:
        """Close the watch.

        Parameters
        ----------
        training_config : BaseTrainerConfig
            Settings of the training.
        **others
            See Pythae.
        """
        self.watch.close()
