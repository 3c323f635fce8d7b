from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from inspect import signature
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vaeviz.cli.source import broken_command, click_option
from vaeviz.errors import InputError, NoSuchSplit, UnknownName
from vaeviz.plugins import registry
from vaeviz.plugins.object_refs import needs_training

if TYPE_CHECKING:
    from vaeviz.data.dataset import Dataset

HELP = {
    "epochs": "Passes over the training data.",
    "batch_size": "Samples a step.",
    "learning_rate": "Of Adam.",
    "schedule": "Of the learning rate: constant, or the stages of Burda et al. 2016, down to a tenth in 3,280 epochs.",
    "epsilon": "Of Adam.",
    "beta": "Weight of the KL.",
    "warmup": "Epochs over which beta rises from 0.",
    "binarize": "Draw pixels of 0 and 1 anew each time, with the gray levels as chances.",
    "holdout": "Share of the training data kept for validation.",
    "patience": "Stop after so many epochs without a better validation ELBO, and keep the best. Needs --holdout.",
    "precision": "Of products; bfloat16 is faster on a GPU or CPU that has units for it, and refused elsewhere.",
    "seed": "Of first weights, order and noise.",
    "device": "auto (CUDA, then MPS, then CPU), cpu, cuda or mps.",
}


class Models(click.Group):
    """One command for each registered model, with the model's options and the training's."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(registry.entries("vaeviz.models"))

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        try:
            entry = registry.find("vaeviz.models", name)
            builder = entry.load()
        except UnknownName as error:
            raise click.UsageError(str(error)) from None
        except InputError as error:
            return broken_command(name, error)
        try:
            return _command(entry.name, builder) if needs_training(builder) else _nothing_to_train(entry.name)
        except Exception as error:  # a plug-in's signature can be wrong in many ways
            told = str(error) if isinstance(error, InputError) else f"{type(error).__name__}: {error}"
            reason = f"{name!r} of {entry.distribution} has no readable options: {told}"
            return broken_command(name, InputError(reason.splitlines()[0]))


@click.group(cls=Models, invoke_without_command=True, subcommand_metavar="MODEL [OPTIONS]")
@click.option(
    "--resume",
    type=click.Path(path_type=Path),
    metavar="RUN",
    help="Go on with an interrupted run, to the same weights as if it had not been.",
)
@click.option("--epochs", type=click.IntRange(1), help="With --resume: train up to so many epochs instead.")
@click.option("--device", help="With --resume.  [default: the run's own]")
@click.pass_context
def train(ctx: click.Context, resume: Path | None, epochs: int | None, device: str | None) -> None:
    """Train a model and leave a run folder. `vaeviz train MODEL --help` shows the options of a model.

    The defaults are the reference run: latent 2, batch 128, Adam 1e-3, 10 epochs.
    """
    model = ctx.invoked_subcommand
    ctx.with_resource(_denormals_flushed())
    if model is None:
        if resume is None:
            raise click.UsageError("name a model to train (see `vaeviz list models`), or give --resume RUN")
        _resume(resume, epochs, device)
    elif resume is not None:
        raise click.UsageError("--resume goes on with the run's own model: leave the model's name out")
    elif epochs is not None or device is not None:
        option = "--epochs" if epochs is not None else "--device"
        raise click.UsageError(f"{option} belongs behind the model: vaeviz train {model} {option} ...")


@contextmanager
def _denormals_flushed() -> Iterator[None]:
    """Numbers too small for full precision count as 0: computing with them is slow, and Adam makes many.

    Set before torch starts its threads, which keep it for good: for a process that does nothing else.
    """
    import torch

    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(False)


def _nothing_to_train(name: str) -> click.Command:
    """What stands for a registered model that is ready: it is not listed among the networks, and fails when named."""
    reason = f"{name} is a model that is ready, and no network to train; draw it: vaeviz export {name} --data NAME"
    command = broken_command(name, InputError(f"{reason} --out FOLDER"))
    command.hidden = True
    return command


def _command(name: str, builder: Any) -> click.Command:
    from vaeviz.plugins.options import options_of
    from vaeviz_models.training.fit import training_options

    of_model, of_fit = options_of(builder), training_options()
    params = [
        click.Option(
            ["--data"],
            required=True,
            metavar="NAME",
            help="A name from `vaeviz list data`, a file .npz, .npy, .csv or .h5ad, or a folder of pictures.",
        ),
        click.Option(["--data-dir"], type=click.Path(path_type=Path), help="Folder with the data set's files."),
        click.Option(["--labels"], metavar="NAME", help="Which array or column of the file holds the labels."),
        click.Option(["--out"], type=click.Path(path_type=Path), required=True, help="The run folder to make."),
        click.Option(["--overwrite"], is_flag=True, help="Replace an existing run."),
        *(click_option(option) for option in of_model.values()),
        *(click_option(option, HELP.get(key, "")) for key, option in of_fit.items()),
    ]

    def run(**given: Any) -> None:
        model_options = {key: given.pop(key) for key in of_model}
        settings = {key: given.pop(key) for key in of_fit}
        train_run(name, model_options=_without_none(model_options), settings=_without_none(settings), **given)

    summary = (builder.__doc__ or name).partition("\n")[0]
    return click.Command(name, callback=run, params=params, help=summary, short_help=summary)


def train_run(
    name: str,
    *,
    data: str,
    out: Path,
    data_dir: Path | None = None,
    labels: str | None = None,
    overwrite: bool = False,
    model_options: dict[str, Any],
    settings: dict[str, Any],
) -> None:
    """Train a registered model on a registered data set, and leave a run folder."""
    from vaeviz_models.models.builders import build_from_recipe, get_recipe, with_classes
    from vaeviz_models.runs.folder import fingerprint, save_training, start_run
    from vaeviz_models.training.fit import TrainState, check_data, check_training, seeded, training_options

    settings = {key: option.default for key, option in training_options().items()} | settings
    check_training(**{key: settings[key] for key in signature(check_training).parameters})
    train, test = _training_data(data, data_dir, labels)
    options = with_classes(name, model_options, train.named_labels())
    recipe = {"name": name, "sample_shape": train.x.shape[1:], "options": options}
    model = seeded(build_from_recipe, recipe, seed=settings["seed"])
    check_data(model, train.x, test and test.x, binarize=settings["binarize"])
    found = {
        "name": _with_absolute_path(data),
        "data_dir": data_dir and str(data_dir.resolve()),
        "labels": _with_absolute_path(labels) if labels and labels.endswith(".npy") else labels,
    }
    seen = fingerprint(train.x, _codes(model, train, test))
    config = {"model": get_recipe(model), "data": found | seen, "training": settings}
    starting = ("learning_rate", "epsilon", "precision", "seed", "device")
    state = TrainState.start(model, **{key: settings[key] for key in starting})
    start_run(out, config, overwrite=overwrite)
    save_training(out, state)
    _fit(model, train, test, settings, state, out)


def _with_absolute_path(data: str) -> str:
    """The data set's name, with a path in it made absolute, so that the run finds its data from any folder."""
    name, colon, path = data.rpartition(":")
    if path in registry.entries("vaeviz.datasets") or not Path(path).exists():
        return data
    return f"{name}{colon}{Path(path).resolve()}"


