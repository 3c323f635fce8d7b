"""A finding: one question about a latent space, the number that answers it, and the verdict."""

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
    """What was measured, and what it says.

    flagged: the verdict. sentence: one line in plain words, with the number.
    value: the number that the verdict is of. threshold: beyond which it is flagged, in the same unit.
    error: standard error of `value`; None for a count. baselines: what else the value could be, by name.
    samples: how many samples of x the number is of. numbers: what lies underneath, by name: numbers and arrays.
    """

    flagged: bool
    sentence: str
    value: float
    threshold: float
    samples: int
    error: float | None = None
    baselines: Mapping[str, float] = field(default_factory=dict)
    numbers: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class CheckResult:
    """An answered question: what `Answer` holds, and what was asked.

    name, question: of the finding. verdict: "healthy", "flagged", "not applicable" or "failed"; of the last two the
    sentence is the reason, and there is no number. unit: of value, error and threshold. flags: on which side of the
    threshold a value is flagged. source: of the measure and the threshold. options: all, the defaults included.
    traceback: of one that failed.
    """

    name: str
    question: str
    verdict: CheckStatus
    sentence: str
    unit: str
    flags: Literal["above", "below"]
    source: str
    options: Mapping[str, Any]
    value: float | None = None
    error: float | None = None
    threshold: float | None = None
    samples: int | None = None
    baselines: Mapping[str, float] = field(default_factory=dict)
    numbers: Mapping[str, Any] = field(default_factory=dict)
    traceback: str = ""


@dataclass(frozen=True)
class Check(InputSignature):
    """A function that measures one thing, and what its verdict rests on. Calling it gives an `Answer`."""

    unit: str
    flags: Literal["above", "below"]
    source: str

    def answered(self, inputs: Mapping[str, Any], options: Mapping[str, Any]) -> CheckResult:
        """The finding from inputs by name; what does not apply, or fails, is one too, with the reason."""
        settings = {name: option.default for name, option in self.options.items()}
        settings |= {name: value for name, value in options.items() if name in settings}
        asked = {
            "name": self.name,
            "question": self.summary,
            "unit": self.unit,
            "flags": self.flags,
            "source": self.source,
            "options": settings,
        }
        try:
            missing = self.missing_inputs(inputs)
            if missing:
                raise NotApplicable("; ".join(f"needs {name}: {find_input(name).meaning}" for name in missing))
            answer = self.function(**self.select_inputs(inputs), **settings)
        except NotApplicable as error:
            return CheckResult(verdict="not applicable", sentence=str(error), **asked)
        except Exception as error:
            reason = str(error) if isinstance(error, InputError) else f"{type(error).__name__}: {error}"
            return CheckResult(
                verdict="failed", sentence=" ".join(reason.split()), traceback=portable_traceback(), **asked
            )
        measured = dict(vars(answer))
        return CheckResult(verdict="flagged" if measured.pop("flagged") else "healthy", **measured, **asked)


def health_check(*, unit: str, flags: Literal["above", "below"], source: str) -> Callable[[Callable], Check]:
    """Make a function a `Question` under its own name.

    Its positional parameters name its inputs, as a plot's do; its keyword-only parameters are its thresholds and the
    sizes of its samples, each with a default. The first docstring line is the question.
    """
    return lambda function: Check(function, function.__name__, unit, flags, source)
