"""The weights of each epoch of a run, in its folder ``epochs``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from vaeviz.data.atomic_files import make_folder, report_write_errors
from vaeviz_models.runs.folder import (
    build_model,
    check_model_size,
    read_config,
    read_tensors,
    tensor_bytes,
    write_files,
)
from vaeviz_models.training.state import TrainState

EPOCHS_FOLDER = "epochs"


def keep_epoch(run: Path, state: TrainState) -> None:
    """Write the weights of the last epoch.

    Parameters
    ----------
    run : Path
        Folder of the run.
    state : TrainState
        State of the training.

    Raises
    ------
    InputError
        If the file cannot be written.
    """
    folder = run / EPOCHS_FOLDER
    with report_write_errors(folder):
        make_folder(folder)
    write_files(folder, {f"{state.epoch:06d}.safetensors": tensor_bytes(state.model.state_dict())})


def keeps_epochs(run: Path) -> bool:
    """Return True if a run keeps the weights of each epoch.

    Parameters
    ----------
    run : Path
        Folder of the run.

    Returns
    -------
    bool
        Whether it has a folder of epochs.
    """
    return (run / EPOCHS_FOLDER).is_dir()


def remove_epochs(run: Path, after: int = -1) -> None:
    """Remove weights that belong to a training that was replaced.

    Parameters
    ----------
    run : Path
        Folder of the run.
    after : int, default -1
        Number of the last epoch that stays.

    Raises
    ------
    InputError
        If a file cannot be removed.
    """
    folder = run / EPOCHS_FOLDER
    with report_write_errors(folder):
        for path in folder.glob("*.safetensors"):
            if path.stem.isdigit() and int(path.stem) > after:
                path.unlink()
        if after < 0 and folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()


def is_epoch_file(path: Path) -> bool:
    """Return True for a file that `keep_epoch` wrote.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    bool
        Whether it is in the folder of epochs of a run.
    """
    is_named_so = path.suffix == ".safetensors" and path.stem.isdigit() and path.parent.name == EPOCHS_FOLDER
    return is_named_so and (path.parent.parent / "config.json").is_file()


def open_epoch(path: Path) -> Any:
    """Open the model of an epoch.

    Parameters
    ----------
    path : Path
        A file of `keep_epoch`.

    Returns
    -------
    torch.nn.Module
        The model with the weights of that epoch, on the CPU in eval mode.

    Raises
    ------
    InputError
        If a file of the run is missing or damaged.
    """
    run = path.parent.parent
    config = read_config(run)
    check_model_size(config, path, max_copies=1)
    return build_model(run, config, read_tensors(path)[0]).eval()
