"""``watch``: draw the latent space while a model trains, without a trace in the training."""

from __future__ import annotations

import functools
import inspect
import math
import os
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from vaeviz.analysis.subsampling import subsample_rows
from vaeviz.callbacks.destinations import Destination, find_destination
from vaeviz.callbacks.folder import WatchFolder
from vaeviz.data.arrays import as_array
from vaeviz.data.out_of_core import Batches, as_samples, shorten, take_rows
from vaeviz.drawing.styles import get_style
from vaeviz.drawing.styles import style as style_context
from vaeviz.errors import InputError, NotApplicable, printable_text, warn_user
from vaeviz.export.render import collect_plot_inputs, draw_figure, figure_content, shared_options
from vaeviz.model.calling import restored_random_state
from vaeviz.model.collect_inputs import collect_inputs, with_cached_codes
from vaeviz.plugins.diagnostics import capture_warnings
from vaeviz.plugins.inputs import PER_SAMPLE_INPUTS
from vaeviz.plugins.options import PLACES, check_arguments, check_settings, validate_settings
from vaeviz.plugins.plot_spec import PAGE_ATTRIBUTE, PageShape, PlotSpec, get_plot

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Every = int | Literal["doubling"]
PARTS = ("encoder", "decoder")  # inputs that the training supplies


def watch(
    plots: Any,
    x: Any = None,
    labels: Any = None,
    *,
    to: Any,
    every: Every = 1,
    n_samples: int = 1000,
    settings: Mapping[str, Mapping[str, Any]] | None = None,
    max_fraction: float | None = 0.05,
    style: str = "paper",
    dpi: int = 150,
    seed: int = 0,
    **inputs: Any,
) -> Watch:
    """Return an object that draws figures while a model trains, when it is called after an epoch or a step.

    It leaves no trace in the training: modes, weights and gradients of the model and the global random states of
    Python, NumPy and torch are the same after a call as before. A figure that fails, or a place that cannot be written,
    is reported by one warning, and the training goes on. In a distributed training only the process of rank 0 draws.

    Parameters
    ----------
    plots : str, callable or sequence of these
        Names of plots, or functions. The positional parameters of a function name its inputs, such as ``encoder``,
        ``decoder``, ``x`` and ``labels``. It draws into ``ax`` or ``figure`` if it has such a parameter, else it
        returns its own figure.
    x : array_like or Dataset, shape (N, ...), optional
        Samples. Only plots of a decoder do without.
    labels : array_like, shape (N,), optional
        One label per sample.
    to : str, Path, writer, run, callable or sequence of these
        Where figures and numbers go: a folder, which gets numbered PNG files and a page ``index.html`` that refreshes
        itself; ``"tensorboard:DIR"``, ``"mlflow:URI"`` or ``"wandb:PROJECT"``; a ``SummaryWriter``, a run of MLflow or
        of Weights & Biases that is open already; or a function, called as
        ``function(name, png, caption=..., step=...)`` for each figure.
    every : int or "doubling", default 1
        Draw at steps that are multiples of this number, or at 1, 2, 4, 8 and so on. Step 0 is always drawn.
    n_samples : int, default 1000
        Largest number of samples to draw. They are chosen at random once, and are the same at each step.
    settings : mapping, optional
        Options by plot, for example ``{"latent_scatter": {"dims": (0, 1)}}``.
    max_fraction : float, optional
        Largest share of the time since the start that drawing may take, by default 0.05. A draw that would take more
        is skipped; the first one never is. None draws always.
    style : str, default "paper"
        Name of a style, see `vaeviz.style`.
    dpi : int, default 150
        Resolution in dots per inch.
    seed : int, default 0
        Seed of the choice of samples, and of each plot that has one.
    **inputs
        Further inputs of plots by name, such as ``condition=`` or ``factors=``.

    Returns
    -------
    Watch
        The object to call: ``watch(epoch, encoder, decoder, loss=...)``.

    Raises
    ------
    InputError
        Before the training begins: for unknown plots and options, inputs that do not fit, a tracker whose library is
        not installed, and a folder that cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import numpy as np
    >>> import vaeviz
    >>> x = np.random.default_rng(0).random((50, 4))
    >>> folder = tempfile.mkdtemp()
    >>> with vaeviz.watch("latent_scatter", x, to=folder, max_fraction=None) as watch:
    ...     for epoch in (1, 2):
    ...         watch(epoch, lambda x: epoch * x[:, :2], loss=1 / epoch)
    >>> sorted(path.name for path in Path(folder, "latent_scatter").iterdir())
    ['000001.png', '000002.png']
    """
    check_arguments(watch, locals())
    if max_fraction is not None and not 0 < max_fraction <= 1:
        expected = "above 0 and at most 1, or None"
        message = f"max_fraction is {max_fraction:g}, but must be {expected}."
        raise InputError(message, got=f"{max_fraction:g}", expected=expected)
    if every != "doubling" and every < 1:
        raise InputError(f"every is {every}, expected 1 or more.", got=str(every), expected='1 or more, or "doubling"')
    get_style(style)
    return Watch(
        _find_plots(plots, check_settings(settings), seed),
        _FixedSamples.choose(x, {"labels": labels, **inputs}, n_samples, seed),
        [find_destination(one) for one in (to if isinstance(to, (list, tuple)) else [to])],
        every=every,
        max_fraction=max_fraction,
        style=style,
        dpi=dpi,
    )


