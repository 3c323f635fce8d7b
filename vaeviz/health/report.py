"""A report on a latent space: the results of all checks, as a table to read and as JSON to keep."""

from __future__ import annotations

import json
import math
import shutil
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import numpy as np

from vaeviz.data.atomic_files import atomic_path
from vaeviz.errors import InputError, UnknownName
from vaeviz.health.check import CheckResult, CheckStatus
from vaeviz.plugins.html_table import html_table

if TYPE_CHECKING:
    import pandas as pd

STATUS_MARKS: dict[CheckStatus, str] = {
    "healthy": "✓",
    "uncertain": "?",
    "flagged": "!",
    "not applicable": "–",
    "failed": "✗",
}
SIGNIFICANT_DIGITS = 6  # of a number in a file; further ones are noise that differs between processors
MIN_TABLE_WIDTH, MAX_TABLE_WIDTH = 60, 120  # columns of a terminal; narrower tables break, wider ones are hard to read
FRAME_COLUMNS = ("name", "status", "value", "error", "threshold", "flags", "unit", "n_samples", "sentence")


@dataclass(frozen=True, eq=False)
class Report:
    """The results of health checks. It prints as a table, and ``report["holes"]`` is one result.

    Attributes
    ----------
    checks : tuple of CheckResult
        The results, in order.
    seed : int, default 0
        Seed of the checks.
    title : str, default ""
        Title of the table.
    inputs : mapping, optional
        Shapes and hashes of the inputs by name.
    versions : mapping, optional
        Versions of packages by name.
    warnings : tuple of str, optional
        Warnings raised by the checks.
    """

    checks: tuple[CheckResult, ...]
    seed: int = 0
    title: str = ""
    inputs: Mapping[str, Any] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()

    def __getitem__(self, name: str) -> CheckResult:
        for result in self.checks:
            if result.name == name:
                return result
        raise UnknownName("check", name, [result.name for result in self.checks])

    def names_with_status(self, status: CheckStatus) -> tuple[str, ...]:
        """Return the names of the checks with a status.

        Parameters
        ----------
        status : {"healthy", "uncertain", "flagged", "not applicable", "failed"}
            The status.

        Returns
        -------
        tuple of str
            Their names, in order.

        Raises
        ------
        UnknownName
            For another status.
        """
        if status not in get_args(CheckStatus):
            raise UnknownName("status", status, get_args(CheckStatus))
        return tuple(result.name for result in self.checks if result.status == status)

    def as_dict(self) -> dict[str, Any]:
        """Return the report as plain values for JSON.

        Returns
        -------
        dict
            Numbers, strings, lists and dicts; numbers that are not finite are None.
        """
        content: dict[str, Any] = to_json_value(asdict(self))
        for result in content["checks"]:
            del result["command_line_sentence"]
        return content

    def to_frame(self) -> pd.DataFrame:
        """Return a table with one row per check.

        Returns
        -------
        DataFrame
            Columns name, status, value, error, threshold, flags, unit, n_samples and sentence.
        """
        import pandas as pd

        rows = [[getattr(result, column) for column in FRAME_COLUMNS] for result in self.checks]
        return pd.DataFrame(rows, columns=list(FRAME_COLUMNS))

    def save(self, path: str | Path) -> None:
        """Write the report as JSON, completely or not at all.

        Parameters
        ----------
        path : str or Path
            File name.

        Raises
        ------
        InputError
            If the file cannot be written.
        """
        path = Path(path)
        text = json.dumps(self.as_dict(), indent=2, ensure_ascii=False, allow_nan=False) + "\n"
        try:
            with atomic_path(path) as temporary:
                temporary.write_text(text, encoding="utf-8")
        except OSError as error:
            raise InputError(
                f"{path} cannot be written: {error.strerror}.", got=str(path), fix="Choose another file name."
            ) from None

    def __str__(self) -> str:
        return "\n".join(format_table(self))

    __repr__ = __str__

    def _repr_html_(self) -> str:
        rows = [
            (f"{STATUS_MARKS[result.status]}\u00a0{result.status}", result.name, sentence)
            for result, sentence in _each_sentence_once(self.checks)
        ]
        return html_table(_format_title(self), ("status", "check", "result"), rows, summary_line(self.checks))


