"""Data of one's own: ``npz:FILE``, ``npy:FILE``, ``h5ad:FILE`` and ``images:FOLDER``."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from vaeviz.data.dataset import Dataset, Split, dataset_from_anndata
from vaeviz.data.out_of_core import StoredArray
from vaeviz.errors import InputError, NoSuchSplit

if TYPE_CHECKING:
    from PIL import Image

SAMPLES = ("x", "X", "data", "images", "arr_0")
LABELS = ("y", "labels", "label", "target", "targets", "Y")
ENDINGS = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp")


def npz(path: str, *, split: Split = "all", labels: str | None = None) -> Dataset:
    """Arrays from FILE: x (N, ...) and optionally y (N,) and factors (N, K); or x_train, y_train, x_test and so on.

    Bytes are divided by 255. labels: the name of the array that holds them. Texts named feature_names, factor_names,
    class_names (of labels 0, 1, ...) and kind are taken as those of a `Dataset`.
    """
    file = Path(path)
    if not file.is_file():
        raise InputError(f"npz: {file} does not exist")
    if not zipfile.is_zipfile(file):
        raise InputError(f"{file}: is truncated, or no .npz file")
    try:
        with np.load(file, allow_pickle=False) as archive:
            return _from_arrays(archive, file, split, labels)
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError) as error:
        raise InputError(f"{file}: is damaged ({error})") from None
    except ValueError as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{file}: cannot be read as plain arrays of numbers ({error})") from None


def images(folder: str, *, split: Split = "all") -> Dataset:
    """Pictures of one size in FOLDER; those in subfolders have the subfolder's name as label.

    With subfolders ``train`` and ``test``, those are the splits.
    """
    root = Path(folder)
    if not root.is_dir():
        raise InputError(f"images: {root} is no folder")
    parts = {name: root / name for name in ("train", "test") if (root / name).is_dir()}
    pictures = sorted(path for path in root.rglob("*") if path.suffix.lower() in ENDINGS)
    if split != "all":
        if split not in parts:
            raise NoSuchSplit(f"images: {root} has no subfolder {split!r}; use --split all")
        root = parts[split]
    found = [path for path in pictures if root in path.parents]
    if not found:
        has_idx = any("-idx" in path.name or ".idx" in path.name for path in root.iterdir())
        hint = f"; for the IDX files there write --data mnist --data-dir {root}" if has_idx else ""
        raise InputError(f"images: found no {', '.join(ENDINGS)} in {root}{hint}")
    x = _read_pictures(found, _shared_mode(pictures))  # that of all splits, so that they are alike
    names = [path.parent.name if path.parent not in (root, *parts.values()) else "" for path in found]
    return Dataset(x, np.array(names) if any(names) else None, name=root.name)


def _from_arrays(archive: Mapping[str, np.ndarray], file: Path, split: Split, labels: str | None) -> Dataset:
    keys = list(archive)
    suffix = "" if split == "all" else f"_{split}"
    name = _first(keys, [f"{key}{suffix}" for key in SAMPLES])
    splits = [part for part in ("train", "test") if _first(keys, [f"{key}_{part}" for key in SAMPLES])]
    if name is None and split == "all" and splits:
        return _joined([_from_arrays(archive, file, part, labels) for part in splits])
    if name is None:
        kind = NoSuchSplit if split != "all" else InputError
        raise kind(f"{file}: holds {', '.join(keys) or 'nothing'}; expected an array named x{suffix}")
    if labels is not None and labels + suffix not in keys and labels not in keys:
        raise InputError(f"{file}: has no array {labels!r} for the labels; it holds {', '.join(keys)}")
    wanted = [labels + suffix, labels] if labels else [f"{key}{suffix}" for key in LABELS]
    y, factors = _first(keys, wanted), _first(keys, [f"factors{suffix}"])
    return Dataset(
        _scaled(archive[name]),
        None if y is None else archive[y],
        factors=None if factors is None else archive[factors],
        name=file.stem,
        **_told(archive),
    )


def _told(archive: Mapping[str, np.ndarray]) -> dict[str, Any]:
    """What the texts of an archive say of its samples."""
    fields = ("feature_names", "factor_names", "class_names", "kind")
    texts = {
        name: archive[name].ravel().tolist() for name in fields if name in archive and archive[name].dtype.kind == "U"
    }
    return {name: "".join(text) if name == "kind" else tuple(text) for name, text in texts.items()}


def _joined(parts: list[Dataset]) -> Dataset:
    """Splits of a data set as one; labels and factors only where each has them."""

    def all_of(field: str) -> np.ndarray | None:
        values = [getattr(part, field) for part in parts]
        return None if any(value is None for value in values) else np.concatenate(values)

    class_names = parts[0].class_names if all_of("labels") is not None else ()
    factor_names = parts[0].factor_names if all_of("factors") is not None else ()
    return replace(
        parts[0],
        x=all_of("x"),
        labels=all_of("labels"),
        factors=all_of("factors"),
        class_names=class_names,
        factor_names=factor_names,
    )


def _scaled(x: np.ndarray) -> np.ndarray:
    if x.dtype.kind not in "fiub":
        raise ValueError(f"{x.dtype}, expected real numbers")
    scale = np.float32(255) if x.dtype == np.uint8 else np.float32(1)
    return x.astype(np.float32) / scale


def _first(keys: list[str], wanted: list[str]) -> str | None:
    return next((key for key in wanted if key in keys), None)


def _shared_mode(paths: list[Path]) -> str:
    """Gray if all pictures are, else color. Only their heads are read."""
    modes = {}
    for path in paths:
        with _picture(path) as picture:
            modes.setdefault(picture.mode, path)
    if "F" in modes:
        raise InputError(
            f"{modes['F']}: holds floating-point numbers, which are no gray levels; give them as npy: or npz:"
        )
    return "L" if set(modes) <= {"1", "L", "I;16", "I"} else "RGB"


@contextmanager
def _picture(path: Path) -> Iterator[Image.Image]:
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(path) as picture:
            yield picture
    except (UnidentifiedImageError, OSError) as error:
        raise InputError(f"{path}: cannot be read as a picture ({error})") from None


def _read_pictures(paths: list[Path], mode: str) -> np.ndarray:
    pictures, size = [], None
    for path in paths:
        with _picture(path) as picture:
            pixels = np.asarray(_eight_bits(picture).convert(mode))
        size = size or pixels.shape
        if pixels.shape != size:
            raise InputError(
                f"{path}: is {pixels.shape[1]} × {pixels.shape[0]} pixels, {paths[0].name} is {size[1]} × {size[0]}; "
                "give pictures of one size"
            )
        pictures.append(pixels)
    return np.stack(pictures).astype(np.float32) / np.float32(255)


def _eight_bits(picture: Image.Image) -> Image.Image:
    """A picture with sixteen bits a pixel scaled to eight; Pillow would clip it."""
    if not picture.mode.startswith("I"):
        return picture
    from PIL import Image

    return Image.fromarray((np.asarray(picture).astype(np.uint32) >> 8).astype(np.uint8))


def npy(path: str, *, split: Split = "all", labels: str | None = None) -> Dataset:
    """One array from FILE, x (N, ...), which stays on disk and is read as it is needed.

    Bytes are divided by 255, as they are read. labels: another .npy file, with one label a row.
    """
    if split != "all":
        raise NoSuchSplit(f"npy: {path} has no splits; use --split all")
    x = _mapped(Path(path))
    y = None if labels is None else _mapped(Path(labels))
    return Dataset(
        x if x.dtype.kind == "f" else StoredArray(x, (0, 255) if x.dtype == np.uint8 else None, dtype=np.float32), y, name=Path(path).stem
    )


def h5ad(path: str, *, split: Split = "all", labels: str | None = None) -> Dataset:
    """The matrix X of an AnnData in FILE, and the names of its genes. labels: the column of `obs` that holds them."""
    if split != "all":
        raise NoSuchSplit(f"h5ad: {path} has no splits; use --split all")
    try:
        from anndata import read_h5ad
    except ImportError:
        raise InputError(f'{path}: needs anndata, which is not installed; pip install "vaeviz[anndata]"') from None
    if not Path(path).is_file():
        raise InputError(f"h5ad: {path} does not exist")
    try:
        cells = read_h5ad(path)
    except (OSError, ValueError, KeyError) as error:
        raise InputError(f"{path}: is damaged, or no .h5ad file ({error})") from None
    return dataset_from_anndata(cells, labels, Path(path).stem)


def _mapped(file: Path) -> np.ndarray:
    if not file.is_file():
        raise InputError(f"npy: {file} does not exist")
    try:
        return np.load(file, mmap_mode="r", allow_pickle=False)
    except (ValueError, EOFError, OSError):  # what NumPy says of a file that is no array advises to unpickle it
        raise InputError(f"{file}: cannot be read as a plain array of numbers; write it with np.save") from None
