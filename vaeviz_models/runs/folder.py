"""Run folders: ``config.json``, ``weights.safetensors`` and ``history.csv``.

Each file is replaced as a whole, and nothing is pickled. The module `checkpoint` defines the fourth file. Files may
come from anyone, so sizes are checked before anything of that size is allocated.
"""

from __future__ import annotations

import csv
import io
import json
import shlex
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, TypedDict

import torch
from torch import Tensor, nn

from vaeviz.data.atomic_files import atomic_path, make_folder, partial_files, report_write_errors
from vaeviz.data.history import read_history as read_table
from vaeviz.errors import Fix, InputError
from vaeviz_models.models.builders import Recipe, build_from_recipe, get_recipe, seeded
from vaeviz_models.runs.lock import LOCK_NAME, locked_run

FORMAT = "vaeviz_models run 1"
RUN_FILES = ("config.json", "checkpoint.safetensors", "weights.safetensors", "history.csv")
DATA_ARGUMENTS = ("name", "data_dir", "labels")  # of `vaeviz.load_data`
MAX_CONFIG_BYTES = 1 << 20  # sizes, names of classes and settings take a few kilobytes
MAX_HEADER_BYTES = 1 << 20  # of a .safetensors file: names and shapes of tensors, and a history
OLDER_NAMES = {"binarise": "binarize"}  # settings that earlier versions wrote under another name


class RunConfig(TypedDict):
    """Content of ``config.json``: how the model was built, its data, and the settings of its training."""

    model: Recipe
    data: dict[str, Any]
    training: dict[str, Any]


def save_run(
    run: str | Path,
    model: nn.Module,
    history: Mapping[str, list[float]] | None = None,
    *,
    data: str | None = None,
    overwrite: bool = False,
) -> None:
    """Save a model that was trained in a script as a run folder, for `vaeviz.open` and ``vaeviz export``.

    Parameters
    ----------
    run : str or Path
        Folder to create.
    model : torch.nn.Module
        Model from a registered builder: `mlp`, `conv`, ..., or your own with `register_model`. It may be wrapped by
        `torch.compile`, `DataParallel`, `DistributedDataParallel` or `AveragedModel`.
    history : mapping of str to list of float, optional
        The history, as `fit` returned it.
    data : str, optional
        Name of the data set to draw by default, as for `vaeviz.load_data`.
    overwrite : bool, default False
        Replace an existing run.

    Raises
    ------
    InputError
        If the folder is not empty and `overwrite` is False, if another process writes it, or if the model could not be
        built again.
    """
    run, model = Path(run), _unwrap(model)
    config = RunConfig(model=get_recipe(model), data=dict.fromkeys(DATA_ARGUMENTS) | {"name": data}, training={})
    build_model(run, config, model.state_dict())
    files = {"config.json": config_bytes(config), "weights.safetensors": tensor_bytes(model.state_dict())}
    check_new_run(run, overwrite=overwrite)
    with locked_run(run):
        start_run(run, files | history_files(history or {}), overwrite=overwrite)


def open_run(run: str | Path) -> tuple[Any, RunConfig]:
    """Open the model of a run.

    Parameters
    ----------
    run : str or Path
        Folder of the run.

    Returns
    -------
    model : torch.nn.Module
        The model with its weights, on the CPU in eval mode.
    config : RunConfig
        Content of ``config.json``.

    Raises
    ------
    InputError
        If a file is missing or damaged.
    """
    run = Path(run)
    config, path = read_config(run), run / "weights.safetensors"
    if config["training"] and not path.exists():
        raise InputError(
            f"{path} does not exist. The training may have ended before its first checkpoint.",
            got=str(path),
            fix=f"Train it, from its config if it has no checkpoint: vaeviz train --resume {shlex.quote(str(run))}",
        )
    check_is_file(path)
    check_model_size(config, path, max_copies=1)
    tensors, _ = read_tensors(path)
    return build_model(run, config, tensors).eval(), config


