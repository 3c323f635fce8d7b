"""Load MNIST and data sets in its format, from a folder or downloaded once into a cache."""

from __future__ import annotations

import gzip
import math
import os
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np

from vaeviz.data.dataset import Dataset, Split
from vaeviz.errors import Fix, InputError
from vaeviz_models.datasets.cache import cache_dir
from vaeviz_models.datasets.compression import check_expansion

FILES = {
    "train": ("train-images-idx3-ubyte", "train-labels-idx1-ubyte"),
    "test": ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"),
}
MAX_AXES = 8  # images have three, (N, H, W)
GET_AGAIN = "Download it again."
MAX_REASON_LENGTH = 60  # of an unusual error; libraries write whole paragraphs


@dataclass(frozen=True)
class Mirror:
    """Servers that publish the files of a data set.

    Parameters
    ----------
    name : str
        Name of the data set, and of its folder in the cache.
    mirrors : tuple of str
        Addresses, tried in order; each ends with a slash.
    md5 : tuple of str
        Checksum of each compressed file, in the order of `FILES`.
    class_names : tuple of str, optional
        Names of the labels 0, 1, ... in order.
    """

    name: str
    mirrors: tuple[str, ...]
    md5: tuple[str, str, str, str]
    class_names: tuple[str, ...] = ()

    def checksum(self, file: str) -> str:
        """Return the checksum of a file as pooch expects it.

        Parameters
        ----------
        file : str
            Name of the file without ``.gz``.

        Returns
        -------
        str
            The MD5 checksum, e.g. ``md5:f68b...``.
        """
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
    """Load 70,000 handwritten digits of 28 × 28 pixels, 10,000 of them in the test split.

    Parameters
    ----------
    split : {"train", "test", "all"}, default: "train"
        The part to load.
    data_dir : Path, optional
        Folder with the IDX files. None downloads them into the cache if they are not there.

    Returns
    -------
    Dataset
        Gray images (N, 28, 28) in [0, 1], labeled by class.

    References
    ----------
    LeCun et al., "Gradient-based learning applied to document recognition", Proc. IEEE 86(11), 1998.
    """
    return load_idx(MNIST, split, data_dir)


def fashion_mnist(*, split: Split = "train", data_dir: Path | None = None) -> Dataset:
    """Load 70,000 pictures of clothes of 28 × 28 pixels, 10,000 of them in the test split.

    Parameters
    ----------
    split : {"train", "test", "all"}, default: "train"
        The part to load.
    data_dir : Path, optional
        Folder with the IDX files. None downloads them into the cache if they are not there.

    Returns
    -------
    Dataset
        Gray images (N, 28, 28) in [0, 1], labeled by class.

    References
    ----------
    Xiao et al., "Fashion-MNIST: a novel image dataset for benchmarking machine learning algorithms", 2017.
    """
    return load_idx(FASHION, split, data_dir)


def kmnist(*, split: Split = "train", data_dir: Path | None = None) -> Dataset:
    """Load 70,000 cursive Japanese characters of 28 × 28 pixels, 10,000 of them in the test split.

    Parameters
    ----------
    split : {"train", "test", "all"}, default: "train"
        The part to load.
    data_dir : Path, optional
        Folder with the IDX files. None downloads them into the cache if they are not there.

    Returns
    -------
    Dataset
        Gray images (N, 28, 28) in [0, 1], labeled by class.

    References
    ----------
    Clanuwat et al., "Deep learning for classical Japanese literature", 2018.
    """
    return load_idx(KUZUSHIJI, split, data_dir)


def load_idx(source: Mirror, split: Split, data_dir: Path | None) -> Dataset:
    """Load a split from a folder or from the cache, and download what the cache lacks.

    Parameters
    ----------
    source : Mirror
        The data set.
    split : {"train", "test", "all"}
        The part to load.
    data_dir : Path or None
        Folder with the IDX files, to which nothing is written; None uses the cache.

    Returns
    -------
    Dataset
        Gray images (N, 28, 28) in [0, 1], labeled by class.

    Raises
    ------
    InputError
        If a file is missing, damaged, or cannot be downloaded.
    """
    splits = ("train", "test") if split == "all" else (split,)
    images, labels = (
        np.concatenate([read_idx(_find_file(source, FILES[part][place], data_dir)) for part in splits])
        for place in (0, 1)
    )
    x = images.astype(np.float32) / np.float32(255)
    return Dataset(x, labels.astype(np.int64), source.class_names, name=source.name)


