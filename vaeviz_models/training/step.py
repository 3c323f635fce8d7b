"""The steps of a training: the ELBO of a batch, its gradients, Adam; on CUDA captured once and replayed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from vaeviz.errors import InputError
from vaeviz_models.training.precision import autocast_for

if TYPE_CHECKING:
    from vaeviz_models.training.fit import TrainState

KEPT = 31 << 20
WARM_UP = 3
"""Steps before a capture, in which libraries make their handles and Adam its moments."""


class TrainStep:
    """What takes one step of a training for each batch, and sums the terms of the ELBO over an epoch.

    The sums stay on the device: no step waits for the numbers of the one before. On CUDA a step on a batch of the
    full size is captured in a CUDA graph and replayed from then on, one launch instead of a hundred, if the model
    says `capturable`; the smaller last batch of an epoch takes a plain step.
    """

    def __init__(self, state: TrainState, batch_size: int, *, binarize: bool = False):
        self.state, self.batch_size, self.binarize = state, batch_size, binarize
        _keep_freed_memory()
        self.products = autocast_for(state.precision, state.device)
        self.beta = 1.0
        self.rate = self._rate()
        self.sums = torch.zeros(2, dtype=sums_dtype(state.device), device=state.device)
        self.has_kl = True
        fused = all(group["fused"] for group in state.optimizer.param_groups)  # else Adam counts its steps on the CPU
        captures = fused and state.device.type == "cuda" and getattr(state.model, "capturable", False)
        self.warm_up = WARM_UP if captures else None
        self.side = torch.cuda.Stream(state.device) if captures else None
        self.graph: torch.cuda.CUDAGraph | None = None
        self.batch: list[Tensor] = []

    def begin_epoch(self, beta: float) -> None:
        """With that weight of the KL, and the learning rate that Adam has by now: a captured step has its own."""
        if (beta, self._rate()) != (self.beta, self.rate):
            self.beta, self.rate, self.graph = beta, self._rate(), None
        self.sums.zero_()

    def __call__(self, *batch: Tensor) -> None:
        """One step on x, and of a conditional model on the codes of their classes."""
        if self.warm_up is None or len(batch[0]) < self.batch_size:
            self._step(*batch)
            return
        with torch.cuda.device(self.state.device):
            if self.warm_up:
                self._step_aside(*batch)
                self.warm_up -= 1
                return
            if self.graph is None:
                self._capture(*batch)
            for place, part in zip(self.batch, batch):
                place.copy_(part)
            self.graph.replay()

    def _rate(self) -> float:
        return self.state.optimizer.param_groups[0]["lr"]

    def _step(self, x: Tensor, *given: Tensor) -> None:
        x = draw_binary(x, self.state.noise) if self.binarize else x
        with self.products:
            log_likelihood, kl = self.state.model.terms(x, self.state.noise, *given)
        self.has_kl = kl is not None
        loss = self.beta * kl - log_likelihood if self.has_kl else -log_likelihood
        self.state.optimizer.zero_grad(set_to_none=True)
        (loss / len(x)).backward()
        self.state.optimizer.step()
        accumulate(self.sums, log_likelihood, kl)

    def _step_aside(self, *batch: Tensor) -> None:
        """A real step on a stream of its own, as CUDA wants those before a capture."""
        main = torch.cuda.current_stream()
        self.side.wait_stream(main)
        with torch.cuda.stream(self.side):
            self._step(*batch)
        main.wait_stream(self.side)

    def _capture(self, *batch: Tensor) -> None:
        """Record a step without taking it. What it reads and writes keeps its place in memory from now on."""
        self.graph, self.batch = torch.cuda.CUDAGraph(), [part.clone() for part in batch]
        self.graph.register_generator_state(self.state.noise)
        groups, main = self.state.optimizer.param_groups, torch.cuda.current_stream()
        try:
            for group in groups:
                group["capturable"] = True
            with torch.cuda.graph(self.graph, stream=self.side):
                self._step(*self.batch)
        except RuntimeError as error:
            torch.cuda.set_stream(main)  # a capture that fails leaves its own, and hides the first error behind its own
            reason = str(error.__context__ or error).splitlines()[0][:200]
            raise InputError(
                f"a step of this {type(self.state.model).__name__} cannot be captured in a CUDA graph ({reason}); "
                "set model.capturable = False, in a new process"
            ) from error
        finally:
            for group in groups:
                group["capturable"] = False


def draw_binary(x: Tensor, noise: torch.Generator) -> Tensor:
    """0 and 1, drawn with the values of x as chances of a 1."""
    return torch.bernoulli(x, generator=noise)


def sums_dtype(device: torch.device) -> torch.dtype:
    """Of sums over all samples: float64, but on MPS, which has none."""
    return torch.float32 if device.type == "mps" else torch.float64


def accumulate(sums: Tensor, log_likelihood: Tensor, kl: Tensor | None) -> None:
    """Adds on the device."""
    sums[0] += log_likelihood.detach()
    if kl is not None:
        sums[1] += kl.detach()


def _keep_freed_memory() -> None:
    """Let glibc keep twice `KEPT` bytes that are freed, where it would return them to the system at every step.

    Its thresholds follow the largest block below 32 MiB that was ever freed (mallopt(3), M_MMAP_THRESHOLD). Gradients
    and casts come and go at every step, and fetching their pages anew can take as long as the products.
    """
    torch.empty(KEPT, dtype=torch.uint8)
