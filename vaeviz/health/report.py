"""A report on a latent space: its findings, as a table to read and as JSON to keep."""

from __future__ import annotations

import json
import math
import shutil
import textwrap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from vaeviz.data.atomic_files import atomic_path
from vaeviz.errors import InputError, UnknownName
from vaeviz.health.check import CheckResult, CheckStatus

STATUS_MARKS = {"healthy": "✓", "flagged": "!", "not applicable": "–", "failed": "✗"}

DIGITS = 6
"""Of a number in a file: more of them are noise, and differ between processors."""


@dataclass(frozen=True, eq=False)
class Report:
    """What is healthy about a latent space and what is not; prints as a table.

    findings: in order; ``report["holes"]`` is one of them. inputs, versions: what they are of, and by which packages.
    """

    findings: tuple[CheckResult, ...]
    seed: int = 0
    title: str = ""
    inputs: Mapping[str, Any] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()

    def __getitem__(self, name: str) -> CheckResult:
        for finding in self.findings:
            if finding.name == name:
                return finding
        raise UnknownName("finding", name, [finding.name for finding in self.findings])

    def named(self, verdict: CheckStatus) -> tuple[str, ...]:
        """The names of the findings of that verdict."""
        return tuple(finding.name for finding in self.findings if finding.verdict == verdict)

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON; what is not a finite number is None."""
        return to_json_value(asdict(self))

    def save(self, path: str | Path) -> None:
        """Write the report as JSON, whole or not at all; `InputError` if it cannot be written."""
        path = Path(path)
        text = json.dumps(self.as_dict(), indent=2, ensure_ascii=False, allow_nan=False) + "\n"
        try:
            with atomic_path(path) as temporary:
                temporary.write_text(text, encoding="utf-8")
        except OSError as error:
            raise InputError(f"{path}: cannot be written, {error.strerror}") from None

    def __str__(self) -> str:
        return "\n".join(format_table(self))

    __repr__ = __str__


def to_json_value(value: Any) -> Any:
    """Numbers, texts, lists and mappings that JSON can hold; arrays are lists, NaN and infinity None."""
    if isinstance(value, Mapping):
        return {str(key): to_json_value(item) for key, item in value.items()}
    if isinstance(value, np.ndarray):
        return to_json_value(value.tolist())
    if isinstance(value, (list, tuple)):
        return [to_json_value(item) for item in value]
    if isinstance(value, np.generic):
        return to_json_value(value.item())
    if isinstance(value, float):
        return float(f"{value:.{DIGITS}g}") if math.isfinite(value) else None
    return value if value is None or isinstance(value, (bool, int, str)) else str(value)


def format_table(report: Report, width: int | None = None, *, told: Callable[[str], str] = str) -> list[str]:
    """The lines of the report as a table: mark, name, verdict, and the sentence, as `told` says it."""
    width = max(60, min(width or shutil.get_terminal_size((110, 24)).columns, 120))
    head = " · ".join(part for part in (report.title, _size(report), f"seed {report.seed}") if part)
    names = max((len(finding.name) for finding in report.findings), default=0)
    lines = [head, ""]
    for finding in report.findings:
        start = f"{STATUS_MARKS[finding.verdict]} {finding.name:<{names}}  {finding.verdict:<14}  "
        indents = {"initial_indent": start, "subsequent_indent": " " * len(start)}
        lines += textwrap.wrap(told(finding.sentence), width, **indents) or [start.rstrip()]
    return [*lines, "", summary_line(report.findings)]


def summary_line(findings: Sequence[CheckResult]) -> str:
    """One line: what is flagged of what was answered."""
    named = {verdict: [finding.name for finding in findings if finding.verdict == verdict] for verdict in STATUS_MARKS}
    flagged, failed = named["flagged"], named["failed"]
    answered = len(flagged) + len(named["healthy"])
    told = f"{len(flagged)} of {answered} findings flagged" + (f": {', '.join(flagged)}" if flagged else "")
    return told + (f"; failed: {', '.join(failed)}" if failed else "")


def _size(report: Report) -> str:
    x = report.inputs.get("x", {}).get("shape")
    codes = report.inputs.get("encoder", {}).get("posterior", {}).get("shape")
    parts = [f"{x[0]:,} samples"] if x else []
    return ", ".join(parts + ([f"{codes[1]} latent dimension{'s' * (codes[1] != 1)}"] if codes else []))
