"""Read the numbers that trackers keep in folders: event files of TensorBoard, and metrics of MLflow."""

from __future__ import annotations

import importlib
import math
import os
import struct
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

from vaeviz.data.out_of_core import shorten
from vaeviz.errors import InputError, warn_user
from vaeviz.plugins.optional_libraries import import_library

EVENT_FILE = "tfevents"  # in the name of every event file
MAX_METRIC_BYTES = 1 << 26  # of one metric of MLflow; a line takes about 30
Table = dict[str, list[float]]


def is_event_file(path: Path) -> bool:
    """Return True for the name of an event file of TensorBoard.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    bool
        True if its name is that of an event file.
    """
    return EVENT_FILE in path.name


def read_event_folder(path: Path) -> Any:
    """Read the scalars of event files with the library of TensorBoard.

    Parameters
    ----------
    path : Path
        An event file, or a folder that has event files at any depth.

    Returns
    -------
    dict
        Columns by tag, with the column ``step``. If event files are in several folders, the columns of each by the
        path of the folder, ``"."`` for `path` itself. Empty if there is no event file.

    Raises
    ------
    InputError
        If tensorboard is not installed, a file is damaged, or there are no scalars.
    """
    folders = {path: [path]} if path.is_file() else _event_folders(path)
    if not folders:
        return {}
    import_library("tensorboard", extra="tensorboard", needed_by=str(path))
    for file in (file for files in folders.values() for file in files):
        if (found_damage := _first_damage(file)) is not None:
            n_whole, offset = found_damage
            where = f"after {n_whole} whole record{'s' * (n_whole != 1)}, at byte {offset:,} of {file.stat().st_size:,}"
            warn_user(UserWarning(f"{file} is cut or damaged. Reading ended {where}, so later values are missing."))
    found = {folder: _join_series(_scalar_series(folder)) for folder in folders}
    runs = {folder: columns for folder, columns in found.items() if columns}
    if not runs:
        raise InputError(f"The event files of {path} hold no scalars.", got="no scalars", expected="scalars")
    if len(runs) == 1:
        return next(iter(runs.values()))
    return {str(folder.relative_to(path)): columns for folder, columns in runs.items()}


def _event_folders(path: Path) -> dict[Path, list[Path]]:
    """Return the event files of each folder that has some."""
    folders: dict[Path, list[Path]] = {}
    for root, _, names in os.walk(path):
        files = [Path(root) / name for name in sorted(names) if EVENT_FILE in name]
        if files:
            folders[Path(root)] = files
    return dict(sorted(folders.items()))


def _first_damage(path: Path) -> tuple[int, int] | None:
    """Return how many records of a file are whole, and where they end; None if all are.

    A record is a length of 8 bytes with its checksum, and data with theirs. The library, too, stops at the first wrong
    checksum, but without a word.
    """
    records: Any = importlib.import_module("tensorboard.compat.tensorflow_stub.pywrap_tensorflow")
    n_whole, offset, size = 0, 0, path.stat().st_size
    with path.open("rb") as file:
        while offset < size:
            length = _checked_bytes(file, 8, records)
            n_bytes = struct.unpack("<Q", length)[0] if length else size
            if n_bytes > size - file.tell() or _checked_bytes(file, n_bytes, records) is None:
                return n_whole, offset
            n_whole, offset = n_whole + 1, file.tell()
    return None


def _checked_bytes(file: BinaryIO, n_bytes: int, records: Any) -> bytes | None:
    """Read bytes and the checksum behind them; None if it is wrong, or the file ends."""
    found, checksum = file.read(n_bytes), file.read(4)
    is_whole = len(checksum) == 4 and records.masked_crc32c(found) == int.from_bytes(checksum, "little")
    return found if is_whole else None


def _scalar_series(path: Path) -> Iterator[tuple[str, list[tuple[int, float]]]]:
    """Yield the tags of scalars, with step and value of each event."""
    accumulator: Any = importlib.import_module("tensorboard.backend.event_processing.event_accumulator")
    tensor_util: Any = importlib.import_module("tensorboard.util.tensor_util")
    try:
        events: Any = accumulator.EventAccumulator(str(path), size_guidance={"scalars": 0, "tensors": 0}).Reload()
    except Exception as error:
        raise InputError(f"TensorBoard cannot read {path}: {shorten(str(error))}", got=type(error).__name__) from error
    tags = events.Tags()
    for tag in tags["scalars"]:
        yield tag, [(event.step, event.value) for event in events.Scalars(tag)]
    for tag in tags["tensors"]:  # as TensorFlow writes scalars since its version 2
        if events.SummaryMetadata(tag).plugin_data.plugin_name == "scalars":
            found = events.Tensors(tag)
            try:
                if any(event.tensor_proto.tensor_shape.dim for event in found):  # an array of any size that it declares
                    raise ValueError
                series = [(event.step, float(tensor_util.make_ndarray(event.tensor_proto))) for event in found]
            except (TypeError, ValueError):
                message = f"{shorten(tag)} in {path} is not a series of numbers."
                raise InputError(message, got=shorten(tag), expected="scalars") from None
            yield tag, series


def read_mlflow_folder(folder: Path) -> Any:
    """Read the metrics of a run of MLflow, or of all runs of an experiment.

    Parameters
    ----------
    folder : Path
        The folder of a run, which has a folder ``metrics``; this folder itself; or that of an experiment, ``mlruns/0``.

    Returns
    -------
    dict
        Columns by name, with the column ``step``; or the columns of each run that has some by its name. Empty if there
        are none.

    Raises
    ------
    InputError
        If a file of metrics is damaged.
    """
    if _has_metrics(folder):
        return _join_series(_metric_series(folder / "metrics"))
    if folder.name == "metrics" and _has_metrics(folder.parent):
        return read_mlflow_folder(folder.parent)
    found = {_run_name(run): read_mlflow_folder(run) for run in sorted(folder.iterdir()) if _has_metrics(run)}
    runs = {name: columns for name, columns in found.items() if columns}
    return runs if len(runs) > 1 else next(iter(runs.values()), {})


def _has_metrics(folder: Path) -> bool:
    return (folder / "metrics").is_dir() and (folder / "meta.yaml").is_file()


def _run_name(run: Path) -> str:
    """Return the name of a run, with the start of its identifier, since names repeat."""
    tag = run / "tags" / "mlflow.runName"
    return f"{tag.read_text(encoding='utf-8', errors='replace').strip()} {run.name[:8]}" if tag.is_file() else run.name


def _metric_series(folder: Path) -> Iterator[tuple[str, list[tuple[int, float]]]]:
    """Yield the metrics of a folder: each line of a file has a time, a value and a step."""
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        try:
            if path.stat().st_size > MAX_METRIC_BYTES:
                raise ValueError(f"more than {MAX_METRIC_BYTES:,} bytes")
            lines = [line.split() for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
            series = [(int(step), float(value)) for _, value, step, *_ in lines]
        except (OSError, ValueError) as error:
            reason = shorten(str(error))
            raise InputError(f"{path} is not a metric of MLflow: {reason}.", got=str(path)) from None
        yield path.relative_to(folder).as_posix(), series


def _join_series(series: Iterable[tuple[str, list[tuple[int, float]]]]) -> Table:
    """Return series of different steps as columns with a common column ``step``; the last value of a step counts."""
    values = {name: dict(pairs) for name, pairs in series if pairs}
    steps = sorted({step for found in values.values() for step in found})
    columns = {name: [found.get(step, math.nan) for step in steps] for name, found in values.items()}
    return {"step": [float(step) for step in steps], **columns} if steps else {}