@dataclass(frozen=True)
class _WatchedPlot:
    """A plot, and the options with which it is drawn."""

    name: str
    spec: PlotSpec
    options: Mapping[str, Any]

    @property
    def draws_into_own_figure(self) -> bool:
        """Whether the function makes its own figure, since it has no parameter for a place."""
        return not {*PLACES} & {*inspect.signature(self.spec.function).parameters}

    def draw(self, inputs: Mapping[str, Any], style: str) -> Figure:
        """Return the figure."""
        missing = self.spec.why_not_applicable(inputs)
        if missing:
            raise NotApplicable(f"{self.name} {missing}.")
        with style_context(style) as page_style:
            if not self.draws_into_own_figure:
                return draw_figure(self.spec, inputs, self.options, page_style)
            return _figure_of(self.spec(**self.spec.select_inputs(inputs), **self.options), self.name)


@dataclass(frozen=True)
class _FixedSamples:
    """The inputs that do not change during the training, and how the samples were chosen."""

    inputs: Mapping[str, Any]
    description: str

    @classmethod
    def choose(cls, x: Any, inputs: Mapping[str, Any], n_samples: int, seed: int) -> _FixedSamples:
        """Choose samples at random, with the rows of the inputs that belong to them."""
        parts = [name for name in PARTS if name in inputs]
        if parts:
            fix = f"Pass it when you call the object: watch(epoch, {', '.join(PARTS)})."
            raise InputError(f"{parts[0]} was passed to watch, but it changes.", got=parts[0], fix=fix)
        found = collect_plot_inputs(None, x, inputs)
        if "x" not in found:
            return cls(found, "")
        samples = as_samples(found["x"], "x")
        total = len(samples)
        rows = subsample_rows(n_samples, total, seed)
        if isinstance(samples, Batches) and samples.labels is not None:
            found.setdefault("labels", samples.labels)
        found["x"] = take_rows(samples, rows) if isinstance(samples, Batches) else _take(found["x"], rows, total, "x")
        for name in PER_SAMPLE_INPUTS:
            if name in found:
                found[name] = _take(found[name], rows, total, name)
        what = f"{len(rows):,} of {total:,} samples, chosen at random" if len(rows) < total else f"{total:,} samples"
        return cls(found, f"{what}, the same at each step.")


