"""Refuse HDF5 files whose arrays are stored in other files: opening one would read any file of this machine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from vaeviz.errors import InputError
from vaeviz.plugins.optional_libraries import import_library


def check_self_contained(path: str | Path) -> None:
    """Check that an HDF5 file holds all of its arrays itself.

    Parameters
    ----------
    path : str or Path
        The file.

    Raises
    ------
    InputError
        If it links to another file, or an array of it is stored in another file.
    """
    h5py: Any = import_library("h5py", extra="anndata", needed_by=str(path))
    with h5py.File(path, "r") as file:
        for name, target in _outside_storage(file, h5py, set()):
            raise InputError(
                f"{path} stores {name} in another file, {target}.",
                got=target,
                expected="a file that holds its own arrays",
                fix="Write its arrays into one file.",
            )


def _outside_storage(group: Any, h5py: Any, seen: set[Any]) -> Iterator[tuple[str, str]]:
    """Yield each link and array that reads another file, and that file. `seen` holds the groups that were searched."""
    address = h5py.h5o.get_info(group.id).addr  # a group may contain itself
    if address in seen:
        return
    seen.add(address)
    for key in group:
        link = group.get(key, getlink=True)
        name = f"{group.name.rstrip('/')}/{key}"
        if isinstance(link, h5py.ExternalLink):
            yield name, link.filename
        if not isinstance(link, h5py.HardLink):
            continue
        found = group[key]
        if isinstance(found, h5py.Group):
            yield from _outside_storage(found, h5py, seen)
        elif isinstance(found, h5py.Dataset):
            files = [source for source, *_ in found.external or ()]
            if found.is_virtual:
                files += [source.file_name for source in found.virtual_sources() if source.file_name != "."]
            yield from ((name, source) for source in files)
