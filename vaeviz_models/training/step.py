"""One step of a training: the ELBO of a batch, its gradients, and Adam."""

from __future__ import annotations

import torch
from torch import Tensor

from vaeviz_models.training.cuda_graph import GraphedStep, can_capture
from vaeviz_models.training.precision import autocast_for
from vaeviz_models.training.processes import ONE_PROCESS, Processes, Share
from vaeviz_models.training.state import TrainState
from vaeviz_models.training.term_sums import TermSums
from vaeviz_models.training.threads import Threads, choose_threads, thread_counts, use_threads

FREED_BLOCK = 31 << 20  # bytes; glibc ignores blocks of 32 MiB and more when it adapts its thresholds


class TrainStep:
    """Steps on the batches of an epoch, and the sums of the terms of the ELBO.

    On CUDA, steps on batches of full size are replayed from a CUDA graph if the model allows it, see `GraphedStep`.

    Parameters
    ----------
    state : TrainState
        State to update.
    batch_size : int
        Samples per full batch.
    binarize : bool, default False
        Draw pixels of 0 and 1, with the values of the batch as probabilities.
    threads : int, "auto" or None, default None
        Threads of torch, see `TrainConfig`. Each step sets their number for the process.
    processes : Processes, optional
        Processes that take each step together. All must make this object and call it. Their steps are not captured.
    """

    def __init__(
        self,
        state: TrainState,
        batch_size: int,
        *,
        binarize: bool = False,
        threads: Threads = None,
        processes: Processes = ONE_PROCESS,
    ) -> None:
        self.state, self.batch_size, self.binarize, self.processes = state, batch_size, binarize, processes
        _keep_freed_memory()
        self.autocast = autocast_for(state.precision, state.device)
        self.beta = 1.0
        self.learning_rate = self._current_learning_rate()
        self.sums = TermSums(state.device, processes)
        self.terms = processes.distribute(state.model)
        self.graphed = GraphedStep(self._update, state) if processes.count == 1 and can_capture(state) else None
        self.threads = choose_threads(thread_counts(threads, state.device))

    def begin_epoch(self, beta: float) -> None:
        """Set the weight of the KL, and reset the sums.

        Parameters
        ----------
        beta : float
            Weight of the KL. A new weight or learning rate makes a captured step invalid.
        """
        if (beta, self._current_learning_rate()) != (self.beta, self.learning_rate):
            self.beta, self.learning_rate = beta, self._current_learning_rate()
            if self.graphed is not None:
                self.graphed.discard()
        self.sums.reset()

    def __call__(self, *batch: Tensor, share: Share | None = None) -> None:
        """Take one step.

        Parameters
        ----------
        *batch : Tensor
            Samples (M, ...), and for a conditional model their class indices (M,).
        share : Share, optional
            Rows that they are of a batch which several processes share; by default they are the whole batch.
        """
        n_threads = next(self.threads)
        use_threads(n_threads)
        self.state.thread_steps[n_threads] = self.state.thread_steps.get(n_threads, 0) + 1
        if self.graphed is None or len(batch[0]) != self.batch_size:
            self._update(*batch, share=share)
        else:
            self.graphed(*batch)

    def _current_learning_rate(self) -> float:
        rate: float = self.state.optimizer.param_groups[0]["lr"]
        return rate

    def _update(self, x: Tensor, *codes: Tensor, share: Share | None = None) -> None:
        share = share or Share(len(x), slice(0, len(x)))
        with share.noise():
            x = torch.bernoulli(x, generator=self.state.noise) if self.binarize else x
            with self.autocast:
                log_likelihood, kl = share.counted(*self.terms(x, self.state.noise, *codes))
        loss = -log_likelihood if kl is None else self.beta * kl - log_likelihood
        self.state.optimizer.zero_grad(set_to_none=True)
        n_per_process = share.n_samples / self.processes.count  # since gradients are means over the processes
        (loss / n_per_process).backward()  # type: ignore[no-untyped-call]  # torch has no types here
        self.state.optimizer.step()
        self.sums.add(log_likelihood, kl)


def _keep_freed_memory() -> None:
    """Make glibc keep twice `FREED_BLOCK` bytes of freed memory instead of returning them at every step.

    Its thresholds follow the largest block below 32 MiB that was ever freed (mallopt(3), M_MMAP_THRESHOLD). Gradients
    and casts come and go at every step, and fetching their pages again can take as long as the products.
    """
    torch.empty(FREED_BLOCK, dtype=torch.uint8)
