"""Read the tensors of weight files: safetensors, what ``torch.save`` wrote, shards, and the folders that hold them."""

from __future__ import annotations

import json
import os
import re
import tarfile
import warnings
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from vaeviz.data.out_of_core import shorten
from vaeviz.errors import Fix, InputError, warn_user
from vaeviz.model.weights.unpickler import InertObject, load_tensors

INDEX_SUFFIX = ".index.json"  # of the file that lists the shards
FOLDER_FILES = tuple(  # names that libraries give, the safest format first
    f"{stem}{suffix}"
    for suffix in (".safetensors", f".safetensors{INDEX_SUFFIX}", ".bin", f".bin{INDEX_SUFFIX}")
    for stem in ("model", "diffusion_pytorch_model", "pytorch_model")
)
MAX_JSON_BYTES = 1 << 26  # an index of a million tensors takes about this
MODULE_PARTS = {"_modules", "_parameters", "_buffers"}  # attributes of a pickled module around the names of its weights
TRAINING_STATE = re.compile("optim(?!al)|sched|callback|loops|rng_state")  # in keys of a checkpoint beside its weights
SETTINGS_KEY = "hyper_parameters"  # under which Lightning keeps the arguments of a module
MAX_SETTING_DEPTH = 2  # of lists in lists; deeper ones may contain each other
MAX_DEPTH = 100  # of containers in containers; modules in modules are not so deep
LEGACY_MAGIC = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19."  # first bytes of a file of torch before version 1.6
PROGRAM_RECORD = "constants.pkl"  # by which torch tells a program (TorchScript) from tensors
EXPECTED = "a state dict, or a checkpoint that holds one"


@dataclass(frozen=True)
class WeightFile:
    """The content of a file or folder of weights.

    Parameters
    ----------
    tensors : mapping of str to tensor
        Tensors by name. Those in nested containers have joined names, such as ``state_dict.encoder.weight``.
    settings : mapping of str to object
        Arguments of the model that the file records; plain values only.
    unread : tuple of str
        Names of the arguments that are not plain values.
    """

    tensors: Mapping[str, Any]
    settings: Mapping[str, Any] = field(default_factory=dict)
    unread: tuple[str, ...] = ()


def read_weight_file(path: Path) -> WeightFile:
    """Read a file or a folder of weights without running code of it.

    Parameters
    ----------
    path : Path
        A ``.safetensors`` file, a file of ``torch.save``, the ``.index.json`` of several shards, or a folder with one
        of these and perhaps a ``config.json``.

    Returns
    -------
    WeightFile
        Its tensors, and the arguments of the model.

    Raises
    ------
    InputError
        If it does not exist, is damaged, or holds no tensors.
    """
    config: dict[str, Any] = {}
    if os.path.isdir(path):
        config = _read_json(path / "config.json") if (path / "config.json").is_file() else {}
        path = _file_in_folder(path)
    if not os.path.isfile(path):
        raise InputError(f"{path} is not an existing file.", got=str(path), expected="a file with weights")
    content = _read_shards(path) if path.name.endswith(INDEX_SUFFIX) else _read_content(path)
    tensors = dict(_tensors_by_name(content))
    if not tensors:
        fix = "Save model.state_dict() with torch.save."
        raise InputError(f"{path} holds no tensors.", got=type(content).__name__, expected=EXPECTED, fix=fix)
    recorded = dict.get(content, SETTINGS_KEY) if isinstance(content, dict) else None
    if config or not isinstance(recorded, dict):
        return WeightFile(tensors, config)
    named = {name: value for name, value in dict.items(recorded) if isinstance(name, str)}
    settings = {name: value for name, value in named.items() if _is_plain(value)}
    return WeightFile(tensors, settings, tuple(name for name in named if name not in settings))


def _file_in_folder(folder: Path) -> Path:
    """Return the file with the weights of a folder: one of the usual name, or the only one."""
    usual = [folder / name for name in FOLDER_FILES if (folder / name).is_file()]
    others = [path for path in sorted(folder.iterdir()) if path.suffix in (".safetensors", ".ckpt", ".pt", ".pth")]
    if not usual and len(others) != 1:
        found = ", ".join(path.name for path in others) or "none"
        message = f"{folder} has no weights of a usual name; files with weights: {shorten(found)}."
        raise InputError(message, got=found, expected=FOLDER_FILES[0], fix="Name the file instead of the folder.")
    return (usual or others)[0]


def _read_shards(index: Path) -> dict[str, Any]:
    """Read the files that an index lists; they must be in its folder."""
    weight_map = _read_json(index).get("weight_map")
    if (
        not isinstance(weight_map, dict)
        or not weight_map
        or not all(isinstance(name, str) for name in weight_map.values())
    ):
        raise InputError(f"{index} does not list shards.", got=str(index), expected="weight_map")
    tensors: dict[str, Any] = {}
    for name in sorted(set(weight_map.values())):
        if Path(name).name != name or not os.path.isfile(index.parent / name):
            raise InputError(f"{index} lists {shorten(name)}, which is not beside it.", got=shorten(name))
        content = _read_content(index.parent / name)
        tensors |= content if isinstance(content, dict) else {}
    return tensors


def _read_json(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > MAX_JSON_BYTES:
            raise ValueError(f"more than {MAX_JSON_BYTES:,} bytes")
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, RecursionError, ValueError) as error:
        raise InputError(f"{path} cannot be read as JSON: {shorten(str(error))}.", got=str(path)) from None
    if not isinstance(content, dict):
        got = type(content).__name__
        raise InputError(f"{path} holds a {got}, and an object is expected.", got=got, expected="an object")
    return content


