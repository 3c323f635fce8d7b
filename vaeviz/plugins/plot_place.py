"""The place that a plot draws into: the Axes or Figure that it receives, with its title and its legends.

`register_plot` wraps every plot in `extend_plot`, so that all plots take ``ax``, ``title`` and ``legend``.
"""

from __future__ import annotations

import functools
import inspect
import re
import textwrap
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any, cast

from vaeviz.errors import Fix, InputError, SmallPlaceWarning, each_advice_once, warn_user
from vaeviz.plugins.options import Option, check_options

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure
    from matplotlib.gridspec import SubplotSpec
    from matplotlib.transforms import Bbox

MIN_CELL_SHARE = 1e-3  # of a figure; the solver of constrained layout fails with much smaller cells
PANEL_WIDTH, PANEL_HEIGHT = 0.175, 0.15  # inches per point of the font, which one of several panels needs
MAX_WIDE_PANELS = 3  # rows or columns of that size; panels of larger grids share their labels
ADDED_PARAMETERS = {"title": str | bool, "legend": bool}  # of every plot, with the types of their values
ADDED_DOC = """\
title : str or bool, default=True
    Title in place of the plot's own; False for none. Panels keep their headings.
legend : bool, default=True
    Whether to draw legends. Color bars stay.
"""
AX_DOC = """\
ax : Axes, optional
    Axes whose place the panels divide, in place of `figure`. It stays in the figure, without its frame.
"""


