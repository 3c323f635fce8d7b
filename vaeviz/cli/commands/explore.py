"""``vaeviz explore``: write an interactive page of a latent space."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import click

from vaeviz.cli.paths import OutputFile
from vaeviz.cli.readers import open_model
from vaeviz.cli.source import ModelAndDataSpec, model_and_data_options
from vaeviz.data.sample_kind import SampleKind
from vaeviz.errors import InputError, list_words
from vaeviz.plugins.inputs import describe_missing

if TYPE_CHECKING:
    from vaeviz.model.opening import Model

INPUT_NAMES = ("encoder", "decoder", "x", "labels", "condition", "factors", "factor_names", "feature_names")


def _open_other(text: str, source: ModelAndDataSpec, data_name: str | None) -> Model:
    """Open the model of ``--other``, which must not be MODEL, and name it as the page names the first."""
    if source.model is not None and (text == source.model or _is_same_path(text, source.model)):
        fix = "Name another model, or leave out --other."
        raise InputError(f"--other {text} is the same model as MODEL.", got=text, expected="a second model", fix=fix)
    try:
        model = open_model(text, trust=source.trust)
    except InputError as error:
        message = f"--other {text} cannot be opened: {error.message}"
        raise InputError(message, got=error.got, expected=error.expected, fix=error.fix) from error
    return model if data_name is None else replace(model, name=f"{model.name} · {data_name}")


def _is_same_path(first: str, second: str) -> bool:
    return Path(first).exists() and Path(second).exists() and Path(first).samefile(second)


@click.command()
@model_and_data_options
@click.option("--out", type=OutputFile(".html"), required=True, help="The page to write, one HTML file.")
@click.option("--other", metavar="MODEL", help="Second model of the same samples, to show beside the first.")
@click.option(
    "--kind",
    type=click.Choice(get_args(SampleKind)),
    help="How samples are drawn.  [default: as the data set declares, or inferred from their shape]",
)
@click.option("--max-points", type=click.IntRange(4), default=5000, show_default=True, help="Codes on the t-SNE map.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True)
@click.pass_context
def explore(
    ctx: click.Context,
    /,
    source: ModelAndDataSpec,
    out: Path,
    other: str | None,
    **options: Any,
) -> None:
    """Write a page in which a latent space can be explored.

    The page is one HTML file that opens without a network: it shows the sample under the cursor, decodes any place of
    the latent space, says whether codes are near, and exports what is selected.

    MODEL is a run folder of `vaeviz train`, package.module:attribute, or a file, see --model.

    Exit code 0: the page was written. 1: it was written, but a decoder failed, as the page says. 2: wrong usage or
    input.
    """
    from vaeviz.explorer.explorer import describe_size
    from vaeviz.explorer.explorer import explore as make_explorer
    from vaeviz.explorer.scene import NO_DECODER
    from vaeviz.model.collect_inputs import collect_inputs

    if source.is_empty:
        raise click.UsageError("There is nothing to explore. Name MODEL, --encoder, --decoder or --input, and --data.")
    model, data, supplied = source.open()
    data_name = None if data is None else data.name
    found = collect_inputs(model, data, supplied)
    missing = [name for name in ("encoder", "x") if name not in found]
    if missing:
        names = list_words(missing)
        raise InputError(f"explore needs {names}.", expected=names, fix=describe_missing(missing))
    options["kind"] = options["kind"] or (data.kind if data is not None else None)
    explorer = make_explorer(
        **{name: found[name] for name in INPUT_NAMES if name in found},
        other=None if other is None else _open_other(other, source, data_name),
        title=" · ".join(part for part in (model and model.name, data_name) if part),
        **options,
    )
    explorer.save(out)
    first = explorer.static_scene.document
    scenes = [first] if other is None else [first, first["other"]]
    for scene in scenes:
        prefix = "" if other is None else f"{scene['title']}: "
        for note in [*scene["notes"], scene["decoder"]["note"]]:
            click.echo(f"{prefix}{note}")
    click.echo(f"{describe_size(first)}, {out.stat().st_size / 1e6:.1f} MB: {out}")
    decoders = [scene["decoder"] for scene in scenes]
    ctx.exit(int(any(decoder["method"] == "none" and decoder != NO_DECODER for decoder in decoders)))
