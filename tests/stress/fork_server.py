"""Import vaeviz once, then run each command line that is read from the standard input in a forked process.

A job is a line of JSON: ``args``, the ``folder`` to run in, variables ``env``, and limits: ``seconds``, ``memory``
(bytes beyond what the imports take), ``file_size`` (bytes), and ``kill`` (a signal, and the seconds until it is sent).
The answer is a line of JSON: ``code``, ``out`` and ``err``.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
import tempfile
import time
import warnings
from pathlib import Path

import matplotlib

matplotlib.use("agg")

import matplotlib.pyplot
import sklearn.decomposition  # noqa: F401
import torch

from vaeviz.cli.main import main
from vaeviz.plugins import registry

SECONDS = 60  # a minute, unless a job says otherwise


def address_space() -> int:
    """Return the bytes of memory that this process has mapped."""
    return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()


def limit(kind: int, value: int) -> None:
    resource.setrlimit(kind, (value, resource.getrlimit(kind)[1]))


def run_job(job: dict, out: int, err: int) -> None:
    """Run the command line in this process, and leave it."""
    os.setsid()  # so that all its processes can be ended together
    for target, source in ((0, os.open(os.devnull, os.O_RDONLY)), (1, out), (2, err)):
        os.dup2(source, target)
    os.chdir(job["folder"])
    os.environ.update(job["env"])
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if "memory" in job:
        limit(resource.RLIMIT_AS, address_space() + job["memory"])
    if "file_size" in job:
        limit(resource.RLIMIT_FSIZE, job["file_size"])
    warnings.resetwarnings()
    code = 1
    try:
        main(job["args"])
    except SystemExit as end:
        code = end.code or 0
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def answer(job: dict) -> dict:
    """Return the exit code of a job, minus the signal that ended it, and what it printed."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        child = os.fork()
        if child == 0:
            run_job(job, out.fileno(), err.fileno())
        sent, after = job.get("kill", (signal.SIGKILL, job.get("seconds", SECONDS)))
        code = wait(child, after)
        if code is None:
            os.kill(child, sent)
            code = wait(child, SECONDS)
            if code is None:
                os.killpg(child, signal.SIGKILL)
                code = wait(child, SECONDS)
        texts = {}
        for name, file in (("out", out), ("err", err)):
            file.seek(0)
            texts[name] = file.read().decode(errors="replace")
        return {"code": code, **texts}


def wait(child: int, seconds: float) -> int | None:
    """Return the exit code of a process, or None if it still runs after some seconds."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.002)
    return None


if __name__ == "__main__":
    torch.set_num_threads(1)
    for group in ("vaeviz.commands", "vaeviz.datasets", "vaeviz.models", "vaeviz.plots"):
        for name in registry.entries(group):
            registry.find(group, name).load()
    for line in sys.stdin:
        print(json.dumps(answer(json.loads(line))), flush=True)
