"""MNIST and its kin, from IDX files: those in a folder, else downloaded once into a cache."""

from __future__ import annotations

import gzip
import os
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vaeviz.data.dataset import Dataset, Split
from vaeviz.errors import InputError

FILES = {
    "train": ("train-images-idx3-ubyte", "train-labels-idx1-ubyte"),
    "test": ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"),
}


@dataclass(frozen=True)
class Mirror:
    """Where a data set is published: mirrors, and the MD5 of each compressed file in the order of `FILES`."""

    name: str
    mirrors: tuple[str, ...]
    md5: tuple[str, str, str, str]
    class_names: tuple[str, ...] = ()

    def checksum(self, file: str) -> str:
        names = [name for pair in FILES.values() for name in pair]
        return f"md5:{self.md5[names.index(file)]}"


MNIST = Mirror(
    "mnist",
    ("https://ossci-datasets.s3.amazonaws.com/mnist/", "https://storage.googleapis.com/cvdf-datasets/mnist/"),
    (
        "f68b3c2dcbeaaa9fbdd348bbdeb94873",
        "d53e105ee54ea40749a09fcbcd1e9432",
        "9fb629c4189551a2d022fa330f9573f3",
        "ec29112dd5afa0611ce80d1b7f02629c",
    ),
)
FASHION = Mirror(
    "fashion-mnist",
    (
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
        "https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion/",
    ),
    (
        "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
        "25c81989df183df01b3e8a0aad5dffbe",
        "bef4ecab320f06d8554ea6380940ec79",
        "bb300cfdad3c16e7a12a480ee83cd310",
    ),
    ("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"),
)
KUZUSHIJI = Mirror(
    "kmnist",
    ("http://codh.rois.ac.jp/kmnist/dataset/kmnist/",),
    (
        "bdb82020997e1d708af4cf47b453dcf7",
        "e144d726b3acfaa3e44228e80efcd344",
        "5c965bf0a639b31b8f53240b1b52f4d7",
        "7320c461ea6c1c855c0b718fb2a4b134",
    ),
    ("o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo"),
)


def mnist(*, split: Split = "train", data_dir: Path | None = None) -> Dataset:
    """70,000 handwritten digits of 28 × 28 pixels (LeCun et al. 1998), 60,000 to train and 10,000 to test."""
    return load(MNIST, split, data_dir)


def fashion_mnist(*, split: Split = "train", data_dir: Path | None = None) -> Dataset:
    """70,000 pictures of clothes, 28 × 28 (Xiao et al. 2017)."""
    return load(FASHION, split, data_dir)


def kmnist(*, split: Split = "train", data_dir: Path | None = None) -> Dataset:
    """70,000 cursive Japanese characters, 28 × 28 (Clanuwat et al. 2018)."""
    return load(KUZUSHIJI, split, data_dir)


def load(source: Mirror, split: Split, data_dir: Path | None) -> Dataset:
    """A split of a data set, from `data_dir` if one is given, else from the cache, downloading what it lacks."""
    if split == "all":
        parts = [load(source, each, data_dir) for each in FILES]
        x, labels = np.concatenate([part.x for part in parts]), np.concatenate([part.labels for part in parts])
        return Dataset(x, labels, source.class_names, name=source.name)
    images, labels = (read_idx(_path_of(source, name, data_dir)) for name in FILES[split])
    x = images.astype(np.float32) / np.float32(255)
    return Dataset(x, labels.astype(np.int64), source.class_names, name=source.name)


def read_idx(path: Path) -> np.ndarray:
    """The uint8 array in an IDX file, gzipped or not; `InputError` if it is truncated or something else."""
    try:
        with (gzip.open if path.suffix == ".gz" else open)(path, "rb") as file:
            content = file.read()
    except (EOFError, OSError, zlib.error) as error:
        raise InputError(f"{path}: is damaged or truncated ({error}); get it again") from None
    if len(content) < 4 or content[:3] != b"\0\0\x08" or len(content) < 4 + 4 * content[3]:
        raise InputError(f"{path}: is no IDX file of bytes, it starts with {content[:4]!r}")
    shape = tuple(np.frombuffer(content, ">u4", content[3], offset=4).tolist())
    values = np.frombuffer(content, np.uint8, offset=4 + 4 * content[3])
    if len(values) != np.prod(shape):
        raise InputError(f"{path}: is truncated, it holds {len(values):,} of {np.prod(shape):,} values; get it again")
    return values.reshape(shape)


def cache_dir() -> Path:
    """Where downloads are kept: ``$VAEVIZ_DATA``, else the system's cache folder."""
    import pooch

    return Path(os.environ.get("VAEVIZ_DATA") or pooch.os_cache("vaeviz"))


def _path_of(source: Mirror, name: str, data_dir: Path | None) -> Path:
    folder = cache_dir() / source.name if data_dir is None else data_dir
    candidates = [
        place / file
        for place in (folder, folder / source.name, folder / source.name.upper() / "raw")
        for file in (f"{name}.gz", name)
    ]
    existing = next((path for path in candidates if path.is_file()), None)
    if existing is not None:
        return existing
    if data_dir is not None:
        raise InputError(
            f"{source.name}: found neither {name}.gz nor {name} in {folder}, "
            f"or in {source.name} or {source.name.upper()}/raw there. "
            f"Put it there from {source.mirrors[0]}, or leave --data-dir out to download it"
        )
    return _downloaded(source, f"{name}.gz", folder)


def _downloaded(source: Mirror, file: str, folder: Path) -> Path:
    import pooch

    reasons = []
    for mirror in source.mirrors:
        try:
            return Path(
                pooch.retrieve(mirror + file, source.checksum(file.removesuffix(".gz")), file, folder, progressbar=True)
            )
        except Exception as error:  # each mirror and protocol fails in its own way; the next one is tried
            reason = str(error) or type(error).__name__
            reasons.append(f"{mirror}: {reason.splitlines()[0][:60]}")
    raise InputError(
        f"{source.name}: {file} is not in {folder} and could not be downloaded. Give the folder that holds "
        f"{', '.join(f'{name}.gz' for pair in FILES.values() for name in pair)} as --data-dir. ({'; '.join(reasons)})"
    )
