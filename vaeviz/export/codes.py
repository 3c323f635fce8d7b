"""Codes as files: write the posteriors of samples, and read them back as an input of plots and checks."""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from vaeviz.data.atomic_files import atomic_path, report_write_errors
from vaeviz.data.dataset import Dataset
from vaeviz.data.labels import check_labels, factorize_labels, has_classes
from vaeviz.data.loading import load_data
from vaeviz.errors import InputError
from vaeviz.model.posterior import Posterior
from vaeviz.plugins.optional_libraries import import_library

if TYPE_CHECKING:
    import pandas as pd

STD_NAME = re.compile(r"std\d+")


def write_codes(path: Path, posterior: Posterior, labels: Any = None) -> None:
    """Write the means and standard deviations of posteriors to a file.

    Parameters
    ----------
    path : Path
        The file. Its ending chooses the format. ``.csv`` and ``.parquet`` are tables with columns ``z1`` … ``zD``,
        ``std1`` … ``stdD`` and ``label``. ``.npz`` holds arrays ``x`` (the means), ``std`` and ``y``. ``.h5ad`` is an
        AnnData with the means as X, a layer ``std`` and a column ``label`` of `obs`.
    posterior : Posterior
        The posteriors, one row per sample. Those of a deterministic encoder have no standard deviations.
    labels : array_like, shape (N,), optional
        One label per sample.

    Raises
    ------
    InputError
        If the library that writes the format is not installed.
    OutputError
        If the file cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "codes.csv"
    >>> write_codes(path, Posterior([[0.0, 1.0]], [[0.5, 0.25]]), ["cat"])
    >>> path.read_text().split()
    ['z1,z2,std1,std2,label', '0.0,1.0,0.5,0.25,cat']
    """
    with report_write_errors(path), atomic_path(path) as temporary:
        CODE_WRITERS[path.suffix](temporary, posterior, labels)


def load_codes(
    name: str, labels: str | None = None, *, prior: Literal["normal"] | None = None, **settings: Any
) -> tuple[Dataset, Posterior]:
    """Load codes, from a file of `write_codes` or any other table or array of codes.

    Parameters
    ----------
    name : str
        The data set, as for `vaeviz.load_data`.
    labels : str, optional
        The column or array that holds the labels, by default ``label`` if there is one.
    prior : {"normal"}, optional
        ``"normal"`` for p(z) = N(0, I). None if no prior is known.
    **settings
        Other settings of `vaeviz.load_data`.

    Returns
    -------
    data : Dataset
        The means as samples, with their labels.
    posterior : Posterior
        One row per sample. Without columns ``std1`` … ``stdD``, or an array or a layer ``std``, the rows have no
        standard deviations.

    Raises
    ------
    InputError
        If the data cannot be loaded, or there are not as many standard deviations as means.
    """
    try:
        data = load_data(name, labels=labels or "label", **settings)
    except InputError:
        data = load_data(name, labels=labels, **settings)
    codes = np.asarray(data.x)
    code_shape = codes.shape[1:] if codes.ndim > 2 else ()
    codes = codes.reshape(len(codes), -1)
    is_std = np.array([bool(STD_NAME.fullmatch(feature)) for feature in data.feature_names], dtype=bool)
    if is_std.any():
        means, std = codes[:, ~is_std], codes[:, is_std]
    else:
        means, std = codes, _stored_std(data, Path(name.removeprefix("npz:")))
    if std is not None and np.shape(std) != means.shape:
        raise InputError(
            f"{name} holds {means.shape[1]} means but {np.shape(std)[-1]} standard deviations for each sample.",
            got=str(np.shape(std)),
            expected=str(means.shape),
        )
    posterior = Posterior(means, std, prior, code_shape)
    return replace(data, x=posterior.mean, feature_names=(), source=None, kind=None), posterior


def _stored_std(data: Dataset, file: Path) -> Any:
    """Return the layer or the array ``std`` of a file, or None if it has none."""
    if data.source is not None:
        return data.source.layers.get("std")
    if file.suffix != ".npz":
        return None
    try:
        with np.load(file, allow_pickle=False) as archive:
            std = archive.get("std")
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError) as error:
        raise InputError(f"{file} is damaged ({error}).", got=str(file), expected="an .npz file") from None
    if isinstance(std, bytes):  # of a file that does not begin as an array
        raise InputError(f"{file} is damaged (std is not an array).", got=str(file), expected="an .npz file")
    return std


def _table(posterior: Posterior, labels: Any) -> pd.DataFrame:
    """Return means, standard deviations and labels as the columns of a table."""
    frame = posterior.to_frame(labels)
    if posterior.std is not None:
        for j, column in enumerate(posterior.std.T):
            frame.insert(posterior.size + j, f"std{j + 1}", column)
    return frame


def _write_csv(path: Path, posterior: Posterior, labels: Any) -> None:
    _table(posterior, labels).to_csv(path, index=False, lineterminator="\n")


def _write_parquet(path: Path, posterior: Posterior, labels: Any) -> None:
    import_library("pyarrow", extra="parquet", needed_by="A .parquet file")
    _table(posterior, labels).to_parquet(path, index=False)


def _write_h5ad(path: Path, posterior: Posterior, labels: Any) -> None:
    anndata = import_library("anndata", extra="anndata", needed_by="An .h5ad file")
    frame = posterior.to_frame(labels)
    frame.index = frame.index.astype(str)
    cells = anndata.AnnData(posterior.mean, obs=frame.iloc[:, posterior.size :])
    cells.var_names = frame.columns[: posterior.size]
    if posterior.std is not None:
        cells.layers["std"] = posterior.std
    cells.write_h5ad(path)


def _write_npz(path: Path, posterior: Posterior, labels: Any) -> None:
    arrays = {"x": posterior.mean}
    if posterior.std is not None:
        arrays["std"] = posterior.std
    if labels is not None:
        arrays |= _label_arrays(check_labels(labels, len(posterior)))
    np.savez(path, **arrays)  # type: ignore[arg-type]  # its stubs take a keyword of another type for an array


def _label_arrays(labels: Any) -> dict[str, np.ndarray]:
    """Return labels as arrays without objects, with the names of their classes if no label is missing."""
    if not has_classes(labels) or np.asarray(labels).dtype.kind in "iu":
        return {"y": np.asarray(labels)}
    codes, names = factorize_labels(labels)
    if len(codes) and codes.min() < 0:
        return {"y": np.array([*names, ""])[codes]}
    return {"y": codes, "class_names": np.array(names)}


CODE_WRITERS: dict[str, Callable[[Path, Posterior, Any], None]] = {
    ".npz": _write_npz,
    ".csv": _write_csv,
    ".h5ad": _write_h5ad,
    ".parquet": _write_parquet,
}
"""Function that writes codes, by the ending of the file."""