class Watch:
    """Draws figures while a model trains. `vaeviz.watch` makes it.

    Call it after each epoch or step. Use it in a ``with`` block, or call `close` after the training.

    Attributes
    ----------
    n_drawn : int
        Number of steps at which figures were drawn.
    n_skipped : int
        Number of steps at which drawing would have taken more than its share of the time.
    seconds : float
        Time that the calls took, in seconds.
    """

    def __init__(
        self,
        plots: list[_WatchedPlot],
        samples: _FixedSamples,
        destinations: list[Destination],
        *,
        every: Every,
        max_fraction: float | None,
        style: str,
        dpi: int,
    ) -> None:
        self._plots, self._samples, self._destinations = plots, samples, destinations
        self._every, self._max_fraction, self._style, self._dpi = every, max_fraction, style, dpi
        self._began = time.perf_counter()
        self._history: dict[str, list[float]] = {}  # of all numbers, for plots that draw them
        self._draw_seconds = 0.0  # of the last draw, which the next one is expected to take as well
        self._given_warnings: set[str] = set()
        self.n_drawn, self.n_skipped, self.seconds = 0, 0, 0.0

    def __call__(self, step: int, /, encoder: Any = None, decoder: Any = None, **scalars: Any) -> None:
        """Draw the figures of a step if it is one to draw, and write numbers.

        Parameters
        ----------
        step : int
            Number of the epoch or step.
        encoder : callable or model, optional
            The encoder as it is now; or a whole model, if there is no `decoder`.
        decoder : callable or model, optional
            The decoder as it is now.
        **scalars
            Numbers to write, such as ``loss=0.3``. They are the history that `training_curves` draws.
        """
        is_due = self.is_due(step)
        if (is_due or scalars) and is_first_process():
            self._run(step, encoder, decoder, scalars, is_due=is_due)

    def is_due(self, step: int) -> bool:
        """Return True if figures are to be drawn at a step.

        Parameters
        ----------
        step : int
            Number of the epoch or step.

        Returns
        -------
        bool
            Whether a call at this step draws, unless it would take more than its share of the time.
        """
        if not self._plots:
            return False
        return step & (step - 1) == 0 if self._every == "doubling" else step % self._every == 0

    def log(self, step: int, /, **scalars: Any) -> None:
        """Write numbers without drawing.

        Parameters
        ----------
        step : int
            Number of the epoch or step.
        **scalars
            Numbers to write, such as ``loss=0.3``.
        """
        if is_first_process():
            self._run(step, None, None, scalars, is_due=False)

    def __enter__(self) -> Watch:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Watch: {self.summary}>"

    @property
    def fraction(self) -> float:
        """Share of the time since the object was made that the calls took."""
        return self.seconds / max(time.perf_counter() - self._began, sys.float_info.min)

    @property
    def summary(self) -> str:
        """How often figures were drawn, and how long that took."""
        skipped = f", and skipped {self.n_skipped} times" * (self.n_skipped > 0)
        times = "once" if self.n_drawn == 1 else f"{self.n_drawn} times"
        return f"Figures were drawn {times}{skipped}, in {self.seconds:.1f} s ({self.fraction:.0%} of the time)."

    def close(self) -> None:
        """End the runs of trackers that this object started, and write what is left."""
        for destination in self._destinations:
            if destination.tracker is None:
                continue
            if isinstance(destination.tracker, WatchFolder):
                destination.tracker.note = self.summary
            try:
                destination.tracker.close()
            except Exception as error:
                self._report(destination.name, f"{destination.name} cannot be closed", error)
            destination.tracker = None

    def _run(self, step: int, encoder: Any, decoder: Any, scalars: Mapping[str, Any], *, is_due: bool) -> None:
        """Draw and write, in the random state of before, and measure the time."""
        began = time.perf_counter()
        if is_due and not self._fits_budget():
            is_due = False
            self.n_skipped += 1
            message = (
                f"No figures at step {step}: with another {self._draw_seconds:.1f} s, drawing would take more than "
                f"{self._max_fraction:.0%} of the time. Draw less often, or pass max_fraction=None."
            )
            self._warn_once("max_fraction", UserWarning(message))
        with restored_random_state():
            try:
                numbers = self._as_numbers(scalars)
                self._remember(step, numbers)
                figures = self._draw(step, encoder, decoder) if is_due else {}
                for destination in self._destinations:
                    if figures or (numbers and not destination.is_failing):
                        self._send(destination, step, figures, numbers)
            except Exception as error:  # whatever happens, the training goes on
                self._report("call", f"The training is not watched at step {step}", error)
        seconds = time.perf_counter() - began
        self.seconds += seconds
        if is_due:
            self.n_drawn += 1
            self._draw_seconds = seconds

    def _fits_budget(self) -> bool:
        if self._max_fraction is None or not self.n_drawn:
            return True
        elapsed = time.perf_counter() - self._began
        return self.seconds + self._draw_seconds <= self._max_fraction * (elapsed + self._draw_seconds)

    def _draw(self, step: int, encoder: Any, decoder: Any) -> dict[str, tuple[bytes, str]]:
        """Return the PNG file and the caption of each figure that succeeded, by the name of the plot."""
        try:
            with capture_warnings() as found:
                inputs = self._inputs_at(encoder, decoder)
        except Exception as error:
            self._report("inputs", f"No figures at step {step}", error)
            return {}
        for warning in found:
            self._warn_once(str(warning), warning)
        figures = {}
        for plot in self._plots:
            try:
                with capture_warnings() as found:
                    png = figure_content(plot.draw(inputs, self._style), "png", self._dpi)
            except Exception as error:
                self._report(plot.name, f"No figure {plot.name} at step {step}", error)
                continue
            parts = [plot.spec.summary, f"Step {step}.", self._samples.description, *map(str, found)]
            figures[plot.name] = png, printable_text(" ".join(filter(None, parts)))
        return figures

    def _inputs_at(self, encoder: Any, decoder: Any) -> dict[str, Any]:
        """Return all inputs, with the codes of the fixed samples."""
        given = {"history": self._history or None, **self._samples.inputs, "decoder": _unwrapped(decoder)}
        needed = {name for plot in self._plots for name in plot.spec.required}
        known = {name for name, value in given.items() if value is not None}
        if encoder is not None and needed - known - {"encoder"}:
            return with_cached_codes(collect_inputs(_unwrapped(encoder), None, given))  # a whole model
        return with_cached_codes(collect_inputs(None, None, {**given, "encoder": _unwrapped(encoder)}))

    def _remember(self, step: int, numbers: Mapping[str, float]) -> None:
        """Add a row to the history if a plot draws it; what is missing is NaN."""
        if not numbers or not any("history" in plot.spec.required + plot.spec.optional for plot in self._plots):
            return
        n_rows = len(self._history.get("step", ()))
        for name in {"step": 0, **self._history, **numbers}:
            column = self._history.setdefault(name, [math.nan] * n_rows)
            column.append(float(step) if name == "step" else numbers.get(name, math.nan))

    def _as_numbers(self, scalars: Mapping[str, Any]) -> dict[str, float]:
        numbers = {}
        for name, value in scalars.items():
            try:
                numbers[name] = float(value)
            except (TypeError, ValueError) as error:
                self._report(f"scalar {name}", f"{name} is not written", error)
        return numbers

    def _send(
        self,
        destination: Destination,
        step: int,
        figures: Mapping[str, tuple[bytes, str]],
        numbers: Mapping[str, float],
    ) -> None:
        """Write to one place. One that fails is tried again only with figures, whose time is limited."""
        try:
            tracker = destination.opened()
            if numbers:
                tracker.log_scalars(numbers, step=step)
            for name, (png, caption) in figures.items():
                tracker.log_figure(name, png, caption=caption, step=step)
            destination.is_failing = False
        except Exception as error:
            destination.is_failing = True
            self._report(destination.name, f"{destination.name} was not written at step {step}", error)

    def _report(self, subject: str, message: str, error: Exception) -> None:
        """Warn once that something of a subject failed."""
        is_own = isinstance(error, (InputError, NotApplicable))
        reason = shorten(str(error)) if is_own else shorten(f"{type(error).__name__}: {error}")
        self._warn_once(subject, UserWarning(f"{message}: {reason}"))

    def _warn_once(self, subject: str, warning: Warning) -> None:
        if subject not in self._given_warnings:
            self._given_warnings.add(subject)
            warn_user(warning)


