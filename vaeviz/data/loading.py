"""Load data sets by name, through the registry group ``vaeviz.datasets``."""

from __future__ import annotations

import inspect
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from vaeviz.data.batches import check_samples
from vaeviz.data.dataset import Dataset, Split, dataset_from_anndata, is_anndata
from vaeviz.errors import Fix, InputError, NoSuchSplit
from vaeviz.plugins import registry
from vaeviz.plugins.object_refs import import_object, is_object_ref
from vaeviz.plugins.options import check_arguments, options_of, validate_settings

FILE_SUFFIXES = (".npy", ".npz", ".h5ad", ".csv", ".parquet")
LIST_DATA = "Run vaeviz list data to see the data sets."
NUMBER = r"[-+]?\d*\.?\d+(?:[eE][-+]?\d+)?"
RANGE_AND_PATH = re.compile(rf"({NUMBER},{NUMBER}):(.*)")


def load_data(
    name: str | Path,
    *,
    split: Split | None = None,
    data_dir: str | Path | None = None,
    labels: str | None = None,
    value_range: tuple[float, float] | None = None,
) -> Dataset:
    """Load a data set by its name, from a file, or from an object of a module.

    Parameters
    ----------
    name : str or Path
        One of four forms. The name of a registered data set, e.g. ``"mnist"``. ``"LOADER:FILE"``, e.g.
        ``"npz:scans.npz"``, or ``"LOADER:LOW,HIGH:FILE"`` with a value range. The path of a file (.npy, .npz, .csv,
        .parquet, .h5ad) or of a folder of pictures. Or ``"package.module:attribute"``: an array, an AnnData, a pair
        ``(x, labels)``, a `Dataset`, or a function without arguments that returns one of these.
    split : {"train", "test", "all"}, optional
        The part to load. None loads the test split if there is one, and everything otherwise.
    data_dir : str or Path, optional
        Folder with the files of the data set.
    labels : str, optional
        The array (.npz), the column (.csv, .parquet, .h5ad) or the file (.npy) that holds the labels.
    value_range : tuple of float, optional
        The values in the file that become 0 and 1, e.g. ``(0, 4095)`` for a 12-bit camera. Values are rescaled by
        the range of their type if it is known, see ``docs/how-to/data.md``.

    Returns
    -------
    Dataset
        The samples and what is known about them.

    Raises
    ------
    UnknownName
        If no data set has this name.
    NoSuchSplit
        If the data set does not have the split.
    InputError
        If files are missing or damaged, or the data set does not have an option.

    Examples
    --------
    >>> load_data("digits").x.shape
    (360, 8, 8)
    """
    check_arguments(load_data, locals())
    name = str(name)
    if not name:
        raise InputError("name is empty.", got="nothing", expected="a data set", fix=LIST_DATA)
    settings = {"split": split, "data_dir": data_dir and Path(data_dir), "labels": labels, "value_range": value_range}
    given = {option: value for option, value in settings.items() if value is not None}
    if is_object_ref(name) and name.partition(":")[0] not in registry.entries("vaeviz.datasets"):
        return _load_object(name, given)
    name, _, argument = _with_loader_name(name).partition(":")
    loader: Any = registry.load("vaeviz.datasets", name)
    options = options_of(loader)
    if "value_range" in options and (match := RANGE_AND_PATH.fullmatch(argument)):
        if value_range is not None:
            raise InputError(f"{name}:{argument} has a value range, but value_range={value_range} is given too.")
        given["value_range"], argument = match.groups()
    _check_options(name, given, options)
    given = validate_settings(loader, given, owner=name)
    arguments = [argument] if argument else []
    if split is not None or "split" not in options:
        return _call_loader(loader, name, arguments, given)
    try:
        return _call_loader(loader, name, arguments, given | {"split": "test"})
    except NoSuchSplit:
        return _call_loader(loader, name, arguments, given | {"split": "all"})


