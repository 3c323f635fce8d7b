"""Rate and distortion of trained models."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from vaeviz.analysis.importance_bound import check_gaussian
from vaeviz.analysis.jackknife import mean_standard_error
from vaeviz.data.history import row_of_weights
from vaeviz.data.out_of_core import as_samples
from vaeviz.errors import InputError, NotApplicable
from vaeviz.model.encode import encode
from vaeviz.model.likelihood import log_likelihood
from vaeviz.model.opening import Model, open

SETS = ("test", "validation", "train")


@dataclass(frozen=True)
class RatePoint:
    """One model in the plane of Alemi et al. 2018 (arXiv:1711.00464), in nats a sample.

    rate: mean KL(q(z|x) || p(z)). distortion: mean −E_q[ln p(x|z)]. The errors are standard errors over the samples,
    NaN where they are not known.
    """

    rate: float
    distortion: float
    label: str = ""
    rate_error: float = float("nan")
    distortion_error: float = float("nan")

    def __post_init__(self) -> None:
        if not np.isfinite([self.rate, self.distortion]).all() or self.rate < 0:
            raise InputError(
                f"{self.label or 'record'}: got rate {self.rate:g}, distortion {self.distortion:g}; expected finite "
                "numbers, and a rate of 0 or more"
            )

    @property
    def elbo(self) -> float:
        """−rate − distortion."""
        return -self.rate - self.distortion


def rate_points(runs: Any, x: Any = None, condition: Any = None, *, draws: int = 8, seed: int = 0) -> list[RatePoint]:
    """A point for each of `runs`: models that `vaeviz.open` opens, or records (rate, distortion[, label]).

    x: (N, ...), on which all models are measured alike, with `draws` posterior samples for each x; without it, a
    run's point is the last row of its history, and such a one-epoch estimate has no error. condition: (N, ...) for the
    conditional ones among them. A mapping names its runs; others are called by their β, or by name where a β would
    stand twice. The distortion of a conditional one is of ln p(x | z, y), and its label says that y was given.
    """
    named = runs.items() if isinstance(runs, Mapping) else _named(list(_several(runs)))
    points = [_point(run, name, x, condition, draws, seed) for name, run in named]
    if not points:
        raise InputError("runs: got none, expected opened runs or (rate, distortion, label) records")
    return points


def measure_rate_point(
    model: Model, x: Any, condition: Any = None, *, label: str = "", draws: int = 8, seed: int = 0
) -> RatePoint:
    """Rate (closed form) and distortion (`draws` posterior samples for each x) of a model on x (N, ...)."""
    if draws < 1:
        raise InputError(f"draws = {draws}: expected 1 or more")
    if model.encoder is None or model.inputs.get("likelihood") is None:
        missing = "encoder" if model.encoder is None else "likelihood ln p(x | z)"
        raise NotApplicable(f"{label or model.name}: has no {missing}, and so no point of rate and distortion")
    x = as_samples(x, "x")
    posterior = encode(model.encoder, x, condition if model.encoder.is_conditional else None)
    check_gaussian(posterior)
    rng = np.random.default_rng(seed)
    rates, distortions = posterior.kl().sum(axis=1), np.zeros(len(posterior))
    for _ in range(draws):
        z = posterior.mean + posterior.std * rng.standard_normal(posterior.mean.shape, dtype=np.float32)
        codes = posterior.with_codes(z, slice(None))
        distortions -= log_likelihood(model.inputs["likelihood"], x, codes) / draws
    errors = float(mean_standard_error(rates)), float(mean_standard_error(distortions))
    return RatePoint(float(rates.mean()), float(distortions.mean()), label or _label(model), *errors)


def _several(runs: Any) -> Iterable:
    if isinstance(runs, (str, bytes, Model)) or not isinstance(runs, (Sequence, np.ndarray)):
        return [runs]
    return [runs] if _is_record(runs) else runs


def _point(run: Any, name: str | None, x: Any, condition: Any, draws: int, seed: int) -> RatePoint:
    if isinstance(run, RatePoint):
        return replace(run, label=name) if name else run
    if _is_record(run):
        return RatePoint(float(run[0]), float(run[1]), str(name or (run[2] if len(run) > 2 else "")))
    model = open(run)
    label = (name or _label(model)) + (
        ", given y" if model.encoder is not None and model.encoder.is_conditional else ""
    )
    if x is None:
        return _recorded(model, label)
    return measure_rate_point(model, x, condition, label=label, draws=draws, seed=seed)


def _is_record(run: Any) -> bool:
    if isinstance(run, (str, bytes)) or not isinstance(run, (Sequence, np.ndarray)) or len(run) not in (2, 3):
        return False
    return all(isinstance(value, (int, float, np.number)) for value in run[:2])


def _recorded(model: Model, label: str) -> RatePoint:
    """The row of a run's history of the saved weights, of the test set where there is one."""
    history = model.inputs.get("history") or {}
    of = next((of for of in SETS if {f"{of}_kl", f"{of}_log_likelihood"} <= set(history)), None)
    if of is None:
        raise InputError(f"{label}: its history has no KL and log-likelihood; give x, to measure it on")
    row = row_of_weights(history)
    return RatePoint(history[f"{of}_kl"][row], -history[f"{of}_log_likelihood"][row], label)


def _named(runs: list) -> list[tuple[str | None, Any]]:
    """(name, run), with a name for what its β would not tell apart."""
    opened = [None if isinstance(run, RatePoint) or _is_record(run) else open(run) for run in runs]
    labels = [model and _label(model) for model in opened]
    names = (model.name if label and labels.count(label) > 1 else None for label, model in zip(labels, opened))
    return list(zip(names, runs))


def _label(model: Model) -> str:
    """β where the run's history tells it, else the model's name."""
    beta = (model.inputs.get("history") or {}).get("beta")
    return model.name if beta is None or not len(beta) else f"β = {beta[-1]:g}"
