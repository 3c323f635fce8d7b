"""What a training leaves of its course: columns of numbers by name, one value an epoch."""

from __future__ import annotations

import csv
from pathlib import Path

from vaeviz.errors import InputError


def read_history(table: str | Path) -> dict[str, list[float]]:
    """The columns of a ``.csv`` file by the names in its first line; `InputError` if it is missing or damaged."""
    path = Path(table)
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        return {name: [float(row[name]) for row in rows] for name in (rows[0] if rows else {})}
    except FileNotFoundError:
        raise InputError(f"{path}: does not exist") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read, {error.strerror}") from None
    except (TypeError, ValueError, csv.Error) as error:
        raise InputError(f"{path}: is damaged, or no table of numbers ({error})") from None