def check_names_no_code(name: str, source: str) -> None:
    """Raise InputError for the name of a data set, read from a file, that leads to an object of a module.

    Such a name would let whoever wrote the file run code. It is honored from a script or a command line only.

    Parameters
    ----------
    name : str
        The name.
    source : str
        What was trained on the data, for messages.

    Raises
    ------
    InputError
        If a loader in front of it, or `load_data` itself, would import a module. The fix names the data by hand.

    Examples
    --------
    >>> check_names_no_code("binarized:mnist", "runs/m")
    >>> check_names_no_code("binarized:my_module:data", "runs/m")
    Traceback (most recent call last):
    vaeviz.errors.InputError: runs/m was trained on 'binarized:my_module:data', an object of a module, ...
    """
    known = registry.entries("vaeviz.datasets")
    parts = name.split(":")
    for k, first in enumerate(parts):
        if first not in known and is_object_ref(":".join(parts[k:])):
            raise InputError(
                f"{source} was trained on {name!r}, an object of a module, which is not imported because a file names "
                "it.",
                got=name,
                expected="data that you name yourself",
                fix=Fix(
                    f"If you trust it, pass data=vaeviz.load_data({name!r}).", f"If you trust it, add --data {name}."
                ),
            )


def _with_loader_name(name: str) -> str:
    """Return the path of a file or folder as ``LOADER:PATH``, and other names as they are."""
    path = Path(name)
    if path.suffix.lower() in FILE_SUFFIXES and (":" not in name or os.path.isfile(name)):
        return f"{path.suffix.lower()[1:]}:{name}"
    suffixes = ", ".join(FILE_SUFFIXES)
    if os.path.isfile(name) and path.suffix:
        raise InputError(
            f"{name} is not a data file. Expected a file {suffixes} or a folder of pictures.",
            got=path.suffix,
            expected=suffixes,
        )
    known = registry.entries("vaeviz.datasets")
    if os.path.isdir(name) and name not in known:
        return f"images:{name}"
    if (path.suffix or len(path.parts) > 1) and ":" not in name and name not in known:
        raise InputError(
            f"No file, folder or data set is named {name!r}.",
            got=name,
            expected=f"a file {suffixes}, a folder of pictures, or a data set",
            fix=LIST_DATA,
        )
    return name


def _check_options(name: str, given: Mapping[str, Any], options: Mapping[str, Any]) -> None:
    """Raise InputError for an option that a data set does not have."""
    for option in given:
        if option not in options:
            raise InputError(
                f"Data set {name!r} has no option {option}.",
                got=option,
                expected=", ".join(options),
                fix=Fix(f"Leave {option} out.", f"Leave --{option.replace('_', '-')} out."),
            )


def _call_loader(loader: Any, name: str, arguments: list[str], settings: Mapping[str, Any]) -> Dataset:
    """Call a loader. Its own errors are not touched; only arguments that its signature refuses are explained."""
    try:
        inspect.signature(loader).bind(*arguments, **settings)
    except TypeError as error:
        form = name if arguments else f"{name}:ARGUMENT"
        raise InputError(
            f"Data set {name!r} cannot be loaded from {':'.join([name, *arguments])!r}: {error}.",
            got=":".join([name, *arguments]),
            expected=form,
            fix=Fix(f'Write load_data("{form}").', f"Write --data {form}."),
        ) from None
    return cast(Dataset, loader(*arguments, **settings))


def _load_object(name: str, given: dict[str, Any]) -> Dataset:
    """Load what ``package.module:attribute`` names. It has no splits."""
    split = given.pop("split", "all")
    if split != "all":
        fix = Fix('Pass split="all".', "Add --split all.")
        raise NoSuchSplit(f"{name} has no splits.", got=split, expected="all", fix=fix)
    found = import_object(name)
    found = found() if callable(found) else found
    title = name.rpartition(":")[2]
    if is_anndata(found):
        _check_options(name, given, {"labels": None})
        return dataset_from_anndata(found, given.get("labels"), title)
    _check_options(name, given, {})
    if isinstance(found, Dataset):
        return found
    if isinstance(found, tuple) and len(found) == 2:
        return Dataset(check_samples(found[0], name), found[1], name=title)
    return Dataset(check_samples(found, name), name=title)