def extend_plot(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a plot that also takes `title`, `legend` and, if it has several panels, `ax`.

    Parameters
    ----------
    function : callable
        A plot that draws into ``ax`` or ``figure``.

    Returns
    -------
    callable
        The plot, which raises `InputError` for a place that it cannot draw into.
    """
    signature = inspect.signature(function)
    has_panels = "figure" in signature.parameters

    @functools.wraps(function)
    def plot(*args: Any, title: str | bool = True, legend: bool = True, ax: Any = None, **kwargs: Any) -> Any:
        from matplotlib.axes import Axes

        from vaeviz.plugins.axes_layout import fit_into_place, move_panels_with, smaller_fonts

        _check_inputs(signature, args, kwargs)
        kwargs |= _missing_part(function.__name__, signature, args, kwargs)
        check_options(function, kwargs)
        Option("title", str | bool | None, True).check(title)
        Option("legend", bool, True).check(legend)
        if ax is not None:
            _check_axes(ax)
        is_divided = has_panels and ax is not None
        if is_divided:
            kwargs["figure"] = _divide_axes(ax, kwargs.get("figure"))
        elif not has_panels:
            kwargs["ax"] = ax
        place = kwargs.get("figure", getattr(ax, "figure", None))
        before, largest = _contents(place), None if ax is None else ax.get_position(original=True).frozen()
        fonts = nullcontext() if ax is None else smaller_fonts(ax, has_panels=has_panels)
        with each_advice_once(), fonts:
            drawn = function(*args, **kwargs)
        axes = [panel for panel in getattr(drawn, "flat", [drawn]) if isinstance(panel, Axes)]
        if axes:
            place = place or axes[0].figure
            helpers = _set_title_and_legends(axes, place, _contents(place) - before - {*axes}, title, legend=legend)
            if is_divided:
                for panel in (*axes, *helpers):
                    panel.set_in_layout(False)  # a layout engine would take space from the neighbors of `ax`
            fit_into_place(axes, helpers, place if has_panels else None, largest)
            if has_panels and kwargs.get("figure") is not None:
                _warn_of_small_place(function.__name__, axes, place)
            if is_divided and ax.get_subplotspec() is not None and ax.figure.get_layout_engine() is None:
                move_panels_with(ax, [*axes, *helpers], cast("SubFigure", place))
        return drawn

    extended = _extend_signature(signature, has_panels=has_panels)
    plot.__signature__ = extended  # type: ignore[attr-defined]  # read by `inspect`
    plot.__doc__ = _extend_docstring(function.__doc__ or "", ADDED_DOC + AX_DOC * has_panels)
    return plot


def _extend_signature(signature: inspect.Signature, *, has_panels: bool) -> inspect.Signature:
    """Return the signature with the added parameters before the place to draw in."""
    keyword_only = inspect.Parameter.KEYWORD_ONLY
    added = [
        inspect.Parameter(name, keyword_only, default=True, annotation=annotation)
        for name, annotation in ADDED_PARAMETERS.items()
    ]
    if has_panels:
        added.append(inspect.Parameter("ax", keyword_only, default=None, annotation="Axes | None"))
    *others, place = sorted(signature.parameters.values(), key=lambda parameter: parameter.name in ("ax", "figure"))
    return signature.replace(parameters=[*others, *added, place])


def _extend_docstring(docstring: str, added: str) -> str:
    """Return the docstring with entries before that of the place to draw in, if it has one."""
    place = re.search(r"^( *)(ax|figure) : ", docstring, re.MULTILINE)
    if place is None:
        return docstring
    return docstring[: place.start()] + textwrap.indent(added, place[1]) + docstring[place.start() :]


def _check_inputs(signature: inspect.Signature, args: Sequence[Any], kwargs: Mapping[str, Any]) -> None:
    """Raise `InputError` for an Axes that is passed as an input, and for a figure that is none."""
    from matplotlib.artist import Artist
    from matplotlib.figure import FigureBase

    for name, value in [*zip(signature.parameters, args), *kwargs.items()]:
        if isinstance(value, Artist) and name != "figure":
            place = "figure" if isinstance(value, FigureBase) else "ax"
            raise InputError(
                f"{name} is of type {type(value).__name__}, which is a place to draw in.",
                got=type(value).__name__,
                expected=f"{name}, or {place} by keyword",
                fix=f"Pass it by name: {place}=...",
            )
    figure = kwargs.get("figure")
    if figure is not None and not isinstance(figure, FigureBase):
        raise InputError(
            f"figure is of type {type(figure).__name__}, expected a Figure or SubFigure.",
            got=type(figure).__name__,
            expected="a Figure or SubFigure",
            fix='Pass figure=plt.figure(layout="constrained"), or ax= to draw into an Axes.',
        )


def _missing_part(
    name: str, signature: inspect.Signature, args: Sequence[Any], kwargs: Mapping[str, Any]
) -> dict[str, Any]:
    """Return None for an encoder or decoder that is not passed, since a whole model may be passed once for both.

    Raise `InputError` if another input of a plot that needs both is missing.
    """
    parameters = [one for one in signature.parameters.values() if one.kind is not inspect.Parameter.KEYWORD_ONLY]
    required = [one.name for one in parameters if one.default is inspect.Parameter.empty]
    missing = [one for one in required[len(args) :] if one not in kwargs]
    parts = {"encoder", "decoder"}
    if not missing or not parts <= set(required):
        return {}
    if len(missing) == 1 and missing[0] in parts:
        return {missing[0]: None}
    others = [one for one in required if one not in parts]
    with_model = ", ".join(["model", *(f"{one}={one}" for one in others)])
    raise InputError(
        f"{name} received no {missing[0]}.",
        got=", ".join(one for one in required if one not in missing) or "nothing",
        expected=", ".join(required),
        fix=f"Write {name}({', '.join(required)}), or {name}({with_model}) with a whole model.",
    )


def _check_axes(ax: Any) -> None:
    """Raise `InputError` unless `ax` is one Axes with straight axes in the plane."""
    from matplotlib.axes import Axes

    if isinstance(ax, Axes) and ax.name == "rectilinear" and ax.figure is not None:
        return
    fix = Fix("Pass ax=plt.figure().subplots().")
    if isinstance(ax, Axes):
        got = f"an Axes of projection {ax.name!r}" if ax.figure is not None else "an Axes that its figure lost"
    elif isinstance(ax, Iterable):
        got, fix = f"a {type(ax).__name__} of several Axes", Fix("Pass one of them, such as ax=axes.flat[0].")
    else:
        got = f"a {type(ax).__name__}"
    raise InputError(
        f"ax is {got}, expected one Axes in the plane.", got=got, expected="one Axes in the plane", fix=fix
    )


def _divide_axes(ax: Axes, figure: Figure | SubFigure | None) -> SubFigure:
    """Return a new subfigure that fills the cell of an Axes, for the panels of a plot."""
    from vaeviz.plugins.axes_layout import cell_box, lay_out

    if figure is not None:
        raise InputError(
            "ax and figure are both given, but a plot draws into one of them.",
            got="ax and figure",
            expected="ax or figure",
            fix="Pass ax alone to draw into an Axes.",
        )
    ax.set_axis_off()
    parent, spec = ax.figure, ax.get_subplotspec()
    if spec is None or parent.get_layout_engine() is None:
        spec = _spec_of_box(cell_box(ax).transformed(parent.transSubfigure.inverted()), parent)
    place = parent.add_subfigure(spec)
    lay_out(parent)
    return place


def _spec_of_box(box: Bbox, figure: Figure | SubFigure) -> SubplotSpec:
    """Return the cell of a new grid that is a box, in shares of a figure."""
    from matplotlib.gridspec import GridSpec

    widths, heights = [box.x0, box.width, 1 - box.x1], [1 - box.y1, box.height, box.y0]
    kept = [[share for share in shares if share > MIN_CELL_SHARE] for shares in (widths, heights)]
    row, column = int(heights[0] > MIN_CELL_SHARE), int(widths[0] > MIN_CELL_SHARE)
    grid = GridSpec(len(kept[1]), len(kept[0]), cast("Figure", figure), width_ratios=kept[0], height_ratios=kept[1])
    return grid[row, column]


def _warn_of_small_place(name: str, axes: Sequence[Axes], place: Figure | SubFigure) -> None:
    """Warn if a place is too small for the rows and columns of panels that a plot drew into it."""
    import matplotlib
    import numpy as np

    spec = axes[0].get_subplotspec()
    if spec is None:
        return
    grid, size = spec.get_gridspec(), matplotlib.rcParams["font.size"]
    needed = np.array([PANEL_WIDTH * min(grid.ncols, MAX_WIDE_PANELS), PANEL_HEIGHT * min(grid.nrows, MAX_WIDE_PANELS)])
    width, height = np.array(place.bbox.size) / place.dpi
    wide_enough, high_enough = np.ceil(10 * np.maximum(needed * size, (width, height))) / 10
    if width < needed[0] * size or height < needed[1] * size:
        warn_user(
            SmallPlaceWarning(
                f"{name} draws {len(axes)} panels into a place of {width:.1f} × {height:.1f} inches, where they are "
                "hard to read.",
                fix=Fix(
                    f'Pass figure=plt.figure(figsize=({wide_enough:.1f}, {high_enough:.1f}), layout="constrained"), or '
                    "a place of that size.",
                    f"Register it with a page of at least {wide_enough:.1f} × {high_enough:.1f} inches.",
                ),
            )
        )


def _contents(figure: Figure | SubFigure | None) -> set[Artist]:
    """Return the Axes and legends of a figure."""
    return set() if figure is None else {*figure.axes, *figure.legends}


def _set_title_and_legends(
    axes: Sequence[Axes], figure: Figure | SubFigure, added: set[Artist], title: str | bool, *, legend: bool
) -> list[Axes]:
    """Set the title of the only Axes, or of the figure of several, and remove legends; return other Axes of a grid."""
    from matplotlib.axes import Axes
    from matplotlib.legend import Legend

    if title is not True and len(axes) == 1:
        axes[0].set_title(title or "")
    elif title is not True and (title or figure.get_suptitle()):
        figure.suptitle(title or "")
    if not legend:
        inside = [inner.get_legend() for ax in axes for inner in (ax, *ax.child_axes)]
        for key in [*inside, *(artist for artist in added if isinstance(artist, Legend))]:
            if key is not None:
                key.remove()
    return [artist for artist in added if isinstance(artist, Axes) and artist.get_subplotspec() is not None]
