"""A health check: one question about a latent space, the number that answers it, and the result."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from vaeviz.errors import InputError, NotApplicable
from vaeviz.model.provenance import portable_traceback
from vaeviz.plugins.inputs import find_input
from vaeviz.plugins.signature import InputSignature

CheckStatus = Literal["healthy", "flagged", "not applicable", "failed"]


@dataclass(frozen=True, eq=False)
class Measurement:
    """What a check measured.

    Attributes
    ----------
    flagged : bool
        Whether the value is beyond its threshold.
    sentence : str
        One line in plain words, with the number.
    value : float
        The number that decides.
    threshold : float
        Limit of the value, in the same unit.
    n_samples : int
        Number of samples of x that the value was computed from.
    error : float, optional
        Standard error of the value; None for a count.
    baselines : mapping, optional
        Other values to compare with, by name.
    numbers : mapping, optional
        Further numbers and arrays by name.
    """

    flagged: bool
    sentence: str
    value: float
    threshold: float
    n_samples: int
    error: float | None = None
    baselines: Mapping[str, float] = field(default_factory=dict)
    numbers: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class CheckResult:
    """The result of a check: what was asked, and what a `Measurement` says.

    Attributes
    ----------
    name, question : str
        Name of the check, and its question.
    status : {"healthy", "flagged", "not applicable", "failed"}
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
    question: str
    status: CheckStatus
    sentence: str
    unit: str
    flags: Literal["above", "below"]
    source: str
    options: Mapping[str, Any]
    value: float | None = None
    error: float | None = None
    threshold: float | None = None
    n_samples: int | None = None
    baselines: Mapping[str, float] = field(default_factory=dict)
    numbers: Mapping[str, Any] = field(default_factory=dict)
    traceback: str = ""
    command_line_sentence: str = ""


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
    flags: Literal["above", "below"]
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
        settings = {name: option.default for name, option in self.options.items()}
        settings |= {name: value for name, value in options.items() if name in settings}
        missing = self.missing_inputs(inputs)
        if missing:
            reason = "; ".join(f"needs {name}: {find_input(name).meaning}" for name in missing)
            return self._result("not applicable", reason, settings)
        try:
            measured = self.function(**self.select_inputs(inputs), **settings)
        except NotApplicable as error:
            return self._result("not applicable", str(error), settings, error.for_command_line())
        except Exception as error:
            text, command_line = f"{type(error).__name__}: {error}", ""
            if isinstance(error, InputError):
                text, command_line = str(error), error.for_command_line()
            return self._result("failed", text, settings, command_line, traceback=portable_traceback())
        values = dict(vars(measured))
        status: CheckStatus = "flagged" if values.pop("flagged") else "healthy"
        return self._result(status, values.pop("sentence"), settings, **values)

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
    question: str, *, unit: str, flags: Literal["above", "below"], source: str
) -> Callable[[Callable[..., Measurement]], Check]:
    """Turn a function into a `Check` of the same name.

    Its positional parameters name its inputs, like those of a plot. Its keyword-only parameters are thresholds and
    sample sizes, each with a default.

    Parameters
    ----------
    question : str
        What the check answers.
    unit : str
        Unit of the value and of the threshold.
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
