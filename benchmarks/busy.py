"""Training on a quiet and on a busy machine, with the threads that `vaeviz train` chooses and with fixed ones.

The neighbors are started and ended here: one process per core that never waits.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from joblib import cpu_count

ROUNDS = 3
EPOCHS = 3
BATCH_SIZES = (128, 50)
NEIGHBOR = "import os, sys\nwhile os.getppid() == int(sys.argv[1]): pass"  # it ends with this process
LONG_WAITING = {"GOMP_SPINCOUNT": "300000"}  # iterations; the default of libgomp, which vaeviz shortens
NO_WAITING = {"OMP_WAIT_POLICY": "PASSIVE"}
TITLE = f"""`vaeviz train mlp --data mnist --epochs {EPOCHS} --device cpu`: seconds of wall time from start to end, the
median of {ROUNDS} interleaved rounds. The ratio is that of the automatic choice to the faster fixed number of
threads."""
COLUMNS = ("machine", "batch", "auto", "one thread", "all threads", "all, long waiting", "all, no waiting", "ratio")


def tables(data_dir: Path | None) -> list[dict[str, Any]]:
    """Return the table for the report."""
    rows = [_row(is_busy, batch_size, data_dir) for is_busy in (False, True) for batch_size in BATCH_SIZES]
    return [{"title": TITLE, "columns": COLUMNS, "rows": rows}]


def _row(is_busy: bool, batch_size: int, data_dir: Path | None) -> tuple[str, ...]:
    n_all = int(cpu_count())
    variants: list[tuple[str | int, dict[str, str]]] = [
        ("auto", {}),
        (1, {}),
        (n_all, {}),
        (n_all, LONG_WAITING),
        (n_all, NO_WAITING),
    ]
    seconds: list[list[float]] = [[] for _ in variants]
    with neighbors(n_all if is_busy else 0):
        for number in range(ROUNDS):
            for place, (threads, variables) in enumerate(variants):
                seconds[place].append(train(threads, batch_size, variables, data_dir))
                print(
                    f"{'busy' if is_busy else 'quiet'} | batch {batch_size} | round {number + 1} | "
                    f"{threads} {variables or ''}: {seconds[place][-1]:.1f} s",
                    file=sys.stderr,
                    flush=True,
                )
    medians = [statistics.median(times) for times in seconds]
    ratio = medians[0] / min(medians[1:3])
    machine = f"beside {n_all} busy processes" if is_busy else "quiet"
    return (machine, str(batch_size), *(f"{median:.1f}" for median in medians), f"{ratio:.2f}")


def train(threads: str | int, batch_size: int, variables: dict[str, str], data_dir: Path | None) -> float:
    """Return the seconds of one training in a process of its own."""
    settings = {"data": "mnist", "batch-size": batch_size, "epochs": EPOCHS, "threads": threads, "device": "cpu"}
    settings |= {"data-dir": data_dir} if data_dir else {}
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("OMP_", "GOMP_", "KMP_"))}
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "vaeviz", "train", "mlp", f"--out={folder}/run"]
        command += [f"--{name}={value}" for name, value in settings.items()]
        began = time.perf_counter()
        subprocess.run(command, env=clean | variables, check=True, stdout=subprocess.DEVNULL)
        return time.perf_counter() - began


@contextmanager
def neighbors(count: int) -> Iterator[None]:
    """Keep some processes busy during the block."""
    command = [sys.executable, "-c", NEIGHBOR, str(os.getpid())]
    running = [subprocess.Popen(command) for _ in range(count)]
    try:
        yield
    finally:
        for process in running:
            process.kill()
            process.wait()
