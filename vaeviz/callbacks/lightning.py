"""A callback for the Trainer of Lightning."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

try:
    from lightning.pytorch import Callback
except ModuleNotFoundError:  # the same library under its older name
    from pytorch_lightning import Callback

from vaeviz.callbacks.watch import Watch


class LightningWatch(Callback):  # type: ignore[misc]  # its base is untyped where it is not installed
    """Watch a training of Lightning.

    Parameters
    ----------
    watch : Watch
        The object that `vaeviz.watch` returns.
    per : {"epoch", "step"}, default "epoch"
        What `every` of the watch counts.
    parts : callable, optional
        Returns ``(encoder, decoder)`` of the LightningModule. By default, `vaeviz.open` finds them.
    """

    def __init__(
        self, watch: Watch, *, per: Literal["epoch", "step"] = "epoch", parts: Callable[[Any], Any] | None = None
    ) -> None:
        super().__init__()
        watch.per = per
        self.watch, self.per, self.parts = watch, per, parts or (lambda module: (module,))

    def on_train_epoch_end(self, trainer: Any, pl_module: Any) -> None:
        """Draw after an epoch, and write the metrics that were logged.

        Parameters
        ----------
        trainer, pl_module : object
            See Lightning.
        """
        if self.per == "epoch" and trainer.is_global_zero:
            self.watch(trainer.current_epoch + 1, *self.parts(pl_module), **trainer.callback_metrics)

    def on_train_batch_end(self, trainer: Any, pl_module: Any, *arguments: Any) -> None:
        """Draw after a step of the optimizer.

        Parameters
        ----------
        trainer, pl_module, *arguments : object
            See Lightning.
        """
        step = trainer.global_step
        if self.per == "step" and trainer.is_global_zero and step and self.watch.is_due(step):
            self.watch(step, *self.parts(pl_module), **trainer.callback_metrics)

    def on_exception(self, trainer: Any, pl_module: Any, exception: BaseException) -> None:
        """Close what was opened, after an error or an interruption.

        Parameters
        ----------
        trainer, pl_module, exception : object
            See Lightning.
        """
        self.watch.close()

    def on_fit_end(self, trainer: Any, pl_module: Any) -> None:
        """Close the watch.

        Parameters
        ----------
        trainer, pl_module : object
            See Lightning.
        """
        self.watch.close()
