"""Checkpoints: the state of a training in ``checkpoint.safetensors``.

The file is written before weights and history, and as a whole. Whenever a training is killed, it contains the last
finished epoch, and the two other files follow from it.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from torch import Tensor

from vaeviz.errors import Fix, InputError
from vaeviz.plugins.options import options_of, validate_settings
from vaeviz_models.runs.folder import RunConfig, build_model, read_config, read_tensors, write_history, write_tensors
from vaeviz_models.training.config import TrainConfig
from vaeviz_models.training.state import TrainState

DEFAULTS_OF_OLDER_RUNS: dict[str, Any] = {
    "precision": "float32",
    "schedule": "constant",
    "epsilon": 1e-8,
    "binarize": False,
}


def save_checkpoint(run: Path, state: TrainState) -> None:
    """Write checkpoint, weights and history into a run folder.

    Parameters
    ----------
    run : Path
        Folder of the run, see `start_run`.
    state : TrainState
        State of the training.
    """
    header = {
        "device": state.device.type,
        "epoch": state.epoch,
        "best_epoch": state.best_epoch,
        "history": state.history,
    }
    write_tensors(run / "checkpoint.safetensors", _state_tensors(state), header)
    write_tensors(run / "weights.safetensors", state.weights)
    write_history(run, state.history)


def load_checkpoint(run: Path, *, device: str | None = None) -> tuple[TrainState, TrainConfig, RunConfig]:
    """Read the state of a training after its last finished epoch.

    Parameters
    ----------
    run : Path
        Folder of the run.
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
    if not path.is_file():
        raise InputError(
            f"{path} does not exist, so this run cannot be resumed. Only runs of vaeviz train have one.", got=str(path)
        )
    settings = read_settings(run, config)
    tensors, header = read_tensors(path)
    device = device or header.get("device", "auto")
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
    except (KeyError, RuntimeError, ValueError) as error:
        reason = " ".join(str(error).split())[:200]
        raise InputError(f"{path} does not fit config.json: {reason}", got=reason) from None
    return state, settings, config


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
        raise InputError(
            f"{path} does not describe a training: {error}", got=error.got, expected=error.expected
        ) from None


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
    state.epoch, state.best_epoch, state.history = (header[name] for name in ("epoch", "best_epoch", "history"))
