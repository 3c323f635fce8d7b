"""A run folder: ``config.json``, ``weights.safetensors``, ``history.csv`` and ``checkpoint.safetensors``.

The checkpoint is one file, replaced whole: tensors of weights, Adam and random generators, and in its JSON header
the epoch and the history. Whatever moment a training is killed at, it holds the last finished epoch, and the
other two files follow from it. Nothing is pickled.
"""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from vaeviz import registry
from vaeviz.errors import InputError
from vaeviz.files import replacing
from vaeviz.options import check_settings
from vaeviz_models.training import Training

FORMAT = "vaeviz_models run 1"


def build(config: dict) -> nn.Module:
    """The model that a run's config names, with fresh weights."""
    model = config["model"]
    builder = registry.load("vaeviz.models", model["name"])
    return builder(tuple(model["sample_shape"]), **check_settings(builder, model["options"], of=model["name"]))


def open_run(run: str | Path) -> tuple[nn.Module, dict]:
    """(model, config) of a run folder, the model on the CPU in eval mode. `InputError` if one is damaged."""
    run = Path(run)
    config = read_config(run)
    model = _built(run, config)
    tensors, _ = _read_tensors(run / "weights.safetensors")
    try:
        model.load_state_dict(tensors)
    except RuntimeError as error:
        reason = " ".join(str(error).split())[:200]
        raise InputError(f"{run}: weights.safetensors does not fit config.json: {reason}") from None
    return model.eval(), config


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
    missing = [part for part in ("model", "data", "training") if not isinstance(config.get(part), dict)]
    if missing:
        raise InputError(f"{path}: is damaged, it does not describe {' and '.join(missing)}")
    return config


def write_config(run: Path, config: dict) -> None:
    """Write ``config.json``, whole or not at all."""
    with replacing(run / "config.json") as path:
        path.write_text(json.dumps({"format": FORMAT, **config}, indent=2) + "\n", encoding="utf-8")


def read_history(run: str | Path) -> dict[str, list[float]]:
    """The columns of ``history.csv``; `InputError` if it is missing or damaged."""
    path = Path(run) / "history.csv"
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        return {name: [float(row[name]) for row in rows] for name in (rows[0] if rows else {})}
    except FileNotFoundError:
        raise InputError(f"{path}: does not exist; the run has no finished epoch") from None
    except (TypeError, ValueError) as error:
        raise InputError(f"{path}: is damaged, {error}") from None


def start_run(run: Path, config: dict, *, overwrite: bool = False) -> None:
    """Make the folder and write its config. An existing run is kept (`InputError`) unless `overwrite`."""
    if run.exists() and not run.is_dir():
        raise InputError(f"{run}: is a file, expected a folder for the run")
    if run.is_dir() and any(run.iterdir()) and not overwrite:
        raise InputError(f"{run}: exists and is kept; choose another --out, go on with --resume, or --overwrite it")
    try:
        run.mkdir(parents=True, exist_ok=True)
        for name in ("weights.safetensors", "checkpoint.safetensors", "history.csv"):
            (run / name).unlink(missing_ok=True)
        write_config(run, config)
    except OSError as error:
        raise InputError(f"{run}: cannot be written, {error.strerror}") from None


def save_run(run: Path, state: Training) -> None:
    """Write checkpoint, weights and history of a training, each whole or not at all."""
    from safetensors.torch import save_file

    header = {
        "device": state.device.type,
        "epoch": str(state.epoch),
        "best_epoch": str(state.best_epoch),
        "history": json.dumps(state.history),
    }
    with replacing(run / "checkpoint.safetensors") as path:
        save_file(_checkpoint_tensors(state), path, metadata=header)
    with replacing(run / "weights.safetensors") as path:
        save_file(_contiguous(state.weights()), path)
    with replacing(run / "history.csv") as path:
        _write_history(path, state.history)


def load_training(run: Path, *, device: str | None = None) -> tuple[Training, dict]:
    """(training, config) of a run, as it was after its last finished epoch. device: by default the run's own."""
    config = read_config(run)
    tensors, header = _read_tensors(run / "checkpoint.safetensors")
    settings = config["training"]
    state = Training.start(
        _built(run, config),
        learning_rate=settings["learning_rate"],
        seed=settings["seed"],
        device=device or header.get("device", "auto"),
    )
    if header.get("device") != state.device.type:
        trained = header.get("device")
        raise InputError(f"{run}: was trained on {trained}; its random numbers cannot go on on {state.device}")
    try:
        _restore(state, tensors)
        state.epoch, state.best_epoch = int(header["epoch"]), int(header["best_epoch"])
        state.history = json.loads(header["history"])
    except (KeyError, RuntimeError, ValueError) as error:
        raise InputError(f"{run / 'checkpoint.safetensors'}: does not fit config.json, {error}") from None
    return state, config


def _built(run: Path, config: dict) -> nn.Module:
    try:
        return build(config)
    except (InputError, KeyError, TypeError) as error:
        raise InputError(f"{run / 'config.json'}: does not describe a model ({error})") from error


def _checkpoint_tensors(state: Training) -> dict[str, Tensor]:
    tensors = {f"weights/{name}": value for name, value in (state.last or state.model.state_dict()).items()}
    tensors |= {f"best/{name}": value for name, value in (state.best or {}).items()}
    for index, moments in state.optimiser.state_dict()["state"].items():
        tensors |= {f"adam/{index}/{name}": value for name, value in moments.items()}
    tensors |= {"random/shuffling": state.shuffling.get_state(), "random/noise": state.noise.get_state()}
    return _contiguous(tensors)


def _restore(state: Training, tensors: dict[str, Tensor]) -> None:
    def under(prefix: str) -> dict[str, Tensor]:
        return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}

    state.model.load_state_dict(under("weights/"))
    state.best = {name: value.to(state.device) for name, value in under("best/").items()} or None
    adam: dict[int, dict[str, Any]] = {}
    for name, value in under("adam/").items():
        index, _, moment = name.partition("/")
        adam.setdefault(int(index), {})[moment] = value
    state.optimiser.load_state_dict({**state.optimiser.state_dict(), "state": adam})
    state.shuffling.set_state(tensors["random/shuffling"])
    state.noise.set_state(tensors["random/noise"])


def _contiguous(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name: value.detach().cpu().contiguous() for name, value in tensors.items()}


def _read_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    from safetensors import SafetensorError, safe_open

    if not path.is_file():
        raise InputError(f"{path}: does not exist; the run has no finished epoch")
    try:
        with safe_open(path, framework="pt") as file:
            return {name: file.get_tensor(name) for name in file.keys()}, file.metadata() or {}  # noqa: SIM118
    except SafetensorError as error:
        raise InputError(f"{path}: is damaged ({error})") from None


def _write_history(path: Path, history: dict[str, list[float]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(history)
        writer.writerows(zip(*history.values()))
