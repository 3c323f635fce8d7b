"""Time the cases of one file in interleaved rounds, and write the record."""

from __future__ import annotations

import gc
import importlib
import json
import os
import platform
import random
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from benchmarks.cases import Case, Work

RESULTS = Path(__file__).parent / "results"
PACKAGES = ("vaeviz", "torch", "numpy", "matplotlib", "scikit-learn", "openTSNE", "keras", "jax", "click")
PAUSE = 0.3  # seconds between two tasks, for the threads of the first one to fall asleep


@dataclass(frozen=True)
class Times:
    """Seconds of each round, for us and for each peer, and how well the results agree."""

    case: Case
    seconds: dict[str, list[float]]
    agreement: str

    def record(self) -> dict[str, Any]:
        """Return what ``results/*.json`` keeps of a case."""
        return {
            "name": self.case.name,
            "ours": {name: self.seconds[name] for name in self.case.ours},
            "peers": {name: self.seconds[name] for name in self.case.peers},
            "goal": dict(self.case.goal),
            "agreement": self.agreement,
            "note": self.case.note,
        }


def measure(file: str, data: Path | None, rounds: int | None, only: str = "") -> None:
    """Time the cases of ``benchmarks/<file>.py``, compute its tables, and write ``results/<file>.json``.

    Parameters
    ----------
    file : str
        Name of the file.
    data : Path or None
        Folder with the files of MNIST; None to download them.
    rounds : int or None
        Number of rounds; None for that of each case.
    only : str, optional
        Time only cases whose name contains this.
    """
    module = importlib.import_module(f"benchmarks.{file}")
    measured: dict[str, Any] = {}
    if hasattr(module, "cases"):
        measured["cases"] = [
            time_case(case, rounds or case.rounds).record() for case in module.cases(data) if only in case.name
        ]
    if hasattr(module, "tables"):
        measured["tables"] = module.tables(data)
    if hasattr(module, "remarks"):
        measured["remarks"] = module.remarks()
    options = f" --rounds {rounds}" * bool(rounds) + f" --only {only!r}" * bool(only)
    write_record(file, measured, f"python -m benchmarks {file}{options}")


def time_case(case: Case, rounds: int) -> Times:
    """Run every task once per round, in a new order each round, so that drift of the machine affects all equally."""
    works: dict[str, Work] = {**case.ours, **case.peers}
    if len(works) < len(case.ours) + len(case.peers):
        raise ValueError(f"{case.name}: a variant and a peer have the same name.")
    seconds: dict[str, list[float]] = {name: [] for name in works}
    made: dict[str, Any] = {}
    order = list(works)
    for number in range(rounds):
        random.Random(number).shuffle(order)
        for name in order:
            made.pop(name, None)
            gc.collect()
            time.sleep(PAUSE)
            began = time.perf_counter()
            made[name] = works[name]()
            seconds[name].append(round(time.perf_counter() - began, 5))
            print(f"{case.name} | round {number + 1} | {name}: {seconds[name][-1]:.3f} s", file=sys.stderr, flush=True)
    return Times(case, seconds, case.check(made) if case.check else "")


def write_record(file: str, measured: Mapping[str, Any], command: str) -> None:
    """Write ``results/<file>.json``: the measurements, the machine, the versions and the command."""
    RESULTS.mkdir(exist_ok=True)
    record = {
        "command": command,
        "date": date.today().isoformat(),
        "machine": machine(),
        "versions": versions(),
        **measured,
    }
    (RESULTS / f"{file}.json").write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def machine() -> str:
    """Describe the processor, the cores that this process may use, and the memory."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{_processor()}, {len(os.sched_getaffinity(0))} cores, {memory:.0f} GiB, {platform.system()}"


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    flags = next((line for line in lines if line.startswith("flags")), "")
    units = [unit for unit in ("avx512f", "avx512_bf16", "amx_bf16") if f" {unit}" in flags]
    return " ".join([next(names, platform.processor()), *units])


def versions() -> dict[str, str]:
    """Return the versions of Python and of the packages that are installed."""
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
