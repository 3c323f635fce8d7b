"""A run folder: ``config.json``, ``weights.safetensors``, ``history.csv`` and ``checkpoint.safetensors``.

The checkpoint is one file, replaced whole: tensors of weights, Adam and random generators, and in its JSON header
the epoch and the history. Whatever moment a training is killed at, it holds the last finished epoch, and the
other two files follow from it. Nothing is pickled. A run that `save_run` left has no checkpoint.
"""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor, nn

from vaeviz.errors import InputError
from vaeviz.data.atomic_files import atomic_path
from vaeviz.data.history import read_history as read_table
from vaeviz.plugins.options import validate_settings
from vaeviz.data.out_of_core import SampleStream, default_batch_size, iterate_blocks
from vaeviz_models.models.builders import build_from_recipe, get_recipe
from vaeviz_models.training.fit import TrainState, fit, seeded, training_options

FORMAT = "vaeviz_models run 1"
UNSAID = {"precision": "float32", "schedule": "constant", "epsilon": 1e-8, "binarize": False}
"""How a run was trained that does not say: as all were before there was a choice."""

DATA_ARGUMENTS = ("name", "data_dir", "labels")


def save_run(
    run: str | Path,
    model: nn.Module,
    history: dict[str, list[float]] | None = None,
    *,
    data: str | None = None,
    overwrite: bool = False,
) -> None:
    """Leave a run folder of a model that was trained in a script, for `vaeviz.open` and ``vaeviz export``.

    model: from a registered builder (`mlp`, `conv`, ... or one's own under `register_model`). history: as `fit`
    returns it. data: the name of the data set to draw by default, as for `vaeviz.load_data`.
    Raises `InputError` if the folder is not empty, unless `overwrite`, or if nothing could build the model again.
    """
    run = Path(run)
    config = {"model": get_recipe(model), "data": dict.fromkeys(DATA_ARGUMENTS) | {"name": data}, "training": {}}
    _with_weights(run, config, model.state_dict())
    start_run(run, config, overwrite=overwrite)
    _write_tensors(run / "weights.safetensors", model.state_dict())
    _write_history(run / "history.csv", history or {})


def open_run(run: str | Path) -> tuple[nn.Module, dict]:
    """(model, config) of a run folder, the model on the CPU in eval mode. `InputError` if one is damaged."""
    run = Path(run)
    config = read_config(run)
    tensors, _ = _read_tensors(run / "weights.safetensors")
    return _with_weights(run, config, tensors).eval(), config


def read_config(run: Path) -> dict:
    """The config of a run; `InputError` if the folder holds none, or another format's."""
    path = run / "config.json"
    if not path.is_file():
        raise InputError(f"{run}: is no run folder, it has no config.json")
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise InputError(f"{path}: is damaged, {error}") from None
    if not isinstance(config, dict) or config.get("format") != FORMAT:
        raise InputError(f"{path}: is not of the format {FORMAT!r}")
    parts = {"model": (), "data": DATA_ARGUMENTS, "training": ()}
    missing = [part for part, keys in parts.items() if not _has_keys(config.get(part), keys)]
    if missing:
        raise InputError(f"{path}: is damaged, it does not describe {' and '.join(missing)}")
    return config


def data_arguments(config: dict) -> dict[str, Any] | None:
    """What a run was trained on, as arguments of `load_data`; None if it does not say."""
    return {key: config["data"][key] for key in DATA_ARGUMENTS} if config["data"]["name"] else None


def shown_data(config: dict) -> dict[str, Any] | None:
    """What a run's model is to be looked at with, likewise: of a run that binarizes, the data in black and white."""
    data = data_arguments(config)
    binarizes = data is not None and config["training"].get("binarize")
    return data | {"name": f"binarized:{data['name']}"} if binarizes else data


def fingerprint(x: np.ndarray | SampleStream, codes: np.ndarray | None = None) -> dict[str, Any]:
    """What tells whether training data (N, *sample) are still the same: their number, shape and SHA-256.

    codes: (N,) the classes that a conditional model was given beside them.
    """
    digest = hashlib.sha256()
    for block in iterate_blocks(x, default_batch_size(x.shape[1:])):
        digest.update(np.ascontiguousarray(block, dtype=np.float32))
    classes = {} if codes is None else {"classes_sha256": hashlib.sha256(codes.astype("<i8")).hexdigest()}
    return {"samples": len(x), "sample_shape": list(x.shape[1:]), "sha256": digest.hexdigest(), **classes}


def check_same_data(run: Path, config: dict, x: np.ndarray, codes: np.ndarray | None = None) -> None:
    """`InputError` that says what differs, unless x, with their classes, is what the run was trained on."""
    was, now = config["data"], fingerprint(x, codes)
    if not _has_keys(was, now):
        raise InputError(f"{run / 'config.json'}: does not say what the training data were like, to compare them")
    changed = [f"{key} {was[key]}, now {now[key]}" for key in now if was[key] != now[key]]
    if changed:
        raise InputError(f"{run}: was trained on other data than {was['name']} now gives: {'; '.join(changed)}")


def write_config(run: Path, config: dict) -> None:
    """Write ``config.json``, whole or not at all."""
    with atomic_path(run / "config.json") as path:
        path.write_text(json.dumps({"format": FORMAT, **config}, indent=2) + "\n", encoding="utf-8")


def read_history(run: str | Path) -> dict[str, list[float]]:
    """The columns of ``history.csv``; `InputError` if it is missing or damaged."""
    path = Path(run) / "history.csv"
    if not path.is_file():
        raise InputError(f"{path}: does not exist; the run has no finished epoch")
    return read_table(path)