def _resume(run: Path, epochs: int | None, device: str | None) -> None:
    from vaeviz_models.runs.folder import check_same_data, data_arguments, load_training, save_training, write_config
    from vaeviz_models.training.fit import check_data

    state, config = load_training(run, device=device)
    settings, data = config["training"], data_arguments(config)
    if data is None:
        raise InputError(f"{run / 'config.json'}: does not name the data that the run was trained on")
    if epochs is not None and epochs < state.epoch:
        raise InputError(f"--epochs {epochs}: {run} has {state.epoch} epochs already")
    settings["epochs"] = epochs or settings["epochs"]
    finished = _finished(run, state, settings)
    if not finished:
        train, test = _training_data(**data)
        check_same_data(run, config, train.x, _codes(state.model, train, test))
        check_data(state.model, train.x, test and test.x, binarize=settings["binarize"])
    if epochs is not None:
        write_config(run, config)
    save_training(run, state)  # weights and history may be an epoch older than the checkpoint
    click.echo(finished or f"{run}: going on after epoch {state.epoch} of {settings['epochs']}")
    if not finished:
        _fit(state.model, train, test, settings, state, run)


def _finished(run: Path, state: Any, settings: dict[str, Any]) -> str:
    """That a run has nothing to go on with, and what to do; empty where it has."""
    if state.stopped_early(settings["patience"]):
        early = f"stopped early after epoch {state.epoch}, best epoch {state.best_epoch}"
        return f"{run}: is finished, {early}; to train longer, start a new run with a larger --patience"
    if state.epoch >= settings["epochs"]:
        more = f"vaeviz train --resume {run} --epochs {2 * state.epoch}"
        done = f"epoch {state.epoch} of {settings['epochs']} is done"
        return f"{run}: is finished, {done}; to train on, say up to how many: {more}"
    return ""


