"""Load files: ``npz:FILE``, ``npy:FILE``, ``h5ad:FILE`` and ``images:FOLDER``."""

from __future__ import annotations

import os
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from tokenize import TokenError
from typing import Any

import numpy as np

from vaeviz.data.arrays import NUMBER_KINDS, rescale
from vaeviz.data.dataset import Dataset, Split, dataset_from_anndata
from vaeviz.data.hdf5_storage import check_self_contained
from vaeviz.data.out_of_core import StoredArray, subsample
from vaeviz.errors import Fix, InputError, NoSuchSplit
from vaeviz_models.datasets.compression import check_expansion
from vaeviz_models.datasets.pictures import find_modes, read_pictures
from vaeviz_models.datasets.value_ranges import check_used_range

SAMPLE_ARRAYS = ("x", "X", "data", "images", "arr_0")
LABEL_ARRAYS = ("y", "labels", "label", "target", "targets", "Y")
PICTURE_SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp")
BYTE_RANGE = (0, 255)
ALL_SPLITS = Fix('Pass split="all".', "Add --split all.")


def npz(
    path: str, *, split: Split = "all", labels: str | None = None, value_range: tuple[float, float] | None = None
) -> Dataset:
    """Load the arrays of a .npz file.

    Bytes are divided by 255; other values are kept.

    Parameters
    ----------
    path : str
        A file with an array ``x`` (N, ...), and optionally ``y`` (N,) and ``factors`` (N, K); or with ``x_train``,
        ``y_train``, ``x_test`` and so on. Arrays of strings named ``feature_names``, ``factor_names``,
        ``class_names`` (of labels 0, 1, ...) and ``kind`` are those of `Dataset`.
    split : {"train", "test", "all"}, default: "all"
        The part to load.
    labels : str, optional
        Name of the array that holds the labels.
    value_range : tuple of float, optional
        The values that become 0 and 1.

    Returns
    -------
    Dataset
        The samples, in float32.

    Raises
    ------
    NoSuchSplit
        If the file has no arrays of the split.
    InputError
        If the file is missing or damaged, or holds no samples.
    """
    file = Path(path)
    _check_exists(file)
    if not zipfile.is_zipfile(file):
        raise InputError(f"{file} is truncated, or not an .npz file.", got=path, expected="an .npz file")
    try:
        with zipfile.ZipFile(file) as archive_file:
            for entry in archive_file.infolist():
                check_expansion(file, entry.compress_size, entry.file_size)
        with np.load(file, allow_pickle=False) as archive:
            return _dataset_of_arrays(archive, file, split, labels, value_range)
    except InputError:
        raise
    except (zipfile.BadZipFile, zlib.error, EOFError, MemoryError, NotImplementedError, OSError) as error:
        raise InputError(f"{file} is damaged ({error}).", got=path, expected="an .npz file") from None
    except (OverflowError, TokenError, TypeError, ValueError) as error:
        raise InputError(
            f"{file} cannot be read as plain arrays of numbers ({error}).", got=path, expected="arrays of numbers"
        ) from None


def npy(
    path: str, *, split: Split = "all", labels: str | None = None, value_range: tuple[float, float] | None = None
) -> Dataset:
    """Load the array of a .npy file, which stays on disk and is read as it is needed.

    Bytes are divided by 255 as they are read; other values are kept.

    Parameters
    ----------
    path : str
        A file with one array (N, ...).
    split : {"all"}, default: "all"
        A file has no splits.
    labels : str, optional
        Another .npy file, with one label per row.
    value_range : tuple of float, optional
        The values that become 0 and 1.

    Returns
    -------
    Dataset
        The samples, memory-mapped.

    Raises
    ------
    NoSuchSplit
        For another split.
    InputError
        If a file is missing or not an array.
    """
    _check_split(split, path)
    x: Any = _memory_map(Path(path))
    if x.dtype.kind not in NUMBER_KINDS:
        raise InputError(f"{path} holds {x.dtype}, not real numbers.", got=str(x.dtype), expected="real numbers")
    if value_range is None and x.dtype == np.uint8:
        value_range = BYTE_RANGE
        if x.size:
            check_used_range(float(subsample(x).max()), BYTE_RANGE[1], path, "npy", path)
    if value_range is not None or x.dtype.kind != "f":
        x = StoredArray(x, value_range, dtype=np.float32)
    return Dataset(x, None if labels is None else _memory_map(Path(labels)), name=Path(path).stem)