def to_json_value(value: Any) -> Any:
    """Convert a value to what JSON can hold.

    Parameters
    ----------
    value : object
        Numbers, strings, arrays, lists, tuples and mappings of them; anything else becomes a string.

    Returns
    -------
    object
        Arrays are lists, numbers have six significant digits, and NaN and infinity are None.
    """
    if isinstance(value, Mapping):
        return {str(key): to_json_value(item) for key, item in value.items()}
    if isinstance(value, np.ndarray):
        return to_json_value(value.tolist())
    if isinstance(value, (list, tuple)):
        return [to_json_value(item) for item in value]
    if isinstance(value, np.generic):
        return to_json_value(value.item())
    if isinstance(value, float):
        return float(f"{value:.{SIGNIFICANT_DIGITS}g}") if math.isfinite(value) else None
    return value if value is None or isinstance(value, (bool, int, str)) else str(value)


def format_table(report: Report, width: int | None = None, *, for_command_line: bool = False) -> list[str]:
    """Format a report as a table.

    Parameters
    ----------
    report : Report
        The report.
    width : int, optional
        Columns of the table, between 60 and 120; those of the terminal by default.
    for_command_line : bool, default False
        Whether advice is written as command-line options.

    Returns
    -------
    list of str
        Lines with mark, name, status and sentence of each check.
    """
    columns = width or shutil.get_terminal_size((110, 24)).columns
    columns = max(MIN_TABLE_WIDTH, min(columns, MAX_TABLE_WIDTH))
    name_width = max((len(result.name) for result in report.checks), default=0)
    lines = [_format_title(report), ""]
    for result, sentence in _each_sentence_once(report.checks, for_command_line=for_command_line):
        start = f"{STATUS_MARKS[result.status]} {result.name:<{name_width}}  {result.status:<14}  "
        wrapped = textwrap.wrap(sentence, columns, initial_indent=start, subsequent_indent=" " * len(start))
        lines += wrapped or [start.rstrip()]
    return [*lines, "", summary_line(report.checks)]


def summary_line(results: Sequence[CheckResult]) -> str:
    """Summarize results in one line.

    Parameters
    ----------
    results : sequence of CheckResult
        The results.

    Returns
    -------
    str
        How many of the checks that have a value are flagged, and which; then those that are uncertain or failed.
    """
    by_status = {status: [result.name for result in results if result.status == status] for status in STATUS_MARKS}
    flagged = by_status["flagged"]
    n_answered = len(flagged) + len(by_status["uncertain"]) + len(by_status["healthy"])
    line = f"{len(flagged)} of {n_answered} checks flagged" + (f": {', '.join(flagged)}" if flagged else "")
    others = (f"; {status}: {', '.join(by_status[status])}" for status in ("uncertain", "failed") if by_status[status])
    return line + "".join(others)


def _each_sentence_once(
    results: Sequence[CheckResult], *, for_command_line: bool = False
) -> Iterator[tuple[CheckResult, str]]:
    """Yield results with their sentences; one that repeats an earlier sentence names the check that has it."""
    first: dict[str, str] = {}
    for result in results:
        sentence = result.command_line_sentence if for_command_line else result.sentence
        named = first.setdefault(sentence, result.name)
        yield result, sentence if named == result.name else f"As for {named}."


def _format_title(report: Report) -> str:
    return " · ".join(part for part in (report.title, _describe_size(report), f"seed {report.seed}") if part)


def _describe_size(report: Report) -> str:
    """Describe the inputs of a report: ``60 samples, 2 latent dimensions``."""
    x = report.inputs.get("x", {}).get("shape")
    codes = report.inputs.get("encoder", {}).get("posterior", {}).get("shape")
    parts = [f"{x[0]:,} samples"] if x else []
    return ", ".join(parts + ([f"{codes[1]} latent dimension{'s' * (codes[1] != 1)}"] if codes else []))
