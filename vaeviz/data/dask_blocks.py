"""Run a function on the blocks of a dask array, where they are: threads, processes, or the workers of a cluster."""

from __future__ import annotations

import pickle
import platform
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from vaeviz.data.out_of_core import shorten
from vaeviz.errors import InputError

MAX_PENDING_BYTES = 1 << 28  # of results that are in memory at once, apart from those of a single block
INSTALL_ADVICE = "Install the same libraries on this machine, the scheduler and the workers."


def is_dask_array(x: Any) -> bool:
    """Return True for a dask array.

    Parameters
    ----------
    x : object
        Any object.

    Returns
    -------
    bool
        Whether it is one. This does not import dask.
    """
    dask_array = sys.modules.get("dask.array")
    return dask_array is not None and isinstance(x, dask_array.Array)


@dataclass(frozen=True)
class Cluster:
    """How functions are sent to the workers of a cluster.

    Parameters
    ----------
    dumps : callable
        Pickles a function and what it refers to.
    send_module : str
        The line that sends the file of a module to the workers, with ``{}`` for its name.
    is_this_process : bool
        True if blocks are run in threads of this process.
    """

    dumps: Callable[[Any], bytes]
    send_module: str
    is_this_process: bool = False


def dask_cluster() -> Cluster:
    """Return how functions are sent to the workers of the scheduler that dask uses."""
    import cloudpickle
    import dask.base
    import dask.local
    import dask.threaded

    runs_here = dask.base.get_scheduler() in (None, dask.threaded.get, dask.local.get_sync)
    return Cluster(cloudpickle.dumps, 'client.upload_file("{}.py")', runs_here)


class ShippedFunction:
    """A function that is sent to the workers of a cluster, and loaded once in each process.

    Parameters
    ----------
    function : callable
        The function, with the model that it calls.
    name : str
        Name in messages.
    cluster : Cluster
        Where it is sent to. One that cannot be sent is called as it is where blocks are run in this process.

    Raises
    ------
    InputError
        If it cannot be sent.
    """

    def __init__(self, function: Callable[..., Any], name: str, cluster: Cluster) -> None:
        self.name, self.data, self.send_module = name, b"", cluster.send_module
        self._function: Callable[..., Any] | None = None
        self.versions: dict[str, str] = {}
        try:
            self.data = cluster.dumps(function)
        except Exception as error:
            if cluster.is_this_process:
                self._function = function
                return
            raise InputError(
                f"{name} cannot be sent to the workers ({type(error).__name__}: {error}).",
                got=type(error).__name__,
                expected="a function that can be pickled",
                fix="Pass a function or a module that holds no open file, lock or connection.",
            ) from error
        self.versions = library_versions()

    def load(self) -> Callable[..., Any]:
        """Return the function, in a process of the cluster.

        Returns
        -------
        callable
            The same object for each call in a process.

        Raises
        ------
        InputError
            If this process lacks a library that the function needs, or has another version of it.
        """
        if self._function is not None:
            return self._function
        own = library_versions(self.versions)
        differing = {name: version for name, version in self.versions.items() if own[name] != version}
        if differing:
            ours = ", ".join(f"{name} {own[name] or 'not installed'}" for name in differing)
            theirs = ", ".join(f"{name} {version}" for name, version in differing.items())
            raise InputError(
                f"{self.name} was sent by a process with {theirs}, but a worker has {ours}.",
                got=ours,
                expected=theirs,
                fix=INSTALL_ADVICE,
            )
        try:
            function: Callable[..., Any] = _load_once(self.data)
        except ModuleNotFoundError as error:
            raise InputError(
                f"A worker cannot load {self.name}: it has no module {error.name!r}.",
                got=f"no module {error.name!r}",
                expected=str(error.name),
                fix=f"Install it on the workers, or write {self.send_module.format(error.name)} if it is a file.",
            ) from error
        except Exception as error:
            raise InputError(
                f"A worker cannot load {self.name} ({type(error).__name__}: {error}).", fix=INSTALL_ADVICE
            ) from error
        return function


def library_versions(names: Any = None) -> dict[str, str]:
    """Return the versions of Python, and of torch and JAX where they are in use.

    Parameters
    ----------
    names : iterable of str, optional
        The libraries to look for, which are imported. By default, those that this process has imported.

    Returns
    -------
    dict of str to str
        Versions by name; empty for a library that is not installed.
    """
    from importlib.metadata import PackageNotFoundError, version

    versions = {}
    for name in names or ("python", *(name for name in ("torch", "jax") if name in sys.modules)):
        try:
            found = platform.python_version().rpartition(".")[0] if name == "python" else version(name)
        except PackageNotFoundError:
            found = ""
        versions[name] = found.partition("+")[0]  # a build for a GPU reads what one for a CPU wrote
    return versions