def h5ad(path: str, *, split: Split = "all", labels: str | None = None) -> Dataset:
    """Load the matrix X of an .h5ad file, with the names of its genes.

    Parameters
    ----------
    path : str
        A file that AnnData wrote.
    split : {"all"}, default: "all"
        A file has no splits.
    labels : str, optional
        Column of `obs` that holds the labels.

    Returns
    -------
    Dataset
        The samples, with the AnnData as their source.

    Raises
    ------
    NoSuchSplit
        For another split.
    InputError
        If the file is missing or damaged, or anndata is not installed.
    """
    _check_split(split, path)
    try:
        from anndata import read_h5ad
    except ImportError:
        raise InputError(
            f"{path} needs anndata, which is not installed.",
            got="no anndata",
            expected="anndata",
            fix='Run pip install "vaeviz[anndata]".',
        ) from None
    _check_exists(Path(path))
    _check_stored_size(Path(path))
    try:
        check_self_contained(path)
        cells = read_h5ad(path)
    except InputError:
        raise
    except (OSError, ValueError, KeyError) as error:
        raise InputError(
            f"{path} is damaged, or not an .h5ad file ({error}).", got=path, expected="an .h5ad file"
        ) from None
    return dataset_from_anndata(cells, labels, Path(path).stem)


def images(folder: str, *, split: Split = "all", value_range: tuple[float, float] | None = None) -> Dataset:
    """Load the pictures of a folder, which have one size.

    Parameters
    ----------
    folder : str
        The folder. Pictures in subfolders get the subfolder's name as label; the subfolders ``train`` and ``test``
        are splits.
    split : {"train", "test", "all"}, default: "all"
        The part to load.
    value_range : tuple of float, optional
        The values that become 0 and 1. None takes black and white of the file format, which 32-bit integers and
        floating-point numbers do not have.

    Returns
    -------
    Dataset
        The pictures in float32: gray (N, H, W) if all are gray, else (N, H, W, 3).

    Raises
    ------
    NoSuchSplit
        If there is no subfolder of the split.
    InputError
        If there are no pictures, one cannot be read, their sizes differ, or their value range is not known.
    """
    root = Path(folder)
    if not os.path.isdir(root):
        raise InputError(f"{root} is not a folder.", got=folder, expected="a folder of pictures")
    parts = {name: root / name for name in ("train", "test") if (root / name).is_dir()}
    pictures = sorted(path for path in root.rglob("*") if path.suffix.lower() in PICTURE_SUFFIXES)
    if split != "all":
        if split not in parts:
            raise NoSuchSplit(
                f"{root} has no subfolder {split!r}.",
                got=split,
                expected=", ".join([*parts, "all"]),
                fix=ALL_SPLITS,
            )
        root = parts[split]
    selected = [path for path in pictures if root in path.parents]
    if not selected:
        raise _no_pictures(root)
    x = read_pictures(selected, find_modes(pictures), value_range, folder)
    names = [path.parent.name if path.parent not in (root, *parts.values()) else "" for path in selected]
    return Dataset(x, np.array(names) if any(names) else None, name=root.name)


def _dataset_of_arrays(
    archive: Mapping[str, np.ndarray],
    file: Path,
    split: Split,
    labels: str | None,
    value_range: tuple[float, float] | None,
) -> Dataset:
    keys, listed = list(archive), ", ".join(archive) or "nothing"
    suffix = "" if split == "all" else f"_{split}"
    name = _first_key(keys, [f"{key}{suffix}" for key in SAMPLE_ARRAYS])
    if name is None and split == "all":
        splits: tuple[Split, ...] = ("train", "test")
        found = [part for part in splits if _first_key(keys, [f"{key}_{part}" for key in SAMPLE_ARRAYS])]
        if found:
            return _join_splits([_dataset_of_arrays(archive, file, part, labels, value_range) for part in found])
    if name is None:
        kind = NoSuchSplit if split != "all" else InputError
        raise kind(f"{file} holds {listed}, expected an array named x{suffix}.", got=listed, expected=f"x{suffix}")
    if labels is not None and labels + suffix not in keys and labels not in keys:
        raise InputError(
            f"{file} has no array {labels!r} for the labels. It holds {listed}.", got=labels, expected=listed
        )
    y = _first_key(keys, [labels + suffix, labels] if labels else [f"{key}{suffix}" for key in LABEL_ARRAYS])
    factors = _first_key(keys, [f"factors{suffix}"])
    return Dataset(
        _scale_array(_array_in(archive, name), file, value_range),
        None if y is None else _array_in(archive, y),
        factors=None if factors is None else _array_in(archive, factors),
        name=file.stem,
        **_names_in(archive),
    )


