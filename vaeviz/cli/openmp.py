"""OpenMP's threads in a process that runs a command: how long they wait, and how many there are.

The libraries read these variables when they are loaded, so nothing changes in a process that has loaded them.
"""

from __future__ import annotations

import os

BRIEF_WAITING = {
    "GOMP_SPINCOUNT": "10000",  # iterations of libgomp, about 0.2 ms; its default is several milliseconds
    "KMP_BLOCKTIME": "1",  # milliseconds of libomp; its default is 200
}


def shorten_waiting() -> None:
    """Make threads sleep soon while they wait, unless the user has set how they wait.

    Threads that spin take the core from the thread or process that they wait for.
    """
    if not any(name.startswith(("OMP_WAIT", "GOMP_", "KMP_")) for name in os.environ):
        os.environ.update(BRIEF_WAITING)


def keep_to_allowed_cpus() -> None:
    """Start no more threads than affinity and quota (``cpu.max``) allow, unless the user has set their number."""
    from joblib import cpu_count

    n_allowed = int(cpu_count())
    if n_allowed < (os.cpu_count() or n_allowed):
        os.environ.setdefault("OMP_NUM_THREADS", str(n_allowed))
