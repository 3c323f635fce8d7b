"""Plot of the histories of training runs."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure, SubFigure
from matplotlib.lines import Line2D
from matplotlib.ticker import LogFormatter, MaxNLocator

from vaeviz.data.history import TIME_NAMES, TIMES, Columns, history_runs
from vaeviz.drawing.figure_factory import LINE_HEIGHT, figure_for, grow
from vaeviz.drawing.text_fit import abbreviate, drawable_text, font_size
from vaeviz.errors import InputError, NotApplicable, UnknownName, warn_user
from vaeviz.plots._option_checks import check_minimum, option_fix
from vaeviz.plugins.plot_spec import PageShape, register_plot

# Columns that are not drawn, in lower case.
COUNTERS = {*TIMES, *TIME_NAMES, "time", "seconds", "index", "unnamed: 0", "_runtime", "_timestamp"}
SETS = {
    "train": "train", "training": "train",
    "val": "validation", "valid": "validation", "validation": "validation", "dev": "validation", "eval": "validation",
    "test": "test",
}  # fmt: skip
SET_COLORS = {"train": "C0", "validation": "C1", "test": "C2"}
SET_STYLES = {"": "-", "train": "-", "validation": "--", "test": ":"}  # where colors are those of runs
RUN_COLUMNS = {"epoch", "beta", "best"}  # of a history of vaeviz_models, beside the quantities
RUN_TITLES = {
    "elbo": "ELBO, one-sample estimate",
    "log_likelihood": r"$\ln p(x|z)$, one sample of $z$",
    "kl": "KL to the prior",
}
TITLES = {"elbo": "ELBO", "kl": "KL", "beta": r"$\beta$", "lr": "learning rate"}  # in any history, if not their names
ORDER = ("elbo|loss", "recon|rec_|likelihood|nll|bce|mse", "kl|kld")  # of panels, by what their names contain
SETTINGS = re.compile("beta|kl_weight|lr([-_/].*)?|learning_rate")  # quantities that are set, drawn last if they vary
MAX_COLUMNS = 3  # panels side by side
ROW_ASPECT = 0.3  # height of a row of panels / width of the figure
MAX_NAME_LENGTH = 30  # characters of a run's name
MAX_CYCLE_COLORS = 10  # more runs take their colors from a colormap
MIN_EPOCHS_OF_A_LINE = 3  # fewer are drawn as markers, too
LARGEST_VALUE = 1e300  # larger ones would overflow the limits of an axis


@dataclass(frozen=True)
class _Curve:
    """A column of a history."""

    quantity: str
    part: str  # the set of data it was measured on; empty if its name does not tell
    run: str
    times: np.ndarray
    values: np.ndarray

    @property
    def is_drawn(self) -> np.ndarray:
        """Whether each value can be drawn."""
        drawn: np.ndarray = np.abs(self.values) < LARGEST_VALUE
        return drawn

    @property
    def label(self) -> str:
        """Name in the legend, which counts what cannot be drawn."""
        n_infinite = int((~self.is_drawn & ~np.isnan(self.values)).sum())
        name = drawable_text(self.part or self.quantity)
        if np.isnan(self.values).all():
            return f"{name}, all NaN"
        return f"{name}, {n_infinite} infinite" if n_infinite else name


@register_plot(page=PageShape("full", 0.32), question="Is the bound tight?")
def training_curves(
    history: Any,
    *,
    skip: int = 0,
    cut: bool = True,
    log_x: bool = False,
    log_y: bool = False,
    quantities: tuple[str, ...] | None = None,
    columns: dict[str, str] | None = None,
    figure: Figure | SubFigure | None = None,
) -> np.ndarray:
    """Plot the quantities of a training by epoch, on training, validation and test data, for one run or several.

    What to look for: an ELBO that still rises or a loss that still falls: train longer. A gap between training and test
    data that grows: the model overfits. A KL near 0 that stays there: the code is not used (posterior collapse).

    What commonly misleads: an ELBO can be compared only with ELBOs of the same data under the same likelihood. Early
    epochs would set the scale, so they may be cut; the axis says so, and ``cut=False`` shows them.

    Parameters
    ----------
    history : mapping, data frame, Keras History, sequence or path
        Columns by name, such as ``train_loss``, ``val_loss`` or ``test/kl``, with a column ``epoch`` or ``step`` if
        there is one; a sequence of losses or of one mapping per epoch; or the path of a table, of JSON, of a run, or of
        the folder of Lightning, TensorBoard or MLflow. Several histories by the names of their runs, or a sequence of
        paths, are drawn into the same panels.
    skip : int, default=0
        Number of first epochs to leave out.
    cut : bool, default=True
        Fit the vertical axes to the epochs after the first tenth if that tenth would take more than half of one. Not
        done for runs of different lengths.
    log_x : bool, default=False
        Draw the epochs on a logarithmic axis.
    log_y : bool, default=False
        Draw quantities whose values are all positive on a logarithmic axis.
    quantities : tuple of str, optional
        Quantities to draw, in this order. By default all, those of the bound first. Settings such as β and the learning
        rate are drawn last, if they vary.
    columns : dict of str to str, optional
        New names of columns by their names in the history, for example ``{"L_val": "val_loss"}``.
    figure : Figure or SubFigure, optional
        Figure to draw into. By default, a new pyplot figure.

    Returns
    -------
    ndarray of Axes, shape (Q,)
        The Axes of each quantity that `history` holds.

    Raises
    ------
    NotApplicable
        If there are no epochs, or `skip` leaves none, or no quantity is positive for `log_y`.
    InputError
        If `history` holds no quantity, its columns differ in length, or `log_x` meets an epoch 0.
    UnknownName
        If there is no column or quantity of a name.

    Notes
    -----
    The history of a run of `vaeviz_models` is recognized by its columns. Its values are one-sample estimates in nats
    per sample. Nothing is known of other histories but their names. Missing values are left out of a curve.

    Examples
    --------
    >>> import vaeviz
    >>> (ax,) = vaeviz.training_curves({"loss": [3.0, 2.0, 1.5], "val_loss": [3.2, 2.5, 2.4]})
    >>> ax.get_title(), [line.get_label() for line in ax.lines]
    ('loss', ['loss', 'validation'])
    """
    check_minimum("skip", skip, 0)
    runs = history_runs(history, columns)
    is_own = all(map(_is_own_history, runs.values()))
    time = _common_time(runs)
    curves = [curve for name, run in runs.items() for curve in _find_curves(run, name, time)]
    n_epochs = max((len(curve.values) for curve in curves), default=0)
    if skip >= n_epochs:
        raise NotApplicable(
            f"The history has {n_epochs} epochs, and skip={skip} leaves none.",
            fix=option_fix("skip", 0) if skip else "Train for one epoch or more.",
        )
    curves = [_without_first(curve, skip) for curve in curves]
    panels = _choose_panels(curves, quantities, RUN_TITLES if is_own else {})
    axes = _add_panels(figure, len(panels))
    colors = _run_colors(list(runs)) if len(runs) > 1 else {}
    for ax, (quantity, group) in zip(axes, panels.items()):
        _draw_curves(ax, group, colors)
        ax.set(xlabel=time, title=_panel_title(quantity, RUN_TITLES if is_own else {}))
    if log_x:
        _set_log_x(axes, time, curves)
    is_log = _log_panels(panels) if log_y else [False] * len(panels)
    measured = {quantity: group for quantity, group in panels.items() if not SETTINGS.fullmatch(quantity)}
    n_cut = _count_cut([curve.values for group in measured.values() for curve in group]) if cut and not log_y else 0
    for ax, (quantity, group), log in zip(axes, panels.items(), is_log):
        if log:
            ax.set_yscale("log")
            _use_plain_numbers(ax.yaxis)
        elif n_cut and quantity in measured:
            _fit_to_later(ax, np.stack([curve.values[n_cut:] for curve in group]))
            ax.set_xlabel(f"{time} (first {n_cut} cut)" if n_cut > 1 else f"{time} (first cut)")
    if is_own:
        axes[0].set_ylabel("nats per sample")
    if colors:
        _add_run_legend(axes, panels, colors)
    else:
        _add_legends(axes)
    return axes


def _is_own_history(columns: Columns) -> bool:
    """Return True for the columns of a history that `vaeviz_models` writes."""
    known = {f"{part}_{quantity}" for part in SET_COLORS for quantity in RUN_TITLES}
    return {"epoch", "beta"} <= set(columns) <= RUN_COLUMNS | known


def _common_time(runs: Mapping[str, Columns]) -> str:
    """Return the name of the horizontal axis: the first that counts without repetition in all runs, else "entry"."""
    for name in TIMES:
        found = [columns.get(name, np.empty(0)) for columns in runs.values()]
        if all(0 < len(np.unique(times)) == len(times) and np.isfinite(times).all() for times in found):
            return name.replace("_", " ")
    return "entry"


def _find_curves(columns: Columns, run: str, time: str) -> list[_Curve]:
    """Return the columns that are quantities, with the set of data that their names begin or end with."""
    left_out = COUNTERS | ({"best"} if _is_own_history(columns) else set())
    found = {name: values for name, values in columns.items() if name.lower() not in left_out}
    if not set(found) - (RUN_COLUMNS if _is_own_history(columns) else set()):
        received = ", ".join(columns) or "no columns"
        raise InputError(
            f"history holds {received}{', but no quantity' if columns else ''}.",
            got=received,
            expected="epoch, and columns such as train_loss or train_elbo",
            fix='Pass history={"epoch": [1, 2], "train_elbo": [-120.0, -110.0]}.',
        )
    times = _check_lengths(columns, found)
    times = columns.get(time.replace(" ", "_"), times)
    words = "|".join(SETS)
    curves = []
    for name, values in found.items():
        match = re.fullmatch(rf"(?:({words})[_/. -])?(.+?)(?:[_/. -]({words}))?", name, re.IGNORECASE)
        first, quantity, last = match.groups() if match else (None, name, None)
        curves.append(_Curve(quantity, SETS.get((first or last or "").lower(), ""), run, times, values))
    return curves


def _check_lengths(columns: Columns, found: Columns) -> np.ndarray:
    """Return the numbers of the entries of a history. Raise InputError if its columns differ in length."""
    n_epochs = len(columns["epoch"]) if "epoch" in columns else len(next(iter(found.values())))
    for name, values in columns.items():
        if len(values) != n_epochs:
            raise InputError(
                f"history has {len(values)} values of {name} for {n_epochs} epochs.",
                got=f"{len(values)} values of {name}",
                expected=f"{n_epochs} values",
                fix="Pass one value per epoch; write NaN for a missing one.",
            )
    return np.arange(1.0, n_epochs + 1)


def _without_first(curve: _Curve, n_skipped: int) -> _Curve:
    return replace(curve, times=curve.times[n_skipped:], values=curve.values[n_skipped:])


def _choose_panels(
    curves: list[_Curve], quantities: tuple[str, ...] | None, first: Mapping[str, str]
) -> dict[str, list[_Curve]]:
    """Return the curves of each quantity to draw, in order."""
    if quantities is not None and not len(quantities):
        raise InputError(
            "quantities is empty.", got="no quantities", expected="names of quantities", fix="Leave it out to draw all."
        )
    groups: dict[str, list[_Curve]] = {}
    for curve in curves:
        groups.setdefault(curve.quantity, []).append(curve)
    names = [*first, *sorted(groups, key=_panel_rank)] if quantities is None else list(quantities)
    for name in quantities or ():
        if name not in groups:
            raise UnknownName("quantity of history", name, groups)
    if quantities is None:
        varying = [name for name in names if name in groups and (not SETTINGS.fullmatch(name) or _varies(groups[name]))]
        names = varying or list(groups)
    order = ["", *SET_COLORS]
    return {name: sorted(groups[name], key=lambda curve: order.index(curve.part)) for name in dict.fromkeys(names)}


def _panel_rank(quantity: str) -> int:
    """Return the place of a quantity: those of the bound come first, and settings last."""
    if SETTINGS.fullmatch(quantity):
        return len(ORDER) + 1
    exact = {"elbo": 0, "loss": 0}.get(quantity.lower())
    ranks = [rank for rank, words in enumerate(ORDER) if re.search(words, quantity.lower())]
    return exact if exact is not None else max(ranks, default=len(ORDER))


def _varies(curves: Iterable[_Curve]) -> bool:
    values = np.concatenate([curve.values[curve.is_drawn] for curve in curves])
    return bool(len(np.unique(values)) > 1)


def _panel_title(quantity: str, own_titles: Mapping[str, str]) -> str:
    known = {**TITLES, **own_titles}
    return known.get(quantity, drawable_text(quantity.replace("_", " ").replace("$", r"\$")))


def _run_colors(names: list[str]) -> dict[str, Any]:
    """Return a color for each run."""
    from matplotlib import colormaps

    if len(names) <= MAX_CYCLE_COLORS:
        return {name: f"C{k}" for k, name in enumerate(names)}
    return dict(zip(names, colormaps["viridis"](np.linspace(0, 0.95, len(names)))))


def _add_panels(figure: Figure | SubFigure | None, n_panels: int) -> np.ndarray:
    """Add Axes in rows of up to three, to a new figure if there is none. A figure of vaeviz grows with the rows."""
    n_columns = 2 if n_panels == 4 else min(n_panels, MAX_COLUMNS)
    n_rows = math.ceil(n_panels / n_columns)
    if figure is None:
        figure = figure_for(training_curves, None if n_rows == 1 else ROW_ASPECT * n_rows)
    else:
        grow(figure, ROW_ASPECT * (n_rows - 1) * 72 * figure.bbox.width / figure.dpi)
    axes: np.ndarray = figure.subplots(n_rows, n_columns, squeeze=False).ravel()
    for ax in axes[n_panels:]:
        ax.remove()
    return axes[:n_panels]


def _draw_curves(ax: Axes, curves: list[_Curve], run_colors: Mapping[str, Any]) -> None:
    """Draw the curves of one quantity; colors distinguish the sets of data, or else the runs."""
    has_train = any(curve.part == "train" for curve in curves)
    for curve in curves:
        color = run_colors.get(curve.run, SET_COLORS.get(curve.part, "C3" if has_train else "C0"))
        style = SET_STYLES[curve.part] if run_colors else "-"
        marker = "o" if curve.is_drawn.sum() < MIN_EPOCHS_OF_A_LINE else ""
        times, values = curve.times[curve.is_drawn], curve.values[curve.is_drawn]
        ax.plot(times, values, color=color, ls=style, label=curve.label, marker=marker, ms=3)
    times = np.unique(np.concatenate([curve.times for curve in curves]))
    if len(times) > 1:
        # At most half an epoch beside the curves, so that no tick stands where there is no epoch.
        margin = min(0.04 * np.ptp(times), 0.5 * np.diff(times).min())
        ax.set_xlim(times.min() - margin, times.max() + margin)
    ax.xaxis.set_major_locator(MaxNLocator("auto", integer=True))


def _set_log_x(axes: np.ndarray, time: str, curves: list[_Curve]) -> None:
    """Make the horizontal axes logarithmic. Raise InputError if they begin at 0."""
    times = np.concatenate([curve.times for curve in curves])
    if times.min() <= 0:
        raise InputError(
            f"log_x needs a positive {time}, and the first is {times.min():g}.",
            got=f"{times.min():g}",
            expected=f"a positive {time}",
            fix=option_fix("skip", 1),
        )
    for ax in axes:
        ax.set_xscale("log")
        ax.set_xlim(times.min(), times.max())
        _use_plain_numbers(ax.xaxis)


def _use_plain_numbers(axis: Axis) -> None:
    """Label a logarithmic axis with numbers such as 150, since many quantities span less than a power of ten."""
    axis.set_major_formatter(LogFormatter())
    axis.set_minor_formatter(LogFormatter(minor_thresholds=(1.5, 0.5)))


def _log_panels(panels: Mapping[str, list[_Curve]]) -> list[bool]:
    """Return which panels hold positive values alone; warn about the others, and raise NotApplicable without any."""
    is_positive = {
        name: all((curve.values[curve.is_drawn] > 0).all() for curve in group) for name, group in panels.items()
    }
    others = ", ".join(name for name, positive in is_positive.items() if not positive)
    if not any(is_positive.values()):
        raise NotApplicable(f"log_y needs positive values, which {others} do not have.", fix=option_fix("log_y", False))
    if others:
        warn_user(UserWarning(f"log_y ignored for {others}, whose values are not all positive."))
    return list(is_positive.values())


def _add_run_legend(axes: np.ndarray, panels: Mapping[str, list[_Curve]], colors: Mapping[str, Any]) -> None:
    """Add a legend of runs by color and of sets by line style, and say what could not be drawn."""
    names = abbreviate([drawable_text(name) for name in colors], MAX_NAME_LENGTH)
    handles = [Line2D([], [], color=color, label=name) for name, color in zip(names, colors.values())]
    curves = [curve for group in panels.values() for curve in group]
    parts = [part for part in SET_COLORS if any(curve.part == part for curve in curves)]
    if any(SET_STYLES[part] != "-" for part in parts):
        handles += [Line2D([], [], color="0.4", ls=SET_STYLES[part], label=part) for part in parts]
    lost = {
        f"{drawable_text(curve.run)}: {curve.label}"
        for curve in curves
        if not curve.is_drawn.all() and "," in curve.label
    }
    handles += [Line2D([], [], ls="", label=text) for text in sorted(lost)]
    n_lines = math.ceil(len(handles) / MAX_COLUMNS)
    grow(axes[0].figure, n_lines * LINE_HEIGHT * font_size("legend.fontsize"))
    axes[0].figure.legend(handles=handles, loc="outside lower center", ncols=min(len(handles), MAX_COLUMNS))


def _add_legends(axes: np.ndarray) -> None:
    """Add a legend to each Axes that has several curves or infinite values, unless one before it names them all."""
    named: set[str] = set()
    for ax in axes:
        labels = {str(line.get_label()) for line in ax.lines}
        if labels - named and (len(labels) > 1 or any(", " in label for label in labels)):
            ax.legend()
            named |= labels


def _count_cut(columns: list[np.ndarray]) -> int:
    """Return the tenth of the epochs if it would take more than half of the height of a panel, otherwise 0."""
    if len({len(values) for values in columns}) != 1:  # no quantity, or runs of different lengths
        return 0
    n_cut = len(columns[0]) // 10
    spans = [(_finite_span(values), _finite_span(values[n_cut:])) for values in columns]
    return n_cut if any(whole > 2 * later > 0 for whole, later in spans) else 0


def _finite_span(values: np.ndarray) -> float:
    drawn = values[np.abs(values) < LARGEST_VALUE]
    return float(np.ptp(drawn)) if len(drawn) else 0.0


def _fit_to_later(ax: Axes, values: np.ndarray) -> None:
    """Fit the vertical axis to values (C, E)."""
    drawn = values[np.abs(values) < LARGEST_VALUE]
    if len(drawn) and np.ptp(drawn) > 0:
        margin = 0.08 * np.ptp(drawn)
        ax.set_ylim(drawn.min() - margin, drawn.max() + margin)
