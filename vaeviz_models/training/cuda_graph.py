"""Training steps that are captured once in a CUDA graph and then replayed."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from vaeviz.errors import InputError
from vaeviz_models.training.state import TrainState

WARM_UP_STEPS = 3  # plain steps before a capture, in which libraries create handles and Adam creates its moments


class GraphedStep:
    """Training step on batches of one size: plain at first, then captured in a CUDA graph and replayed.

    A replay is one launch instead of about a hundred. What the step reads and writes keeps its place in memory.

    Parameters
    ----------
    step : callable
        ``step(*batch)`` takes one plain step.
    state : TrainState
        State that the step updates, on a CUDA device.
    """

    def __init__(self, step: Callable[..., None], state: TrainState) -> None:
        self.step, self.state = step, state
        self.n_warm_up = WARM_UP_STEPS
        self.side_stream = torch.cuda.Stream(state.device)  # type: ignore[no-untyped-call]  # torch has no types here
        self.graph: torch.cuda.CUDAGraph | None = None
        self.batch: list[Tensor] = []

    def discard(self) -> None:
        """Discard the captured step, so that the next one is captured again."""
        self.graph = None

    def __call__(self, *batch: Tensor) -> None:
        """Take one step.

        Parameters
        ----------
        *batch : Tensor
            Samples, and for a conditional model their class indices, always of the same shapes.
        """
        with torch.cuda.device(self.state.device):
            if self.n_warm_up:
                self._step_on_side_stream(*batch)
                self.n_warm_up -= 1
                return
            graph = self._capture(*batch) if self.graph is None else self.graph
            for place, part in zip(self.batch, batch):
                place.copy_(part)
            graph.replay()

    def _step_on_side_stream(self, *batch: Tensor) -> None:
        """Take a plain step on the side stream, as CUDA requires before a capture."""
        main = torch.cuda.current_stream()
        self.side_stream.wait_stream(main)
        with torch.cuda.stream(self.side_stream):
            self.step(*batch)
        main.wait_stream(self.side_stream)

    def _capture(self, *batch: Tensor) -> torch.cuda.CUDAGraph:
        """Record a step without taking it."""
        self.graph, self.batch = torch.cuda.CUDAGraph(), [part.clone() for part in batch]
        self.graph.register_generator_state(self.state.noise)
        groups, main = self.state.optimizer.param_groups, torch.cuda.current_stream()
        try:
            for group in groups:
                group["capturable"] = True
            with torch.cuda.graph(self.graph, stream=self.side_stream):
                self.step(*self.batch)
        except RuntimeError as error:
            torch.cuda.set_stream(main)  # a failed capture leaves its own stream current, and hides the first error
            reason = str(error.__context__ or error).splitlines()[0][:200]
            raise InputError(
                f"A step of this {type(self.state.model).__name__} cannot be captured in a CUDA graph ({reason}).",
                fix="Set model.capturable = False, in a new process.",
            ) from error
        finally:
            for group in groups:
                group["capturable"] = False
        return self.graph


def can_capture(state: TrainState) -> bool:
    """Return True if steps of a training can be captured in a CUDA graph.

    Parameters
    ----------
    state : TrainState
        The training.

    Returns
    -------
    bool
        Whether it runs on CUDA with a model that is `capturable`, and with the fused Adam, which counts its steps
        on the device.
    """
    fused = all(group["fused"] for group in state.optimizer.param_groups)
    return bool(fused and state.device.type == "cuda" and getattr(state.model, "capturable", False))
