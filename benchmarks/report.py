"""Write RESULTS.md from ``results/*.json``: medians, ranges and ratios, with their goals."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.runner import RESULTS

HEAD = """# Results

`make bench` writes this file from the records in `results/`; do not edit it. Each row compares one variant of ours
with the fastest of its peers (by median). All run in turns in one process on one machine, in a new order each round.
Times are medians over the rounds, with the fastest and the slowest in parentheses; the ratio is the median of the
ratios of the rounds, with its range. A goal is an upper limit for the ratio. If only some rounds reach it, it is
within the noise. Absolute times drift with the machine, so compare only ratios.

The peers are what people usually write: the tutorial loop (a DataLoader, plain Adam, `loss.item()` in every step), the
usual recipes (one `plt.scatter`; one call of the model and one Axes per image), and libraries with their own settings.
`embed` is `vaeviz.embed`, whose engine "auto" uses openTSNE if it is installed, with the method that is faster in each
phase at that size. "One call, one imshow" is the shortest code, not the least work.
"""
COLUMNS = ("work", "variant", "rounds", "ours (s)", "fastest peer (s)", "ratio", "goal", "result")


def report() -> str:
    """Return the text of RESULTS.md."""
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
        reached = "" if goal is None else f"reached in {sum(ratio <= goal for ratio in ratios)} of {len(ratios)} rounds"
        result = reached if goal is None or median(ratios) <= goal else f"**missed**, {reached}"
        yield (
            case["name"],
            variant,
            len(ours),
            _median_and_range(ours),
            f"{peers[0]}: {_median_and_range(theirs)}",
            _median_and_range(ratios),
            "" if goal is None else f"≤ {goal:g}",
            result,
        )


def _remarks(record: Mapping[str, Any]) -> Iterator[str]:
    """Yield the agreement of each case, its note, and the slower peers."""
    for case in record.get("cases", ()):
        slower = sorted(case["peers"].items(), key=lambda peer: median(peer[1]))[1:]
        others = ", ".join(f"{name} {_median_and_range(seconds)} s" for name, seconds in slower)
        texts = [case["agreement"], f"Slower peers: {others}" if others else "", case["note"]]
        if any(texts):
            yield f"- **{case['name']}**: {'. '.join(text.rstrip('.') for text in texts if text)}."
    for remark in record.get("remarks", ()):
        yield f"- {remark}"
    yield ""


def _median_and_range(values: list[float]) -> str:
    return f"{_format_number(median(values))} ({_format_number(min(values))}–{_format_number(max(values))})"


def _format_number(value: float) -> str:
    return f"{value:.3g}" if value < 100 else f"{value:.0f}"


def _table(columns: tuple[str, ...] | list[str], rows: list) -> str:
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines) + "\n"


def write_report() -> Path:
    """Write RESULTS.md and return its path."""
    path = Path(__file__).parent / "RESULTS.md"
    path.write_text(report(), encoding="utf-8")
    return path
