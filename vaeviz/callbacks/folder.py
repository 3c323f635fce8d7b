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

    What an earlier training left is shown as the beginning of this one if its steps come before the first step that
    is written, so that a resumed training continues its page.

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
        self.history: list[dict[str, float]] = []
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
        row = {"step": step, **scalars}
        new_columns = [name for name in row if name not in self._columns]
        self.history.append(row)
        path = self.folder / HISTORY_NAME
        with report_write_errors(path):
            if new_columns or not path.exists():
                self._columns += new_columns
                with atomic_path(path) as temporary:
                    temporary.write_text(_csv_text(self._columns, self.history, header=True), encoding="utf-8")
            else:
                with path.open("a", encoding="utf-8") as file:
                    file.write(_csv_text(self._columns, [row], header=False))

    def close(self) -> None:
        """Write the page once more, without refreshing."""
        if self.figures or self.history:
            self._write_page(is_running=False)

    def _begin_at(self, step: int) -> None:
        """Read the rows of an earlier training that come before the first step."""
        if self._first_step is not None:
            return
        self._first_step = step
        try:
            with (self.folder / HISTORY_NAME).open(encoding="utf-8", newline="") as file:
                rows = [{name: float(value) for name, value in row.items() if value} for row in csv.DictReader(file)]
        except (OSError, TypeError, ValueError, csv.Error):  # there is none, or it is damaged
            return
        self.history = [row for row in rows if row.get("step", step) < step]
        self._columns = list(dict.fromkeys(name for row in self.history for name in row))
        if len(self.history) < len(rows):
            (self.folder / HISTORY_NAME).unlink()

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
            scalars=self.history[-1] if self.history else {},
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
    writer.writerows(rows)
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
