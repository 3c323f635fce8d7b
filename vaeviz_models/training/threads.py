"""The number of threads of torch on a CPU: fixed, or chosen while a training runs.

Threads that share a step wait for each other. As soon as another process needs their cores, a step on all threads can
take longer than one on a single thread.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Literal

import torch
from joblib import cpu_count

Threads = int | Literal["auto"] | None

N_TIMED_STEPS = 3  # of each number of threads; their median ignores a step that waited for something else
TRIAL_SHARE = 0.05  # of the time; steps on the slower number of threads then cost little, however slow it is


def thread_counts(threads: Threads, device: torch.device) -> tuple[int, ...]:
    """Return the numbers of threads that the steps of a training may use.

    Parameters
    ----------
    threads : int, "auto" or None
        A fixed number; ``"auto"`` for one and all; None for the number that torch has now.
    device : torch.device
        Device of the training. Threads are chosen for steps on the CPU only.

    Returns
    -------
    tuple of int
        One number, or two to choose from. All threads are those that torch starts by default, but no more than the CPUs
        that affinity and quota (cgroup ``cpu.max``) allow to this process.
    """
    if threads != "auto":
        return (threads or torch.get_num_threads(),)
    n_all = min(torch.get_num_threads(), int(cpu_count()))
    return (1, n_all) if n_all > 1 and device.type == "cpu" else (n_all,)


def choose_threads(counts: Sequence[int], clock: Callable[[], float] = time.perf_counter) -> Iterator[int]:
    """Yield the number of threads for each step, without end.

    All numbers are timed over a few steps, then the fastest is used for about twenty times as long, and so on. A
    neighbor that comes or goes is noticed at the next trial.

    Parameters
    ----------
    counts : sequence of int
        Numbers of threads to choose from.
    clock : callable, default time.perf_counter
        Returns seconds. A step lasts from the ``next()`` that returns its number to the following one.

    Yields
    ------
    int
        Number of threads for the next step.

    Examples
    --------
    >>> threads = choose_threads([1, 4], clock=iter(range(100)).__next__)
    >>> [next(threads) for _ in range(8)]
    [1, 1, 1, 1, 4, 4, 4, 4]
    """
    if len(counts) == 1:
        while True:
            yield counts[0]
    while True:
        began = clock()
        seconds: dict[int, list[float]] = {count: [] for count in counts}
        for count in counts:
            yield count  # not timed: sleeping threads wake up in this step
            for _ in range(N_TIMED_STEPS):
                start = clock()
                yield count
                seconds[count].append(clock() - start)
        fastest = min(counts, key=lambda count: statistics.median(seconds[count]))
        end = clock() + (clock() - began) / TRIAL_SHARE
        while clock() < end:
            yield fastest


def use_threads(count: int) -> None:
    """Set the number of threads of torch, unless it has that number: each change empties a cache of oneDNN.

    Parameters
    ----------
    count : int
        Number of threads.
    """
    if count != torch.get_num_threads():
        torch.set_num_threads(count)


@contextmanager
def restored_threads() -> Iterator[None]:
    """Restore the number of threads of torch after the block."""
    before = torch.get_num_threads()
    try:
        yield
    finally:
        use_threads(before)