def map_row_blocks(
    shipped: ShippedFunction,
    x: Any,
    *per_row: np.ndarray | None,
    bytes_per_row: int,
) -> Iterator[Any]:
    """Run a function on each block of rows, and yield what it returns in the order of the rows.

    The scheduler is the one that dask uses: threads, processes, or the cluster of a `distributed.Client`. It runs a
    block again if a worker is lost.

    Parameters
    ----------
    shipped : ShippedFunction
        Receives the rows of a block and those of each array in `per_row`. It runs in one thread of a process at a time.
    x : dask.array.Array, shape (N, ...)
        The array.
    *per_row : ndarray, shape (N, ...), or None
        Further arrays, in memory.
    bytes_per_row : int
        Size of what the function returns for a row, which bounds how many blocks are computed at once.

    Yields
    ------
    Any
        What the function returns for a block. Blocks without rows are left out.

    Raises
    ------
    InputError
        If a block fails (the message names it), or the cluster fails.
    """
    import dask

    x = x.rechunk(dict.fromkeys(range(1, x.ndim), -1))  # a block holds whole rows
    blocks = x.to_delayed().ravel()
    with _scheduler_errors():
        on_workers = dask.persist(dask.delayed(shipped, traverse=False))[0]
    run = dask.delayed(run_on_block, pure=False)
    for group in group_blocks(x.chunks[0], bytes_per_row):
        yield from _compute(
            [
                run(
                    on_workers,
                    (number, rows.start),
                    blocks[number],
                    *(None if part is None else part[rows] for part in per_row),
                )
                for number, rows in group
            ]
        )


def group_blocks(sizes: Sequence[int], bytes_per_row: int) -> Iterator[list[tuple[int, slice]]]:
    """Yield groups of blocks that are computed at once.

    Parameters
    ----------
    sizes : sequence of int
        Number of rows of each block.
    bytes_per_row : int
        Size of what is computed for a row.

    Yields
    ------
    list of (int, slice)
        Number and rows of each block. Blocks without rows are left out.
    """
    group: list[tuple[int, slice]] = []
    n_rows = stop = 0
    for number, size in enumerate(sizes):
        start, stop = stop, stop + int(size)
        if not size:
            continue
        group.append((number, slice(start, stop)))
        n_rows += stop - start
        if n_rows * bytes_per_row > MAX_PENDING_BYTES:
            yield group
            group, n_rows = [], 0
    if group:
        yield group


def _compute(tasks: list[Any]) -> Any:
    import dask

    with _scheduler_errors():
        return dask.compute(*tasks)


@contextmanager
def _scheduler_errors() -> Iterator[None]:
    """Say what to do if the scheduler or the workers fail."""
    try:
        yield
    except InputError:
        raise
    except Exception as error:
        kind = type(error).__name__
        reason = shorten(str(error))
        fix = "See the logs of the scheduler and the workers, then try again; no data were changed."
        if kind == "KilledWorker":
            reason, fix = "workers were lost repeatedly", "Give each worker more memory, or use smaller blocks."
        elif isinstance(error, ModuleNotFoundError) or "deserializ" in reason:
            fix = INSTALL_ADVICE
        elif not type(error).__module__.startswith(("dask", "distributed", "tornado")):
            fix = "Check whether x.compute() succeeds."
        raise InputError(f"dask cannot compute the blocks of x ({kind}: {reason}).", got=kind, fix=fix) from error


def run_on_block(
    shipped: ShippedFunction,
    place: tuple[int, int],
    block: np.ndarray,
    *parts: np.ndarray | None,
) -> Any:
    """Run a function on one block, in a process of the cluster, and name the block if that fails.

    Parameters
    ----------
    shipped : ShippedFunction
        The function. It runs in one thread of a process at a time.
    place : tuple of int
        Number of the block, and number of its first row.
    block : ndarray, shape (n, ...)
        The rows.
    *parts : ndarray, shape (n, ...), or None
        Rows of further arrays.

    Returns
    -------
    Any
        What the function returns.

    Raises
    ------
    InputError
        If the function cannot be loaded, or fails.
    """
    number, start = place
    with _one_at_a_time:
        function = shipped.load()
        try:
            return function(np.asarray(block), *parts)
        except InputError as error:
            message = f"In block {number} of x, whose first row is row {start} of x: {error.message}"
            raise InputError(message, got=error.got, expected=error.expected, fix=error.fix) from error


_one_at_a_time = threading.Lock()  # a model that threads share has one mode and one random state


@lru_cache(maxsize=1)
def _load_once(data: bytes) -> Any:
    return pickle.loads(data)
