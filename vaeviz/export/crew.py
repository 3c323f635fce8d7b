"""Figures of one set drawn by several processes, which are spawned, never forked: a fork of a process whose libraries
have threads may hang.

They are given names and files, no objects: models are opened again by what they were named, data are memory-mapped,
and codes are those that were encoded once.
"""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from vaeviz.export.sharing import Shelf, plain
from vaeviz.plugins import registry

PATH = "pathlib.Path"
"""What marks a path among the settings of a job, which are JSON."""

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")


class Alone(Exception):
    """Why no other process can help with the drawing."""


def alive(what: str) -> Alone:
    """Since nothing spells it, no other process can have it."""
    return Alone(
        f'{what} is an object, and other processes can open names alone: a path, or "package.module:attribute"'
    )


@dataclass(frozen=True)
class Names:
    """By what names another process opens what is alive: models and callables.

    model: a path or ``package.module:attribute``, None where there is no model. inputs: the same by input.
    command: the arguments of ``vaeviz export`` that say all of it, instead. objects: what was given as an object, the
    model ("model") or inputs.
    """

    model: str | None = None
    inputs: Mapping[str, str] = field(default_factory=dict)
    command: tuple[str, ...] = ()
    objects: frozenset[str] = frozenset()

    def open(self, name: str) -> bool:
        """Whether they open that input, or the model that has it."""
        return bool(self.command) or name in self.inputs or not {name, "model"} & self.objects


def drawn_by_others(
    plots: Sequence[str], jobs: int, names: Names, job: Mapping[str, Any], inputs: Mapping[str, Any]
) -> Iterator[tuple[str, dict[str, Any] | str]]:
    """(plot, its record with its seconds, or how the process died over it) as they are done, by `jobs` processes.

    job: what else `vaeviz.export.worker` reads. All processes end with this, however it ends. Raises `Alone` before a plot
    is drawn.
    """
    with tempfile.TemporaryDirectory(prefix="vaeviz-") as folder:
        file = Path(folder) / "job.json"
        known = {"model": names.model, "names": names.inputs, "command": names.command, "given": list(inputs)}
        try:
            shared = _laid(inputs, names, Path(folder))
            file.write_text(_spelled({**job, **known, "shared": shared, **_state()}), encoding="utf-8")
        except OSError as error:
            raise Alone(f"the data cannot be laid down in {folder} ({error.strerror})") from None
        workers = [Worker(file, max(1, cores() // jobs)) for _ in range(jobs)]
        idle: queue.SimpleQueue[Worker] = queue.SimpleQueue()
        for worker in workers:
            idle.put(worker)
        with ThreadPoolExecutor(jobs) as threads:
            try:
                waiting = {threads.submit(_drawn, plot, idle): plot for plot in plots}
                yield from ((waiting[done], done.result()) for done in as_completed(waiting))
            finally:
                threads.shutdown(wait=False, cancel_futures=True)
                for worker in workers:
                    worker.dismiss()


class Worker:
    """A process that draws one plot after another. It is started when it is first needed, and again where it died."""

    def __init__(self, job: Path, threads: int):
        self._command = [sys.executable, "-P", "-m", "vaeviz.export.worker", str(job)]
        self._environment = _environment(threads)
        self._process: subprocess.Popen | None = None
        self._dismissed = False
        self._lock = threading.Lock()  # no process is started while all are being ended

    def draw(self, plot: str) -> dict[str, Any] | str:
        """The record of a plot, or how the process died over it."""
        process = self._running()
        try:
            process.stdin.write(f"{plot}\n")
            process.stdin.flush()
            answer = process.stdout.readline()
        except OSError:
            answer = ""
        if answer.endswith("\n"):
            return json.loads(answer)
        self._process = None
        return f"its process {_end(process.wait())}"

    def dismiss(self) -> None:
        """End the process, whatever it does. No other is started."""
        with self._lock:
            self._dismissed = True
            process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()

    def _running(self) -> subprocess.Popen:
        with self._lock:
            if self._dismissed:
                raise RuntimeError("dismissed")
            if self._process is None:
                self._process = subprocess.Popen(
                    self._command,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    encoding="utf-8",
                    env=self._environment,
                    start_new_session=True,  # Ctrl-C is for this process, which then dismisses the others
                )
            return self._process


def cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _drawn(plot: str, idle: queue.SimpleQueue[Worker]) -> dict[str, Any] | str:
    worker = idle.get()
    try:
        return worker.draw(plot)
    finally:
        idle.put(worker)


def _laid(inputs: Mapping[str, Any], names: Names, folder: Path) -> dict[str, dict]:
    """The inputs that are data, laid on a shelf; `Alone` for an object that cannot be opened by a name either."""
    for group in ("vaeviz.adapters", "vaeviz.embeddings"):
        for name in registry.runtime_only(group):
            raise alive(f"{name!r}, registered at run time,")
    shelf, laid = Shelf(folder), {}
    for name, value in inputs.items():
        cached = getattr(value, "cached", None)
        if name == "encoder" and cached is not None:
            laid["posterior"] = shelf.laid(cached[1])
        found = shelf.laid(value)
        if found is not None:
            laid[name] = found
        elif not names.open(name):
            raise alive(name)
    return laid


def _spelled(job: Mapping[str, Any]) -> str:
    try:
        return json.dumps(job, default=_spelled_value)
    except TypeError as error:
        raise alive(f"a setting ({error})") from None


def _spelled_value(value: Any) -> Any:
    return {PATH: str(value)} if isinstance(value, Path) else plain(value)


def _state() -> dict[str, Any]:
    """What of this process the others must have alike, for the figures to be the same."""
    import matplotlib

    rc, before = matplotlib.rcParams, matplotlib.rcParamsOrig
    changed = {key: rc[key] for key in rc if not key.startswith("backend") and rc[key] != before[key]}
    changed = {key: repr(value) if key == "axes.prop_cycle" else value for key, value in changed.items()}
    torch = sys.modules.get("torch")
    return {"rc": changed, "torch_threads": torch and torch.get_num_threads()}


def _environment(threads: int) -> dict[str, str]:
    """That of this process, with so many threads at most, and with the modules that this one finds."""
    limits = {name: str(min(threads, int(os.environ.get(name) or threads))) for name in THREADS}
    found = os.pathsep.join(path or os.getcwd() for path in sys.path)
    waiting = {"OMP_WAIT_POLICY": "PASSIVE", "KMP_BLOCKTIME": "0"}  # threads that wait leave the core to others
    return waiting | os.environ | limits | {"PYTHONPATH": found, "TQDM_DISABLE": "1"}


def _end(code: int) -> str:
    if code < 0:
        return f"was killed by {signal.Signals(-code).name}; if the memory was short, draw with fewer jobs"
    return f"ended with exit code {code}"