def check_new_run(run: Path, *, overwrite: bool = False) -> None:
    """Raise InputError if a folder cannot become a new run.

    Parameters
    ----------
    run : Path
        Folder to create.
    overwrite : bool, default False
        Allow a folder that is not empty.

    Raises
    ------
    InputError
        If the folder is not empty and `overwrite` is False, or if its path cannot be used.
    """
    if "\0" in str(run):
        raise InputError("The name of the run folder has a NUL character.", got=str(run), expected="a name of a folder")
    with report_write_errors(run):
        if run.exists() and not run.is_dir():
            raise InputError(f"{run} is a file, but a run needs a folder.", got=str(run), expected="a folder")
        existing = set(run.iterdir()) - {run / LOCK_NAME, *partial_files_of(run)} if run.is_dir() else set()
    if overwrite or not existing:
        return
    choices = "Choose another folder, or add --overwrite."
    if (run / "config.json").exists():
        resume = f"vaeviz train --resume {shlex.quote(str(run))}"
        choices = f"Choose another folder, add --overwrite, or continue with: {resume}"
    raise InputError(
        f"{run} exists and is not empty.",
        got=str(run),
        expected="a new or empty folder",
        fix=Fix("Choose another folder, or pass overwrite=True.", choices),
    )


def start_run(run: Path, files: Mapping[str, bytes], *, overwrite: bool = False) -> None:
    """Create a run folder with its first files.

    Parameters
    ----------
    run : Path
        Folder to create.
    files : mapping of str to bytes
        Content by name, see `write_files`.
    overwrite : bool, default False
        Replace the files of an existing run, once all new ones are written. Other files in the folder are kept.

    Raises
    ------
    InputError
        If the folder is not empty and `overwrite` is False, or if it cannot be written.
    """
    check_new_run(run, overwrite=overwrite)
    with report_write_errors(run):
        make_folder(run)
    write_files(run, files, starts=True)


def write_files(run: Path, files: Mapping[str, bytes], *, starts: bool = False) -> None:
    """Write files of a run, each of them completely or not at all.

    All are written before the first one gets its name, so a full disk leaves the folder as it was. They get their
    names in the order of the mapping.

    Parameters
    ----------
    run : Path
        Folder of the run.
    files : mapping of str to bytes
        Content by name.
    starts : bool, default False
        Remove the other files of a run, and what a killed training left.

    Raises
    ------
    InputError
        If a file cannot be written.
    """
    with report_write_errors(run), ExitStack() as stack:
        left = partial_files_of(run) + [run / name for name in RUN_FILES] if starts else []
        for name in reversed(list(files)):
            stack.enter_context(atomic_path(run / name)).write_bytes(files[name])
        for path in left:
            path.unlink(missing_ok=True)


def partial_files_of(run: Path) -> list[Path]:
    """Return the temporary files that a killed training left in a run folder.

    Parameters
    ----------
    run : Path
        The folder.

    Returns
    -------
    list of Path
        The files.
    """
    return partial_files(run / name for name in RUN_FILES)


def build_model(run: Path, config: RunConfig, weights: Mapping[str, Tensor] | None = None, *, seed: int = 0) -> Any:
    """Build the model of a run.

    Parameters
    ----------
    run : Path
        Folder of the run, for messages.
    config : RunConfig
        Content of ``config.json``.
    weights : mapping of str to Tensor, optional
        Weights to load. By default the model has its first weights.
    seed : int, default 0
        Seed of the first weights.

    Returns
    -------
    torch.nn.Module
        The model.

    Raises
    ------
    InputError
        If the config describes no model, or if the weights do not fit it.
    """
    path = run / "config.json"
    try:
        model = seeded(build_from_recipe, config["model"], seed=seed)
    except InputError as error:
        message = f"{path} does not describe a model: {error.message}"
        raise InputError(message, got=error.got, expected=error.expected, fix=error.fix) from error
    except (AttributeError, KeyError, OverflowError, RuntimeError, TypeError, ValueError) as error:
        reason = " ".join(str(error).split())[:200]
        raise InputError(f"{path} does not describe a model ({type(error).__name__}: {reason}).", got=reason) from error
    if weights is not None:
        try:
            model.load_state_dict(weights)
        except RuntimeError as error:
            reason = " ".join(str(error).split())[:200]
            raise InputError(f"The weights of {run} do not fit its config.json: {reason}", got=reason) from None
    return model


