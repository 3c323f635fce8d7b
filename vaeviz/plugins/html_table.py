"""Tables that notebooks show in place of a text representation."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from vaeviz.errors import printable_text

CELL_STYLE = "text-align: left; vertical-align: top; white-space: normal"  # notebooks align to the right


def html_table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]], note: str = "") -> str:
    """Format a table as HTML. It has no colors of its own, so it fits light and dark notebooks.

    Parameters
    ----------
    title : str
        Text above the table.
    columns : sequence of str
        Header of each column.
    rows : iterable of sequence
        The cells of each row. Every text is escaped.
    note : str, default ""
        Text below the table.

    Returns
    -------
    str
        The table, with title and note.

    Examples
    --------
    >>> "<td" in html_table("Runs", ["name", "ELBO"], [["a < b", -153.6]])
    True
    """
    header = _format_row("th", columns)
    body = "".join(_format_row("td", row) for row in rows)
    below = f"<p>{_escape_text(note)}</p>" if note else ""
    return f"<p><b>{_escape_text(title)}</b></p><table><thead>{header}</thead><tbody>{body}</tbody></table>{below}"


def _format_row(tag: str, cells: Sequence[object]) -> str:
    return "<tr>" + "".join(f'<{tag} style="{CELL_STYLE}">{_escape_text(cell)}</{tag}>' for cell in cells) + "</tr>"


def _escape_text(value: object) -> str:
    return escape(printable_text(value))
