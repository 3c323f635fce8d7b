"""Run the tasks of a set in several processes, which joblib starts and supplies with the inputs.

The results are the same, byte by byte, as those of one process: models, codes and options are sent as they are, and
each worker takes over the state of this process that changes a figure.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from pickle import PicklingError
from typing import Any, NamedTuple, Protocol, cast

from vaeviz.analysis.shared_estimates import share_estimates
from vaeviz.errors import warn_user
from vaeviz.plugins import registry
from vaeviz.plugins.object_refs import folder_on_path

PARENT_POLL_SECONDS = 0.1  # how often a worker looks whether its parent still runs

_keeps_workers: ContextVar[bool] = ContextVar("keeps_workers", default=False)
_worker_context = contextlib.ExitStack()  # in a worker, of all its tasks


class Task(Protocol):
    """A unit of work on inputs by name, done in this process or in another one."""

    def run(self, inputs: Mapping[str, Any]) -> Any:
        """Do the work.

        Parameters
        ----------
        inputs : mapping
            Inputs by name.

        Returns
        -------
        object
            The result, which can be sent to another process.
        """

    def failed(self, reason: str) -> Any:
        """Return the result to report if the process ended before the task was done.

        Parameters
        ----------
        reason : str
            Why it is lost.

        Returns
        -------
        object
            The result.
        """


class Completed(NamedTuple):
    """A task that is done, with its result and the seconds that it took."""

    task: Task
    result: Any
    seconds: float


Completion = Generator[Completed, None, None]
"""Tasks in order of completion."""


class NotSendableError(Exception):
    """Error for inputs or tasks that cannot be sent to another process. The message says which, and why."""


@dataclass(frozen=True)
class WorkerState:
    """State of this process that changes a figure.

    Attributes
    ----------
    rc_params : dict
        The rcParams that differ from those matplotlib starts with.
    torch_threads : int, optional
        Threads of torch, because their number changes the last digits; None if torch is not imported.
    entries : list of RuntimeEntry
        Plots, embeddings and adapters registered at run time.
    """

    rc_params: dict[str, Any]
    torch_threads: int | None
    entries: list[registry.RuntimeEntry]

    def apply(self) -> None:
        """Take over this state, in the process that calls it."""
        import matplotlib

        rc_params: Any = matplotlib.rcParams
        rc_params.update(self.rc_params)
        for entry in self.entries:
            registry.add(entry.group, entry.name, cast("Callable[..., Any]", entry.target))
        if self.torch_threads is not None and "torch" in sys.modules:
            sys.modules["torch"].set_num_threads(self.torch_threads)


def run_tasks(tasks: Sequence[Task], inputs: Mapping[str, Any], jobs: int) -> Completion:
    """Run tasks in several processes, and those that cannot be sent to one in this process.

    Parameters
    ----------
    tasks : sequence of Task
        The tasks.
    inputs : mapping
        Inputs of all tasks by name, with the codes of x.
    jobs : int
        Number of processes.

    Yields
    ------
    Completed
        The tasks in order of completion. A task that ends its process is "failed"; the others are done.

    Warns
    -----
    UserWarning
        If the inputs cannot be sent to a worker.
    """
    waiting = dict.fromkeys(tasks)
    n_jobs = min(jobs, len(tasks))
    if n_jobs > 1:
        try:
            with closing(_run_in_workers(tasks, inputs, n_jobs)) as running:
                for completed in running:
                    del waiting[completed.task]
                    yield completed
        except NotSendableError as error:
            warn_user(UserWarning(f"jobs={jobs} ignored: {error}. The work is done in one process."))
    for task in waiting:
        began = time.perf_counter()
        yield Completed(task, task.run(inputs), time.perf_counter() - began)


@contextlib.contextmanager
def keep_workers() -> Iterator[None]:
    """Keep the workers of one set for the next sets until the block ends, because each imports many libraries."""
    token = _keeps_workers.set(True)
    try:
        yield
    finally:
        _keeps_workers.reset(token)
        _end_workers()


def _run_in_workers(tasks: Sequence[Task], inputs: Mapping[str, Any], n_jobs: int) -> Completion:
    """Run tasks in other processes, or raise `NotSendableError` if one of them cannot get the inputs."""
    state = _current_state()
    _check_sendable({**inputs, **{f"{entry.name} (registered at run time)": entry for entry in state.entries}})
    waiting = dict.fromkeys(tasks)
    try:
        with closing(_send_tasks(tasks, inputs, state, n_jobs)) as running:
            for completed in running:
                del waiting[completed.task]
                yield completed
    except BrokenProcessPool as error:
        _check_received(error)
        yield from _run_one_by_one(list(waiting), inputs, state)
    except (PicklingError, OSError) as error:
        raise NotSendableError(f"the inputs cannot be sent to another process ({_remote_cause(error)})") from error
    finally:
        if not _keeps_workers.get():
            _end_workers()


def _run_one_by_one(tasks: Sequence[Task], inputs: Mapping[str, Any], state: WorkerState) -> Completion:
    """Run each task while no other runs, so that a process that ends tells which task ended it."""
    for task in tasks:
        try:
            with closing(_send_tasks([task], inputs, state, 2)) as results:
                yield from results
        except BrokenProcessPool as error:
            exits = next((line for line in str(error).splitlines() if "exit code" in line), type(error).__name__)
            reason = f"The process that ran it ended ({exits.rstrip('.')}). It may have run out of memory."
            yield Completed(task, task.failed(reason), 0.0)


def _send_tasks(tasks: Sequence[Task], inputs: Mapping[str, Any], state: WorkerState, n_jobs: int) -> Completion:
    """Run tasks by joblib, which memory-maps the large arrays among the inputs."""
    from joblib import Parallel, delayed

    pool = Parallel(
        n_jobs=n_jobs,
        backend="loky",
        return_as="generator_unordered",
        batch_size=1,
        pre_dispatch="all",
        mmap_mode="c",  # arrays stay writable, and a write stays in the worker
        initializer=_start_worker,
        initargs=(os.getpid(), _modules_off_path()),
    )
    run = delayed(_run_in_worker)
    with closing(pool(run(index, task, inputs, state) for index, task in enumerate(tasks))) as results:
        for index, result, seconds in results:
            yield Completed(tasks[index], result, seconds)


def _run_in_worker(index: int, task: Task, inputs: Mapping[str, Any], state: WorkerState) -> tuple[int, Any, float]:
    state.apply()
    began = time.perf_counter()
    result = task.run(inputs)
    return index, result, time.perf_counter() - began


def _modules_off_path() -> list[tuple[str, Path]]:
    """Return imported modules whose folder is not on ``sys.path`` any more, with the folder: the user named them."""
    listed = {Path(entry).resolve() for entry in sys.path}
    found = []
    for name, module in sys.modules.copy().items():
        file = getattr(module, "__file__", None)
        if file is None or "." in name or name == "__main__":
            continue
        folder = Path(file).resolve().parent
        folder = folder.parent if Path(file).stem == "__init__" else folder
        if folder not in listed:
            found.append((name, folder))
    return found


def _start_worker(parent: int, modules: list[tuple[str, Path]]) -> None:
    """Prepare a new worker, before it imports what the tasks need."""
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # threads that wait leave their core to other workers
    os.environ.setdefault("KMP_BLOCKTIME", "0")
    os.environ["TQDM_DISABLE"] = "1"
    logging.getLogger("fontTools").setLevel(logging.ERROR)  # it logs each font that a PDF embeds
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the parent, too, and the parent ends its workers
    threading.Thread(target=_end_with_parent, args=(parent,), daemon=True).start()
    _worker_context.enter_context(share_estimates())
    for name, folder in modules:
        with contextlib.suppress(Exception), folder_on_path(folder):
            importlib.import_module(name)


def _end_with_parent(parent: int) -> None:
    """End this process soon after its parent, even if the parent was killed."""
    while os.getppid() == parent:
        time.sleep(PARENT_POLL_SECONDS)
    os._exit(1)


def _end_workers() -> None:
    """End the workers, which joblib would otherwise keep for a later call."""
    from joblib.externals.loky import get_reusable_executor

    get_reusable_executor(reuse=True).shutdown(wait=True)


def _current_state() -> WorkerState:
    import matplotlib

    current: Any = matplotlib.rcParams
    initial: Any = matplotlib.rcParamsOrig
    changed = {key: current[key] for key in current if not key.startswith("backend") and current[key] != initial[key]}
    torch = sys.modules.get("torch")
    names = {group: registry.runtime_only(group) for group in registry.ENTRY_KINDS}
    entries = [entry for entry in registry.runtime_entries() if entry.name in names.get(entry.group, ())]
    return WorkerState(changed, None if torch is None else torch.get_num_threads(), entries)


def _check_sendable(objects: Mapping[str, Any]) -> None:
    """Raise `NotSendableError` for an object that cannot be pickled. Arrays are skipped, since they can."""
    import numpy as np
    from joblib.externals.loky.backend.reduction import get_loky_pickler

    class Probe(get_loky_pickler()):  # type: ignore[misc]  # joblib has no types
        def persistent_id(self, value: object) -> str | None:
            return "array" if isinstance(value, np.ndarray) and value.dtype != object else None

    for name, value in objects.items():
        try:
            Probe(io.BytesIO()).dump(value)
        except Exception as error:
            raise NotSendableError(
                f"{name} is a live object that cannot be sent to another process ({type(error).__name__}: {error})"
            ) from error


def _check_received(error: BrokenProcessPool) -> None:
    """Raise `NotSendableError` unless a worker ended, which can be the fault of one task."""
    from joblib.externals.loky.process_executor import TerminatedWorkerError

    if not isinstance(error, TerminatedWorkerError):
        raise NotSendableError(f"another process cannot open the inputs ({_remote_cause(error)})") from error


def _remote_cause(error: BaseException) -> str:
    """Return the last line of the traceback that a worker or joblib attached to an error, or the error itself."""
    return (str(error.__cause__ or "").strip().strip('"').strip() or repr(error)).splitlines()[-1]