def _fit(model: Any, train: Dataset, test: Dataset | None, settings: dict[str, Any], state: Any, out: Path) -> None:
    from vaeviz_models.runs.folder import save_training
    from vaeviz_models.training.fit import fit

    def keep(state: Any) -> None:
        save_training(out, state)
        _echo_epoch(state, settings["epochs"])

    data = (train.x, test and test.x)
    if hasattr(model, "classes"):
        data += (train.named_labels(), test and test.named_labels())
    try:
        fit(model, *data, **settings, resume=state, after_epoch=keep)
    except KeyboardInterrupt:
        click.echo(f"\ninterrupted: {out} holds epoch {state.epoch}; go on with vaeviz train --resume {out}", err=True)
        raise
    if state.stopped_early(settings["patience"]):
        click.echo(f"stopped early after epoch {state.epoch}, best epoch {state.best_epoch}")
    kept = f", weights of epoch {state.best_epoch}" if state.best is not None else ""
    click.echo(f"run in {out}{kept}; draw it with: vaeviz export {out} --out figures/{out.name}")


def _codes(model: Any, train: Dataset, test: Dataset | None) -> Any:
    """The classes (N,) of the training data for a conditional model, those of the test data checked; else None."""
    from vaeviz_models.models.class_labels import class_codes

    if not hasattr(model, "classes"):
        return None
    if test is not None:
        class_codes(test.named_labels(), model.classes, of=f"{test.name}, test data")
    return class_codes(train.named_labels(), model.classes, of=train.name)


def _training_data(name: str, data_dir: Any, labels: str | None) -> tuple[Dataset, Dataset | None]:
    """(training data, test data or None); data without splits are all for training."""
    from vaeviz.data.loading import load_data

    try:
        train = load_data(name, split="train", data_dir=data_dir, labels=labels)
    except NoSuchSplit:
        return load_data(name, split="all", data_dir=data_dir, labels=labels), None
    try:
        return train, load_data(name, split="test", data_dir=data_dir, labels=labels)
    except NoSuchSplit:
        return train, None


def _echo_epoch(state: Any, epochs: int) -> None:
    from tqdm import tqdm

    row = {name: values[-1] for name, values in state.history.items()}
    parts = []
    for of in ("train", "validation", "test"):
        if f"{of}_elbo" in row:
            terms = f"({row[f'{of}_log_likelihood']:.2f} − {row[f'{of}_kl']:.2f})"
            parts.append(f"{of} ELBO {row[f'{of}_elbo']:.2f} {terms}")
        elif f"{of}_log_likelihood" in row:
            parts.append(f"{of} log-likelihood {row[f'{of}_log_likelihood']:.2f}")
    tqdm.write(f"epoch {state.epoch}/{epochs}  " + "  ".join(parts))


def _without_none(given: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in given.items() if value is not None}
