"""``vaeviz demo``: train on built-in data and draw every plot."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

import click

from vaeviz.cli.paths import PathName
from vaeviz.errors import InputError

if TYPE_CHECKING:
    from vaeviz.data.dataset import Dataset


class Demo(NamedTuple):
    """A figure set: a model, its data and options, the settings of its training, and what is drawn of it."""

    model: str
    data: str
    model_options: dict[str, Any]
    training: dict[str, Any]
    plots: tuple[str, ...]
    settings: Mapping[str, dict[str, Any]] = MappingProxyType({})


DEMOS = {
    "demo": Demo(
        "mlp",
        "glyphs",
        {"latent_dim": 2, "hidden": (512, 256)},
        {"epochs": 9, "batch_size": 64, "learning_rate": 2e-3},
        (
            "latent_scatter",
            "posterior_ellipses",
            "latent_neighbors",
            "manifold_grid",
            "aggregate_posterior",
            "prior_holes",
            "reconstruction_pairs",
            "reconstruction_error",
            "training_curves",
            "elbo_decomposition",
            "compare",
        ),
    ),
    "demo-10d": Demo(
        "mlp",
        "glyphs",
        {"latent_dim": 10},
        {"epochs": 9, "batch_size": 64},
        (
            "tsne",
            "map_quality",
            "latent_triage",
            "traversal",
            "samples",
            "interpolation",
            "reconstruction_pairs",
            "likelihood_bound",
            "rate_distortion",
        ),
        {"tsne": {"max_points": 1000}, "map_quality": {"max_points": 1000}},
    ),
    "demo-shapes": Demo(
        "mlp",
        "shapes:ellipses",
        {"latent_dim": 3, "hidden": (256,)},
        {"epochs": 8, "batch_size": 32, "learning_rate": 2e-3, "beta": 4.0},
        ("disentanglement", "traversal", "latent_triage", "latent_pairs", "reconstruction_pairs", "training_curves"),
        {"disentanglement": {"max_points": 1000}},
    ),
}
ANIMATED = "demo"  # the run whose latent space is animated over its epochs
MAX_ANIMATED = 500  # codes in each frame, which keep the file small
MAX_MAPPED = 500  # codes on the t-SNE map of an explorer, which then takes two seconds
MAX_JOBS = 2  # more processes would start for longer than they draw


@dataclass(frozen=True, eq=False)
class ExplorerTask:
    """Write the explorer page of one run."""

    run_folder: Path
    data: Dataset
    title: str
    page: Path

    def run(self, inputs: Mapping[str, Any]) -> Path:
        """Write the page, and return its path."""
        from vaeviz.explorer.explorer import explore

        explore(self.run_folder, x=self.data, title=self.title, max_points=MAX_MAPPED).save(self.page)
        return self.page

    def failed(self, reason: str) -> NoReturn:
        """Raise an error that says why the page is missing."""
        raise InputError(f"{self.page} was not written. {reason}", got=str(self.page))


@click.command()
@click.option(
    "--out",
    type=PathName(),
    default="figures",
    show_default=True,
    help="Folder for the figure sets; the runs are written to its subfolder runs.",
)
@click.option("--epochs", type=click.IntRange(1), help="[default: 9 for glyphs, 8 for shapes]")
@click.pass_context
def demo(ctx: click.Context, out: Path, epochs: int | None) -> None:
    """Train on built-in data and draw every plot. Needs no network.

    Trains three VAEs: two of printed digits, with 2 and with 10 latent dimensions, and one of ellipses, whose size and
    position it separates. Each plot is drawn for the model that shows it best.
    """
    from vaeviz.data.loading import load_data
    from vaeviz.export.parallel import keep_workers
    from vaeviz_models.commands.train import flush_denormals, print_epoch
    from vaeviz_models.runs.train_run import train_run
    from vaeviz_models.training.config import TrainConfig

    for name, entry in DEMOS.items():
        title = f"{name}: {entry.model} on {entry.data}, with {entry.model_options['latent_dim']} latent dimensions"
        click.secho(title, bold=True)
        config = TrainConfig(**entry.training | {"threads": "auto"} | ({"epochs": epochs} if epochs else {}))
        with flush_denormals():
            train_run(
                entry.model,
                entry.data,
                out / "runs" / name,
                model_options=entry.model_options,
                config=config,
                overwrite=True,
                after_epoch=print_epoch(config.epochs),
                keep_epochs=name == ANIMATED,
            )
    data = {name: load_data(entry.data) for name, entry in DEMOS.items()}
    n_jobs = min(MAX_JOBS, os.cpu_count() or 1)
    with keep_workers():
        _write_explorers(data, out, n_jobs)
        _write_animation(data[ANIMATED], out)
        codes = [_export(name, data[name], out, n_jobs) for name in DEMOS]
    for name in DEMOS:
        click.echo(f"Open {(out / name / 'index.html').resolve()}")
    ctx.exit(max(codes))


def _set_title(name: str) -> str:
    return f"{name} · {DEMOS[name].data}"


def _write_explorers(data: Mapping[str, Dataset], out: Path, n_jobs: int) -> None:
    """Write the explorer pages of all runs, which the pages of the figure sets link."""
    from vaeviz.data.atomic_files import make_folder
    from vaeviz.export.parallel import run_tasks

    for name in data:
        make_folder(out / name)
    tasks = [
        ExplorerTask(out / "runs" / name, data[name], _set_title(name), out / name / "explorer.html") for name in data
    ]
    for completed in run_tasks(tasks, {}, n_jobs):
        click.echo(f"explorer page {completed.result}")


def _write_animation(data: Dataset, out: Path) -> None:
    """Animate the latent space of one run over its epochs, whose weights are then removed."""
    from vaeviz.animation.animate import animate
    from vaeviz.export.figure_set import ANIMATION
    from vaeviz_models.runs.epochs import remove_epochs

    run, path = out / "runs" / ANIMATED, out / ANIMATED / ANIMATION
    animation = animate("latent_scatter", run, out=path, data=data, n_samples=MAX_ANIMATED, dpi=100)
    remove_epochs(run)
    click.echo(f"animation {animation.path}")


def _export(name: str, data: Dataset, out: Path, n_jobs: int) -> int:
    """Draw one figure set, with the other run of the same data if there is one, and return the exit code."""
    from vaeviz.cli.commands.export import echo_record, echo_report, exit_code
    from vaeviz.export.figure_set import export_figures

    entry, run = DEMOS[name], out / "runs" / name
    inputs: dict[str, Any] = {}
    source = [str(run)]
    others = [out / "runs" / other for other in DEMOS if DEMOS[other].data == entry.data and other != name]
    if others:
        inputs = {"runs": [run, *others], "other_encoder": others[0]}
        source += ["--other-encoder", str(others[0])]
        source += [text for path in inputs["runs"] for text in ("--runs", str(path))]
    click.secho(name, bold=True)
    records = export_figures(
        out / name,
        model=run,
        data=data,
        plots=entry.plots,
        settings=entry.settings,
        analysis=True,
        title=_set_title(name),
        source=source,
        jobs=n_jobs,
        on_record=echo_record,
        on_report=echo_report,
        **inputs,
    )
    return exit_code(records, by_name=False)
