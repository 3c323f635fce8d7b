"""Inputs that another process can have as well: data as files that it maps into memory, plain values as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np

from vaeviz.data.labels import ClassLabels
from vaeviz.data.out_of_core import (
    SampleStream,
    StoredArray,
    default_batch_size,
    is_out_of_core,
    iterate_blocks,
    sample_shape,
)
from vaeviz.model.posterior import Posterior


class Shelf:
    """A folder in which inputs are laid down once, and what is to be said of each for `taken` to find it."""

    def __init__(self, folder: Path):
        self.folder = folder
        self._known: dict[int, dict] = {}
        self._kept: list[Any] = []  # so that no other object takes the place, and the id, of one that is known

    def laid(self, value: Any) -> dict | None:
        """How to take `value` from the shelf, or None for what is alive: a callable, a model."""
        if id(value) not in self._known:
            self._known[id(value)] = self._laid(value) | {"number": len(self._known)}
            self._kept.append(value)
        found = self._known[id(value)]
        return None if found.get("alive") else found

    def _laid(self, value: Any) -> dict:
        if isinstance(value, Posterior):
            return self._posterior(value)
        if isinstance(value, SampleStream):
            return self._stream(value)
        if hasattr(value, "codes") and hasattr(value, "categories"):
            codes = self._array(np.asarray(value.codes))
            return {"codes": codes, "categories": [str(name) for name in value.categories]}
        try:
            if hasattr(value, "columns") and hasattr(value, "items"):  # a data frame, such as a history
                value = {str(name): np.asarray(column).tolist() for name, column in value.items()}
            if hasattr(value, "detach"):
                value = value.detach().cpu().numpy()
            if hasattr(value, "__array__"):
                return self._array(value if isinstance(value, np.ndarray) else np.asarray(value))
            return {"plain": json.loads(json.dumps(value, default=plain))}
        except (TypeError, ValueError):
            return {"alive": True}

    def _posterior(self, posterior: Posterior) -> dict:
        parts = {field.name: self.laid(getattr(posterior, field.name)) for field in fields(posterior)}
        return {"alive": True} if None in parts.values() else {"posterior": parts}

    def _stream(self, x: SampleStream) -> dict:
        file = self._file_of(x.source) if isinstance(x, StoredArray) else None
        if file is None:
            return {"file": str(self._written(x))}
        return {"file": str(file)} | ({} if x.value_range is None else {"value_range": x.value_range})

    def _array(self, array: np.ndarray) -> dict:
        if array.dtype == object:
            return {"objects": json.loads(json.dumps(array.tolist(), default=plain))}
        return {"file": str(self._file_of(array) or self._written(array))}

    def _file_of(self, source: Any) -> Path | None:
        """The .npy file of which an array is the whole, unchanged."""
        if not isinstance(source, np.memmap) or source.mode != "r" or not source.flags.c_contiguous:
            return None
        try:
            whole = np.load(source.filename, mmap_mode="r", allow_pickle=False)
        except (OSError, TypeError, ValueError):
            return None
        return Path(source.filename) if (whole.shape, whole.dtype) == (source.shape, source.dtype) else None

    def _written(self, x: np.ndarray | SampleStream) -> Path:
        path = self.folder / f"{len(self._known)}.npy"
        if not is_out_of_core(x):
            np.save(path, x, allow_pickle=False)
            return path
        size = default_batch_size(sample_shape(x))
        first = next(iterate_blocks(x, size))
        with path.open("wb") as file:
            header = {"descr": first.dtype.str, "fortran_order": False, "shape": (len(x), *first.shape[1:])}
            np.lib.format.write_array_header_1_0(file, header)
            for block in iterate_blocks(x, size):
                block.astype(first.dtype, copy=False).tofile(file)
        return path


def taken(laid: Mapping[str, dict]) -> dict[str, Any]:
    """The inputs that were laid down: arrays as maps of their files, and what was one object is one again."""
    known: dict[int, Any] = {}
    return {name: _taken(what, known) for name, what in laid.items()}


def _taken(what: dict, known: dict[int, Any]) -> Any:
    if what["number"] not in known:
        known[what["number"]] = _read(what, known)
    return known[what["number"]]


def _read(what: dict, known: dict[int, Any]) -> Any:
    if "posterior" in what:
        parts = {name: _taken(part, known) for name, part in what["posterior"].items()}
        return Posterior(**{name: tuple(part) if isinstance(part, list) else part for name, part in parts.items()})
    if "codes" in what:
        return ClassLabels(_read(what["codes"], known), tuple(what["categories"]))
    if "objects" in what:
        array = np.empty(len(what["objects"]), dtype=object)
        array[:] = what["objects"]
        return array
    if "plain" in what:
        return what["plain"]
    array = np.load(what["file"], mmap_mode="r", allow_pickle=False)
    return StoredArray(array, tuple(what["value_range"])) if "value_range" in what else array


def plain(value: Any) -> Any:
    """Arrays, numbers of NumPy and paths as JSON has them."""
    if isinstance(value, (np.ndarray, np.generic)):
        return value.tolist()
    if isinstance(value, Path):
        return str(value)
    raise TypeError(type(value).__name__)
