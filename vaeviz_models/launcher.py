"""``--devices`` and ``--nodes`` of ``vaeviz train``: one process per device, started by torch's own launcher."""

from __future__ import annotations

import logging
import os
import shlex
import signal
from pathlib import Path
from tempfile import TemporaryDirectory

import click

START_UP_SECONDS = 600  # to wait for the other nodes


def launch_options() -> list[click.Parameter]:
    """Return the options of `launch`."""
    return [
        click.Option(
            ["--devices"],
            type=click.IntRange(1),
            help="Processes on this machine, one per GPU, or as many on the CPU. They share each batch.  [default: 1]",
        ),
        click.Option(
            ["--nodes"],
            type=click.IntRange(1),
            help="Machines that train together. Run the same command on each.  [default: 1]",
        ),
        click.Option(
            ["--rendezvous"], metavar="HOST:PORT", help="With --nodes: one of the machines, and a free port on it."
        ),
    ]


def launch(args: list[str], run: Path, *, devices: int | None, nodes: int | None, rendezvous: str | None) -> bool:
    """Run ``vaeviz train`` in several processes, and wait until they end.

    Parameters
    ----------
    args : list of str
        Arguments of ``vaeviz train``.
    run : Path
        Folder of the run, for messages.
    devices, nodes : int, optional
        Number of processes on each machine, and of machines. By default 1.
    rendezvous : str, optional
        Host and port where machines meet.

    Returns
    -------
    bool
        False if there is nothing to start: this process is the only one, or a launcher has started it.

    Raises
    ------
    click.ClickException
        If a process was killed, which ends all of them.
    click.exceptions.Exit
        If a process failed, with its exit code. It has printed the reason.
    """
    devices, nodes = devices or 1, nodes or 1
    if nodes > 1 and rendezvous is None:
        raise click.UsageError("--nodes needs --rendezvous HOST:PORT, the same on all machines.")
    if devices * nodes == 1:
        return False
    from joblib import cpu_count
    from torch import distributed

    if distributed.is_torchelastic_launched():
        return False
    from torch.distributed import run as torchrun
    from torch.distributed.elastic.multiprocessing import SignalException
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError

    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, cpu_count() // devices)))
    logging.getLogger("torch.distributed.elastic").setLevel(logging.CRITICAL)  # `_report_failure` says what failed
    place = ["--standalone"]
    if nodes > 1:
        join = f"--rdzv-conf=join_timeout={START_UP_SECONDS}"
        place = ["--rdzv-backend=c10d", f"--rdzv-endpoint={rendezvous}", "--rdzv-id=vaeviz", join]
    place += [f"--nnodes={nodes}", f"--nproc-per-node={devices}"]
    try:
        with TemporaryDirectory() as logs:
            command = [*place, f"--log-dir={logs}", "-m", "vaeviz", "train", *args]
            torchrun.run(torchrun.parse_args(command))  # type: ignore[no-untyped-call]  # torch has no types here
    except SignalException as error:
        raise click.exceptions.Exit(128 + error.sigval) from None
    except ChildFailedError as error:
        _report_failure(error, run, devices * nodes)
    return True


def _report_failure(error: Exception, run: Path, n_processes: int) -> None:
    """Raise what tells why a training ended, from the failures of its processes."""
    ended = (-signal.SIGTERM, 128 + signal.SIGTERM)  # by the launcher, since another process had failed
    failures = error.failures.items()  # type: ignore[attr-defined]  # a ChildFailedError, which is imported late
    rank, first = min(failures, key=lambda one: (one[1].exitcode in ended, one[1].timestamp))
    if first.exitcode >= 0:
        raise click.exceptions.Exit(first.exitcode)
    message = f"The process of rank {rank} of {n_processes} was ended by {first.signal_name()}, so all were ended."
    if (run / "config.json").exists():
        message += f" The last finished epoch is saved. Continue with: vaeviz train --resume {shlex.quote(str(run))}"
    raise click.ClickException(message)
