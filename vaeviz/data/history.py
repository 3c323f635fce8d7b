"""Read training histories: columns of numbers by name, one value per epoch."""

from __future__ import annotations

import csv
from pathlib import Path

from vaeviz.errors import InputError


def read_history(table: str | Path) -> dict[str, list[float]]:
    """Read the columns of a ``.csv`` file by the names in its first line.

    Parameters
    ----------
    table : str or Path
        The file, with commas between its values.

    Returns
    -------
    dict of str to list of float
        One column per name; no columns if the file has no rows.

    Raises
    ------
    InputError
        If the file is missing, damaged, or holds anything but numbers.
    """
    path = Path(table)
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        return {name: [float(row[name]) for row in rows] for name in (rows[0] if rows else {})}
    except FileNotFoundError:
        raise InputError(f"{path} does not exist.", got=str(path), expected="a .csv file") from None
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}.", got=str(path), expected="a .csv file") from None
    except (TypeError, ValueError, csv.Error) as error:
        raise InputError(
            f"{path} is damaged, or not a table of numbers ({error}).", got=str(path), expected="a table of numbers"
        ) from None
