"""The record of a figure set: one `FigureRecord` per plot, and the files ``manifest.json`` and ``timings.json``."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from vaeviz.data.atomic_files import atomic_path, partial_files, report_write_errors
from vaeviz.errors import OutputError
from vaeviz.model.provenance import sha256_hex
from vaeviz.plugins.html_table import html_table
from vaeviz.plugins.short_repr import ShortRepr

COMMAND_LINE_FIELDS = ("command_line_reason", "command_line_warnings")  # left out of the manifest


@dataclass(repr=False)
class FigureRecord(ShortRepr):
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
    summary: str = field(default="", repr=False)
    distribution: str = field(default="", repr=False)
    width: str = field(default="column", repr=False)
    options: dict[str, Any] = field(default_factory=dict, repr=False)
    warnings: list[str] = field(default_factory=list)
    files: dict[str, str] = field(default_factory=dict, repr=False)
    traceback: str = field(default="", repr=False)
    command_line_reason: str = field(default="", repr=False)
    command_line_warnings: list[str] = field(default_factory=list, repr=False)

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


class FigureRecords(list[FigureRecord]):
    """The records of a figure set. It is a list, which a notebook shows as a table."""

    def _repr_html_(self) -> str:
        n_drawn = sum(record.status == "drawn" for record in self)
        rows = [
            (
                record.plot,
                record.status,
                " ".join([record.reason or record.summary, *record.warnings]),
                ", ".join(record.files),
            )
            for record in self
        ]
        return html_table(
            f"{n_drawn} of {len(self)} plots drawn", ("plot", "status", "caption or reason", "files"), rows
        )


def check_writable(folder: Path) -> None:
    """Create a folder if it does not exist, and check that files can be written into it.

    Parameters
    ----------
    folder : Path
        The folder of a figure set.

    Raises
    ------
    OutputError
        If the folder cannot be created or written.
    """
    if "\0" in str(folder):
        raise OutputError("The name of the output folder has a NUL character.", got=repr(str(folder)))
    with report_write_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()


def read_manifest(folder: Path) -> dict[str, Any]:
    """Read ``manifest.json``.

    Parameters
    ----------
    folder : Path
        The folder of a figure set.

    Returns
    -------
    dict
        Its content; empty if there is no manifest, or it is damaged.
    """
    try:
        manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return manifest if isinstance(manifest, dict) else {}


def earlier_figures(folder: Path, drawn: Collection[str]) -> dict[str, str]:
    """Return the figures of earlier exports that are still in a folder.

    Parameters
    ----------
    folder : Path
        The folder of a figure set, with the manifest of the export before.
    drawn : collection of str
        Names of the files that were drawn now.

    Returns
    -------
    dict of str to str
        SHA-256 by file name. Files that were changed since are not among them.
    """
    manifest = read_manifest(folder)
    try:
        files = dict(manifest.get("earlier_figures", {}))
        for figure in manifest.get("figures", ()):
            files |= figure["files"]
    except (ValueError, LookupError, TypeError):  # a manifest that another program wrote
        return {}
    return {
        name: digest
        for name, digest in files.items()
        if name not in drawn and Path(name).name == name and _is_file_of(folder / name, digest)
    }


def _is_file_of(path: Path, digest: str) -> bool:
    return path.is_file() and not path.is_symlink() and sha256_hex(path.read_bytes()) == digest


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

    Raises
    ------
    OutputError
        If a file cannot be written.
    """
    texts = {
        "manifest.json": json.dumps(manifest, indent=2, default=str, ensure_ascii=False) + "\n",
        "timings.json": json.dumps(timings, indent=2) + "\n",
        "index.html": page,
    }
    for path in partial_files(folder / name for name in texts):
        path.unlink(missing_ok=True)
    for name, text in texts.items():
        with report_write_errors(folder / name), atomic_path(folder / name) as temporary:
            temporary.write_text(text, encoding="utf-8", errors="backslashreplace")  # lone surrogates
