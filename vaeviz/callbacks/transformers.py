"""A callback for the Trainer of Hugging Face Transformers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal

from transformers import TrainerCallback

from vaeviz.callbacks.watch import Watch


class TrainerWatch(TrainerCallback):  # type: ignore[misc]  # its base is untyped where it is not installed
    """Watch a training of the Hugging Face Trainer.

    Parameters
    ----------
    watch : Watch
        The object that `vaeviz.watch` returns.
    per : {"epoch", "step"}, default "epoch"
        What `every` of the watch counts. Numbers that the Trainer logs within an epoch are written only per step.
    parts : callable, optional
        Returns ``(encoder, decoder)`` of the model. By default, `vaeviz.open` finds them.
    """

    def __init__(
        self, watch: Watch, *, per: Literal["epoch", "step"] = "epoch", parts: Callable[[Any], Any] | None = None
    ) -> None:
        watch.per = per
        self.watch, self.per, self.parts = watch, per, parts or (lambda model: (model,))

    def on_epoch_end(self, args: Any, state: Any, control: Any, *, model: Any = None, **others: Any) -> None:
        """Draw after an epoch.

        Parameters
        ----------
        args, state, control, model, **others : object
            See Transformers.
        """
        if self.per == "epoch" and state.is_world_process_zero:
            self.watch(round(state.epoch), *self.parts(model))

    def on_step_end(self, args: Any, state: Any, control: Any, *, model: Any = None, **others: Any) -> None:
        """Draw after a step of the optimizer.

        Parameters
        ----------
        args, state, control, model, **others : object
            See Transformers.
        """
        if self.per == "step" and state.is_world_process_zero and self.watch.is_due(state.global_step):
            self.watch(state.global_step, *self.parts(model))

    def on_log(self, args: Any, state: Any, control: Any, logs: Mapping[str, Any] | None = None, **others: Any) -> None:
        """Write the numbers that the Trainer logs.

        Parameters
        ----------
        args, state, control : object
            See Transformers.
        logs : mapping, optional
            Numbers by name.
        **others : object
            See Transformers.
        """
        is_whole_epoch = float(state.epoch or 0).is_integer()
        if state.is_world_process_zero and logs and (self.per == "step" or is_whole_epoch):
            self.watch.log(state.global_step if self.per == "step" else int(state.epoch or 0), **logs)

    def on_train_end(self, args: Any, state: Any, control: Any, **others: Any) -> None:
        """Close the watch.

        Parameters
        ----------
        args, state, control, **others : object
            See Transformers.
        """
        self.watch.close()
