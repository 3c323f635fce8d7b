"""``vaeviz train``: one sub-command per registered model."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vaeviz.cli.paths import PathName
from vaeviz.cli.plugin_commands import broken_command
from vaeviz.cli.types import click_option, complete_data
from vaeviz.errors import Fix, InputError, UnknownName
from vaeviz.plugins import registry
from vaeviz.plugins.inputs import INPUTS
from vaeviz.plugins.object_refs import needs_training

if TYPE_CHECKING:
    from vaeviz_models.runs.train_run import ResumedRun
    from vaeviz_models.training.state import TrainState

MODEL_HELP = {
    "activation": "Activation after each hidden layer.",
    "channels": "Number of channels of each layer.",
    "classes": "Names of the classes.  [default: from the labels]",
    "hidden": "Width of each hidden layer.",
    "latent_dim": "Number of latent dimensions.",
    "likelihood": "Distribution p(x | z).",
    "std": "Standard deviation of a Gaussian likelihood, or its first value if it is learned.",
}
HELP = {
    "epochs": "Passes over the training data.",
    "batch_size": "Samples per step.",
    "learning_rate": "Learning rate of Adam in the first epoch.",
    "schedule": "Learning rate schedule: constant, or the stages of Burda et al. 2016, which lower it to a tenth over "
    "3,280 epochs.",
    "epsilon": "Epsilon of Adam.",
    "beta": "Weight of the KL.",
    "warmup": "Epochs over which beta rises linearly from 0.",
    "binarize": "Train on pixels of 0 and 1, drawn at each presentation with the gray levels as probabilities.",
    "holdout": "Fraction of the training data kept for validation.",
    "patience": "Stop after this many epochs without a better validation ELBO, and keep the best weights. Needs "
    "--holdout.",
    "precision": "Precision of matrix products; bfloat16 needs hardware support.",
    "seed": "Seed for initialization, shuffling and sampling.",
    "device": "auto (CUDA, then MPS, then CPU), cpu, cuda or mps.",
    "threads": "Threads on the CPU: auto times steps on one and on all, and keeps the faster; a fixed number gives the "
    "same bytes each time.  [default: auto]",
}


class TrainCommands(click.Group):
    """One command per registered model, with the options of the model and of the training."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(registry.entries("vaeviz.models"))

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        try:
            entry = registry.find("vaeviz.models", name)
            builder = entry.load()
        except UnknownName as error:
            raise click.UsageError(error.for_command_line()) from None
        except InputError as error:
            return broken_command(name, error)
        try:
            return _train_command(entry.name, builder) if needs_training(builder) else _no_train_command(entry.name)
        except Exception as error:  # the signature of a plugin can be wrong in many ways
            reason = str(error) if isinstance(error, InputError) else f"{type(error).__name__}: {error}"
            message = f"{name!r} of {entry.distribution} has no readable options: {reason}"
            return broken_command(name, InputError(message.splitlines()[0]))


@click.group(cls=TrainCommands, invoke_without_command=True, subcommand_metavar="MODEL [OPTIONS]")
@click.option(
    "--resume",
    type=PathName(),
    metavar="RUN",
    help="Continue an interrupted run, with the same result as without the interruption.",
)
@click.option("--epochs", type=click.IntRange(1), help="With --resume: train up to this many epochs in all.")
@click.option("--patience", type=click.IntRange(1), help="With --resume: new patience, which needs a holdout.")
@click.option("--device", help="With --resume: device to continue on.  [default: that of the run]")
@click.option("--data", metavar="NAME", help="With --resume: the training data, if they are package.module:attribute.")
@click.pass_context
def train(ctx: click.Context, /, resume: Path | None, **changes: Any) -> None:
    """Train a model and write a run folder. `vaeviz train MODEL --help` shows the options of a model.

    The defaults are the reference run: 2 latent dimensions, batch size 128, Adam with 1e-3, 10 epochs.
    """
    model = ctx.invoked_subcommand
    ctx.with_resource(flush_denormals())
    if model is None:
        if resume is None:
            raise click.UsageError("No model given. Name one (see `vaeviz list models`), or pass --resume RUN.")
        _resume(resume, changes)
    elif resume is not None:
        raise click.UsageError(f"--resume continues the model of the run. Leave {model} out.")
    elif any(value is not None for value in changes.values()):
        option = next(f"--{name}" for name, value in changes.items() if value is not None)
        raise click.UsageError(f"{option} must follow the model: vaeviz train {model} {option} ...")


@contextmanager
def flush_denormals() -> Iterator[None]:
    """Treat numbers too small for full precision as 0: they are slow, and Adam makes many.

    Torch's threads keep the setting for good, so it suits a process that does nothing but train.
    """
    import torch

    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(False)


def _no_train_command(name: str) -> click.Command:
    """Return a hidden command that fails, for a registered model that is trained already."""
    fix = Fix(f"Use vaeviz.open({name!r}).", f"Draw it with: vaeviz export {name} --data NAME --out FOLDER")
    command = broken_command(name, InputError(f"{name} is already trained.", fix=fix))
    command.hidden = True
    return command


