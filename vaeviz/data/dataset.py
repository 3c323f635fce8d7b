"""Data sets by name, found through the registry group ``vaeviz.datasets``."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from vaeviz.data.arrays import as_array
from vaeviz.data.batches import check_samples
from vaeviz.data.labels import ClassLabels, check_labels
from vaeviz.data.out_of_core import Batches, SampleStream
from vaeviz.data.sample_kind import SampleKind, column_names, displayed_names, infer_kind, label_factors, sample_kind
from vaeviz.errors import InputError, NoSuchSplit
from vaeviz.plugins import registry
from vaeviz.plugins.object_refs import import_object, is_object_ref
from vaeviz.plugins.options import options_of, validate_settings

Split = Literal["train", "test", "all"]
FILE_SUFFIXES = (".npy", ".npz", ".h5ad", ".csv")


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


def load_data(
    name: str, *, split: Split | None = None, data_dir: str | Path | None = None, labels: str | None = None
) -> Dataset:
    """A registered data set, e.g. ``"mnist"``, or ``"npz:file.npz"`` with what follows the colon as its argument.

    A file (.npy, .npz, .csv, .h5ad) or a folder of pictures can be named by its path alone.
    ``"package.module:attribute"`` is an array, an AnnData, (x, labels), a `Dataset`, or a function of no arguments
    that returns one of these.
    split: ``"train"``, ``"test"`` or ``"all"``; None takes the test split where there is one, else everything.
    data_dir: the folder with the data set's files. labels: the array, or column of a table or an AnnData, with
        the labels.
    Raises `UnknownName` for an unknown data set, `NoSuchSplit` for a split it does not have, `InputError` for
    files that are missing or damaged.
    """
    if is_object_ref(name) and name.partition(":")[0] not in registry.entries("vaeviz.datasets"):
        return _of_object(name, split=split, data_dir=data_dir, labels=labels)
    name, _, argument = _spelled(name).partition(":")
    loader = registry.load("vaeviz.datasets", name)
    given = {"split": split, "data_dir": data_dir, "labels": labels}
    settings = {key: value for key, value in given.items() if value is not None}
    unused = set(settings) - set(options_of(loader))
    if unused:
        raise InputError(f"data set {name!r} takes no --{unused.pop().replace('_', '-')}")
    if "data_dir" in settings:
        settings["data_dir"] = Path(settings["data_dir"])
    settings = validate_settings(loader, settings, owner=name)
    arguments = [argument] if argument else []
    if split is not None:
        return _called(loader, name, arguments, settings)
    try:
        return _called(loader, name, arguments, settings | {"split": "test"})
    except NoSuchSplit:
        return _called(loader, name, arguments, settings | {"split": "all"})


def _spelled(name: str) -> str:
    """A bare path as ``loader:path``; what is no path as it is."""
    path = Path(name)
    if path.suffix.lower() in FILE_SUFFIXES and ":" not in name:
        return f"{path.suffix.lower()[1:]}:{name}"
    if path.is_file() and path.suffix:
        raise InputError(f"data {name!r}: expected a folder of pictures, or a file {', '.join(FILE_SUFFIXES)}")
    known = registry.entries("vaeviz.datasets")
    if path.is_dir() and name not in known:
        return f"images:{name}"
    if (path.suffix or len(path.parts) > 1) and ":" not in name and name not in known:
        raise InputError(
            f"data {name!r}: there is no such file or folder, and no data set of that name; see: vaeviz list data"
        )
    return name


def is_anndata(x: Any) -> bool:
    """Whether x is an AnnData."""
    return hasattr(x, "obs") and hasattr(x, "var_names")


def dataset_from_anndata(cells: Any, labels: str | None, name: str) -> Dataset:
    """An AnnData as a data set. labels: the column of its `obs` that holds them."""
    if labels is not None and labels not in cells.obs:
        raise InputError(f"{name}: has no column {labels!r} in obs; it has {', '.join(cells.obs) or 'none'}")
    return Dataset(cells, None if labels is None else cells.obs[labels].to_numpy(), name=name)


def _of_object(name: str, **settings: Any) -> Dataset:
    found = import_object(name)
    found = found() if callable(found) else found
    title = name.rpartition(":")[2]
    if is_anndata(found):
        labels = settings.pop("labels")
    unused = [key for key, value in settings.items() if value is not None]
    if unused:
        raise InputError(f"data {name!r} takes no --{unused[0].replace('_', '-')}; let the object hold what you want")
    if is_anndata(found):
        return dataset_from_anndata(found, labels, title)
    if isinstance(found, Dataset):
        return found
    if isinstance(found, tuple) and len(found) == 2:
        return Dataset(check_samples(found[0], name), _labels_of(found[1], name), name=title)
    return Dataset(check_samples(found, name), name=title)


def _labels_of(labels: Any, name: str) -> np.ndarray:
    array = np.asarray(labels)
    if array.ndim != 1:
        raise InputError(f"{name}: got labels of shape {array.shape}, expected (N,)")
    return array


def _called(loader: Any, name: str, arguments: list[str], settings: dict) -> Dataset:
    try:
        return loader(*arguments, **settings)
    except TypeError as error:
        if "argument" not in str(error):
            raise
        expected = f"{name}:ARGUMENT" if not arguments else name
        raise InputError(f"data set {name!r}: {error}; write it as {expected!r}") from error
