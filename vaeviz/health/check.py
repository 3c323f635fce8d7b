"""A health check: one question about a latent space, the number that answers it, and the result."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from vaeviz.analysis.estimates import N_ERRORS
from vaeviz.errors import InputError, NotApplicable, list_words
from vaeviz.model.provenance import portable_traceback
from vaeviz.plugins.inputs import describe_missing
from vaeviz.plugins.short_repr import ShortRepr
from vaeviz.plugins.signature import InputSignature

CheckStatus = Literal["healthy", "uncertain", "flagged", "not applicable", "failed"]
Side = Literal["above", "below"]

ROUNDING = 1e-6  # relative difference of values that float32 arithmetic alone can cause


@dataclass(frozen=True, eq=False, repr=False)
class Measurement(ShortRepr):
    """What a check measured.

    Attributes
    ----------
    sentence : str
        What was found, with the number, in one line that suits every status.
    value : float
        The number that decides.
    threshold : float
        Limit of the value, in the same unit.
    n_samples : int
        Number of samples of x that the value was computed from.
    error : float, optional
        Standard error of the value; None for an exact value, NaN where it is unknown.
    interval : tuple of float, optional
        Smallest and largest value that the samples allow; two standard errors around the value by default.
    reference : str, optional
        Name of the baseline that a healthy value reaches; none by default.
    blind_spot : str, optional
        Sentence that says why a defect would not be seen. Without a defect, the check is then uncertain.
    baselines : mapping, optional
        Other values to compare with, by name.
    numbers : mapping, optional
        Further numbers and arrays by name.
    """

    sentence: str
    value: float
    threshold: float
    n_samples: int
    error: float | None = None
    interval: tuple[float, float] | None = None
    reference: str = ""
    blind_spot: str = ""
    baselines: Mapping[str, float] = field(default_factory=dict)
    numbers: Mapping[str, Any] = field(default_factory=dict)

    @property
    def bounds(self) -> tuple[float, float]:
        """Smallest and largest value that the samples allow."""
        error = 0.0 if self.error is None else math.inf if math.isnan(self.error) else self.error
        return self.interval or (self.value - N_ERRORS * error, self.value + N_ERRORS * error)


@dataclass(frozen=True, eq=False, repr=False)
class CheckResult(ShortRepr):
    """The result of a check: what was asked, and what a `Measurement` says.

    Attributes
    ----------
    name, question : str
        Name of the check, and its question.
    status : {"healthy", "uncertain", "flagged", "not applicable", "failed"}
        The result. A check that is not applicable or failed has no value.
    sentence : str
        The answer in one line, or the reason why there is none.
    unit : str
        Unit of value, error and threshold.
    flags : {"above", "below"}
        The side of the threshold on which a value is flagged.
    source : str
        Source of the measure and of the threshold.
    options : mapping
        All options by name, defaults included.
    value, error, threshold : float, optional
        The number that decides, its standard error, and its limit.
    interval : tuple of float, optional
        Smallest and largest value that the samples allow.
    n_samples : int, optional
        Number of samples of x that the value was computed from.
    baselines, numbers : mapping
        Other values to compare with, and further numbers and arrays, by name.
    traceback : str
        Traceback of a check that failed.
    command_line_sentence : str
        The sentence with its advice written as command-line options.
    """

    name: str
    question: str = field(repr=False)
    status: CheckStatus
    sentence: str
    unit: str
    flags: Side
    source: str = field(repr=False)
    options: Mapping[str, Any] = field(repr=False)
    value: float | None = None
    error: float | None = None
    threshold: float | None = None
    interval: tuple[float, float] | None = None
    n_samples: int | None = None
    baselines: Mapping[str, float] = field(default_factory=dict)
    numbers: Mapping[str, Any] = field(default_factory=dict)
    traceback: str = field(default="", repr=False)
    command_line_sentence: str = field(default="", repr=False)


@dataclass(frozen=True)
class Check(InputSignature):
    """A question, the function that answers it with a `Measurement`, and the source of its threshold.

    Attributes
    ----------
    question : str
        What the check answers.
    unit : str
        Unit of the value and of the threshold.
    flags : {"above", "below"}
        The side of the threshold on which a value is flagged.
    source : str
        Source of the measure and of the threshold.
    """

    question: str
    unit: str
    flags: Side
    source: str

    def run(self, inputs: Mapping[str, Any], options: Mapping[str, Any]) -> CheckResult:
        """Run the check, and return a result even if it does not apply or fails.

        Parameters
        ----------
        inputs : mapping
            Inputs of all checks by name.
        options : mapping
            Options by name; those that the check does not have are ignored.

        Returns
        -------
        CheckResult
            The result.
        """
        settings = self._settings(options)
        missing = self.missing_inputs(inputs)
        if missing:
            reason = NotApplicable(f"needs {list_words(missing)}.", fix=describe_missing(missing))
            return self._result("not applicable", str(reason), settings, reason.for_command_line())
        try:
            measured = self.function(**self.select_inputs(inputs), **settings)
        except NotApplicable as error:
            return self._result("not applicable", str(error), settings, error.for_command_line())
        except Exception as error:
            text, command_line = f"{type(error).__name__}: {error}", ""
            if isinstance(error, InputError):
                text, command_line = str(error), error.for_command_line()
            return self._result("failed", text, settings, command_line, traceback=portable_traceback())
        status, remark = self.judge(measured)
        return self._result(
            status,
            f"{measured.sentence} {remark}",
            settings,
            value=measured.value,
            error=measured.error,
            threshold=measured.threshold,
            interval=measured.bounds,
            n_samples=measured.n_samples,
            baselines=measured.baselines,
            numbers=measured.numbers,
        )

    def failed(self, reason: str, options: Mapping[str, Any]) -> CheckResult:
        """Return the result of a check that could not finish.

        Parameters
        ----------
        reason : str
            Why it failed.
        options : mapping
            Options by name; those that the check does not have are ignored.

        Returns
        -------
        CheckResult
            The result, which has no value.
        """
        return self._result("failed", reason, self._settings(options))

    def judge(self, measured: Measurement) -> tuple[CheckStatus, str]:
        """Compare a measurement with its threshold and its reference.

        Parameters
        ----------
        measured : Measurement
            What the check measured.

        Returns
        -------
        status : {"healthy", "uncertain", "flagged"}
            "flagged" if all values that the samples allow are beyond the threshold, "healthy" if none is, at least one
            reaches the reference and there is no blind spot, else "uncertain".
        remark : str
            Sentence that says why the status is uncertain, else empty.
        """
        best, worst = measured.bounds if self.flags == "above" else measured.bounds[::-1]
        if self._is_beyond(best, measured.threshold):
            return "flagged", ""
        if self._is_beyond(worst, measured.threshold):
            limit = self.format_value(measured.threshold)
            return "uncertain", f"The threshold of {limit} is within the error, so there is no verdict."
        if measured.reference and not self._reaches(best, measured.baselines[measured.reference]):
            limit = self.format_value(measured.threshold)
            return "uncertain", f"This passes the threshold of {limit}, but {measured.reference} does better."
        return ("uncertain", measured.blind_spot) if measured.blind_spot else ("healthy", "")

    def _settings(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """Return all options of this check, with the values among `options` that it has."""
        settings = {name: option.default for name, option in self.options.items()}
        return settings | {name: value for name, value in options.items() if name in settings}

    def _is_beyond(self, value: float, limit: float) -> bool:
        return value > limit if self.flags == "above" else value < limit

    def _reaches(self, value: float, baseline: float) -> bool:
        return not self._is_beyond(value, baseline) or math.isclose(value, baseline, rel_tol=ROUNDING)

    def format_value(self, value: float) -> str:
        """Write a value of this check; shares are in percent.

        Parameters
        ----------
        value : float
            The value.

        Returns
        -------
        str
            For example ``5 %`` or ``0.125 nats``.
        """
        is_share = self.unit.startswith("of ")
        unit = " %" if is_share else " nats" if self.unit == "nats" else ""
        return f"{100 * value if is_share else value:.3g}{unit}".replace("-", "−")

    def _result(
        self, status: CheckStatus, sentence: str, options: Mapping[str, Any], command_line: str = "", **values: Any
    ) -> CheckResult:
        return CheckResult(
            name=self.name,
            question=self.question,
            status=status,
            sentence=" ".join(sentence.split()),
            unit=self.unit,
            flags=self.flags,
            source=self.source,
            options=options,
            command_line_sentence=" ".join((command_line or sentence).split()),
            **values,
        )


def health_check(
    question: str, *, unit: str, flags: Side, source: str
) -> Callable[[Callable[..., Measurement]], Check]:
    """Turn a function into a `Check` of the same name.

    Its positional parameters name its inputs, like those of a plot. Its keyword-only parameters are thresholds and
    sample sizes, each with a default.

    Parameters
    ----------
    question : str
        What the check answers.
    unit : str
        Unit of the value and of the threshold, such as ``nats``. ``of x`` is a share of x, which is written in percent.
    flags : {"above", "below"}
        The side of the threshold on which a value is flagged.
    source : str
        Source of the measure and of the threshold.

    Returns
    -------
    callable
        A decorator.
    """
    return lambda function: Check(function, function.__name__, question, unit, flags, source)