def start_run(run: Path, config: dict, *, overwrite: bool = False) -> None:
    """Make the folder and write its config. An existing run is kept (`InputError`) unless `overwrite`."""
    if run.exists() and not run.is_dir():
        raise InputError(f"{run}: is a file, expected a folder for the run")
    if run.is_dir() and any(run.iterdir()) and not overwrite:
        raise InputError(f"{run}: exists and is kept; choose another folder, go on with --resume, or --overwrite it")
    try:
        run.mkdir(parents=True, exist_ok=True)
        for name in ("weights.safetensors", "checkpoint.safetensors", "history.csv"):
            (run / name).unlink(missing_ok=True)
        write_config(run, config)
    except OSError as error:
        raise InputError(f"{run}: cannot be written, {error.strerror}") from None


def save_training(run: Path, state: TrainState) -> None:
    """Write checkpoint, weights and history of a training into a started run, each whole or not at all."""
    header = {
        "device": state.device.type,
        "epoch": state.epoch,
        "best_epoch": state.best_epoch,
        "history": state.history,
    }
    _write_tensors(run / "checkpoint.safetensors", _checkpoint_tensors(state), header)
    _write_tensors(run / "weights.safetensors", state.weights())
    _write_history(run / "history.csv", state.history)


def load_training(run: Path, *, device: str | None = None) -> tuple[TrainState, dict]:
    """(training, config) of a run, as it was after its last finished epoch. device: by default the run's own."""
    config = read_config(run)
    checkpoint = run / "checkpoint.safetensors"
    if not checkpoint.is_file():
        raise InputError(f"{checkpoint}: does not exist; without it a training cannot go on")
    settings = config["training"] = _training_settings(run, config)
    tensors, header = _read_tensors(checkpoint)
    state = TrainState.start(
        _fresh_model(run, config),
        learning_rate=settings["learning_rate"],
        epsilon=settings["epsilon"],
        precision=settings["precision"],
        seed=settings["seed"],
        device=device or header.get("device", "auto"),
    )
    trained = header.get("device", state.device.type)
    if trained != state.device.type:
        raise InputError(f"{run}: was trained on {trained}; its random numbers cannot go on on {state.device}")
    try:
        _restore(state, tensors)
        state.epoch, state.best_epoch, state.history = (header[name] for name in ("epoch", "best_epoch", "history"))
    except (KeyError, RuntimeError, ValueError) as error:
        raise InputError(f"{checkpoint}: does not fit config.json, {error}") from None
    return state, config


def _fresh_model(run: Path, config: dict) -> nn.Module:
    try:
        return seeded(build_from_recipe, config["model"], seed=0)  # its own weights are about to be replaced
    except (InputError, KeyError, TypeError) as error:
        raise InputError(f"{run / 'config.json'}: does not describe a model ({error})") from error


def _with_weights(run: Path, config: dict, tensors: dict[str, Tensor]) -> nn.Module:
    model = _fresh_model(run, config)
    try:
        model.load_state_dict(tensors)
    except RuntimeError as error:
        reason = " ".join(str(error).split())[:200]
        raise InputError(f"{run}: weights.safetensors does not fit config.json: {reason}") from None
    return model


def _training_settings(run: Path, config: dict) -> dict[str, Any]:
    try:
        settings = UNSAID | validate_settings(fit, config["training"], owner="training")
    except InputError as error:
        raise InputError(f"{run / 'config.json'}: does not describe a training ({error})") from None
    missing = [name for name in training_options() if name not in settings]
    if missing:
        raise InputError(f"{run / 'config.json'}: does not describe a training, it lacks {', '.join(missing)}")
    return settings


def _has_keys(part: Any, keys: Iterable[str]) -> bool:
    return isinstance(part, dict) and all(key in part for key in keys)


def _checkpoint_tensors(state: TrainState) -> dict[str, Tensor]:
    tensors = {f"weights/{name}": value for name, value in (state.last or state.model.state_dict()).items()}
    tensors |= {f"best/{name}": value for name, value in (state.best or {}).items()}
    for index, moments in state.optimizer.state_dict()["state"].items():
        tensors |= {f"adam/{index}/{name}": value for name, value in moments.items()}
    tensors |= {"random/shuffling": state.shuffling.get_state(), "random/noise": state.noise.get_state()}
    return tensors


def _restore(state: TrainState, tensors: dict[str, Tensor]) -> None:
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


def _write_tensors(path: Path, tensors: dict[str, Tensor], header: dict[str, Any] | None = None) -> None:
    """The header goes under one name: safetensors writes several of them in another order every time."""
    from safetensors.torch import save

    on_cpu = {name: value.detach().cpu().contiguous() for name, value in tensors.items()}
    content = save(on_cpu, metadata=None if header is None else {"training": json.dumps(header)})
    with atomic_path(path) as temporary:
        temporary.write_bytes(content)


def _read_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    from safetensors import SafetensorError, safe_open

    if not path.is_file():
        raise InputError(f"{path}: does not exist; the run folder is incomplete")
    try:
        with safe_open(path, framework="pt") as file:
            header = json.loads((file.metadata() or {}).get("training", "{}"))
            return {name: file.get_tensor(name) for name in file.keys()}, header  # noqa: SIM118
    except (SafetensorError, ValueError) as error:
        raise InputError(f"{path}: is damaged ({error})") from None


def _write_history(path: Path, history: dict[str, list[float]]) -> None:
    """The columns as a table; nothing where there is no finished epoch."""
    if not history:
        return
    lengths = {name: len(values) for name, values in history.items()}
    if len(set(lengths.values())) > 1:
        raise InputError(f"history: got columns of different lengths, {lengths}")
    with atomic_path(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(history)
        writer.writerows(zip(*history.values(), strict=True))