def is_first_process() -> bool:
    """Return True unless this is a process of a distributed training whose rank is not 0.

    Returns
    -------
    bool
        The rank of torch's process group decides, else the environment variable ``RANK``, which launchers set.
    """
    torch = sys.modules.get("torch")
    distributed = getattr(torch, "distributed", None)
    if distributed is not None and distributed.is_available() and distributed.is_initialized():
        return bool(distributed.get_rank() == 0)
    return os.environ.get("RANK", "0") == "0"


def _find_plots(plots: Any, settings: Mapping[str, Mapping[str, Any]], seed: int) -> list[_WatchedPlot]:
    """Return plots by name or as functions, with their options."""
    listed = [plots] if isinstance(plots, str) or callable(plots) else plots
    if not isinstance(listed, Iterable):
        got = type(plots).__name__
        expected = "names of plots, or functions"
        raise InputError(f"plots is of type {got}, expected {expected}.", got=got, expected=expected)
    specs, given = [], []
    for plot in listed:
        is_preset = isinstance(plot, functools.partial) and hasattr(plot.func, PAGE_ATTRIBUTE) and not plot.args
        specs.append(_plot_spec(plot.func if is_preset else plot))
        given.append(plot.keywords if is_preset else {})
    names: list[str] = []
    for spec in specs:
        n_same = sum(name.partition("-")[0] == spec.name for name in names)
        names.append(f"{spec.name}-{n_same + 1}" if n_same else spec.name)
    chosen = {get_plot(name).name if name not in names else name: options for name, options in settings.items()}
    for name in chosen:
        if name not in names:
            message = f"settings has options of {name}, which is not among the plots: {', '.join(names)}."
            raise InputError(message, got=name, expected=", ".join(names), fix=f"Add {name} to plots.")
    watched = []
    for name, spec, preset in zip(names, specs, given):
        shared = shared_options(spec, seed, None) if spec.distribution else {}
        options = validate_settings(spec.function, chosen[name], owner=name) if name in chosen else {}
        watched.append(_WatchedPlot(name, spec, shared | preset | options))
    return watched


