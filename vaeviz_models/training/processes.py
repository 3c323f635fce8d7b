"""The processes of a training: the rows of each batch that one process computes, and sums over all processes."""

from __future__ import annotations

import os
import time
import warnings
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, distributed, nn
from torch.nn.parallel import DistributedDataParallel
from torch.utils._python_dispatch import TorchDispatchMode

from vaeviz.errors import Fix, InputError
from vaeviz_models.models.base import TrainableModel
from vaeviz_models.training.devices import pick_device

if TYPE_CHECKING:
    from torch.distributed.distributed_c10d import Store

PACKAGES = ("torch", "vaeviz")  # whose versions must be the same in all processes
SECONDS_TO_BE_ENDED = 5.0  # a launcher ends the other processes of a failed one within a second


@dataclass(frozen=True)
class Share:
    """Rows of a batch that one process computes.

    Parameters
    ----------
    n_samples : int
        Number of samples in the whole batch.
    rows : slice
        Rows of this process, one at least.
    is_counted : bool, default True
        False if the batch has fewer samples than there are processes, and this one computes a row of another.
    """

    n_samples: int
    rows: slice
    is_counted: bool = True

    def noise(self) -> AbstractContextManager[Any]:
        """Return a context in which random numbers of a generator are those that the rows have in the whole batch.

        Returns
        -------
        context manager
            One that does nothing if the rows are the whole batch.
        """
        is_whole = self.rows == slice(0, self.n_samples)
        return nullcontext() if is_whole and self.is_counted else ShareNoise(self)

    def counted(self, log_likelihood: Tensor, kl: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """Return the terms of the rows, which are 0 if another process counts them.

        Parameters
        ----------
        log_likelihood : Tensor, shape ()
            Log-likelihood, summed over the rows.
        kl : Tensor, shape (), or None
            KL, summed over the rows.

        Returns
        -------
        log_likelihood : Tensor, shape ()
            The first term.
        kl : Tensor, shape (), or None
            The second term.
        """
        if self.is_counted:
            return log_likelihood, kl
        return 0 * log_likelihood, None if kl is None else 0 * kl


class ShareNoise(TorchDispatchMode):
    """Context in which random numbers are drawn for a whole batch, and those of a share are returned.

    A model in several processes then has the same noise as in one, and the generators of all processes stay equal.
    This applies to functions that receive a generator; torch's global generator is left alone.

    Parameters
    ----------
    share : Share
        The rows.
    """

    def __init__(self, share: Share) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # torch has no types here
        self.share = share
        self.n_rows = share.rows.stop - share.rows.start

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if kwargs.get("generator") is None:
            return func(*args, **kwargs)
        whole = [self._of_whole_batch(arg) for arg in args]
        if all(after is before for after, before in zip(whole, args)):
            raise InputError(
                f"The model draws noise with {func} whose first dimension is not the batch, so several processes "
                "cannot share it.",
                got=str(func),
                expected="noise of shape (N, ...)",
                fix=Fix("Train in one process, or draw noise of shape (N, ...)."),
            )
        drawn = func(*whole, **kwargs)[self.share.rows]
        return args[0].copy_(drawn) if func._schema.is_mutable else drawn

    def _of_whole_batch(self, arg: Any) -> Any:
        """Return a shape, or a tensor, with as many rows as the whole batch if it has those of the share."""
        if isinstance(arg, Tensor) and arg.dim() and len(arg) == self.n_rows:
            whole = arg[:1].repeat(self.share.n_samples, *[1] * (arg.dim() - 1))
            whole[self.share.rows] = arg
            return whole
        is_shape = isinstance(arg, (list, tuple)) and len(arg) > 0 and arg[0] == self.n_rows
        return [self.share.n_samples, *arg[1:]] if is_shape else arg


@dataclass(frozen=True)
class Processes:
    """The processes that train one model together, seen from one of them.

    Parameters
    ----------
    rank : int, default 0
        Number of this process.
    count : int, default 1
        Number of all processes.

    Examples
    --------
    >>> [Processes(rank, count=3).share_of(10).rows for rank in range(3)]
    [slice(0, 3, None), slice(3, 6, None), slice(6, 10, None)]
    """

    rank: int = 0
    count: int = 1

    @classmethod
    def current(cls) -> Processes:
        """Return the processes of torch's default process group; this one alone if there is none.

        Returns
        -------
        Processes
            The processes.
        """
        if not (distributed.is_available() and distributed.is_initialized()):
            return cls()
        return cls(distributed.get_rank(), distributed.get_world_size())

    def share_of(self, n_samples: int) -> Share:
        """Return the share of this process in a batch.

        Parameters
        ----------
        n_samples : int
            Number of samples in the whole batch.

        Returns
        -------
        Share
            Its rows. The shares of all processes differ by one row at most.
        """
        start, stop = self.rank * n_samples // self.count, (self.rank + 1) * n_samples // self.count
        return Share(n_samples, slice(start, stop)) if stop > start else Share(n_samples, slice(0, 1), is_counted=False)

    def sum(self, values: Tensor) -> Tensor:
        """Return the sum of a tensor over all processes, which must all call this.

        Parameters
        ----------
        values : Tensor
            Values of this process.

        Returns
        -------
        Tensor
            The same in all processes.
        """
        return self._reduced(values, distributed.ReduceOp.SUM) if self.count > 1 else values

    def min(self, values: Tensor) -> Tensor:
        """Return the minimum of a tensor over all processes, which must all call this.

        Parameters
        ----------
        values : Tensor
            Values of this process.

        Returns
        -------
        Tensor
            The same in all processes.
        """
        return self._reduced(values, distributed.ReduceOp.MIN) if self.count > 1 else values

    def distribute(self, model: TrainableModel) -> Any:
        """Return a function that computes the terms of a model, and whose gradients are means over all processes.

        Parameters
        ----------
        model : torch.nn.Module
            The model.

        Returns
        -------
        callable
            Takes the arguments of ``model.terms``.

        Raises
        ------
        InputError
            If the model has batch normalization, whose statistics would be those of a part of the batch.
        """
        if self.count == 1:
            return model.terms
        for part in model.modules():
            if isinstance(part, nn.modules.batchnorm._BatchNorm) and not isinstance(part, nn.SyncBatchNorm):
                name = type(part).__name__
                raise InputError(
                    f"The model has {name}, which would normalize the part of a batch that each process has.",
                    got=name,
                    expected="SyncBatchNorm, GroupNorm or LayerNorm",
                    fix="Train in one process, or on GPUs use torch.nn.SyncBatchNorm.convert_sync_batchnorm(model).",
                )
        return DistributedDataParallel(_Terms(model), static_graph=True)  # parameters that no term uses are allowed

    def check_same(self, facts: dict[str, Any]) -> None:
        """Raise InputError unless all processes train the same.

        Parameters
        ----------
        facts : dict
            Values by name, which must be the same in all processes.

        Raises
        ------
        InputError
            In all processes, if they differ.
        """
        if self.count > 1:
            everywhere: list[Any] = [None] * self.count
            distributed.all_gather_object(everywhere, {name: str(value) for name, value in facts.items()})
            _check_equal(everywhere)

    def _reduced(self, values: Tensor, operation: Any) -> Tensor:
        values = values.clone()
        distributed.all_reduce(values, operation)
        return values


ONE_PROCESS = Processes()


class _Terms(nn.Module):
    """The terms of a model as its forward pass, which is all that DistributedDataParallel wraps."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model

    def forward(self, *inputs: Any) -> tuple[Tensor, Tensor | None]:
        terms: tuple[Tensor, Tensor | None] = self.model.terms(*inputs)
        return terms


def launched_processes() -> int:
    """Return the number of processes that a launcher such as torchrun started together with this one.

    Returns
    -------
    int
        The environment variable ``WORLD_SIZE``, 1 without it.
    """
    return int(os.environ.get("WORLD_SIZE", "1")) if "RANK" in os.environ else 1


@contextmanager
def joined_processes(device: str) -> Iterator[Processes]:
    """Join the processes that a launcher started together: by NCCL on GPUs, one for each, and by gloo on CPUs.

    Random numbers of torch's global generator, as dropout draws them, differ from process to process.

    Parameters
    ----------
    device : str
        Device of the training, see `pick_device`.

    Yields
    ------
    Processes
        The processes; this one alone if a launcher started no others.

    Raises
    ------
    InputError
        If the device cannot be used by several processes, or if versions of torch or vaeviz differ. An error that all
        processes have is raised in one, and ends the others silently.
    """
    if launched_processes() == 1:
        yield Processes()
        return
    from torch.distributed.distributed_c10d import PrefixStore
    from torch.distributed.rendezvous import rendezvous

    store, rank, count = next(rendezvous("env://"))
    with _one_error(store), warnings.catch_warnings():
        if rank > 0:
            warnings.simplefilter("ignore")  # process 0 has the same
        check_versions(store, rank, count, {name: version(name) for name in PACKAGES})
        kind = pick_device(device).type
        check_device(kind, int(os.environ.get("LOCAL_RANK", "0")), int(os.environ.get("LOCAL_WORLD_SIZE", "1")))
        backend = "nccl" if kind == "cuda" else "gloo"
        group = PrefixStore("training", store)
        distributed.init_process_group(backend, store=group, rank=rank, world_size=count)
        torch.manual_seed(torch.initial_seed() + rank)
        yield Processes(rank, count)
        distributed.destroy_process_group()


def check_versions(store: Store, rank: int, count: int, versions: dict[str, str]) -> None:
    """Raise InputError in all processes unless they have the same versions.

    Parameters
    ----------
    store : torch.distributed.Store
        Store that all processes reach.
    rank : int
        Number of this process.
    count : int
        Number of all processes.
    versions : dict of str
        Versions of this process by name.

    Raises
    ------
    InputError
        If the versions differ.
    """
    store.set(f"versions/{rank}", ", ".join(f"{name} {text}" for name, text in versions.items()))
    everywhere = [store.get(f"versions/{other}").decode() for other in range(count)]
    _check_equal([dict(part.split(" ") for part in text.split(", ")) for text in everywhere])


def _check_equal(everywhere: list[dict[str, str]]) -> None:
    """Raise InputError unless the facts of all processes are equal."""
    for name in everywhere[0]:
        values = [facts.get(name, "missing") for facts in everywhere]
        other = next((rank for rank, value in enumerate(values) if value != values[0]), None)
        if other is not None:
            raise InputError(
                f"The processes of the training differ: {name} is {values[0]} in process 0, but {values[other]} in "
                f"process {other}.",
                got=values[other],
                expected=values[0],
                fix="Use the same software, data and settings in all processes.",
            )


def check_device(kind: str, local_rank: int, n_local: int) -> None:
    """Select the GPU of this process.

    Parameters
    ----------
    kind : str
        Type of the device, e.g. ``"cuda"``.
    local_rank : int
        Number of this process among those on this machine.
    n_local : int
        Number of processes on this machine.

    Raises
    ------
    InputError
        If there are not enough GPUs, or if several processes cannot use the device together.
    """
    if kind == "cuda":
        n_devices = torch.cuda.device_count()
        if n_local > n_devices:
            raise InputError(
                f"{n_local} processes were started, but this machine has {n_devices} GPUs.",
                got=str(n_local),
                expected=f"{n_devices} at most",
                fix=Fix("Start one process per GPU.", f"Write --devices {n_devices}, or --device cpu."),
            )
        torch.cuda.set_device(local_rank)
    elif kind != "cpu":
        raise InputError(
            f"Several processes cannot train on {kind} together.",
            got=kind,
            expected="cuda or cpu",
            fix=Fix('Pass device="cpu".', "Write --device cpu."),
        )


@contextmanager
def _one_error(store: Store) -> Iterator[None]:
    """Raise an error that all processes have in one of them, and none that follows from the end of another process."""
    try:
        yield
    except Exception as error:
        if isinstance(error, RuntimeError):  # as when the connection to a process that was killed is lost
            time.sleep(SECONDS_TO_BE_ENDED)
        if store.add(f"error/{error}", 1) > 1:
            raise SystemExit(2 if isinstance(error, InputError) else 1) from None
        raise
