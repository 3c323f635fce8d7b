"""Run folders: ``config.json``, ``weights.safetensors`` and ``history.csv``.

Each file is replaced as a whole, and nothing is pickled. The module `checkpoint` writes the fourth file.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypedDict

from torch import Tensor, nn

from vaeviz.data.atomic_files import atomic_path
from vaeviz.data.history import read_history as read_table
from vaeviz.errors import Fix, InputError
from vaeviz_models.models.builders import Recipe, build_from_recipe, get_recipe, seeded

FORMAT = "vaeviz_models run 1"
DATA_ARGUMENTS = ("name", "data_dir", "labels")  # of `vaeviz.load_data`
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
        Model from a registered builder: `mlp`, `conv`, ..., or your own with `register_model`.
    history : mapping of str to list of float, optional
        The history, as `fit` returned it.
    data : str, optional
        Name of the data set to draw by default, as for `vaeviz.load_data`.
    overwrite : bool, default False
        Replace an existing run.

    Raises
    ------
    InputError
        If the folder is not empty and `overwrite` is False, or if the model could not be built again.
    """
    run = Path(run)
    config = RunConfig(model=get_recipe(model), data=dict.fromkeys(DATA_ARGUMENTS) | {"name": data}, training={})
    build_model(run, config, model.state_dict())
    start_run(run, config, overwrite=overwrite)
    write_tensors(run / "weights.safetensors", model.state_dict())
    write_history(run, history or {})


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
    config = read_config(run)
    tensors, _ = read_tensors(run / "weights.safetensors")
    return build_model(run, config, tensors).eval(), config


def start_run(run: Path, config: RunConfig, *, overwrite: bool = False) -> None:
    """Create a run folder with its config.

    Parameters
    ----------
    run : Path
        Folder to create.
    config : RunConfig
        Content of ``config.json``.
    overwrite : bool, default False
        Remove the files of an existing run. Other files in the folder are kept.

    Raises
    ------
    InputError
        If the folder is not empty and `overwrite` is False, or if it cannot be written.
    """
    if run.exists() and not run.is_dir():
        raise InputError(f"{run} is a file, but a run needs a folder.", got=str(run), expected="a folder")
    if run.is_dir() and any(run.iterdir()) and not overwrite:
        raise InputError(
            f"{run} exists and is not empty.",
            got=str(run),
            expected="a new or empty folder",
            fix=Fix(
                "Choose another folder, or pass overwrite=True.",
                f"Choose another folder, add --overwrite, or continue with: vaeviz train --resume {run}",
            ),
        )
    try:
        run.mkdir(parents=True, exist_ok=True)
        for name in ("weights.safetensors", "checkpoint.safetensors", "history.csv"):
            (run / name).unlink(missing_ok=True)
        write_config(run, config)
    except OSError as error:
        raise InputError(f"{run} cannot be written: {error.strerror}.", got=str(run)) from None


def build_model(run: Path, config: RunConfig, weights: Mapping[str, Tensor] | None = None) -> Any:
    """Build the model of a run.

    Parameters
    ----------
    run : Path
        Folder of the run, for messages.
    config : RunConfig
        Content of ``config.json``.
    weights : mapping of str to Tensor, optional
        Weights to load. By default the model has arbitrary weights.

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
        model = seeded(build_from_recipe, config["model"], seed=0)
    except InputError as error:
        raise InputError(
            f"{path} does not describe a model: {error}", got=error.got, expected=error.expected
        ) from error
    except (KeyError, TypeError) as error:
        raise InputError(
            f"{path} does not describe a model ({type(error).__name__}: {error}).", got=str(error)
        ) from error
    try:
        model.load_state_dict(model.state_dict() if weights is None else weights)
    except RuntimeError as error:
        reason = " ".join(str(error).split())[:200]
        raise InputError(f"The weights of {run} do not fit its config.json: {reason}", got=reason) from None
    return model


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
    if not path.is_file():
        raise InputError(f"{run} is not a run folder: it has no config.json.", got=str(run), expected="a run folder")
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise InputError(f"{path} is damaged: {error}.", got=str(error)) from None
    found = config.get("format") if isinstance(config, dict) else None
    if found != FORMAT:
        raise InputError(f"{path} has format {found!r}, but {FORMAT!r} is needed.", got=str(found), expected=FORMAT)
    parts: dict[str, tuple[str, ...]] = {"model": (), "data": DATA_ARGUMENTS, "training": ()}
    missing = [part for part, keys in parts.items() if not has_keys(config.get(part), keys)]
    if missing:
        raise InputError(f"{path} is damaged: it does not describe {' and '.join(missing)}.", expected=missing[0])
    training = {OLDER_NAMES.get(name, name): value for name, value in config["training"].items()}
    return RunConfig(model=config["model"], data=config["data"], training=training)


def write_config(run: Path, config: RunConfig) -> None:
    """Write ``config.json``.

    Parameters
    ----------
    run : Path
        Folder of the run.
    config : RunConfig
        Its content.
    """
    with atomic_path(run / "config.json") as path:
        path.write_text(json.dumps({"format": FORMAT, **config}, indent=2) + "\n", encoding="utf-8")


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


def write_history(run: Path, history: Mapping[str, list[float]]) -> None:
    """Write ``history.csv``, unless there is no finished epoch.

    Parameters
    ----------
    run : Path
        Folder of the run.
    history : mapping of str to list of float
        Columns by name, one value per epoch.

    Raises
    ------
    InputError
        If the columns have different lengths.
    """
    if not history:
        return
    lengths = {name: len(values) for name, values in history.items()}
    if len(set(lengths.values())) > 1:
        found = ", ".join(f"{name} {length}" for name, length in lengths.items())
        raise InputError(f"The columns of history have different lengths: {found}.", got=found)
    with atomic_path(run / "history.csv") as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(history)
        writer.writerows(zip(*history.values(), strict=True))


def write_tensors(path: Path, tensors: Mapping[str, Tensor], header: Mapping[str, Any] | None = None) -> None:
    """Write tensors to a ``.safetensors`` file.

    Parameters
    ----------
    path : Path
        File to write.
    tensors : mapping of str to Tensor
        Tensors by name.
    header : mapping, optional
        JSON values to store with them, under one key, since safetensors writes several keys in no fixed order.
    """
    from safetensors.torch import save

    on_cpu = {name: value.detach().cpu().contiguous() for name, value in tensors.items()}
    content = save(on_cpu, metadata=None if header is None else {"training": json.dumps(header)})
    with atomic_path(path) as temporary:
        temporary.write_bytes(content)


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
    from safetensors import SafetensorError, safe_open

    if not path.is_file():
        raise InputError(f"{path} does not exist: the run folder is incomplete.", got=str(path))
    try:
        with safe_open(path, framework="pt") as file:
            header = json.loads((file.metadata() or {}).get("training", "{}"))
            return {name: file.get_tensor(name) for name in file.keys()}, header  # noqa: SIM118
    except (SafetensorError, ValueError) as error:
        raise InputError(f"{path} is damaged: {error}.", got=str(error)) from None


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
