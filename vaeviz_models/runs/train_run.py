"""Trainings that leave a run folder, and trainings that continue one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from vaeviz.callbacks.watch import Watch
from vaeviz.data.dataset import Dataset
from vaeviz.errors import Fix, InputError
from vaeviz_models.models.builders import Recipe, build_from_recipe, get_recipe, seeded, with_classes
from vaeviz_models.runs.checkpoint import checkpoint_files, load_checkpoint, save_checkpoint
from vaeviz_models.runs.data_source import DataSource, check_same_data, fingerprint, training_data
from vaeviz_models.runs.epochs import keep_epoch, keeps_epochs, remove_epochs
from vaeviz_models.runs.folder import (
    RunConfig,
    check_new_run,
    config_bytes,
    partial_files_of,
    read_header,
    start_run,
    write_files,
)
from vaeviz_models.runs.lock import locked_run
from vaeviz_models.training.config import TrainConfig
from vaeviz_models.training.fit import fit
from vaeviz_models.training.loaders import check_data, condition_codes
from vaeviz_models.training.processes import Processes
from vaeviz_models.training.state import TrainState

AfterEpoch = Callable[[TrainState], None]
MakeWatch = Callable[[Dataset], Watch]


def train_run(
    name: str,
    data: str | DataSource,
    out: Path,
    *,
    model_options: Mapping[str, Any] | None = None,
    config: TrainConfig | None = None,
    overwrite: bool = False,
    after_epoch: AfterEpoch | None = None,
    keep_epochs: bool = False,
    make_watch: MakeWatch | None = None,
) -> TrainState:
    """Train a registered model on a data set, and write a run folder after each epoch.

    In a process group of torch, all processes train together, and the one of rank 0 writes.

    Parameters
    ----------
    name : str
        Name of the model, e.g. ``"mlp"``.
    data : str or DataSource
        Data set. Its test split is scored after each epoch.
    out : Path
        Folder of the run. Nothing is written if the model, the data or the settings do not fit.
    model_options : mapping, optional
        Options of the model's builder.
    config : TrainConfig, optional
        Settings of the training.
    overwrite : bool, default False
        Replace an existing run.
    after_epoch : callable, optional
        Called with the state after each epoch, once it is saved.
    keep_epochs : bool, default False
        Keep the initial weights and those of each epoch in the folder ``epochs`` of the run, for animations.
    make_watch : callable, optional
        Receives the test data, or the training data if there are none, and returns the `vaeviz.Watch` to call after
        each epoch. It is called before the first epoch.

    Returns
    -------
    TrainState
        State after the training.

    Raises
    ------
    InputError
        If model, data, settings or folder cannot be used, or if the training diverges.
    """
    source = DataSource(data) if isinstance(data, str) else data
    config = config or TrainConfig()
    if _is_writer():
        check_new_run(out, overwrite=overwrite)
    train, test = source.load_splits()
    options = with_classes(name, dict(model_options or {}), train.named_labels())
    recipe = Recipe(name=name, sample_shape=list(train.x.shape[1:]), options=options)
    model = seeded(build_from_recipe, recipe, seed=config.seed)
    check_data(model, train.x, None if test is None else test.x, binarize=config.binarize)
    codes = _check_conditions(model, train, test)
    run_config = RunConfig(
        model=get_recipe(model), data=source.to_config() | fingerprint(train.x, codes), training=asdict(config)
    )
    state = TrainState.start(model, config)
    with _lock_of_writer(out):
        if _is_writer():
            start_run(out, {"config.json": config_bytes(run_config), **checkpoint_files(state)}, overwrite=overwrite)
            remove_epochs(out)
            if keep_epochs:
                keep_epoch(out, state)
        _fit_and_save(out, state, (train, test), config, after_epoch, make_watch)
    return state


class ResumedRun:
    """A run that was opened to continue its training.

    Parameters
    ----------
    run : Path
        Folder of the run.
    epochs : int, optional
        New number of epochs in all. By default that of the run.
    patience : int, optional
        New patience of early stopping, which needs a holdout. By default that of the run.
    device : str, optional
        Device to continue on. By default that of the run.
    data : str, optional
        Name of the training data. By default that of the run, unless it names an object of a module.

    Raises
    ------
    InputError
        If the run cannot continue, has more than `epochs` epochs already, or if its data changed.
    """

    def __init__(
        self,
        run: Path,
        *,
        epochs: int | None = None,
        patience: int | None = None,
        device: str | None = None,
        data: str | None = None,
    ) -> None:
        self.run = run
        self.state, config, self.run_config = load_checkpoint(run, device=device)
        if epochs is not None and epochs < self.state.epoch:
            raise InputError(
                f"epochs is {epochs}, but {run} has {self.state.epoch} epochs already.",
                got=str(epochs),
                expected=f"{self.state.epoch} or more",
            )
        if patience is not None and config.holdout == 0:
            raise InputError(
                f"patience is {patience}, but {run} was trained without a validation set to watch.",
                got="holdout 0",
                expected="a run with a holdout",
                fix=Fix("Train a new run with a holdout, e.g. holdout=0.1.", "Train a new run with --holdout 0.1."),
            )
        self.config = replace(config, epochs=epochs or config.epochs, patience=patience or config.patience)
        self.state.set_patience(config.patience)
        self.splits = None if self.is_finished else self._load_same_data(data)

    @property
    def is_finished(self) -> bool:
        """Whether there is nothing left to train."""
        return self.state.epoch >= self.config.epochs or self.state.stopped_early(self.config.patience)

    def train(
        self,
        after_epoch: AfterEpoch | None = None,
        *,
        keep_epochs: bool = False,
        make_watch: MakeWatch | None = None,
    ) -> None:
        """Train the epochs that are left.

        Weights and history are written even if none is left, since they may be an epoch older than the checkpoint.

        Parameters
        ----------
        after_epoch : callable, optional
            Called with the state after each epoch, once it is saved.
        keep_epochs : bool, default False
            Keep the weights of each epoch from now on. A run that keeps them already does so in any case.
        make_watch : callable, optional
            See `train_run`.

        Raises
        ------
        InputError
            If another process trains in the folder, or has done so since it was opened, or if the training diverges.
        """
        with _lock_of_writer(self.run):
            if _is_writer():
                self._write_start(keep_epochs=keep_epochs)
            if self.splits is not None:
                _fit_and_save(self.run, self.state, self.splits, self.config, after_epoch, make_watch)

    def _write_start(self, *, keep_epochs: bool) -> None:
        """Write the files of the state that was read, unless another process has trained on since."""
        checkpoint = self.run / "checkpoint.safetensors"
        epoch = read_header(checkpoint)["epoch"] if checkpoint.exists() else 0
        if epoch != self.state.epoch:
            raise InputError(
                f"{self.run} has {epoch} epochs now, but had {self.state.epoch} when it was opened.",
                got=str(epoch),
                expected=str(self.state.epoch),
                fix="Resume it again.",
            )
        for path in partial_files_of(self.run):
            path.unlink(missing_ok=True)
        self.run_config["training"] = asdict(self.config)
        write_files(self.run, {"config.json": config_bytes(self.run_config), **checkpoint_files(self.state)})
        remove_epochs(self.run, after=self.state.epoch)
        if keep_epochs or keeps_epochs(self.run):
            keep_epoch(self.run, self.state)

    def _load_same_data(self, data: str | None) -> tuple[Dataset, Dataset | None]:
        """Load the data of the run, and check that they are the same as before."""
        train, test = training_data(self.run, self.run_config, data).load_splits()
        check_same_data(self.run, self.run_config, train.x, _check_conditions(self.state.model, train, test))
        test_x = None if test is None else test.x
        check_data(self.state.model, train.x, test_x, binarize=self.config.binarize)
        return train, test


def _is_writer() -> bool:
    return Processes.current().rank == 0


def _lock_of_writer(run: Path) -> AbstractContextManager[None]:
    return locked_run(run) if _is_writer() else nullcontext()


def _check_conditions(model: Any, train: Dataset, test: Dataset | None) -> np.ndarray | None:
    """Check the labels for a conditional model, and return the class indices of the training data."""
    if not hasattr(model, "classes"):
        return None
    if test is not None:
        condition_codes(model, test.x, test.named_labels(), f"{test.name}, test data")
    return condition_codes(model, train.x, train.named_labels(), train.name)


def _fit_and_save(
    run: Path,
    state: TrainState,
    splits: tuple[Dataset, Dataset | None],
    config: TrainConfig,
    after_epoch: AfterEpoch | None,
    make_watch: MakeWatch | None,
) -> None:
    train, test = splits
    is_writer = _is_writer()
    watch = make_watch(train if test is None else test) if make_watch is not None and is_writer else None
    if watch is not None:  # whose plots draw the epochs before, too
        watch.history |= {name: list(values) for name, values in state.history.items()}
    do_keep = keeps_epochs(run)

    def save(state: TrainState) -> None:
        save_checkpoint(run, state)
        if do_keep:
            keep_epoch(run, state)
        if after_epoch is not None:
            after_epoch(state)
        if watch is not None:
            scores = {name: values[-1] for name, values in state.history.items() if name != "epoch"}
            watch(state.epoch, state.model, **scores)

    is_conditional = hasattr(state.model, "classes")
    with nullcontext() if watch is None else watch:
        fit(
            state.model,
            train.x,
            None if test is None else test.x,
            train.named_labels() if is_conditional else None,
            test.named_labels() if is_conditional and test is not None else None,
            config=config,
            resume=state,
            after_epoch=save if is_writer else None,
        )
