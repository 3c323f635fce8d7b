"""``vaeviz explore``: write an interactive page of a latent space."""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_args

import click

from vaeviz.cli.paths import OutputFile
from vaeviz.cli.readers import open_model
from vaeviz.cli.source import ModelAndDataSpec, model_and_data_options
from vaeviz.data.sample_kind import SampleKind
from vaeviz.errors import InputError
from vaeviz.plugins.inputs import describe_missing

INPUT_NAMES = ("encoder", "decoder", "x", "labels", "condition", "factors", "factor_names", "feature_names")


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
        raise click.UsageError("There is nothing to explore. Give MODEL, --encoder, --decoder or --input, and --data.")
    model, data, supplied = source.open()
    found = collect_inputs(model, data, supplied)
    missing = [name for name in ("encoder", "x") if name not in found]
    if missing:
        names = " and ".join(missing)
        raise InputError(f"explore needs {names}.", expected=names, fix=describe_missing(missing))
    options["kind"] = options["kind"] or (data.kind if data is not None else None)
    explorer = make_explorer(
        **{name: found[name] for name in INPUT_NAMES if name in found},
        other=None if other is None else open_model(other, trust=source.trust),
        title=" · ".join(part for part in (model and model.name, data and data.name) if part),
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
