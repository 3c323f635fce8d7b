"""A folder of numbered figures, with a page that shows the newest and refreshes itself."""

from __future__ import annotations

import csv
import html
import io
import json
import math
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from vaeviz.data.atomic_files import atomic_path, make_folder, report_write_errors
from vaeviz.errors import InputError
from vaeviz.plugins.templates import template_environment

if TYPE_CHECKING:
    from jinja2 import Template

REFRESH_SECONDS = 5  # of the page, while the training runs
HISTORY_NAME = "history.csv"
PAGE_NAME = "index.html"
OWN_PAGE = '<meta name="generator" content="vaeviz.watch">'  # as the template has it
FIGURE_ON_PAGE = re.compile(r'<figure data-name="([\w.-]+)" [^>]*data-steps="([^"]*)">')
WORDS = {"elbo": "ELBO", "kl": "KL", "beta": "β", "lr": "learning rate"}  # for words in the names of numbers


def check_owner(folder: Path) -> None:
    """Check that the page and the history would not replace files of something else, such as a run.

    Parameters
    ----------
    folder : Path
        The folder.

    Raises
    ------
    InputError
        If it holds a page or a history, but not the page of an earlier `WatchFolder`.
    """
    page = folder / PAGE_NAME
    if page.is_file() and OWN_PAGE in page.read_text(encoding="utf-8", errors="replace"):
        return
    found = next((name for name in (PAGE_NAME, HISTORY_NAME) if (folder / name).exists()), None)
    if found is not None:
        message = f"{folder} holds {found}, which vaeviz.watch did not write and would replace."
        expected = "a new folder, or that of an earlier watch"
        raise InputError(message, got=found, expected=expected, fix=f"Pass to={str(folder / 'watch')!r}.")


class WatchFolder:
    """Figures as ``NAME/STEP.png``, numbers in ``history.csv``, and ``index.html``, which shows both.

    A resumed training continues its page: figures and numbers that are already in the folder stay if their steps come
    before the first step that is written.

    Parameters
    ----------
    folder : Path
        The folder. It is created if it does not exist.
    per : {"epoch", "step"}, default "epoch"
        What the numbers of the figures count.

    Attributes
    ----------
    title : str
        Title of the page, at first the name of the folder.
    note : str
        A sentence below the numbers on the page.
    is_stopped : bool
        Whether an error or an interruption ended the training.
    """

    def __init__(self, folder: Path, per: str = "epoch") -> None:
        with report_write_errors(folder):
            make_folder(folder)
        self.folder = folder
        self.figures: dict[str, dict[int, str]] = {}  # captions by step, by name of the figure
        self.last_row: dict[str, float] = {}
        self.per, self.title, self.note = per, folder.resolve().name, ""
        self.is_stopped = False
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
        self.figures.setdefault(name, {})[step] = caption
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
        row = self.last_row = {self.per: step} | {**scalars, self.per: step}
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
            self.figures = self._read_figures(before=step)
            self._write_page(is_running=True)  # before the history, whose owner it shows
            rows = [row for row in self._read_history() if row.get(self.per, step) < step]
            if rows:
                self._rewrite_history(rows)
            else:
                (self.folder / HISTORY_NAME).unlink(missing_ok=True)

    def _read_history(self) -> list[dict[str, float]]:
        """Return the rows of the history: an empty list if the file is missing or damaged."""
        try:
            with (self.folder / HISTORY_NAME).open(encoding="utf-8", newline="") as file:
                return [{name: float(value) for name, value in row.items() if value} for row in csv.DictReader(file)]
        except (OSError, TypeError, ValueError, csv.Error):
            return []

    def _rewrite_history(self, rows: list[dict[str, float]]) -> None:
        self._columns = list(dict.fromkeys(name for row in rows for name in row))
        with atomic_path(self.folder / HISTORY_NAME) as temporary:
            temporary.write_text(_csv_text(self._columns, rows, header=True), encoding="utf-8")

    def _read_figures(self, before: int) -> dict[str, dict[int, str]]:
        """Return the captions on the page of an earlier training, of figures that are still there."""
        figures: dict[str, dict[int, str]] = {}
        try:
            page = (self.folder / PAGE_NAME).read_text(encoding="utf-8")
            for name, steps in map(_unescape, FIGURE_ON_PAGE.findall(page)):
                captions = {int(step["step"]): str(step["caption"]) for step in json.loads(steps)}
                kept = [
                    step for step in captions if step < before and (self.folder / _figure_file(name, step)).is_file()
                ]
                figures |= {name: {step: captions[step] for step in kept}} if kept else {}
        except (OSError, ValueError, LookupError, TypeError):  # no page, or that of another program
            return {}
        return figures

    def _write_page(self, *, is_running: bool) -> None:
        figures = [
            {
                "name": name,
                "steps": [{"step": step, "file": _figure_file(name, step), "caption": steps[step]} for step in steps],
            }
            for name, steps in self.figures.items()
        ]
        page = _page_template().render(
            title=self.title,
            per=self.per,
            figures=figures,
            scalars={_scalar_label(name): _format_scalar(value) for name, value in self.last_row.items()},
            history=HISTORY_NAME,
            note=self.note,
            is_stopped=self.is_stopped,
            refresh=REFRESH_SECONDS if is_running else 0,
        )
        path = self.folder / PAGE_NAME
        with report_write_errors(path), atomic_path(path) as temporary:
            temporary.write_text(page, encoding="utf-8")


def _unescape(texts: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(map(html.unescape, texts))


def _figure_file(name: str, step: int) -> str:
    return f"{name}/{step:06d}.png"


def _scalar_label(name: str) -> str:
    """Return the name of a number in words, as far as they are known."""
    words = re.sub(r"log[_ ]likelihood", "log-likelihood", name).replace("_", " ").split(" ")
    return " ".join(WORDS.get(word, word) for word in words)


def _format_scalar(value: float) -> str:
    return "NaN" if math.isnan(value) else f"{value:.6g}".replace("-", "−")


def _csv_text(columns: list[str], rows: list[dict[str, float]], *, header: bool) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, restval="", lineterminator="\n")
    if header:
        writer.writeheader()
    writer.writerows({name: f"{value:.12g}" for name, value in row.items()} for row in rows)
    return text.getvalue()


@cache
def _page_template() -> Template:
    return template_environment("vaeviz.callbacks").get_template("watch.html.j2")
