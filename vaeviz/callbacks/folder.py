"""A folder of numbered figures, with a page that shows the newest and refreshes itself."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from vaeviz.data.atomic_files import atomic_path, make_folder, report_write_errors
from vaeviz.errors import printable_text

if TYPE_CHECKING:
    from jinja2 import Template

REFRESH_SECONDS = 5  # of the page, while the training runs
HISTORY_NAME = "history.csv"


class WatchFolder:
    """Figures as ``NAME/STEP.png``, numbers in ``history.csv``, and ``index.html``, which shows both.

    A resumed training continues its page: figures and numbers that are already in the folder stay if their steps come
    before the first step that is written.

    Parameters
    ----------
    folder : Path
        The folder. It is created if it does not exist.
    """

    def __init__(self, folder: Path) -> None:
        with report_write_errors(folder):
            make_folder(folder)
        self.folder = folder
        self.figures: dict[str, dict[int, str]] = {}  # captions by step, by name of the figure
        self.last_row: dict[str, float] = {}
        self.note = ""
        self._columns: list[str] = []
        self._first_step: int | None = None

    def log_figure(self, name: str, png: bytes, *, caption: str, step: int) -> None:
        """Write a figure, and the page.

        Parameters
        ----------
        name : str
            Name of the figure.
        png : bytes
            Content of a PNG file.
        caption : str
            What the figure shows.
        step : int
            Epoch or step of the training.
        """
        self._begin_at(step)
        path = self.folder / _figure_file(name, step)
        with report_write_errors(path):
            path.parent.mkdir(exist_ok=True)
            with atomic_path(path) as temporary:
                temporary.write_bytes(png)
        steps = self.figures.setdefault(name, dict.fromkeys(self._earlier_steps(name), ""))
        steps[step] = caption
        self._write_page(is_running=True)

    def log_scalars(self, scalars: Mapping[str, float], *, step: int) -> None:
        """Add a row to ``history.csv``.

        Parameters
        ----------
        scalars : mapping of str to float
            Numbers by name.
        step : int
            Epoch or step of the training.
        """
        self._begin_at(step)
        row = self.last_row = {"step": step, **scalars}
        path = self.folder / HISTORY_NAME
        is_complete = path.exists() and set(row) <= set(self._columns)
        with report_write_errors(path):
            if is_complete:
                with path.open("a", encoding="utf-8") as file:
                    file.write(_csv_text(self._columns, [row], header=False))
            else:
                self._rewrite_history([*self._read_history(), row])

    def close(self) -> None:
        """Write the final page, which does not refresh itself."""
        if self.figures or self.last_row:
            self._write_page(is_running=False)

    def _begin_at(self, step: int) -> None:
        """Keep only those rows of an earlier training that come before the first step."""
        if self._first_step is None:
            self._first_step = step
            rows = [row for row in self._read_history() if row.get("step", step) < step]
            if rows:
                self._rewrite_history(rows)
            else:
                (self.folder / HISTORY_NAME).unlink(missing_ok=True)

    def _read_history(self) -> list[dict[str, float]]:
        """Return the rows of the history; none if there is no file, or it is damaged."""
        try:
            with (self.folder / HISTORY_NAME).open(encoding="utf-8", newline="") as file:
                return [{name: float(value) for name, value in row.items() if value} for row in csv.DictReader(file)]
        except (OSError, TypeError, ValueError, csv.Error):
            return []

    def _rewrite_history(self, rows: list[dict[str, float]]) -> None:
        self._columns = list(dict.fromkeys(name for row in rows for name in row))
        with atomic_path(self.folder / HISTORY_NAME) as temporary:
            temporary.write_text(_csv_text(self._columns, rows, header=True), encoding="utf-8")

    def _earlier_steps(self, name: str) -> list[int]:
        """Return the steps of the figures of an earlier training that come before the first step."""
        steps = sorted(int(path.stem) for path in (self.folder / name).glob("*.png") if path.stem.isdigit())
        return [step for step in steps if self._first_step is not None and step < self._first_step]

    def _write_page(self, *, is_running: bool) -> None:
        figures = [
            {
                "name": name,
                "steps": [{"step": step, "file": _figure_file(name, step), "caption": steps[step]} for step in steps],
            }
            for name, steps in self.figures.items()
        ]
        page = _page_template().render(
            title=self.folder.resolve().name,
            figures=figures,
            scalars=self.last_row,
            history=HISTORY_NAME,
            note=self.note,
            refresh=REFRESH_SECONDS if is_running else 0,
        )
        path = self.folder / "index.html"
        with report_write_errors(path), atomic_path(path) as temporary:
            temporary.write_text(page, encoding="utf-8")


def _figure_file(name: str, step: int) -> str:
    return f"{name}/{step:06d}.png"


def _csv_text(columns: list[str], rows: list[dict[str, float]], *, header: bool) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, restval="", lineterminator="\n")
    if header:
        writer.writeheader()
    writer.writerows({name: f"{value:.12g}" for name, value in row.items()} for row in rows)
    return text.getvalue()


@cache
def _page_template() -> Template:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    templates = Environment(
        loader=PackageLoader("vaeviz.callbacks"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        undefined=StrictUndefined,
        finalize=lambda value: printable_text(value) if type(value) is str else value,
    )
    return templates.get_template("watch.html.j2")
