"""The tasks of a figure set: a figure to draw, or a health check to run. Each needs only the inputs of the set."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from vaeviz.errors import GuessWarning
from vaeviz.export.manifest import FigureRecord
from vaeviz.export.render import RenderOptions, draw_plot, new_record
from vaeviz.health.analyze import CHECKS
from vaeviz.health.check import CheckResult
from vaeviz.plugins.diagnostics import capture_warnings


@dataclass(frozen=True, eq=False)
class FigureTask:
    """Draw one plot.

    Attributes
    ----------
    plot : str
        Name of the plot.
    options : mapping
        Options that were set.
    render : RenderOptions
        Where and how the figure is written.
    """

    plot: str
    options: Mapping[str, Any]
    render: RenderOptions

    def run(self, inputs: Mapping[str, Any]) -> FigureRecord:
        """Draw the plot and write its files.

        Parameters
        ----------
        inputs : mapping
            Inputs of all plots by name.

        Returns
        -------
        FigureRecord
            The record.
        """
        return draw_plot(self.plot, inputs, self.options, self.render)

    def failed(self, reason: str) -> FigureRecord:
        """Return the record of a plot whose process ended.

        Parameters
        ----------
        reason : str
            Why it failed.

        Returns
        -------
        FigureRecord
            The record.
        """
        record = new_record(self.plot, self.options)
        record.status, record.reason, record.command_line_reason = "failed", reason, reason
        return record


class CheckOutcome(NamedTuple):
    """The result of a health check, and the warnings that it raised."""

    result: CheckResult
    warnings: tuple[Warning, ...] = ()


@dataclass(frozen=True, eq=False)
class CheckTask:
    """Run one health check.

    Attributes
    ----------
    check : str
        Name of the check.
    seed : int
        Its seed.
    """

    check: str
    seed: int

    def run(self, inputs: Mapping[str, Any]) -> CheckOutcome:
        """Run the check.

        Parameters
        ----------
        inputs : mapping
            Inputs of all checks by name, with the codes of x cached.

        Returns
        -------
        CheckOutcome
            The result; errors of the check are recorded in it.
        """
        with capture_warnings() as raised:
            result = CHECKS[self.check].run(inputs, {"seed": self.seed})
        return CheckOutcome(result, tuple(map(_portable_warning, raised)))

    def failed(self, reason: str) -> CheckOutcome:
        """Return the outcome of a check whose process ended.

        Parameters
        ----------
        reason : str
            Why it failed.

        Returns
        -------
        CheckOutcome
            The outcome.
        """
        return CheckOutcome(CHECKS[self.check].failed(reason, {"seed": self.seed}))


def _portable_warning(warning: Warning) -> Warning:
    """Return a warning that another process can unpickle, which is not certain for those of other libraries."""
    return warning if isinstance(warning, GuessWarning) else UserWarning(str(warning))
