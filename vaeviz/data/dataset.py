"""A data set: samples, their labels and factors, and the names of all of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from vaeviz.data.arrays import NUMBER_KINDS, as_array
from vaeviz.data.batches import check_samples
from vaeviz.data.huggingface import is_huggingface_dataset
from vaeviz.data.labels import ClassLabels, check_labels, has_classes, label_name, labels_for, stored_colors
from vaeviz.data.out_of_core import Batches, SampleStream
from vaeviz.data.row_index import check_row_index
from vaeviz.data.sample_kind import SampleKind, column_names, displayed_names, infer_kind, label_factors, sample_kind
from vaeviz.errors import Fix, GuessWarning, InputError, advise, warn_user
from vaeviz.plugins.short_repr import ShortRepr

if TYPE_CHECKING:
    import pandas as pd

Split = Literal["train", "test", "all"]


@dataclass(frozen=True, eq=False, repr=False)
class Dataset(ShortRepr):
    """Samples, their labels and factors, and the names of all of them.

    Parameters
    ----------
    x : array_like, shape (N, ...)
        Samples. Images are ``(N, H, W)`` or ``(N, H, W, C)`` in [0, 1]. They may be on disk (memory-mapped, HDF5,
        zarr, dask, a `datasets.Dataset`) or come in `Batches`. Of an AnnData, the matrix X is used.
    labels : array_like, shape (N,), optional
        Integers, strings or floats. None takes the labels that come with `Batches` or a `datasets.Dataset`, if any.
    class_names : tuple of str, optional
        Names of the integer labels 0, 1, ... in order.
    factors : array_like or DataFrame, shape (N, K), optional
        Known generative factors. A data frame of pandas is kept as it is: its columns may be classes, see
        `vaeviz.analysis.factors.as_factors`.
    name : str, default: "data"
        Name for titles and messages.
    feature_names : sequence of str, optional
        Names of the values of a sample. By default those of the columns of a data frame or of a table of Hugging
        Face or Ray, or of the variables of an AnnData.
    factor_names : sequence of str, optional
        Names of the factors. By default those of the columns of a data frame.
    kind : {"image", "spectrogram", "signal", "point", "table"}, optional
        How samples are drawn; None infers it from their shape, see `sample_kind`.
    label_name : str, optional
        What the labels measure, such as "age". By default the name of a Series.
    source : AnnData, optional
        The AnnData that was given as `x`: an encoder may read more of it (layers, batches) than X.

    Raises
    ------
    InputError
        If the parts do not fit together.

    Examples
    --------
    >>> data = Dataset(np.zeros((4, 2)), np.array([0, 1, 0, 1]), ("cat", "dog"))
    >>> data[:2].named_labels()[:].tolist()
    ['cat', 'dog']
    """

    x: np.ndarray | SampleStream
    labels: np.ndarray | ClassLabels | None = None
    class_names: tuple[str, ...] = ()
    factors: np.ndarray | pd.DataFrame | None = None
    name: str = "data"
    feature_names: tuple[str, ...] = ()
    factor_names: tuple[str, ...] = ()
    kind: SampleKind | None = None
    label_name: str = ""
    source: Any = None

    def __post_init__(self) -> None:
        given: Any = self.x
        if is_anndata(given):
            self._set("source", given)
            self._set("feature_names", self.feature_names or tuple(given.var_names))
        self._set("feature_names", column_names(self.feature_names, given))
        self._set("class_names", column_names(self.class_names))
        self._set("factor_names", column_names(self.factor_names, self.factors))
        for name in ("labels", "factors"):
            check_row_index(getattr(self, name), name, given)
        declared: SampleKind | None = self.kind or ("table" if self.feature_names else None)
        self._set("x", check_samples(given, f"{self.name}: x", kind=declared))
        if self.factors is not None:
            self._set("factors", self._check_factors())
        if self.labels is None and isinstance(self.x, Batches):
            self._set("labels", self.x.labels)
        elif self.labels is None and is_huggingface_dataset(given):
            self._set("labels", labels_for(given, None))
        if self.labels is not None:
            self._set("label_name", self.label_name or label_name(self.labels))
            self._set("labels", self._check_labels())
        shape = self.x.shape[1:]
        if len(shape) == 1 and self.kind is None and getattr(self.x, "divides_bytes", False):
            warn_user(self._divided_rows_warning())
        kind = infer_kind(shape, self.feature_names) if self.kind is None else sample_kind(shape, self.kind)
        displayed_names(self.feature_names, kind, shape)
        label_factors(self.factor_names, self.factors)

    def __len__(self) -> int:
        return len(self.x)

    def __getitem__(self, rows: Any) -> Dataset:
        """Return some of the samples, by slice, mask or indices, with their labels and factors."""
        per_sample = {name: getattr(self, name) for name in ("x", "labels", "factors", "source")}
        selected: dict[str, Any] = {
            name: None if values is None else getattr(values, "iloc", values)[rows]
            for name, values in per_sample.items()
        }
        if isinstance(self.labels, ClassLabels):  # which keep their order and colors
            selected["labels"] = replace(self.labels, codes=self.labels.codes[rows])
        return replace(self, **selected)

    def named_labels(self) -> np.ndarray | ClassLabels | pd.Series | None:
        """Return the labels with their own name, or with the names of their classes.

        Returns
        -------
        np.ndarray or ClassLabels or Series or None
            `ClassLabels` if the classes have names, a Series of pandas if there is a `label_name`, else `labels`.
        """
        if self.labels is not None and self.class_names:
            return ClassLabels(np.asarray(self.labels), self.class_names)
        if isinstance(self.labels, np.ndarray) and self.label_name:
            import pandas as pd

            return pd.Series(self.labels, getattr(self.source, "obs_names", None), name=self.label_name)
        return self.labels

    def _set(self, field: str, value: Any) -> None:
        """Set a field of this frozen class while it is made."""
        object.__setattr__(self, field, value)

    def _divided_rows_warning(self) -> GuessWarning:
        """Return the warning for rows of bytes, which may belong to a table."""
        return GuessWarning(
            f"{self.name}: x holds bytes in rows of {self.x.shape[1]} values, which were divided by 255.",
            fix=advise(
                ("If they are gray levels", Fix("Pass x / 255.", "Declare their range, as in npz:0,255:FILE.")),
                ("If they are a table", Fix('Write vaeviz.Dataset(x, kind="table").', 'Save x.astype("float32").')),
            ),
        )

    def _check_factors(self) -> np.ndarray | pd.DataFrame:
        factors = as_factor_table(self.factors, f"{self.name}: factors")
        n_rows = len(factors) if factors.ndim else 0
        if n_rows != len(self.x):
            raise InputError(
                f"{self.name}: factors has {n_rows} rows but x has {len(self.x)} samples.",
                got=str(n_rows),
                expected=str(len(self.x)),
                fix="Pass one row of factors per sample, or None.",
            )
        return factors

    def _check_labels(self) -> np.ndarray | ClassLabels:
        try:
            labels = check_labels(self.labels, len(self.x))
        except InputError as error:
            message = f"{self.name}: {error.message}"
            raise InputError(message, got=error.got, expected=error.expected, fix=error.fix) from None
        if self.class_names:
            codes, n_classes = np.asarray(labels), len(self.class_names)
            if codes.dtype.kind == "f" and has_classes(codes) and np.isfinite(codes).all():
                labels = codes = codes.astype(np.int64)
            if codes.dtype.kind not in "iu" or codes.min() < 0 or codes.max() >= n_classes:
                raise InputError(
                    f"{self.name}: class_names has {n_classes} names, but labels are not integers from 0 to "
                    f"{n_classes - 1}.",
                    got=f"labels of {codes.dtype}",
                    expected=f"integers from 0 to {n_classes - 1}",
                    fix="Pass integer labels, or no class_names.",
                )
        return labels


def as_factor_table(factors: Any, name: str = "factors") -> np.ndarray | pd.DataFrame:
    """Convert known factors to an array. A data frame of pandas is kept, since its columns may be classes.

    Parameters
    ----------
    factors : array_like or DataFrame, shape (N, K)
        The factors.
    name : str, default: "factors"
        What error messages call them.

    Returns
    -------
    np.ndarray or pandas.DataFrame
        The factors.

    Raises
    ------
    InputError
        If they are not a data frame, and not real numbers.
    """
    if np.ma.is_masked(factors) and factors.dtype.kind in NUMBER_KINDS:
        factors = factors.astype(np.float64).filled(np.nan)
    return factors if hasattr(factors, "select_dtypes") else as_array(factors, name)


def is_anndata(x: Any) -> bool:
    """Return True if an object is an AnnData.

    Parameters
    ----------
    x : object
        Any object.

    Returns
    -------
    bool
        True if it has `obs` and `var_names`.
    """
    return hasattr(x, "obs") and hasattr(x, "var_names")


def dataset_from_anndata(cells: Any, labels: str | None, name: str) -> Dataset:
    """Return the data set of an AnnData.

    Parameters
    ----------
    cells : AnnData
        One row per sample.
    labels : str or None
        Column of `obs` that holds the labels.
    name : str
        Name of the data set.

    Returns
    -------
    Dataset
        The matrix X, and `cells` as its source.

    Raises
    ------
    InputError
        If `obs` has no such column.
    """
    if labels is not None and labels not in cells.obs:
        listed = ", ".join(cells.obs) or "none"
        raise InputError(
            f"{name} has no column {labels!r} for the labels. The columns of its obs are: {listed}.",
            got=labels,
            expected=listed,
        )
    return Dataset(cells, None if labels is None else stored_colors(cells, cells.obs[labels]), name=name)
