"""Checkpoints: the state of a training in ``checkpoint.safetensors``.

The file gets its name before weights and history, and as a whole. Whenever a training is killed, it contains the last
finished epoch, and the two other files follow from it.
"""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

from torch import Tensor

from vaeviz.errors import Fix, InputError
from vaeviz.plugins.options import options_of, validate_settings
from vaeviz_models.runs.folder import (
    RunConfig,
    build_model,
    check_is_file,
    check_model_size,
    history_files,
    read_config,
    read_header,
    read_tensors,
    tensor_bytes,
    write_files,
)
from vaeviz_models.training.config import TrainConfig
from vaeviz_models.training.state import TrainState

N_CHECKPOINT_COPIES = 4  # weights, best weights, and the two moments of Adam
DEFAULTS_OF_OLDER_RUNS: dict[str, Any] = {
    "precision": "float32",
    "schedule": "constant",
    "epsilon": 1e-8,
    "binarize": False,
    "threads": None,
}


def save_checkpoint(run: Path, state: TrainState) -> None:
    """Write checkpoint, weights and history into a run folder.

    Parameters
    ----------
    run : Path
        Folder of the run, see `start_run`.
    state : TrainState
        State of the training.

    Raises
    ------
    InputError
        If a file cannot be written; the folder then has the files of the epoch before.
    """
    write_files(run, checkpoint_files(state))


def checkpoint_files(state: TrainState) -> dict[str, bytes]:
    """Return checkpoint, weights and history by file name, in the order in which they are replaced.

    Parameters
    ----------
    state : TrainState
        State of the training.

    Returns
    -------
    dict of bytes
        Content by name, as `write_files` takes it.
    """
    header = {
        "device": state.device.type,
        "epoch": state.epoch,
        "best_epoch": state.best_epoch,
        "history": state.history,
        "thread_steps": state.thread_steps,
    }
    return {
        "checkpoint.safetensors": tensor_bytes(_state_tensors(state), header),
        "weights.safetensors": tensor_bytes(state.weights),
        **history_files(state.history),
    }


def load_checkpoint(run: Path, *, device: str | None = None) -> tuple[TrainState, TrainConfig, RunConfig]:
    """Read the state of a training after its last finished epoch.

    Parameters
    ----------
    run : Path
        Folder of the run. If it was killed before its first checkpoint, the state is that before the first epoch.
    device : str, optional
        Device to continue on. By default that of the run.

    Returns
    -------
    state : TrainState
        State of the training.
    settings : TrainConfig
        Its settings.
    config : RunConfig
        Content of ``config.json``.

    Raises
    ------
    InputError
        If a file is missing or damaged, or if the training cannot continue on the device.
    """
    config = read_config(run)
    path = run / "checkpoint.safetensors"
    if not config["training"]:
        raise InputError(
            f"{run} was saved in a script, so it has no training to resume.",
            got=str(path),
            expected="a run of vaeviz train",
        )
    settings = read_settings(run, config)
    if not (path.exists() or (run / "history.csv").exists()):
        model = build_model(run, config, seed=settings.seed)
        return TrainState.start(model, replace(settings, device=device or settings.device)), settings, config
    check_is_file(path)
    check_model_size(config, path, max_copies=N_CHECKPOINT_COPIES)
    tensors, header = read_tensors(path)
    device = device or str(header.get("device", "auto"))
    state = TrainState.start(build_model(run, config), replace(settings, device=device))
    trained_on = header.get("device", state.device.type)
    if trained_on != state.device.type:
        raise InputError(
            f"{run} was trained on {trained_on}, so its random numbers cannot continue on {state.device}.",
            got=str(state.device),
            expected=trained_on,
            fix=Fix(f"Use device={trained_on!r}.", f"Resume it with --device {trained_on}."),
        )
    try:
        _restore_state(state, tensors, header)
    except (AttributeError, KeyError, RuntimeError, TypeError, ValueError) as error:
        reason = " ".join(str(error).split())[:200]
        raise InputError(f"{path} does not fit config.json: {reason}", got=reason) from None
    return state, settings, config


def recorded_device(run: Path) -> str:
    """Return the device that a run continues on by default.

    Parameters
    ----------
    run : Path
        Folder of the run.

    Returns
    -------
    str
        That of its checkpoint; before the first one, that of its settings.

    Raises
    ------
    InputError
        If a file is missing or damaged.
    """
    path = run / "checkpoint.safetensors"
    recorded = read_header(path) if path.exists() else read_config(run)["training"]
    return str(recorded.get("device", "auto"))


def read_settings(run: Path, config: RunConfig) -> TrainConfig:
    """Read the settings of a training from the config of its run.

    Parameters
    ----------
    run : Path
        Folder of the run, for messages.
    config : RunConfig
        Content of ``config.json``.

    Returns
    -------
    TrainConfig
        The settings.

    Raises
    ------
    InputError
        If a setting is missing or wrong.
    """
    path = run / "config.json"
    try:
        settings = DEFAULTS_OF_OLDER_RUNS | validate_settings(TrainConfig, config["training"], owner="training")
        missing = [name for name in options_of(TrainConfig) if name not in settings]
        if missing:
            raise InputError(f"it lacks {', '.join(missing)}.", expected=", ".join(missing))
        return TrainConfig(**settings)
    except InputError as error:
        message = f"{path} does not describe a training: {error.message}"
        raise InputError(message, got=error.got, expected=error.expected, fix=error.fix) from None


def _state_tensors(state: TrainState) -> dict[str, Tensor]:
    tensors = {f"weights/{name}": value for name, value in (state.last or state.model.state_dict()).items()}
    tensors |= {f"best/{name}": value for name, value in (state.best or {}).items()}
    for index, moments in state.optimizer.state_dict()["state"].items():
        tensors |= {f"adam/{index}/{name}": value for name, value in moments.items()}
    tensors |= {"random/shuffling": state.shuffling.get_state(), "random/noise": state.noise.get_state()}
    return tensors


def _restore_state(state: TrainState, tensors: dict[str, Tensor], header: dict[str, Any]) -> None:
    def under(prefix: str) -> dict[str, Tensor]:
        return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}

    state.model.load_state_dict(under("weights/"))
    state.best = {name: value.to(state.device) for name, value in under("best/").items()} or None
    adam: dict[int, dict[str, Any]] = {}
    for name, value in under("adam/").items():
        index, _, moment = name.partition("/")
        adam.setdefault(int(index), {})[moment] = value
    state.optimizer.load_state_dict({**state.optimizer.state_dict(), "state": adam})
    state.shuffling.set_state(tensors["random/shuffling"])
    state.noise.set_state(tensors["random/noise"])
    state.epoch, state.best_epoch = int(header["epoch"]), int(header["best_epoch"])
    state.history = header["history"]
    state.thread_steps = {int(count): int(steps) for count, steps in header.get("thread_steps", {}).items()}
    if any(not math.isfinite(value) for values in state.history.values() for value in values):
        raise ValueError("the history has a value that is not finite")
