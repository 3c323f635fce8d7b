"""Read a Ray Dataset as one array of samples, whose blocks stay where Ray holds them."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from vaeviz.data.sample_columns import choose_sample_columns, shapes_error, stack_sample_columns
from vaeviz.errors import InputError

MAX_REASON_LENGTH = 300  # of the message of Ray
ROOT_CAUSE = re.compile(r"^[\w.]+(Error|Exception): .*", re.MULTILINE)  # first of the tracebacks that Ray joins
SOURCE = "Ray Dataset"


def is_ray_dataset(x: Any) -> bool:
    """Return True for a Ray Dataset.

    Parameters
    ----------
    x : object
        Any object.

    Returns
    -------
    bool
        Whether it is one. This does not import Ray.
    """
    ray_data = sys.modules.get("ray.data")
    return ray_data is not None and isinstance(x, getattr(ray_data, "Dataset", ()))


class RayRows:
    """The samples of a Ray Dataset, which Ray computes once and holds in its object store, in the order of the rows.

    What does not fit into the memory of the object store, Ray keeps in files.

    Parameters
    ----------
    dataset : ray.data.Dataset
        The data. The samples are its only column of arrays, images or lists of numbers. Without such a column, its
        columns of numbers form a table.

    Raises
    ------
    InputError
        If its columns do not show which are the samples, if it has no rows, or if Ray fails.
    """

    def __init__(self, dataset: Any) -> None:
        ray = sys.modules["ray"]
        with ray_errors(), _keep_order(dataset):
            first = dataset.limit(1).to_pandas()
            if not len(first):
                raise InputError(f"The {SOURCE} has no rows.", got="no rows", expected="at least one row")
            self.names = choose_sample_columns({name: first[name].to_numpy() for name in first}, SOURCE)
            self.blocks = dataset.select_columns(self.names).to_numpy_refs()
            shapes = ray.get([ray.remote(_block_shape).remote(block, self.names) for block in self.blocks])
        self.sizes = tuple(shape[0] for shape in shapes)
        self._starts = np.cumsum((0, *self.sizes))
        sample_shapes = {shape[1:] for shape in shapes if shape[0]}
        if len(sample_shapes) > 1 or (None,) in sample_shapes:
            raise shapes_error(self.names, SOURCE)
        self.shape = (sum(self.sizes), *sample_shapes.pop())
        self.dtype = self[:1].dtype

    def __getitem__(self, rows: Any) -> np.ndarray:
        """Return rows by a slice or by ascending indices, shape (n, ...)."""
        ray = sys.modules["ray"]
        wanted = np.arange(self._starts[-1])[rows] if isinstance(rows, slice) else np.asarray(rows)
        cuts = np.searchsorted(wanted, self._starts)
        if not len(wanted):
            return np.empty((0, *self.shape[1:]), self.dtype)
        with ray_errors():
            parts = [
                ray.remote(_take_rows).remote(block, self.names, wanted[low:high] - start)
                for block, start, low, high in zip(self.blocks, self._starts, cuts, cuts[1:])
                if low < high
            ]
            return np.concatenate(ray.get(parts))


_known_rows: WeakKeyDictionary[Any, RayRows] = WeakKeyDictionary()


def ray_rows(dataset: Any) -> RayRows:
    """Return the samples of a Ray Dataset, which are computed once for as long as it exists.

    Parameters
    ----------
    dataset : ray.data.Dataset
        The data.

    Returns
    -------
    RayRows
        The same object for the same data.
    """
    if dataset not in _known_rows:
        _known_rows[dataset] = RayRows(dataset)
    return _known_rows[dataset]


@contextmanager
def ray_errors() -> Iterator[None]:
    """Say what to do if Ray fails."""
    try:
        yield
    except InputError:
        raise
    except Exception as error:
        text = f"{type(error).__name__}: {error}"
        reason = (ROOT_CAUSE.search(str(error)) or [text])[0]  # of the function that failed on a worker
        reason = " ".join(reason.split())[:MAX_REASON_LENGTH]
        raise InputError(
            f"Ray cannot compute the blocks of x ({reason}).",
            got=type(error).__name__,
            fix="Check whether x.materialize() succeeds, then try again; no data were changed.",
        ) from error


@contextmanager
def _keep_order(dataset: Any) -> Iterator[None]:
    """Make Ray keep the order of the rows, which it does not by default."""
    options = dataset.context.execution_options
    before = options.preserve_order
    options.preserve_order = True
    try:
        yield
    finally:
        options.preserve_order = before


def _block_shape(block: dict[str, np.ndarray], names: list[str]) -> tuple[Any, ...]:
    """Return the shape of a block of samples, ``(n, None)`` if they have different shapes."""
    n_rows = len(next(iter(block.values()), ()))
    try:
        return stack_sample_columns(block, names, SOURCE).shape if n_rows else (0,)
    except InputError:
        return n_rows, None


def _take_rows(block: dict[str, np.ndarray], names: list[str], rows: np.ndarray) -> np.ndarray:
    return stack_sample_columns({name: block[name][rows] for name in names}, names, SOURCE)
