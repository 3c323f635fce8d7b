"""Run a function on the blocks of a dask array, where they are: threads, processes, or the workers of a cluster."""

from __future__ import annotations

import platform
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
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


class ShippedFunction:
    """A function that is sent to the workers of a cluster, and loaded once in each process.

    One that cannot be sent is called as it is where dask runs blocks in threads of this process.

    Parameters
    ----------
    function : callable
        The function, with the model that it calls.
    name : str
        Name in messages.

    Raises
    ------
    InputError
        If it cannot be sent.
    """

    def __init__(self, function: Callable[..., Any], name: str) -> None:
        import cloudpickle

        self.name, self.data = name, b""
        self._function: Callable[..., Any] | None = None
        self.versions: dict[str, str] = {}
        try:
            self.data = cloudpickle.dumps(function)
        except Exception as error:
            if _uses_threads():
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
                fix=f'Install it on the workers, or write client.upload_file("{error.name}.py") if it is a file.',
            ) from error
        except Exception as error:
            raise InputError(
                f"A worker cannot load {self.name} ({type(error).__name__}: {error}).", fix=INSTALL_ADVICE
            ) from error
        return function


def _uses_threads() -> bool:
    """Return True if dask runs blocks in this process."""
    import dask.base
    import dask.local
    import dask.threaded

    return dask.base.get_scheduler() in (None, dask.threaded.get, dask.local.get_sync)


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
    stops = np.cumsum(x.chunks[0])
    with _scheduler_errors():
        on_workers = dask.persist(dask.delayed(shipped, traverse=False))[0]
    run = dask.delayed(_run_on_block, pure=False)
    waiting: list[Any] = []
    n_waiting = 0
    for number, (block, stop, n_rows) in enumerate(zip(blocks, stops, x.chunks[0])):
        if not n_rows:
            continue
        rows = slice(int(stop - n_rows), int(stop))
        parts = [None if part is None else part[rows] for part in per_row]
        waiting.append(run(on_workers, (number, rows.start), block, *parts))
        n_waiting += n_rows
        if n_waiting * bytes_per_row > MAX_PENDING_BYTES:
            yield from _compute(waiting)
            waiting, n_waiting = [], 0
    if waiting:
        yield from _compute(waiting)


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


def _run_on_block(
    shipped: ShippedFunction,
    place: tuple[int, int],
    block: np.ndarray,
    *parts: np.ndarray | None,
) -> Any:
    """Run a function on one block, in a process of the cluster, and name the block if that fails."""
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
    import cloudpickle

    return cloudpickle.loads(data)
