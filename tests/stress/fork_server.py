"""Import vaeviz once, then run each command line that is read from the standard input in a forked process.

A job is a line of JSON: ``args``, the ``folder`` to run in, variables ``env``, and limits: ``seconds``, ``memory``
(bytes beyond what the imports take), ``file_size`` (bytes), and ``kill`` (a signal, and the seconds until it is sent).
The answer is a line of JSON: ``code``, ``out`` and ``err``.
"""

from __future__ import annotations

import fcntl
import json
import os
import resource
import signal
import sys
import time
import traceback
import warnings
from pathlib import Path

import matplotlib

matplotlib.use("agg")

import matplotlib.pyplot
import sklearn.decomposition  # noqa: F401
import torch

from vaeviz.cli.main import main
from vaeviz.plugins import registry

SECONDS = 60  # unless a job says otherwise
MAX_PRINTED = 1 << 20  # bytes


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
    sys.stdout, sys.stderr = (os.fdopen(number, "w", closefd=False) for number in (1, 2))
    os.chdir(job["folder"])
    os.environ.update(job["env"])
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if "memory" in job:
        limit(resource.RLIMIT_AS, address_space() + job["memory"])
    if "file_size" in job:
        limit(resource.RLIMIT_FSIZE, job["file_size"])
        sys.dont_write_bytecode = True  # else Python cuts off the byte code of what is imported
    warnings.resetwarnings()
    code = 1
    try:
        main(job["args"])
    except SystemExit as end:
        code = end.code or 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def answer(job: dict) -> dict:
    """Return the exit code of a job, negative for the signal that ended it, and what it printed."""
    pipes = {"out": os.pipe(), "err": os.pipe()}  # which no limit on files holds for
    for _, writer in pipes.values():
        fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, MAX_PRINTED)
    child = os.fork()
    if child == 0:
        run_job(job, pipes["out"][1], pipes["err"][1])
    sent, after = job.get("kill", (signal.SIGKILL, job.get("seconds", SECONDS)))
    code = wait(child, after)
    if code is None:
        os.kill(child, sent)
        code = wait(child, SECONDS)
    if code is None:
        os.killpg(child, signal.SIGKILL)
        code = wait(child, SECONDS)
    texts = {}
    for name, (reader, writer) in pipes.items():
        os.set_blocking(writer, False)
        os.write(writer, b"\n")
        texts[name] = os.read(reader, MAX_PRINTED)[:-1].decode(errors="replace")
        os.close(reader)
        os.close(writer)
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