def read_idx(path: Path) -> np.ndarray:
    """Read the array of bytes in an IDX file.

    Parameters
    ----------
    path : Path
        The file, compressed if it ends with ``.gz``.

    Returns
    -------
    np.ndarray
        The values, in uint8.

    Raises
    ------
    InputError
        If the file is truncated, or not an IDX file of bytes.
    """
    try:
        with (gzip.open if path.suffix == ".gz" else open)(path, "rb") as file:
            shape = _read_shape(cast(BinaryIO, file), path)
            expected = math.prod(shape)
            check_expansion(path, path.stat().st_size, expected)
            content = file.read(expected + 1)
    except (EOFError, OSError, zlib.error) as error:
        raise InputError(
            f"{path} is damaged or truncated ({error}).", got=str(path), expected="an IDX file", fix=GET_AGAIN
        ) from None
    if len(content) != expected:
        state = f"truncated to {len(content):,} of" if len(content) < expected else "longer than its shape allows,"
        raise InputError(
            f"{path} is {state} {expected:,} values.",
            got=str(len(content)),
            expected=str(expected),
            fix=GET_AGAIN,
        )
    return np.frombuffer(content, np.uint8).reshape(shape)


def _read_shape(file: BinaryIO, path: Path) -> tuple[int, ...]:
    """Read the header of an IDX file, up to its values."""
    start = file.read(4)
    n_axes = start[3] if len(start) == 4 else 0
    sizes = file.read(4 * n_axes)
    if start[:3] != b"\0\0\x08" or not 1 <= n_axes <= MAX_AXES or len(sizes) < 4 * n_axes:
        raise InputError(
            f"{path} is not an IDX file of bytes with 1 to {MAX_AXES} axes. It starts with {start!r}.",
            got=repr(start),
            expected="an IDX file of bytes",
        )
    shape = tuple(np.frombuffer(sizes, ">u4").tolist())
    if 0 in shape:
        raise InputError(f"{path} holds no values. Its shape is {shape}.", got=str(shape), expected="values")
    return shape


def _find_file(source: Mirror, name: str, data_dir: Path | None) -> Path:
    """Return the path of a file, compressed or not. A missing file is downloaded into the cache."""
    folder = cache_dir() / source.name if data_dir is None else data_dir
    candidates = [
        place / file
        for place in (folder, folder / source.name, folder / source.name.upper() / "raw")
        for file in (f"{name}.gz", name)
    ]
    existing = next((path for path in candidates if os.path.isfile(path)), None)
    if existing is not None:
        return existing
    if data_dir is None:
        return _download(source, f"{name}.gz", folder)
    advice = f"Put it there from {source.mirrors[0]}, or leave {{option}} out to download it."
    raise InputError(
        f"Neither {name}.gz nor {name} is in {folder}, or in its folders {source.name} and {source.name.upper()}/raw.",
        got=str(folder),
        expected=f"{name}.gz",
        fix=Fix(advice.format(option="data_dir"), advice.format(option="--data-dir")),
    )


def _download(source: Mirror, file: str, folder: Path) -> Path:
    """Download a file from the first mirror that has it."""
    import pooch

    reasons = []
    for mirror in source.mirrors:
        try:
            return Path(
                pooch.retrieve(mirror + file, source.checksum(file.removesuffix(".gz")), file, folder, progressbar=True)
            )
        except Exception as error:  # each mirror and protocol fails in its own way; the next one is tried
            reasons.append(f"{mirror} {_describe_download_error(error)}")
    names = ", ".join(f"{name}.gz" for pair in FILES.values() for name in pair)
    raise InputError(
        f"{file} is not in {folder} and could not be downloaded ({'; '.join(reasons)}).",
        got="; ".join(reasons),
        expected=file,
        fix=Fix(f"Pass the folder that holds {names} as data_dir.", f"Add --data-dir with the folder of {names}."),
    )


def _describe_download_error(error: Exception) -> str:
    """Return why a download failed, as the end of a sentence about the server."""
    import requests

    if isinstance(error, requests.HTTPError) and error.response is not None:
        return f"answers {error.response.status_code} {error.response.reason}".rstrip()
    if isinstance(error, requests.Timeout):
        return "does not answer in time"
    if isinstance(error, (requests.ConnectionError, ConnectionError)):
        return "cannot be reached"
    if "hash" in str(error).lower():  # pooch raises a plain ValueError
        return "has another file, whose checksum differs"
    return f"fails: {str(error).splitlines()[0][:MAX_REASON_LENGTH] if str(error) else type(error).__name__}"
