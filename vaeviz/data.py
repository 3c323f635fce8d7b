"""Data sets by name, found through the registry group ``vaeviz.datasets``."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from vaeviz import registry
from vaeviz.batches import samples
from vaeviz.errors import InputError, NoSuchSplit
from vaeviz.options import check_settings, options_of

Split = Literal["train", "test", "all"]


@dataclass(frozen=True, eq=False)
class Dataset:
    """Samples and what is known about them.

    x: (N, ...) float32; images are (N, H, W) or (N, H, W, C) in [0, 1].
    labels: (N,) integers, strings or floats, or None.
    class_names: what integer labels stand for, in order; () where they stand for themselves.
    factors: (N, K) known generative factors, or None.
    """

    x: np.ndarray
    labels: np.ndarray | None = None
    class_names: tuple[str, ...] = ()
    factors: np.ndarray | None = None
    name: str = "data"

    def __post_init__(self) -> None:
        object.__setattr__(self, "x", samples(self.x, f"{self.name}: x"))
        for field in ("labels", "factors"):
            values = getattr(self, field)
            if values is not None and len(values) != len(self.x):
                raise InputError(f"{self.name}: got {len(values)} {field} for {len(self.x)} samples")
        if self.labels is not None and self.class_names:
            _check_codes(np.asarray(self.labels), len(self.class_names), self.name)

    def __len__(self) -> int:
        return len(self.x)

    def named_labels(self) -> np.ndarray | None:
        """The labels with their class names in place of integers, where there are any."""
        if self.labels is None or not self.class_names:
            return self.labels
        return np.asarray(self.class_names)[self.labels]

    def __getitem__(self, rows: Any) -> Dataset:
        """Some of the samples (a slice, a mask, or indices)."""
        pick = {
            name: None if value is None else value[rows]
            for name, value in (("x", self.x), ("labels", self.labels), ("factors", self.factors))
        }
        return replace(self, **pick)


def _check_codes(labels: np.ndarray, count: int, name: str) -> None:
    if labels.dtype.kind not in "iu" or labels.min() < 0 or labels.max() >= count:
        raise InputError(f"{name}: class names stand for integer labels from 0 to {count - 1}; got others")


def load_data(
    name: str, *, split: Split | None = None, data_dir: str | Path | None = None, labels: str | None = None
) -> Dataset:
    """A registered data set, e.g. ``"mnist"``, or ``"npz:file.npz"`` with what follows the colon as its argument.

    split: ``"train"``, ``"test"`` or ``"all"``; None takes the test split where there is one, else everything.
    data_dir: the folder with the data set's files. labels: which array or column holds the labels.
    Raises `UnknownName` for an unknown data set, `NoSuchSplit` for a split it does not have, `InputError` for
    files that are missing or damaged.
    """
    name, _, argument = name.partition(":")
    loader = registry.load("vaeviz.datasets", name)
    given = {"split": split, "data_dir": data_dir, "labels": labels}
    settings = {key: value for key, value in given.items() if value is not None}
    unused = set(settings) - set(options_of(loader))
    if unused:
        raise InputError(f"data set {name!r} takes no --{unused.pop().replace('_', '-')}")
    if "data_dir" in settings:
        settings["data_dir"] = Path(settings["data_dir"])
    settings = check_settings(loader, settings, of=name)
    arguments = [argument] if argument else []
    if split is not None:
        return _called(loader, name, arguments, settings)
    try:
        return _called(loader, name, arguments, settings | {"split": "test"})
    except NoSuchSplit:
        return _called(loader, name, arguments, settings | {"split": "all"})


def _called(loader: Any, name: str, arguments: list[str], settings: dict) -> Dataset:
    try:
        return loader(*arguments, **settings)
    except TypeError as error:
        if "argument" not in str(error):
            raise
        expected = f"{name}:ARGUMENT" if not arguments else name
        raise InputError(f"data set {name!r}: {error}; write it as {expected!r}") from error