def check_model_size(config: RunConfig, file: Path, *, max_copies: int) -> None:
    """Raise InputError if a file of tensors is far smaller or far larger than the model of its run.

    The model is measured on torch's meta device, where weights have shapes and take no memory. A builder that needs
    the values of its weights fails there; its model is not measured.

    Parameters
    ----------
    config : RunConfig
        Content of ``config.json``.
    file : Path
        File of tensors.
    max_copies : int
        How many tensors of the size of each weight the file may hold.

    Raises
    ------
    InputError
        If the sizes differ.
    """
    try:
        with torch.device("meta"):
            model = build_from_recipe(config["model"])
    except Exception:  # builders fail in many ways, which `build_model` reports
        return
    n_model = sum(value.nbytes for value in model.state_dict().values())
    n_file = file.stat().st_size
    if not n_model - MAX_HEADER_BYTES <= n_file <= max_copies * n_model + MAX_HEADER_BYTES:
        raise InputError(
            f"{file} has {n_file:,} bytes, but the model that config.json describes has {n_model:,}.",
            got=f"{n_file} bytes",
            expected=f"{n_model} bytes",
        )


def read_config(run: Path) -> RunConfig:
    """Read and check ``config.json``.

    Parameters
    ----------
    run : Path
        Folder of the run.

    Returns
    -------
    RunConfig
        Its content.

    Raises
    ------
    InputError
        If the file is missing, damaged, or of another format.
    """
    path = run / "config.json"
    try:
        if not path.is_file():
            message = f"{run} is not a run folder: it has no config.json."
            raise InputError(message, got=str(run), expected="a run folder")
        with path.open("rb") as file:
            content = file.read(MAX_CONFIG_BYTES + 1)
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}.", got=str(path)) from None
    if len(content) > MAX_CONFIG_BYTES:
        limit = f"{MAX_CONFIG_BYTES:,} bytes at most"
        raise InputError(f"{path} is too large to be a config, which has {limit}.", got=str(path), expected=limit)
    try:
        config = json.loads(content.decode("utf-8"))
    except (ValueError, RecursionError) as error:  # RecursionError: thousands of nested brackets
        raise InputError(f"{path} is damaged: {error}.", got=str(error)) from None
    found = config.get("format") if isinstance(config, dict) else None
    if found != FORMAT:
        raise InputError(f"{path} has format {found!r}, but {FORMAT!r} is needed.", got=str(found), expected=FORMAT)
    parts: dict[str, tuple[str, ...]] = {"model": (), "data": DATA_ARGUMENTS, "training": ()}
    missing = [part for part, keys in parts.items() if not has_keys(config.get(part), keys)]
    if missing:
        raise InputError(f"{path} is damaged: it does not describe {' and '.join(missing)}.", expected=missing[0])
    for key in DATA_ARGUMENTS:
        value = config["data"][key]
        if not isinstance(value, str | None):
            raise InputError(f"{path} is damaged: {key} of the data is {value!r}.", got=repr(value), expected="a text")
    training = {OLDER_NAMES.get(name, name): value for name, value in config["training"].items()}
    return RunConfig(model=config["model"], data=config["data"], training=training)


def config_bytes(config: RunConfig) -> bytes:
    """Return the content of ``config.json``.

    Parameters
    ----------
    config : RunConfig
        What it describes.

    Returns
    -------
    bytes
        JSON text.
    """
    return (json.dumps({"format": FORMAT, **config}, indent=2) + "\n").encode()


def read_history(run: str | Path) -> dict[str, list[float]]:
    """Read ``history.csv``.

    Parameters
    ----------
    run : str or Path
        Folder of the run.

    Returns
    -------
    dict of list of float
        Columns by name, one value per epoch.

    Raises
    ------
    InputError
        If the file is missing or damaged.
    """
    path = Path(run) / "history.csv"
    if not path.is_file():
        raise InputError(f"{path} does not exist: the run has no finished epoch.", got=str(path))
    return read_table(path)


