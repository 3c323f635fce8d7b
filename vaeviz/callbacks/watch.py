"""``watch``: draw the latent space while a model trains, without changing the training."""

from __future__ import annotations

import math
import os
import sys
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from types import TracebackType
from typing import Any, Literal

from vaeviz.callbacks.destinations import Destination, find_destination
from vaeviz.callbacks.folder import WatchFolder
from vaeviz.data.out_of_core import shorten
from vaeviz.drawing.styles import get_style
from vaeviz.errors import InputError, NotApplicable, printable_text, warn_user
from vaeviz.export.fixed_samples import FixedSamples, inputs_with_model
from vaeviz.export.plot_call import PlotCall, find_plot_call
from vaeviz.export.render import figure_content
from vaeviz.export.trackers.tracker import without_password
from vaeviz.model.calling import restored_random_state
from vaeviz.plugins.diagnostics import capture_warnings
from vaeviz.plugins.options import check_arguments, check_settings
from vaeviz.plugins.plot_spec import get_plot

Every = int | Literal["doubling"]
Per = Literal["epoch", "step"]


def watch(
    plots: Any,
    x: Any = None,
    labels: Any = None,
    *,
    to: Any,
    every: Every = 1,
    per: Per = "epoch",
    n_samples: int = 1000,
    settings: Mapping[str, Mapping[str, Any]] | None = None,
    max_fraction: float | None = 0.05,
    style: str = "paper",
    dpi: int = 150,
    seed: int = 0,
    title: str | None = None,
    **inputs: Any,
) -> Watch:
    """Return an object that draws figures while a model trains, when it is called after an epoch or a step.

    It does not change the training: modes, weights and gradients of the model and the global random states of
    Python, NumPy and torch are the same after a call as before. A figure that fails, or a place that cannot be written,
    is reported by one warning, and the training goes on. In a distributed training only the process of rank 0 draws.

    Parameters
    ----------
    plots : str, callable or sequence of these
        Names of plots, or functions. The positional parameters of a function name its inputs, such as ``encoder``,
        ``decoder``, ``x`` and ``labels``. It draws into ``ax`` or ``figure`` if it has such a parameter, else it
        returns its own figure.
    x : array_like or Dataset, shape (N, ...), optional
        Samples. Not needed by plots of a decoder alone.
    labels : array_like, shape (N,), optional
        One label per sample.
    to : str, Path, writer, run, callable or sequence of these
        Where figures and numbers go: a folder, which gets numbered PNG files and a page ``index.html`` that refreshes
        itself; ``"tensorboard:DIR"``, ``"mlflow:URI"`` or ``"wandb:PROJECT"``; a ``SummaryWriter``, a run of MLflow or
        of Weights & Biases that is open already; or a function, called as
        ``function(name, png, caption=..., step=...)`` for each figure.
    every : int or "doubling", default 1
        Draw at epochs that are multiples of this number, or at 1, 2, 4, 8 and so on. Epoch 0 is always drawn.
    per : {"epoch", "step"}, default "epoch"
        What the number of a call counts, as captions and the page say. A callback of a library sets it.
    n_samples : int, default 1000
        Largest number of samples to draw. They are chosen at random once, and are the same at each step.
    settings : mapping, optional
        Options by plot, for example ``{"latent_scatter": {"dims": (0, 1)}}``.
    max_fraction : float, optional
        Largest share of the time since the start that drawing may take, by default 0.05. A draw that would take more
        is skipped, except the first. None sets no limit.
    style : str, default "paper"
        Name of a style, see `vaeviz.style`.
    dpi : int, default 150
        Resolution in dots per inch.
    seed : int, default 0
        Seed of the choice of samples, and of each plot that has one.
    title : str, optional
        Title of the page. By default, the name of its folder.
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
        fix = "Pass max_fraction=0.05, or None for no limit."
        raise InputError(message, got=f"{max_fraction:g}", expected=expected, fix=fix)
    if every != "doubling" and every < 1:
        expected = '1 or more, or "doubling"'
        raise InputError(
            f"every is {every}, expected {expected}.", got=str(every), expected=expected, fix="Pass every=1."
        )
    get_style(style)
    return Watch(
        _find_plots(plots, check_settings(settings), seed),
        FixedSamples.choose(x, {"labels": labels, **inputs}, n_samples, seed),
        [find_destination(one) for one in (to if isinstance(to, (list, tuple)) else [to])],
        every=every,
        per=per,
        max_fraction=max_fraction,
        style=style,
        dpi=dpi,
        title=title,
    )


class Watch:
    """An object that draws figures while a model trains, made by `vaeviz.watch`.

    Call it after each epoch or step. Use it in a ``with`` block, or call `close` after the training.

    Parameters
    ----------
    plots : list of PlotCall
        Plots to draw.
    samples : FixedSamples
        Samples to draw.
    destinations : list of Destination
        Where figures and numbers go.
    every : int or "doubling"
        Steps to draw at, see `vaeviz.watch`.
    per : {"epoch", "step"}
        What the number of a call counts.
    max_fraction : float or None
        Largest share of the time that drawing may take.
    style : str
        Name of the style.
    dpi : int
        Resolution in dots per inch.
    title : str or None
        Title of the page.

    Attributes
    ----------
    per : {"epoch", "step"}
        What the number of a call counts.
    history : dict of list of float
        Numbers of all calls, for plots that draw them. Fill it to continue an earlier history.
    n_drawn : int
        Number of steps at which figures were drawn.
    n_skipped : int
        Number of steps at which drawing would have taken more than its share of the time.
    seconds : float
        Time that the calls took, in seconds.
    """

    def __init__(
        self,
        plots: list[PlotCall],
        samples: FixedSamples,
        destinations: list[Destination],
        *,
        every: Every,
        per: Per,
        max_fraction: float | None,
        style: str,
        dpi: int,
        title: str | None,
    ) -> None:
        self._plots, self._samples, self._destinations = plots, samples, destinations
        self._every, self._max_fraction, self._style, self._dpi = every, max_fraction, style, dpi
        self.per, self._title = per, title
        self._began = time.perf_counter()
        self.history: dict[str, list[float]] = {}
        self._is_stopped = False
        self._draw_seconds = 0.0  # of the last draw, which the next one is expected to take as well
        self._given_warnings: set[str] = set()
        self.n_drawn, self.n_skipped, self.seconds = 0, 0, 0.0

    def __call__(self, step: int, /, encoder: Any = None, decoder: Any = None, **scalars: Any) -> None:
        """Write numbers, and draw figures if they are due at this step.

        Parameters
        ----------
        step : int
            Number of the epoch or step.
        encoder : callable or model, optional
            The current encoder; or a whole model, if `decoder` is None.
        decoder : callable or model, optional
            The current decoder.
        **scalars
            Numbers to write, such as ``loss=0.3``. They are the history that `training_curves` draws.
        """
        if not self._is_number(step):
            return
        is_due = self.is_due(step)
        if (is_due or scalars) and is_first_process():
            self._run(int(step), encoder, decoder, scalars, is_due=is_due)

    def is_due(self, step: int) -> bool:
        """Return True if figures are due at a step.

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
        step = int(step)
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
        if self._is_number(step) and is_first_process():
            self._run(int(step), None, None, scalars, is_due=False)

    def __enter__(self) -> Watch:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._is_stopped = kind is not None
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
                destination.tracker.note, destination.tracker.is_stopped = self.summary, self._is_stopped
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
                f"No figures at {self.per} {step}: with another {self._draw_seconds:.1f} s, drawing would take more "
                f"than {self._max_fraction:.0%} of the time. Draw less often, or pass max_fraction=None."
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
                self._report("call", f"The training is not watched at {self.per} {step}", error)
        seconds = time.perf_counter() - began
        self.seconds += seconds
        if is_due:
            self.n_drawn += 1
            self._draw_seconds = seconds

    def _is_number(self, step: Any) -> bool:
        """Return True for a whole number that is not negative, and warn once of others."""
        with suppress(TypeError, ValueError, OverflowError):
            if step == int(step) >= 0:
                return True
        message = f"The training is not watched: {self.per} is {shorten(repr(step))}, expected 0, 1, 2 and so on."
        self._warn_once("step", UserWarning(printable_text(message)))
        return False

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
            self._report("inputs", f"No figures at {self.per} {step}", error)
            return {}
        for warning in found:
            self._warn_once(str(warning), warning)
        figures = {}
        for plot in self._plots:
            try:
                with capture_warnings() as found:
                    png = figure_content(plot.draw(inputs, self._style), "png", self._dpi)
            except Exception as error:
                self._report(plot.name, f"No figure {plot.name} at {self.per} {step}", error)
                continue
            parts = [
                plot.spec.summary,
                f"{self.per.capitalize()} {step}.",
                self._samples.caption_for(plot.spec, f"at each {self.per}"),
                *map(str, found),
            ]
            figures[plot.name] = png, printable_text(" ".join(filter(None, parts)))
        return figures

    def _inputs_at(self, encoder: Any, decoder: Any) -> dict[str, Any]:
        """Return all inputs, with the codes of the fixed samples."""
        given = dict(self._samples.inputs)
        if self.history:
            given.setdefault("history", self.history)
        needed = {name for plot in self._plots for name in plot.spec.required}
        return inputs_with_model(given, _unwrapped(encoder), _unwrapped(decoder), needed)

    def _remember(self, step: int, numbers: Mapping[str, float]) -> None:
        """Add a row to the history if a plot draws it; what is missing is NaN."""
        if not numbers or not any("history" in plot.spec.required + plot.spec.optional for plot in self._plots):
            return
        n_rows = len(self.history.get(self.per, ()))
        for name in {self.per: 0, **self.history, **numbers}:
            column = self.history.setdefault(name, [math.nan] * n_rows)
            column.append(float(step) if name == self.per else numbers.get(name, math.nan))

    def _as_numbers(self, scalars: Mapping[str, Any]) -> dict[str, float]:
        numbers = {}
        for name, value in scalars.items():
            try:
                numbers[name] = float(value.detach() if hasattr(value, "detach") else value)
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
            if isinstance(tracker, WatchFolder):
                tracker.per, tracker.title = self.per, self._title or tracker.title
            if numbers:
                tracker.log_scalars(numbers, step=step)
            for name, (png, caption) in figures.items():
                tracker.log_figure(name, png, caption=caption, step=step)
            destination.is_failing = False
        except Exception as error:
            destination.is_failing = True
            self._report(destination.name, f"{destination.name} was not written at {self.per} {step}", error)

    def _report(self, subject: str, message: str, error: Exception) -> None:
        """Warn once that something of a subject failed."""
        is_own = isinstance(error, (InputError, NotApplicable))
        reason = shorten(str(error)) if is_own else shorten(f"{type(error).__name__}: {error}")
        self._warn_once(subject, UserWarning(printable_text(f"{message}: {without_password(reason)}")))

    def _warn_once(self, subject: str, warning: Warning) -> None:
        if subject not in self._given_warnings:
            self._given_warnings.add(subject)
            warn_user(warning)


