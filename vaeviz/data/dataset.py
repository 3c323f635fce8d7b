"""The class `Dataset`: samples and what is known about them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from vaeviz.data.arrays import as_array
from vaeviz.data.batches import check_samples
from vaeviz.data.labels import ClassLabels, check_labels
from vaeviz.data.out_of_core import Batches, SampleStream
from vaeviz.data.sample_kind import SampleKind, column_names, displayed_names, infer_kind, label_factors, sample_kind
from vaeviz.errors import InputError

Split = Literal["train", "test", "all"]


@dataclass(frozen=True, eq=False)
class Dataset:
    """Samples and what is known about them.

    x: (N, ...) float32; images are (N, H, W) or (N, H, W, C) in [0, 1]. It may lie on disk (memory-mapped, HDF5, zarr),
        or come in batches that can be read again, see `vaeviz.Batches`. Of an AnnData it is X.
    labels: (N,) integers, strings or floats, or None; those that come with the batches of x, where none are given.
    class_names: what integer labels stand for, in order; () where they stand for themselves.
    factors: (N, K) known generative factors, or None.
    feature_names, factor_names: what the values of a sample and the factors are called; () where nobody says. Of a
        data frame they are the names of its columns.
    kind: how samples are drawn (``docs/data.md``); None where their shape tells.
    source: the AnnData that x was given as: an encoder may read more in it (layers, batches) than X.
    """

    x: np.ndarray | SampleStream
    labels: np.ndarray | None = None
    class_names: tuple[str, ...] = ()
    factors: np.ndarray | None = None
    name: str = "data"
    feature_names: tuple[str, ...] = ()
    factor_names: tuple[str, ...] = ()
    kind: SampleKind | None = None
    source: Any = None

    def __post_init__(self) -> None:
        if is_anndata(self.x):
            object.__setattr__(self, "source", self.x)
            object.__setattr__(self, "feature_names", self.feature_names or tuple(self.x.var_names))
        object.__setattr__(self, "feature_names", column_names(self.feature_names, self.x))
        object.__setattr__(self, "factor_names", column_names(self.factor_names, self.factors))
        object.__setattr__(self, "x", check_samples(self.x, f"{self.name}: x"))
        if self.labels is None and isinstance(self.x, Batches):
            object.__setattr__(self, "labels", self.x.labels)
        if self.factors is not None:
            object.__setattr__(self, "factors", as_array(self.factors))
        for field in ("labels", "factors"):
            values = getattr(self, field)
            if values is not None and len(values) != len(self.x):
                raise InputError(f"{self.name}: got {len(values)} {field} for {len(self.x)} samples")
        if self.labels is not None:
            object.__setattr__(self, "labels", check_labels(self.labels, len(self.x)))
        if self.labels is not None and self.class_names:
            _check_codes(np.asarray(self.labels), len(self.class_names), self.name)
        shape = self.x.shape[1:]
        kind = infer_kind(shape, self.feature_names) if self.kind is None else sample_kind(shape, self.kind)
        displayed_names(self.feature_names, kind, shape)
        label_factors(self.factor_names, self.factors)

    def __len__(self) -> int:
        return len(self.x)

    def named_labels(self) -> np.ndarray | ClassLabels | None:
        """The labels, with the names of their classes where there are any."""
        if self.labels is None or not self.class_names:
            return self.labels
        return ClassLabels(np.asarray(self.labels), self.class_names)

    def __getitem__(self, rows: Any) -> Dataset:
        """Some of the samples (a slice, a mask, or indices)."""
        pick = {
            name: None if value is None else value[rows]
            for name, value in vars(self).items()
            if name in ("x", "labels", "factors", "source")
        }
        return replace(self, **pick)


def _check_codes(labels: np.ndarray, count: int, name: str) -> None:
    if labels.dtype.kind not in "iu" or labels.min() < 0 or labels.max() >= count:
        raise InputError(f"{name}: class names stand for integer labels from 0 to {count - 1}; got others")


def is_anndata(x: Any) -> bool:
    """Whether x is an AnnData."""
    return hasattr(x, "obs") and hasattr(x, "var_names")


def dataset_from_anndata(cells: Any, labels: str | None, name: str) -> Dataset:
    """An AnnData as a data set. labels: the column of its `obs` that holds them."""
    if labels is not None and labels not in cells.obs:
        raise InputError(f"{name}: has no column {labels!r} in obs; it has {', '.join(cells.obs) or 'none'}")
    return Dataset(cells, None if labels is None else cells.obs[labels].to_numpy(), name=name)
