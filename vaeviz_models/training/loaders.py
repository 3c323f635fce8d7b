"""Loaders: training data in memory or on disk, and how batches are fetched."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from vaeviz.data.batches import check_samples, iterate_batches
from vaeviz.data.out_of_core import Batches, SampleStream, StoredArray, data_range, is_out_of_core
from vaeviz.errors import Fix, InputError
from vaeviz_models.models.base import TrainableModel
from vaeviz_models.models.class_labels import class_codes
from vaeviz_models.training.processes import ONE_PROCESS, Processes, Share

Batch = tuple[Tensor, ...]  # ``(x,)``, or ``(x, codes)`` for a conditional model


@dataclass(frozen=True, eq=False)
class MemoryLoader:
    """Samples in one tensor on the device.

    Parameters
    ----------
    x : Tensor, shape (N, ...)
        Samples.
    codes : Tensor of int, shape (N,), optional
        Class indices, for a conditional model.
    """

    x: Tensor
    codes: Tensor | None = None

    def __len__(self) -> int:
        return len(self.x)

    @property
    def device(self) -> torch.device:
        """Device of the samples."""
        return self.x.device

    def shuffled(self, order: Tensor, size: int, processes: Processes = ONE_PROCESS) -> Iterator[tuple[Share, Batch]]:
        """Yield batches in a given order.

        Parameters
        ----------
        order : Tensor of int, shape (N,)
            Permutation of the samples.
        size : int
            Samples per batch, see `split_order`.
        processes : Processes, optional
            Processes that share each batch.

        Yields
        ------
        share : Share
            The rows of this process.
        batch : tuple of Tensor
            Their samples, and for a conditional model their class indices.
        """
        for rows in split_order(order.to(self.x.device), size):
            share = processes.share_of(len(rows))
            yield share, tuple(part.index_select(0, rows[share.rows]) for part in self._parts())

    def in_order(self, size: int, processes: Processes = ONE_PROCESS) -> Iterator[tuple[Share, Batch]]:
        """Yield batches in the order of the data.

        Parameters
        ----------
        size : int
            Samples per batch; the last batch may be smaller.
        processes : Processes, optional
            Processes that share each batch.

        Yields
        ------
        share : Share
            The rows of this process.
        batch : tuple of Tensor
            Their samples, and for a conditional model their class indices.
        """
        for batch in zip(*(torch.split(part, size) for part in self._parts())):
            share = processes.share_of(len(batch[0]))
            yield share, tuple(part[share.rows] for part in batch)

    def _parts(self) -> list[Tensor]:
        return [self.x] if self.codes is None else [self.x, self.codes]


@dataclass(frozen=True, eq=False)
class DiskLoader:
    """Samples that stay on disk (memory-mapped, HDF5, zarr) except for one batch at a time.

    Parameters
    ----------
    x : SampleStream, shape (N, ...)
        Samples.
    rows : ndarray of int
        Indices of the samples to use, in ascending order.
    device : torch.device
        Where batches are moved.
    codes : ndarray of int, shape (N,), optional
        Class indices of all samples, for a conditional model.
    """

    x: SampleStream
    rows: np.ndarray
    device: torch.device
    codes: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.rows)

    def shuffled(self, order: Tensor, size: int, processes: Processes = ONE_PROCESS) -> Iterator[tuple[Share, Batch]]:
        """Yield batches in a given order.

        Parameters
        ----------
        order : Tensor of int
            Permutation of the samples to use.
        size : int
            Samples per batch, see `split_order`.
        processes : Processes, optional
            Processes that share each batch.

        Yields
        ------
        share : Share
            The rows of this process.
        batch : tuple of Tensor
            Their samples, and for a conditional model their class indices.
        """
        for rows in split_order(order, size):
            share = processes.share_of(len(rows))
            yield share, self._load_batch(self.rows[rows[share.rows].numpy()])

    def in_order(self, size: int, processes: Processes = ONE_PROCESS) -> Iterator[tuple[Share, Batch]]:
        """Yield batches in the order of the data.

        Parameters
        ----------
        size : int
            Samples per batch; the last batch may be smaller.
        processes : Processes, optional
            Processes that share each batch.

        Yields
        ------
        share : Share
            The rows of this process.
        batch : tuple of Tensor
            Their samples, and for a conditional model their class indices.
        """
        for start in range(0, len(self), size):
            rows = self.rows[start : start + size]
            share = processes.share_of(len(rows))
            yield share, self._load_batch(rows[share.rows])

    def _load_batch(self, rows: np.ndarray) -> Batch:
        parts = [_as_float32(self.x[rows])] + ([] if self.codes is None else [torch.from_numpy(self.codes[rows])])
        return tuple(part.to(self.device) for part in parts)


Loader = MemoryLoader | DiskLoader


def make_loader(
    x: np.ndarray | Tensor | SampleStream,
    device: torch.device,
    rows: np.ndarray | None = None,
    codes: np.ndarray | None = None,
) -> Loader:
    """Load samples onto a device, or leave them on disk.

    Parameters
    ----------
    x : ndarray, Tensor or SampleStream, shape (N, ...)
        Samples.
    device : torch.device
        Where batches are needed.
    rows : ndarray of int, optional
        Indices of the samples to use, in ascending order; by default all.
    codes : ndarray of int, shape (N,), optional
        Class indices of x, for a conditional model.

    Returns
    -------
    MemoryLoader or DiskLoader
        A DiskLoader if x is on disk.
    """
    if isinstance(x, SampleStream) or (isinstance(x, np.ndarray) and is_out_of_core(x)):
        stream = x if isinstance(x, SampleStream) else StoredArray(x)
        return DiskLoader(stream, np.arange(len(x)) if rows is None else rows, device, codes)
    if isinstance(x, Tensor):
        samples = (x if rows is None else x[torch.from_numpy(rows)]).to(torch.float32)
    else:
        samples = _as_float32(x if rows is None else x[rows])
    indices = None if codes is None else torch.from_numpy(codes if rows is None else codes[rows]).to(device)
    return MemoryLoader(samples.to(device), indices)


def split_order(order: Tensor, size: int) -> list[Tensor]:
    """Split a permutation into the batches of an epoch.

    Parameters
    ----------
    order : Tensor of int, shape (N,)
        Permutation of the samples.
    size : int
        Samples per batch. The last batch may be smaller, but a single sample joins the batch before it, since batch
        normalization cannot train on one.

    Returns
    -------
    list of Tensor
        Indices of the samples of each batch.

    Examples
    --------
    >>> [len(batch) for batch in split_order(torch.arange(10), 4)]
    [4, 4, 2]
    >>> [len(batch) for batch in split_order(torch.arange(9), 4)]
    [4, 5]
    """
    batches = list(torch.split(order, size))
    if size > 1 and len(batches) > 1 and len(batches[-1]) == 1:
        batches[-2:] = [torch.cat(batches[-2:])]
    return batches


def split_rows(n_samples: int, holdout: float, seed: int) -> tuple[np.ndarray | None, np.ndarray | None]:
    """Split samples at random into training and validation.

    Parameters
    ----------
    n_samples : int
        Number of samples.
    holdout : float
        Fraction for validation, at least one sample unless it is 0.
    seed : int
        Seed of the split.

    Returns
    -------
    train, validation : ndarray of int, or None
        Ascending indices of both sets; (None, None) without a holdout, where all samples are for training.

    Raises
    ------
    InputError
        If no sample is left to train on.
    """
    if holdout == 0:
        return None, None
    n_held = max(1, round(holdout * n_samples))
    if n_held >= n_samples:
        raise InputError(
            f"holdout is {holdout}, which leaves none of {n_samples} samples to train on.",
            got=str(holdout),
            expected=f"less than {1 - 1 / n_samples:.3g}",
            fix=Fix("Pass a smaller holdout, e.g. 0.1.", "Write a smaller --holdout, e.g. 0.1."),
        )
    order = np.random.default_rng(seed).permutation(n_samples)
    return np.sort(order[n_held:]), np.sort(order[:n_held])


def check_random_access(x: Any, name: str) -> np.ndarray | SampleStream:
    """Return samples that can be read in any order, all of them finite. A torch Dataset is read into memory.

    Parameters
    ----------
    x : array_like, shape (N, ...)
        Samples in memory or on disk.
    name : str
        Name of the argument, for messages.

    Returns
    -------
    ndarray or SampleStream
        The samples.

    Raises
    ------
    InputError
        If x arrives in batches of a fixed order, or contains NaN or infinite values.
    """
    samples: np.ndarray | SampleStream = check_samples(x, name)
    if isinstance(samples, Batches) and hasattr(samples.origin, "__getitem__"):
        return np.concatenate([batch for _, batch in iterate_batches(samples, None, desc=f"reading {name}", name=name)])
    if isinstance(samples, Batches):
        raise InputError(
            f"{name} is a source of batches in a fixed order, but training reads samples in random order.",
            got=type(x).__name__,
            expected="an array or a Dataset",
            fix="Pass the Dataset of the loader, an array, or np.load(file, mmap_mode='r') for data on disk.",
        )
    if is_out_of_core(samples):
        for _ in iterate_batches(samples, None, desc=f"reading {name}", name=name):
            pass  # each batch is checked as it is read
    return samples


def check_data(model: TrainableModel, x: Any, test_x: Any = None, *, binarize: bool = False) -> None:
    """Raise InputError unless data fit the model.

    Parameters
    ----------
    model : torch.nn.Module
        Model to train or to score. Its ``decoder.sample_shape`` and ``likelihood.check`` are used if they exist.
    x, test_x : array_like, shape (N, ...)
        Samples.
    binarize : bool, default False
        Require probabilities, in [0, 1].

    Raises
    ------
    InputError
        If samples have another shape than the model's, or values that its likelihood does not allow.
    """
    expected = getattr(getattr(model, "decoder", None), "sample_shape", None)
    check_values = getattr(getattr(model, "likelihood", None), "check", None)
    for name, part in {"x": x, "test_x": test_x}.items():
        if part is None:
            continue
        if expected is not None and part.shape[1:] != tuple(expected):
            raise InputError(
                f"{name} has samples of shape {tuple(part.shape[1:])}, but the model needs {tuple(expected)}.",
                got=str(tuple(part.shape[1:])),
                expected=str(tuple(expected)),
            )
        if check_values is not None:
            check_values(part)
        low, high = data_range(part) if binarize else (0, 1)
        if not (low >= 0 and high <= 1):
            raise InputError(
                f"{name} ranges over [{low:.3g}, {high:.3g}], but binarization needs probabilities in [0, 1].",
                got=f"[{low:.3g}, {high:.3g}]",
                expected="[0, 1]",
            )


def condition_codes(model: TrainableModel, x: Any, condition: Any, name: str) -> np.ndarray | None:
    """Return the class indices of samples for a conditional model.

    Parameters
    ----------
    model : torch.nn.Module
        Model to train or to score. A conditional one has `classes`.
    x : array_like, shape (N, ...), or None
        Samples.
    condition : array_like, shape (N,), or None
        Their labels.
    name : str
        Name of the samples, for messages.

    Returns
    -------
    ndarray of int64, shape (N,), or None
        Class indices; None for a model that is not conditional, or without samples.

    Raises
    ------
    InputError
        If the labels do not fit the model or the samples.
    """
    classes = getattr(model, "classes", None)
    if classes is None and condition is not None:
        raise InputError(
            f"{name} has a condition, but the model is not conditional.",
            got="a condition",
            expected="None",
            fix="Leave the condition out.",
        )
    if classes is None or x is None:
        return None
    codes = class_codes(condition, classes, owner=name)
    if len(codes) != len(x):
        raise InputError(
            f"{name} has {len(codes)} labels but {len(x)} samples.",
            got=str(len(codes)),
            expected=str(len(x)),
            fix="Pass one label per sample.",
        )
    return codes


def _as_float32(x: np.ndarray) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(x, dtype=np.float32))