def is_first_process() -> bool:
    """Return True in the process of rank 0, and in a training that is not distributed.

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


def _find_plots(plots: Any, settings: Mapping[str, Mapping[str, Any]], seed: int) -> list[PlotCall]:
    """Return plots by name or as functions, with their options and with different names."""
    listed = [plots] if isinstance(plots, str) or callable(plots) else plots
    if not isinstance(listed, Iterable):
        got = type(plots).__name__
        expected = "names of plots, or functions"
        raise InputError(f"plots is of type {got}, expected {expected}.", got=got, expected=expected)
    calls = [find_plot_call(plot, seed) for plot in listed]
    n_before: Counter[str] = Counter()
    for index, call in enumerate(calls):
        n_before[call.name] += 1
        if n_before[call.name] > 1:
            calls[index] = replace(call, name=f"{call.name}-{n_before[call.name]}")
    names = [call.name for call in calls]
    for given_name, options in settings.items():
        name = given_name if given_name in names else get_plot(given_name).name
        if name not in names:
            message = f"settings has options of {name}, which is not among the plots: {', '.join(names)}."
            raise InputError(message, got=name, expected=", ".join(names), fix=f"Add {name} to plots.")
        calls[names.index(name)] = calls[names.index(name)].with_options(options)
    return calls


def _unwrapped(model: Any) -> Any:
    """Return the module inside DistributedDataParallel, whose forward would wait for the other processes."""
    return model.module if type(model).__name__ == "DistributedDataParallel" else model
