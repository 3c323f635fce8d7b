"""The call in Python and the command that draw one figure of a set again."""

from __future__ import annotations

import shlex
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from vaeviz.plugins.options import format_value
from vaeviz.plugins.plot_spec import PlotSpec


def redraw_call(spec: PlotSpec, inputs: Collection[str], options: Mapping[str, Any], *, style: str) -> str:
    """Return the Python call that draws a figure again, in its style.

    Parameters
    ----------
    spec : PlotSpec
        The plot.
    inputs : collection of str
        Names of the inputs that there are. The call uses them as names of variables.
    options : mapping
        Values of its options by name. Those with their default values are left out.
    style : str
        Name of the style.

    Returns
    -------
    str
        Two lines: the style, and the call.

    Examples
    --------
    >>> from vaeviz.plugins.plot_spec import get_plot
    >>> print(redraw_call(get_plot("latent_scatter"), ["encoder", "x", "labels"], {"dims": (0, 2)}, style="talk"))
    with vaeviz.style("talk"):
        vaeviz.latent_scatter(encoder, x, labels=labels, dims=(0, 2))
    """
    arguments = list(spec.required)
    arguments += [f"{name}={name}" for name in spec.optional if name in inputs]
    arguments += [f"{name}={value!r}" for name, value in _changed_options(spec, options).items()]
    function = spec.name if spec.distribution == "vaeviz" else f"get_plot({spec.name!r})"
    return f'with vaeviz.style("{style}"):\n    vaeviz.{function}({", ".join(arguments)})'


def redraw_command(
    spec: PlotSpec, source: Sequence[str], options: Mapping[str, Any], *, style: str, dpi: int | None
) -> str:
    """Return the command that draws a figure again.

    Parameters
    ----------
    spec : PlotSpec
        The plot.
    source : sequence of str
        The arguments that name the model and the data.
    options : mapping
        Values of its options by name. Those with their default values are left out.
    style : str
        Name of the style.
    dpi : int, optional
        Resolution in dots per inch, if it is not that of the style.

    Returns
    -------
    str
        The command, quoted for a POSIX shell.

    Examples
    --------
    >>> from vaeviz.plugins.plot_spec import get_plot
    >>> redraw_command(get_plot("samples"), ["runs/a b"], {"n_samples": 9}, style="paper", dpi=None)
    "vaeviz plot samples 'runs/a b' --n-samples 9"
    """
    arguments = ["vaeviz", "plot", spec.name, *source]
    for name, value in _changed_options(spec, options).items():
        arguments += [spec.options[name].flag, format_value(value)]
    arguments += ["--style", style] * (style != "paper") + ["--dpi", str(dpi)] * (dpi is not None)
    return shlex.join(arguments)


def _changed_options(spec: PlotSpec, options: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in options.items() if value != spec.options[name].default}
