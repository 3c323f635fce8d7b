"""``vaeviz train``: one sub-command per registered model."""

from __future__ import annotations

import functools
import shlex
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vaeviz.cli.paths import PathName
from vaeviz.cli.plugin_commands import broken_command
from vaeviz.cli.types import click_option, complete_data, split_list
from vaeviz.errors import Fix, InputError, UnknownName
from vaeviz.plugins import registry
from vaeviz.plugins.inputs import INPUTS
from vaeviz.plugins.object_refs import needs_training
from vaeviz_models.launcher import launch, launch_options

if TYPE_CHECKING:
    from vaeviz.callbacks.watch import Watch
    from vaeviz.data.dataset import Dataset
    from vaeviz.plugins.options import Option
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


ARGS_KEY = "vaeviz_models.train.args"  # of click's context: the arguments, for the processes to launch


class Every(click.ParamType):  # type: ignore[type-arg]  # generic only in recent versions of click
    """A number of epochs, or the word ``doubling``."""

    name = "number"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if value == "doubling":
            return value
        return click.IntRange(1).convert(value, param, ctx)


class TrainCommands(click.Group):
    """One command per registered model, with the options of the model and of the training."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        ctx.meta[ARGS_KEY] = list(args)
        return super().parse_args(ctx, args)

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


@dataclass(frozen=True)
class Display:
    """Choices of the figures, logs and weights that a training leaves beside its run.

    Parameters
    ----------
    watch : tuple of str
        Names of the plots to draw.
    every : int or "doubling"
        Epochs between figures.
    max_fraction : float or None
        Largest share of the time that drawing may take.
    trackers : tuple of str
        Trackers, which also receive the scores.
    keep_epochs : bool
        Whether the weights of each epoch are kept.
    """

    watch: tuple[str, ...] = ()
    every: Any = 1
    max_fraction: float | None = None
    trackers: tuple[str, ...] = ()
    keep_epochs: bool = False

    def __post_init__(self) -> None:
        if not self.watch and (self.every != 1 or self.max_fraction is not None):
            option = "--every" if self.every != 1 else "--max-fraction"
            raise click.UsageError(f"{option} belongs to --watch, which names no plot. Add --watch PLOT,...")
        if self.watch:
            from vaeviz.plugins.plot_spec import get_plot

            for name in self.watch:
                get_plot(name)
        if self.trackers:
            from vaeviz.export.trackers.tracker import find_tracker

            for text in self.trackers:
                find_tracker(text)

    def make_watch(self, run: Path) -> Callable[[Dataset], Watch] | None:
        """Return a function that makes the `Watch` of a run, or None if nothing is drawn or sent."""
        if not (self.watch or self.trackers):
            return None

        def make(data: Dataset) -> Watch:
            from vaeviz.callbacks.watch import watch

            places = [run / "watch"] * bool(self.watch) + [*self.trackers]
            title = f"{run.resolve().name} · {data.name}" if data.name else run.resolve().name
            limits = {"every": self.every, "max_fraction": self.max_fraction}
            return watch(self.watch, data, to=places, title=f"Training of {title}", **limits)

        return make


def with_display(command: Callable[..., Any]) -> Callable[..., Any]:
    """Pass the values of `display_options` to a command as one argument `display`."""

    @functools.wraps(command)
    def call(*args: Any, **parameters: Any) -> Any:
        given = {field.name: parameters.pop(field.name) for field in fields(Display)}
        given["watch"] = tuple(split_list(given["watch"]) or ())
        return command(*args, display=Display(**given), **parameters)

    return call


def display_options() -> list[click.Parameter]:
    """Return the options of `Display`."""
    return [
        click.Option(
            ["--watch"],
            metavar="PLOT,...",
            help="Draw these plots while the model trains, into the folder watch of the run, with a page that "
            "refreshes itself.",
        ),
        click.Option(
            ["--every"], type=Every(), default=1, metavar="N", help="Epochs between figures; doubling: 1, 2, 4, 8, ..."
        ),
        click.Option(
            ["--max-fraction"],
            type=click.FloatRange(0, 1, min_open=True),
            help="Skip figures that would take more than this share of the time.  [default: draw always]",
        ),
        click.Option(
            ["--log", "trackers"],
            multiple=True,
            metavar="TRACKER:PLACE",
            help="Also send scores and figures to tensorboard:DIR, mlflow:URI or wandb:PROJECT. Repeatable.",
        ),
        click.Option(["--keep-epochs"], is_flag=True, help="Keep the weights of each epoch, for `vaeviz animate`."),
    ]


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
@with_display
def train(ctx: click.Context, /, resume: Path | None, display: Display, **changes: Any) -> None:
    """Train a model and write a run folder. `vaeviz train MODEL --help` shows the options of a model.

    The defaults are the reference run: 2 latent dimensions, batch size 128, Adam with 1e-3, 10 epochs.
    """
    model = ctx.invoked_subcommand
    ctx.with_resource(flush_denormals())
    if model is None:
        if resume is None:
            raise click.UsageError("No model given. Name one (see `vaeviz list models`), or pass --resume RUN.")
        from vaeviz_models.runs.checkpoint import recorded_device

        device = changes["device"] or recorded_device(resume)
        settings = {name: changes.pop(name) for name in ("devices", "nodes", "rendezvous")}
        if not launch(ctx.meta[ARGS_KEY], resume, **settings):
            _resume(resume, changes, display, device)
    elif resume is not None:
        raise click.UsageError(f"--resume continues the model of the run. Leave {model} out.")
    elif any(value is not None for value in changes.values()) or display != Display():
        given = [name for name, value in changes.items() if value is not None]
        given += [field.name for field in fields(Display) if getattr(display, field.name) != field.default]
        option = "--log" if given[0] == "trackers" else f"--{given[0].replace('_', '-')}"
        raise click.UsageError(f"{option} must follow the model: vaeviz train {model} {option} ...")


train.params += [*launch_options(), *display_options()]


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


def _train_params(model_options: dict[str, Option], settings: dict[str, Option]) -> list[click.Parameter]:
    """Return the options of a command: its data and run folder, and those of the model and of its training."""
    return [
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
        *launch_options(),
        *display_options(),
    ]


def _train_command(name: str, builder: Any) -> click.Command:
    """Return the command that trains a registered model."""
    from vaeviz.plugins.options import options_of
    from vaeviz_models.training.config import TrainConfig

    model_options, settings = options_of(builder), options_of(TrainConfig)

    @with_display
    def run(
        data: str, data_dir: Path | None, labels: str | None, out: Path, overwrite: bool, display: Display, **given: Any
    ) -> None:
        launch_settings = {name: given.pop(name) for name in ("devices", "nodes", "rendezvous")}
        if launch(click.get_current_context().meta[ARGS_KEY], out, **launch_settings):
            return
        from vaeviz_models.runs.data_source import DataSource
        from vaeviz_models.runs.train_run import train_run
        from vaeviz_models.training.processes import joined_processes

        given = {key: value for key, value in given.items() if value is not None}
        config = TrainConfig(**{"threads": "auto"} | {key: given.pop(key) for key in settings if key in given})
        with _explain_interruption(out), joined_processes(config.device) as processes:
            state = train_run(
                name,
                DataSource(data, data_dir, labels),
                out,
                model_options=given,
                config=config,
                overwrite=overwrite,
                after_epoch=print_progress(config.epochs, config.warmup),
                keep_epochs=display.keep_epochs,
                make_watch=display.make_watch(out),
            )
        if processes.rank == 0:
            _print_result(out, state, config.patience, display)

    summary = (builder.__doc__ or name).partition("\n")[0]
    params = _train_params(model_options, settings)
    return click.Command(name, callback=run, params=params, help=summary, short_help=summary)


def _resume(run: Path, changes: dict[str, Any], display: Display, device: str) -> None:
    from vaeviz_models.runs.train_run import ResumedRun
    from vaeviz_models.training.processes import joined_processes

    with _explain_interruption(run), joined_processes(device) as processes:
        resumed = ResumedRun(run, **changes)
        state, planned = resumed.state, resumed.config.epochs
        if resumed.is_finished or processes.rank > 0:
            resumed.train()
            if processes.rank == 0:
                click.echo(f"{run} is finished: {_reason_of_end(resumed)}")
            return
        place = "no epoch was finished, starting from the first"
        place = f"continuing after epoch {state.epoch}" if state.epoch else place
        click.echo(f"{run}: {place} of {planned}")
        resumed.train(
            print_progress(planned, resumed.config.warmup),
            keep_epochs=display.keep_epochs,
            make_watch=display.make_watch(run),
        )
        _print_result(run, state, resumed.config.patience, display)


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
    from vaeviz.callbacks.watch import is_first_process

    try:
        yield
    except (KeyboardInterrupt, SystemExit):  # Ctrl-C, or a signal to terminate
        if (run / "config.json").exists() and is_first_process():
            click.echo(f"\nInterrupted. Continue with: vaeviz train --resume {shlex.quote(str(run))}", err=True)
        raise


def print_progress(epochs: int, warmup: int = 0) -> Callable[[TrainState], None]:
    """Return a function that prints the scores of a finished epoch, and each remark on them once."""
    from tqdm import tqdm

    from vaeviz_models.training.remarks import find_remarks

    print_scores, made = print_epoch(epochs), set[str]()

    def write(state: TrainState) -> None:
        print_scores(state)
        for subject, remark in find_remarks(state.history, warmup=warmup).items():
            if subject not in made:
                made.add(subject)
                tqdm.write(f"note: {remark.command_line or remark.python}")

    return write


def print_epoch(epochs: int) -> Callable[[TrainState], None]:
    """Return a function that prints the scores of a finished epoch; on a terminal, where a bar shows them, the last."""
    from tqdm import tqdm

    def write(state: TrainState) -> None:
        if not _shows_bar() or state.epoch == epochs:
            tqdm.write(f"epoch {state.epoch}/{epochs}  {_format_scores(state)}")

    return write


def _shows_bar() -> bool:
    """Return True if a person sees the progress bar, which is written to stderr, and not lines in a file."""
    return sys.stderr.isatty() and sys.stdout.isatty()


def _format_scores(state: TrainState, row: int = -1) -> str:
    """Return the scores of an epoch on one line."""
    from vaeviz_models.training.evaluate import format_terms

    scores = {name: values[row] for name, values in state.history.items()}
    parts = []
    for name in ("train", "validation", "test"):
        terms = {key.removeprefix(f"{name}_"): value for key, value in scores.items() if key.startswith(f"{name}_")}
        if terms:
            parts.append(f"{name} {format_terms(terms)}")
    return "  ".join(parts)


def _print_result(out: Path, state: TrainState, patience: int | None, display: Display) -> None:
    if state.stopped_early(patience):
        click.echo(_early_stop(state))
        if _shows_bar():
            best = state.history["epoch"].index(state.best_epoch)
            click.echo(f"epoch {state.best_epoch}  {_format_scores(state, best)}")
    weights = f" with the weights of epoch {state.weights_epoch}" if patience is not None else ""
    folder, figures = shlex.quote(str(out)), shlex.quote(f"figures/{out.name}")
    if display.watch:
        click.echo(f"Figures of the training: {out / 'watch' / 'index.html'}")
    click.echo(f"Run saved in {out}{weights}. Draw it with: vaeviz export {folder} --out {figures}")


def _early_stop(state: TrainState) -> str:
    return f"stopped early after epoch {state.epoch}, best epoch {state.best_epoch}"
