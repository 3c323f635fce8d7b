"""The zip archives that torch writes, read so that nothing in them can be seen in two ways."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from pathlib import Path

from vaeviz.errors import InputError


def members_of(path: Path, content: bytes, *, unread: Callable[[str], bool] = lambda name: False) -> dict[str, bytes]:
    """The files of an archive by their names below its top folder, but for those that are `unread`.

    `InputError` unless Python and torch see the same: two files of one name, or headers that disagree, could show one
    thing to a check and another to the loader.
    """
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        names = archive.namelist()
        if len(set(names)) != len(names):
            raise InputError(f"{path}: refused, it holds two files of one name")
        inner = {name: name.partition("/")[2] for name in names}
        members = {inner[name]: archive.read(name) for name in names if not unread(inner[name])}
    import torch

    try:
        reader = torch._C.PyTorchFileReader(io.BytesIO(content))
        records = set(reader.get_all_records())
        same = records == set(inner.values()) and all(reader.get_record(name) == members[name] for name in members)
    except RuntimeError as error:
        raise InputError(f"{path}: is damaged ({str(error).splitlines()[0]})") from None
    if not same:
        raise InputError(f"{path}: refused, its contents differ by how it is read")
    return members
