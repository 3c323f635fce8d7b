"""RESULTS.md out of ``results/*.json``: medians, spreads and ratios, each beside its goal."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.measuring import RESULTS

HEAD = """# Results

Made by `make bench` out of the records in `results/`; do not edit. One row is one variant of ours beside the fastest of
its peers (by median), run in turns in one process on one machine, in another order each round. Times are medians of
the rounds, with the fastest and the slowest; the ratio is the median of the ratios of each round, with its range. A
goal is a ratio to stay under; where some rounds reach it and others do not, it lies within the noise. Absolute times
drift with the machine: only ratios should be compared.

The peers are what is usually written: the tutorial loop (a DataLoader, plain Adam, `loss.item()` at every step), the
usual recipes (one `plt.scatter`, one call of the model and one Axes for every image), libraries at settings of their
own choice. `embed` is `vaeviz.embed`, whose engine "auto" takes openTSNE where it is installed, and asks it for the
method that is quicker in each phase at that size. "One call, one imshow" is the least code, not the least work.
"""
COLUMNS = ("work", "variant", "rounds", "ours (s)", "fastest peer (s)", "ratio", "goal", "")


def report() -> str:
    """The whole of RESULTS.md."""
    records = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted(RESULTS.glob("*.json"))}
    return "\n".join([HEAD, *(section for name, record in records.items() for section in _sections(name, record))])


def _sections(name: str, record: Mapping[str, Any]) -> Iterator[str]:
    yield f"## {name.replace('_', ' ').capitalize()}\n"
    rows = [row for case in record.get("cases", ()) for row in _rows(case)]
    if rows:
        yield _table(COLUMNS, rows)
    for table in record.get("tables", ()):
        yield f"{table['title']}\n"
        yield _table(table["columns"], table["rows"])
    yield from _remarks(record)
    used = ", ".join(f"{package} {number}" for package, number in record["versions"].items())
    yield f"`{record['command']}`, {record['date']}. {record['machine']}. {used}.\n"


def _rows(case: Mapping[str, Any]) -> Iterator[tuple[str | int, ...]]:
    peers = sorted(case["peers"], key=lambda name: median(case["peers"][name]))
    for variant, ours in case["ours"].items():
        theirs = case["peers"][peers[0]]
        ratios = [our / their for our, their in zip(ours, theirs, strict=True)]
        goal = case["goal"].get(variant)
        within = "" if goal is None else f"reached in {sum(ratio <= goal for ratio in ratios)} of {len(ratios)} rounds"
        verdict = within if goal is None or median(ratios) <= goal else f"**missed**, {within}"
        yield (
            case["name"],
            variant,
            len(ours),
            _spread(ours),
            f"{peers[0]}: {_spread(theirs)}",
            _spread(ratios),
            "" if goal is None else f"≤ {goal:g}",
            verdict,
        )


def _remarks(record: Mapping[str, Any]) -> Iterator[str]:
    """What a case's check said, its note, and the peers that were slower."""
    for case in record.get("cases", ()):
        slower = sorted(case["peers"].items(), key=lambda peer: median(peer[1]))[1:]
        others = ", ".join(f"{name} {_spread(seconds)} s" for name, seconds in slower)
        said = [case["agreement"], f"Slower peers: {others}" if others else "", case["note"]]
        if any(said):
            yield f"- **{case['name']}**: {'. '.join(text.rstrip('.') for text in said if text)}."
    for remark in record.get("remarks", ()):
        yield f"- {remark}"
    yield ""


def _spread(values: list[float]) -> str:
    return f"{_short(median(values))} ({_short(min(values))}–{_short(max(values))})"


def _short(value: float) -> str:
    return f"{value:.3g}" if value < 100 else f"{value:.0f}"


def _table(columns: tuple[str, ...] | list[str], rows: list) -> str:
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines) + "\n"


def write_report() -> Path:
    path = Path(__file__).parent / "RESULTS.md"
    path.write_text(report(), encoding="utf-8")
    return path
