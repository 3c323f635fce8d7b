"""A callback for `fit` of Keras 3, on any backend."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Literal

from keras.callbacks import Callback

from vaeviz.callbacks.watch import Watch


class KerasWatch(Callback):  # type: ignore[misc]  # Keras is untyped
    """Watch a training of Keras.

    Parameters
    ----------
    watch : Watch
        The object that `vaeviz.watch` returns.
    per : {"epoch", "step"}, default "epoch"
        What `every` of the watch counts.
    parts : callable, optional
        Returns ``(encoder, decoder)`` of the model. By default, `vaeviz.open` finds them.
    """

    def __init__(
        self, watch: Watch, *, per: Literal["epoch", "step"] = "epoch", parts: Callable[[Any], Any] | None = None
    ) -> None:
        super().__init__()
        watch.per = per
        self.watch, self.per, self.parts, self.n_steps = watch, per, parts or (lambda model: (model,)), 0

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Draw after an epoch, and write its metrics.

        Parameters
        ----------
        epoch : int
            Number of the epoch, from 0.
        logs : mapping, optional
            Metrics by name.
        """
        if self.per == "epoch":
            with self._restored_state():
                self.watch(epoch + 1, *self.parts(self.model), **(logs or {}))

    def on_train_batch_end(self, batch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Draw after a step.

        Parameters
        ----------
        batch : int
            Number of the batch in its epoch.
        logs : mapping, optional
            Metrics by name.
        """
        self.n_steps += 1
        if self.per == "step" and self.watch.is_due(self.n_steps):
            with self._restored_state():
                self.watch(self.n_steps, *self.parts(self.model), **(logs or {}))

    def on_train_end(self, logs: Mapping[str, Any] | None = None) -> None:
        """Close the watch.

        Parameters
        ----------
        logs : mapping, optional
            Metrics by name.
        """
        self.watch.close()

    @contextmanager
    def _restored_state(self) -> Iterator[None]:
        """Restore the seeds of layers afterwards, which advance when a layer draws numbers."""
        from keras import ops

        state = [(variable, ops.copy(variable.value)) for variable in self.model.non_trainable_variables]
        try:
            yield
        finally:
            for variable, value in state:
                variable.assign(value)