def _train_command(name: str, builder: Any) -> click.Command:
    from vaeviz.plugins.options import options_of
    from vaeviz_models.training.config import TrainConfig

    model_options, settings = options_of(builder), options_of(TrainConfig)
    params: list[click.Parameter] = [
        click.Option(
            ["--data"],
            required=True,
            metavar="NAME",
            shell_complete=complete_data,
            help="Data set from `vaeviz list data`, a file .npz, .npy, .csv, .parquet or .h5ad, or a folder of images.",
        ),
        click.Option(["--data-dir"], type=PathName(), help="Folder with the files of the data set."),
        click.Option(["--labels"], metavar="NAME", help=INPUTS["labels"].help),
        click.Option(["--out"], type=PathName(), required=True, help="Run folder to create."),
        click.Option(["--overwrite"], is_flag=True, help="Replace an existing run."),
        *(click_option(option, MODEL_HELP.get(key, "")) for key, option in model_options.items()),
        *(click_option(option, HELP[key]) for key, option in settings.items()),
    ]

    def run(data: str, data_dir: Path | None, labels: str | None, out: Path, overwrite: bool, **given: Any) -> None:
        from vaeviz_models.runs.data_source import DataSource
        from vaeviz_models.runs.train_run import train_run

        given = {key: value for key, value in given.items() if value is not None}
        config = TrainConfig(**{"threads": "auto"} | {key: given.pop(key) for key in settings if key in given})
        with _explain_interruption(out):
            state = train_run(
                name,
                DataSource(data, data_dir, labels),
                out,
                model_options=given,
                config=config,
                overwrite=overwrite,
                after_epoch=print_epoch(config.epochs),
            )
        _print_result(out, state, config.patience)

    summary = (builder.__doc__ or name).partition("\n")[0]
    return click.Command(name, callback=run, params=params, help=summary, short_help=summary)


def _resume(run: Path, changes: dict[str, Any]) -> None:
    from vaeviz_models.runs.train_run import ResumedRun

    resumed = ResumedRun(run, **changes)
    state, planned = resumed.state, resumed.config.epochs
    if resumed.is_finished:
        resumed.train()
        click.echo(f"{run} is finished: {_reason_of_end(resumed)}")
        return
    place = f"continuing after epoch {state.epoch}" if state.epoch else "no epoch was finished, starting from the first"
    click.echo(f"{run}: {place} of {planned}")
    with _explain_interruption(run):
        resumed.train(print_epoch(planned))
    _print_result(run, state, resumed.config.patience)


def _reason_of_end(resumed: ResumedRun) -> str:
    state, config, run = resumed.state, resumed.config, shlex.quote(str(resumed.run))
    if state.stopped_early(config.patience):
        patience = 2 * (config.patience or 1)
        more = f"vaeviz train --resume {run} --patience {patience}"
        return f"{_early_stop(state)}. To train longer, choose a larger patience: {more}"
    more = f"vaeviz train --resume {run} --epochs {2 * state.epoch}"
    return f"epoch {state.epoch} of {config.epochs} is done. To train longer, choose the number of epochs: {more}"


@contextmanager
def _explain_interruption(run: Path) -> Iterator[None]:
    try:
        yield
    except (KeyboardInterrupt, SystemExit):  # Ctrl-C, or a signal to terminate
        if (run / "config.json").exists():
            click.echo(f"\nInterrupted. Continue with: vaeviz train --resume {shlex.quote(str(run))}", err=True)
        raise


def print_epoch(epochs: int) -> Callable[[TrainState], None]:
    """Return a function that prints the scores of a finished epoch."""
    from tqdm import tqdm

    def write(state: TrainState) -> None:
        row = {name: values[-1] for name, values in state.history.items()}
        parts = []
        for name in ("train", "validation", "test"):
            if f"{name}_elbo" in row:
                terms = f"({row[f'{name}_log_likelihood']:.2f} − {row[f'{name}_kl']:.2f})"
                parts.append(f"{name} ELBO {row[f'{name}_elbo']:.2f} {terms}")
            elif f"{name}_log_likelihood" in row:
                parts.append(f"{name} log-likelihood {row[f'{name}_log_likelihood']:.2f}")
        tqdm.write(f"epoch {state.epoch}/{epochs}  " + "  ".join(parts))

    return write


def _print_result(out: Path, state: TrainState, patience: int | None) -> None:
    if state.stopped_early(patience):
        click.echo(_early_stop(state))
    weights = f" with the weights of epoch {state.weights_epoch}" if patience is not None else ""
    folder, figures = shlex.quote(str(out)), shlex.quote(f"figures/{out.name}")
    click.echo(f"Run saved in {out}{weights}. Draw it with: vaeviz export {folder} --out {figures}")


def _early_stop(state: TrainState) -> str:
    return f"stopped early after epoch {state.epoch}, best epoch {state.best_epoch}"
