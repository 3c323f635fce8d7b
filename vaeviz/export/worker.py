"""``python -m vaeviz.export.worker FILE``: a process that draws plots of a figure set.

FILE says what there is to draw from (see `vaeviz.export.crew`). For each plot that is named on a line of the standard input
there is a line of JSON on the standard output, until the input ends.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import time
import warnings
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any

from vaeviz.export.crew import PATH
from vaeviz.export.figure_set import FigureRecord, RenderOptions, draw_plot
from vaeviz.export.render import collect_plot_inputs
from vaeviz.export.sharing import taken
from vaeviz.model.encode import with_posterior
from vaeviz.model.opening import as_decoder


def main(file: str) -> None:
    """Answer until nothing more is asked. What models print goes to the standard error, for the answers alone."""
    logging.getLogger("fontTools").setLevel(logging.ERROR)  # as in the command line
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    job = json.loads(Path(file).read_text(encoding="utf-8"))
    pages = RenderOptions(_read(job["folder"]), tuple(job["formats"]), job["style"], job["dpi"])
    inputs: dict[str, Any] | None = None
    with ExitStack() as opened:
        for line in sys.stdin:
            name, began = line.strip(), time.perf_counter()
            try:
                inputs = _opened(job, opened) if inputs is None else inputs
            except Exception as error:
                reason = f"its process could not open the inputs: {type(error).__name__}: {error}"
                record = FigureRecord(name, "failed", reason)
            else:
                began = time.perf_counter()
                record = draw_plot(name, inputs, _read(job["options"][name]), pages)
            answers.write(json.dumps(asdict(record) | {"seconds": time.perf_counter() - began}, default=str) + "\n")
            answers.flush()


def _opened(job: Mapping[str, Any], opened: ExitStack) -> dict[str, Any]:
    """The inputs by name. What is alive is opened again by its names, data are taken from their files."""
    import matplotlib

    matplotlib.rcParams.update(job["rc"])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # they were told when all was opened first
        model, supplied = _of_command(job["command"], opened) if job["command"] else (job["model"], job["names"])
        shared = taken(job["shared"])
        found = collect_plot_inputs(model, None, supplied) | shared
    posterior = shared.get("posterior")
    inputs = {name: found[name] for name in job["given"] if name in found}
    if "decoder" in inputs:
        inputs["decoder"] = as_decoder(inputs["decoder"])
    if posterior is not None:
        inputs["encoder"] = with_posterior(inputs.get("encoder", posterior), inputs["x"], posterior)
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(job["torch_threads"])  # or the last digits of what is decoded would differ
    return inputs


def _of_command(args: list[str], opened: ExitStack) -> tuple[Any, Mapping[str, Any]]:
    """(model, inputs by name) that a command line of ``vaeviz export`` names, for as long as it is `opened`."""
    from vaeviz.cli.commands.export import export
    from vaeviz.cli.source import ModelAndDataSpec

    said = opened.enter_context(export.make_context("export", list(args))).params
    model, _, supplied = ModelAndDataSpec.from_parameters(dict(said)).open()
    return model, supplied


def _read(value: Any) -> Any:
    """Options as they were before JSON made lists of their tuples, and text of their paths."""
    if isinstance(value, dict):
        return Path(value[PATH]) if set(value) == {PATH} else {key: _read(part) for key, part in value.items()}
    return tuple(map(_read, value)) if isinstance(value, list) else value


if __name__ == "__main__":
    main(sys.argv[1])