def history_files(history: Mapping[str, list[float]]) -> dict[str, bytes]:
    """Return ``history.csv`` and its content; nothing if there is no finished epoch.

    Parameters
    ----------
    history : mapping of str to list of float
        Columns by name, one value per epoch.

    Returns
    -------
    dict of bytes
        Content by name, as `write_files` takes it.

    Raises
    ------
    InputError
        If the columns have different lengths.
    """
    lengths = {name: len(values) for name, values in history.items()}
    if len(set(lengths.values())) > 1:
        found = ", ".join(f"{name} {length}" for name, length in lengths.items())
        raise InputError(f"The columns of history have different lengths: {found}.", got=found)
    if not history:
        return {}
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(history)
    writer.writerows(zip(*history.values(), strict=True))
    return {"history.csv": table.getvalue().encode()}


def tensor_bytes(tensors: Mapping[str, Tensor], header: Mapping[str, Any] | None = None) -> bytes:
    """Return the content of a ``.safetensors`` file.

    Parameters
    ----------
    tensors : mapping of str to Tensor
        Tensors by name.
    header : mapping, optional
        JSON values to store with them, under one key, since safetensors writes several keys in no fixed order.

    Returns
    -------
    bytes
        The content.
    """
    from safetensors.torch import save

    on_cpu = {name: value.detach().cpu().contiguous() for name, value in tensors.items()}
    content: bytes = save(on_cpu, metadata=None if header is None else {"training": json.dumps(header)})
    return content


def read_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Read a ``.safetensors`` file.

    Parameters
    ----------
    path : Path
        File to read.

    Returns
    -------
    tensors : dict of Tensor
        Tensors by name.
    header : dict
        The JSON values that were stored with them.

    Raises
    ------
    InputError
        If the file is missing or damaged.
    """
    with _open_tensors(path) as (file, header):
        return {name: file.get_tensor(name) for name in file.keys()}, header  # noqa: SIM118


def read_header(path: Path) -> dict[str, Any]:
    """Read the JSON values of a ``.safetensors`` file, without its tensors.

    Parameters
    ----------
    path : Path
        File to read.

    Returns
    -------
    dict
        The values.

    Raises
    ------
    InputError
        If the file is missing or damaged.
    """
    with _open_tensors(path) as (_, header):
        return header


@contextmanager
def _open_tensors(path: Path) -> Iterator[tuple[Any, dict[str, Any]]]:
    """Open a ``.safetensors`` file, and report errors of reading as InputError."""
    from safetensors import SafetensorError, safe_open

    check_is_file(path)
    try:
        with safe_open(path, framework="pt") as file:
            header = json.loads((file.metadata() or {}).get("training", "{}"))
            if not isinstance(header, dict):
                raise ValueError("its header is not a JSON object")
            yield file, header
    except (SafetensorError, OSError, RecursionError, ValueError) as error:
        raise InputError(f"{path} is damaged: {error}.", got=str(error)) from None


def check_is_file(path: Path) -> None:
    """Raise InputError unless a file of a run exists.

    Parameters
    ----------
    path : Path
        The file. A pipe or a device is not a file.

    Raises
    ------
    InputError
        If it does not exist.
    """
    if not path.is_file():
        raise InputError(f"{path} does not exist: the run folder is incomplete.", got=str(path))


def _unwrap(model: nn.Module) -> nn.Module:
    """Return the model inside wrappers of torch, which keep it as `_orig_mod` or `module`."""
    parts = dict(model.named_children())
    inner = parts.get("_orig_mod") or parts.get("module")
    return model if inner is None or "recipe" in vars(model) else _unwrap(inner)


def has_keys(part: Any, keys: Iterable[str]) -> bool:
    """Return True if a part of a config is a mapping with these keys.

    Parameters
    ----------
    part : object
        Part of a config that was read from JSON.
    keys : iterable of str
        Keys that are needed.

    Returns
    -------
    bool
        Whether all keys are there.
    """
    return isinstance(part, dict) and all(key in part for key in keys)
