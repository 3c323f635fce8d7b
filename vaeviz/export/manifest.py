"""The record of a figure set: one `FigureRecord` per plot, and the files ``manifest.json`` and ``timings.json``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from vaeviz.data.atomic_files import atomic_path
from vaeviz.errors import InputError

COMMAND_LINE_FIELDS = ("command_line_reason", "command_line_warnings")  # left out of the manifest


@dataclass
class FigureRecord:
    """One plot of a figure set: its files, or the reason why there are none.

    Attributes
    ----------
    plot : str
        Name of the plot.
    status : {"drawn", "skipped", "failed"}
        "skipped": an input is missing, or the plot does not apply. "failed": drawing raised an error.
    reason : str
        Why the plot was skipped or failed; empty if it was drawn.
    summary : str
        Caption of the figure: the first line of the plot's docstring.
    distribution : str
        Installed package that the plot belongs to.
    width : {"column", "full"}
        Width of the figure on a page.
    options : dict
        All options by name, defaults included.
    warnings : list of str
        Warnings raised while the plot was drawn.
    files : dict
        SHA-256 by file name.
    traceback : str
        Traceback of a plot that failed.
    command_line_reason, command_line_warnings
        `reason` and `warnings` with their advice written as command-line options.

    Notes
    -----
    ``pandas.DataFrame([record.as_dict() for record in records])`` makes a table of the records of a set.
    """

    plot: str
    status: Literal["drawn", "skipped", "failed"] = "drawn"
    reason: str = ""
    summary: str = ""
    distribution: str = ""
    width: str = "column"
    options: dict[str, Any] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    files: dict[str, str] = field(default_factory=dict)
    traceback: str = ""
    command_line_reason: str = ""
    command_line_warnings: list[str] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """Return what the manifest keeps: all fields but those for the command line.

        Returns
        -------
        dict
            Plain values by field name.

        Examples
        --------
        >>> FigureRecord("samples", "skipped", "needs decoder").as_dict()["status"]
        'skipped'
        """
        return {name: value for name, value in asdict(self).items() if name not in COMMAND_LINE_FIELDS}


def check_writable(folder: Path) -> None:
    """Create a folder if it does not exist, and check that files can be written into it.

    Parameters
    ----------
    folder : Path
        The folder of a figure set.

    Raises
    ------
    InputError
        If the folder cannot be created or written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / ".writable"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise InputError(
            f"{folder} cannot be written: {error.strerror}.", got=str(folder), fix="Choose another output folder."
        ) from None


def write_files(folder: Path, manifest: Mapping[str, Any], timings: Mapping[str, float], page: str) -> None:
    """Write ``manifest.json``, ``timings.json`` and ``index.html``, each of them completely or not at all.

    Parameters
    ----------
    folder : Path
        The folder of a figure set.
    manifest : mapping
        What was drawn from what; JSON values, anything else as text.
    timings : mapping
        Seconds by plot. They are kept apart, because the manifest is the same each time.
    page : str
        The HTML page.
    """
    texts = {
        "manifest.json": json.dumps(manifest, indent=2, default=str, ensure_ascii=False) + "\n",
        "timings.json": json.dumps(timings, indent=2) + "\n",
        "index.html": page,
    }
    for name, text in texts.items():
        with atomic_path(folder / name) as temporary:
            temporary.write_text(text, encoding="utf-8")