def _array_in(archive: Mapping[str, np.ndarray], name: str) -> np.ndarray:
    """Return an array of an archive, where NumPy returns the bytes of a file that does not begin as an array."""
    array: Any = archive[name]
    if not isinstance(array, np.ndarray):
        raise ValueError(f"{name} is not an array")
    return array


def _names_in(archive: Mapping[str, np.ndarray]) -> dict[str, Any]:
    """Return the names and the kind of samples that an archive holds as strings."""
    fields = ("feature_names", "factor_names", "class_names", "kind")
    arrays = {name: _array_in(archive, name) for name in fields if name in archive}
    texts = {name: array.ravel().tolist() for name, array in arrays.items() if array.dtype.kind == "U"}
    return {name: "".join(text) if name == "kind" else tuple(text) for name, text in texts.items()}


def _join_splits(parts: Sequence[Dataset]) -> Dataset:
    """Join splits of a data set; labels and factors are kept if every split has them."""

    def join(field: str) -> Any:
        values = [getattr(part, field) for part in parts]
        return None if any(value is None for value in values) else np.concatenate(values)

    labels, factors = join("labels"), join("factors")
    return replace(
        parts[0],
        x=join("x"),
        labels=labels,
        factors=factors,
        class_names=() if labels is None else parts[0].class_names,
        factor_names=() if factors is None else parts[0].factor_names,
    )


def _scale_array(x: np.ndarray, file: Path, value_range: tuple[float, float] | None) -> np.ndarray:
    """Return an array of any type in float32, with bytes or a declared range rescaled to [0, 1]."""
    if x.dtype.kind not in NUMBER_KINDS:
        raise InputError(f"{file} holds {x.dtype}, not real numbers.", got=str(x.dtype), expected="real numbers")
    if value_range is None and x.dtype == np.uint8:
        value_range = BYTE_RANGE
        if x.size:
            check_used_range(float(x.max()), BYTE_RANGE[1], str(file), "npz", str(file))
    return x.astype(np.float32) if value_range is None else rescale(x, value_range, str(file))


def _first_key(keys: Sequence[str], wanted: Sequence[str]) -> str | None:
    return next((key for key in wanted if key in keys), None)


def _no_pictures(folder: Path) -> InputError:
    has_idx = any("-idx" in path.name or ".idx" in path.name for path in folder.iterdir())
    advice = Fix(
        f'For its IDX files, write load_data("mnist", data_dir="{folder}").',
        f"For its IDX files, write --data mnist --data-dir {folder}.",
    )
    suffixes = ", ".join(PICTURE_SUFFIXES)
    return InputError(
        f"{folder} holds no pictures ({suffixes}).",
        got="no pictures",
        expected=suffixes,
        fix=advice if has_idx else "",
    )


def _check_split(split: Split, path: str) -> None:
    if split != "all":
        raise NoSuchSplit(f"{path} has no splits.", got=split, expected="all", fix=ALL_SPLITS)


def _check_stored_size(file: Path) -> None:
    """Raise InputError for an HDF5 file whose arrays take far more memory than disk."""
    import h5py  # anndata needs it

    def check(name: str, entry: Any) -> None:
        if isinstance(entry, h5py.Dataset):
            check_expansion(file, entry.id.get_storage_size(), entry.nbytes)

    with suppress(OSError), h5py.File(file) as content:  # anndata reports a file that is damaged
        content.visititems(check)


def _check_exists(file: Path) -> None:
    if not os.path.isfile(file):
        raise InputError(f"{file} does not exist.", got=str(file), expected="a file")


def _memory_map(file: Path) -> np.ndarray:
    _check_exists(file)
    try:
        array: np.ndarray = np.load(file, mmap_mode="r", allow_pickle=False)
    except (EOFError, MemoryError, OSError, OverflowError, TokenError, TypeError, ValueError):  # advises to unpickle
        raise InputError(
            f"{file} cannot be read as a plain array of numbers.",
            got=str(file),
            expected="an .npy file",
            fix="Write it with np.save.",
        ) from None
    return array