def _plot_spec(plot: str | Callable[..., Any]) -> PlotSpec:
    """Return the specification of a plot by name, of a registered function, or of any function."""
    if isinstance(plot, str):
        return get_plot(plot)
    if isinstance(plot, PlotSpec):
        return plot
    if not callable(plot):
        got = type(plot).__name__
        raise InputError(f"plots holds an object of type {got}.", got=got, expected="names of plots, or functions")
    name = getattr(plot, "__name__", type(plot).__name__)
    if hasattr(plot, PAGE_ATTRIBUTE):
        return get_plot(name)
    return PlotSpec(plot, name if name.isidentifier() else "figure", PageShape(), "")


def _figure_of(drawn: Any, name: str) -> Figure:
    """Return the figure that a function made, closed in pyplot."""
    from matplotlib.figure import Figure

    first = drawn.flat[0] if isinstance(drawn, np.ndarray) else drawn
    figure = first if isinstance(first, Figure) else getattr(first, "figure", None)
    if not isinstance(figure, Figure):
        got = type(drawn).__name__
        raise InputError(
            f"{name} returned an object of type {got}, expected a Figure or Axes.",
            got=got,
            expected="a Figure or Axes",
            fix="Return the figure, or draw into a parameter ax.",
        )
    pyplot = sys.modules.get("matplotlib.pyplot")
    if pyplot is not None:
        pyplot.close(figure)
    return figure


def _take(values: Any, rows: np.ndarray, total: int, name: str) -> Any:
    """Return some rows of an input that has one per sample."""
    n_rows = len(values) if hasattr(values, "__len__") else 0
    if n_rows != total:
        message = f"{name} has {n_rows} rows but x has {total} samples."
        raise InputError(message, got=f"{n_rows} rows", expected=f"{total} rows", fix="Pass one row per sample.")
    if hasattr(values, "iloc"):  # a table, which names its columns
        return values.iloc[rows]
    if hasattr(values, "obs"):  # an AnnData, of which an encoder may read more than the matrix
        return values[rows]
    return as_array(values[rows]) if hasattr(values, "dtype") else np.asarray(values)[rows]


def _unwrapped(model: Any) -> Any:
    """Return the module inside DistributedDataParallel, whose forward would wait for the other processes."""
    return model.module if type(model).__name__ == "DistributedDataParallel" else model