def _read_content(path: Path) -> Any:
    """Return what a file of safetensors or of torch holds, with inert objects instead of foreign ones."""
    try:
        if path.suffix == ".safetensors":
            from safetensors.torch import load_file

            return load_file(path)
        return _read_torch_archive(path) if zipfile.is_zipfile(path) else _read_old_torch_file(path)
    except InputError:
        raise
    except Exception as error:
        reason = shorten(str(error) or type(error).__name__)
        message = f"{path} cannot be read: it is damaged, or not a file of weights ({reason})."
        raise InputError(message, got=type(error).__name__, expected=EXPECTED) from error


def _read_torch_archive(path: Path) -> Any:
    import torch

    _check_archive(path)
    with warnings.catch_warnings(action="ignore"):  # about pickles that only the second reader understands
        try:
            return torch.load(path, map_location="cpu", mmap=True, weights_only=True)
        except Exception:  # it holds more than tensors and plain containers
            return load_tensors(path)


def _check_archive(path: Path) -> None:
    """Raise InputError for a program, and for an archive that would take more memory than it has bytes."""
    from torch._C import PyTorchFileReader

    with zipfile.ZipFile(path) as archive:
        members = archive.infolist()
        is_stored = all(member.compress_type == zipfile.ZIP_STORED for member in members)
        is_small = sum(member.file_size for member in members) <= path.stat().st_size
        is_plain = is_stored and is_small and _declared_directory(path) == archive.start_dir
        damaged = archive.testzip() if is_plain else None
    is_program = any(member.filename.endswith(PROGRAM_RECORD) for member in members)
    if is_plain and not is_program:  # zipfile prefers names in Unicode, which torch does not read
        is_program = PROGRAM_RECORD in PyTorchFileReader(str(path)).get_all_records()
    if is_program:
        raise InputError(
            f"{path} holds TorchScript, a program with its weights.",
            got="TorchScript",
            expected=EXPECTED,
            fix=Fix(
                "If you trust its author, open it as the model itself: vaeviz.open(path, trust=True).",
                "If you trust its author, name it as MODEL instead of --weights, and add --trust.",
            ),
        )
    if not is_plain:
        got = "a list of members that does not fit" if is_stored else "compressed"
        reason = f"has {got} its content" if is_stored else "is compressed, which torch.save never does"
        raise InputError(f"{path} {reason}.", got=got, expected=EXPECTED)
    if damaged is not None:  # torch does not check it, and can be told to write none
        warn_user(UserWarning(f"{path} may be damaged: the checksum of {shorten(damaged)} is wrong."))


def _declared_directory(path: Path) -> int | None:
    """Return where an archive says that the list of its members begins; None if it does not end as torch ends one.

    torch reads the list there, and `zipfile` the one in front of the end. A doctored archive has two of them.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        file.seek(max(size - 98, 0))
        tail = file.read().rjust(98, b"\0")
    large_end, locator, end = tail[:56], tail[56:76], tail[76:]
    if not end.startswith(b"PK\5\6"):
        return None
    if not locator.startswith(b"PK\6\7"):
        return int.from_bytes(end[16:20], "little")
    is_found = large_end.startswith(b"PK\6\6") and int.from_bytes(locator[8:16], "little") == size - 98
    return int.from_bytes(large_end[48:56], "little") if is_found else None


def _read_old_torch_file(path: Path) -> Any:
    """Read a file of torch before version 1.6, of tensors and plain containers alone."""
    import torch

    with path.open("rb") as file:
        is_torch_file = file.read(len(LEGACY_MAGIC)) == LEGACY_MAGIC
    if not is_torch_file or tarfile.is_tarfile(path):
        raise InputError(
            f"{path} is not a file of torch.save or safetensors.",
            got=path.suffix or path.name,
            expected=EXPECTED,
            fix="Save model.state_dict() with torch.save.",
        )
    return torch.load(path, map_location="cpu", weights_only=True)


def _tensors_by_name(content: Any) -> Iterator[tuple[str, Any]]:
    """Yield all tensors in nested containers by their joined names, those of shared containers once."""
    from torch import Tensor

    waiting: list[tuple[tuple[str, ...], Any]] = [((), content)]
    seen = set()
    while waiting:
        place, value = waiting.pop()
        if isinstance(value, Tensor):
            yield ".".join(place), value
        elif isinstance(value, (dict, list, tuple)) and id(value) not in seen and len(place) < MAX_DEPTH:
            seen.add(id(value))
            items = list(dict.items(value) if isinstance(value, dict) else enumerate(value))
            waiting += [
                (place if key in MODULE_PARTS else (*place, str(key)), part)
                for key, part in reversed(items)
                if isinstance(part, (dict, list, tuple, Tensor)) and (place or not _is_training_state(key, part))
            ]


def _is_training_state(key: Any, value: Any) -> bool:
    """Return True for an entry of a checkpoint that holds the state of an optimizer and the like."""
    return isinstance(value, (dict, list, tuple)) and TRAINING_STATE.search(str(key).lower()) is not None


def _is_plain(value: Any, depth: int = 0) -> bool:
    """Return True for numbers, texts and None, and for containers of them that are nested no deeper than settings."""
    if isinstance(value, (dict, list, tuple)) and not isinstance(value, InertObject):
        items = dict.values(value) if isinstance(value, dict) else value
        return depth < MAX_SETTING_DEPTH and all(_is_plain(item, depth + 1) for item in items)
    return value is None or isinstance(value, (bool, int, float, str))
