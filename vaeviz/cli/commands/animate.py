"""``vaeviz animate``: an animation of a run that kept its epochs, or of the codes of a model."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import click

from vaeviz.cli.paths import OutputFile
from vaeviz.cli.readers import is_condition_value
from vaeviz.cli.source import ModelAndDataSpec, model_and_data_options
from vaeviz.errors import InputError

ENDINGS = (".gif", ".png", ".webp", ".mp4", ".html")


@click.command()
@click.option("--plot", default="latent_scatter", show_default=True, help="Name of the plot.")
@click.option(
    "--out", type=OutputFile(*ENDINGS), help="File to write: GIF, APNG, WebP, MP4 or HTML.  [default: PLOT.gif]"
)
@click.option(
    "--over",
    type=click.Choice(["models", "codes"]),
    help="What changes from frame to frame: the epochs of the run, or the codes of its last model.  [default: "
    "codes for traversal, interpolation and samples, else models]",
)
@click.option("--align/--no-align", default=None, help="Rotate the codes of each epoch onto those of the next.")
@click.option("--set", "settings", multiple=True, metavar="OPTION=VALUE", help="Option of the plot. Repeatable.")
@click.option(
    "--max-samples", type=click.IntRange(1), default=2000, show_default=True, help="Largest number of samples."
)
@click.option("--fps", type=click.FloatRange(0, 100, min_open=True), help="Frames per second.")
@click.option("--style", default="paper", show_default=True, help="paper or talk.")
@click.option("--dpi", type=click.IntRange(30, 600), default=150, show_default=True, help="Dots per inch.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Seed of samples and plot.")
@model_and_data_options
def animate(
    *,
    source: ModelAndDataSpec,
    plot: str,
    out: Path | None,
    over: Literal["models", "codes"] | None,
    settings: tuple[str, ...],
    max_samples: int,
    **chosen: Any,
) -> None:
    """Animate a run of `vaeviz train --keep-epochs`, or the codes of any model.

    Over the epochs of a run, axes and colors are the same in all frames, and the codes are rotated onto each other.
    Over codes, decoded samples move along closed paths: traversal, interpolation, or samples, which walks through the
    prior.
    """
    from vaeviz.animation.animate import animate as write_animation
    from vaeviz.animation.animate import is_over_models

    if source.is_empty:
        raise click.UsageError("No model given. Name MODEL.")
    options = dict(_split_setting(text) for text in settings)
    over_models = is_over_models(plot, source.model, over)
    if over_models:
        _check_model_alone(source)
    model, data, inputs = source.open()
    frames = source.model if over_models else model
    animation = write_animation(
        plot,
        frames,
        out=out or Path(f"{plot}.gif"),
        data=data,
        options=options,
        over=over,
        n_samples=max_samples,
        **chosen,
        **inputs,
    )
    click.echo(f"{animation.path}  {len(animation.labels)} frames")
    click.echo(animation.caption)


def _check_model_alone(source: ModelAndDataSpec) -> None:
    """Raise InputError for options that change the model, since each epoch is opened as it was saved."""
    named = {f"--{name.replace('_', '-')}" for name in source.declared}
    named |= {f"--{name}" for name in ("encoder", "decoder") if source.inputs[name]}
    condition = source.inputs["condition"]
    named |= {"--condition"} if condition and is_condition_value(condition) else set()
    named |= {"--weights"} if source.weights is not None else set()
    if named:
        listed = ", ".join(sorted(named))
        fix = f"Leave {listed} out, or add --over codes."
        raise InputError(f"{listed} cannot change the epochs, which are drawn as they were saved.", got=listed, fix=fix)


def _split_setting(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not (name and equals):
        raise InputError(f"--set {text} has no value.", got=text, expected="OPTION=VALUE", fix="Write OPTION=VALUE.")
    return name, value
