"""Rate and distortion of trained models."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from vaeviz.analysis.aggregate_posterior import check_gaussian_posterior, require_kl, require_std
from vaeviz.analysis.estimates import mean_estimate
from vaeviz.data.batches import check_samples, iterate_batches
from vaeviz.data.history import row_of_weights
from vaeviz.errors import GuessWarning, InputError, NotApplicable, warn_user
from vaeviz.model.decoder_likelihood import as_likelihood, warn_of_mean_likelihood
from vaeviz.model.encode import encode
from vaeviz.model.likelihood import numpy_scorer
from vaeviz.model.opening import Model, open
from vaeviz.plugins.short_repr import ShortRepr

DISCRETE = ("bernoulli", "categorical")  # likelihoods that are probabilities; the others are densities
RECORDED_SPLITS = ("test", "validation", "train")  # in order of preference


@dataclass(frozen=True, repr=False)
class RatePoint(ShortRepr):
    """One model in the rate–distortion plane of Alemi et al. 2018, in nats per sample.

    A list of points is a table: ``pandas.DataFrame(rate_points(runs))``.

    Attributes
    ----------
    rate : float
        Mean KL(q(z | x) || p(z)).
    distortion : float
        Mean −E_q[ln p(x | z)].
    label : str, default: ""
        Name of the model.
    rate_error : float, default: nan
        Standard error of `rate` over the samples; NaN where it is unknown.
    distortion_error : float, default: nan
        Standard error of `distortion` over the samples; NaN where it is unknown.

    References
    ----------
    Alemi et al. 2018, "Fixing a Broken ELBO", arXiv:1711.00464.
    """

    rate: float
    distortion: float
    label: str = ""
    rate_error: float = float("nan")
    distortion_error: float = float("nan")

    def __post_init__(self) -> None:
        if not np.isfinite([self.rate, self.distortion]).all() or self.rate < 0:
            raise InputError(
                f"{self.label or 'A record'} has rate {self.rate:g} and distortion {self.distortion:g}, but both must "
                "be finite, and the rate 0 or more.",
                got=f"rate {self.rate:g}, distortion {self.distortion:g}",
                expected="finite numbers, and a rate of 0 or more",
            )

    @property
    def elbo(self) -> float:
        """The ELBO, −rate − distortion."""
        return -self.rate - self.distortion


def rate_points(runs: Any, x: Any = None, condition: Any = None, *, n_draws: int = 8, seed: int = 0) -> list[RatePoint]:
    """Return a point of rate and distortion for each model.

    Parameters
    ----------
    runs : model, record, or sequence or mapping of them
        Models that `vaeviz.open` opens, or records ``(rate, distortion[, label])`` in nats. A mapping names them;
        otherwise a model is labeled by its β, or by its name if several have the same β. Each model is measured by its
        own likelihood, ``Model(encoder, decoder, {"likelihood": "bernoulli"})``.
    x : array_like, shape (N, ...), optional
        Samples on which all models are measured. Without them a model's point is the last row of its history, an
        estimate from one epoch without a standard error.
    condition : array_like, shape (N, ...), optional
        Conditions of `x`, for the conditional models. Their distortion is that of ln p(x | z, y), and their label
        says so.
    n_draws : int, default: 8
        Posterior samples per x.
    seed : int, default: 0
        Seed of these samples.

    Returns
    -------
    list of RatePoint
        Points in the order of `runs`.

    Raises
    ------
    InputError
        If `runs` is empty, a record is invalid, or a model has neither samples nor a history.
    NotApplicable
        If a model has no encoder, no likelihood, or no Gaussian posteriors.

    Warns
    -----
    GuessWarning
        If some of the models have likelihoods that are probabilities, and others densities.

    Examples
    --------
    >>> [point.elbo for point in rate_points({"small": (1.0, 9.0), "large": (3.0, 6.0)})]
    [-10.0, -9.0]
    """
    if isinstance(runs, Mapping):
        named = [(name, _open_unless_record(run)) for name, run in runs.items()]
    else:
        named = _with_names([_open_unless_record(run) for run in _as_sequence(runs)])
    _warn_of_other_measures([run for _, run in named])
    points = [_rate_point(run, name, x, condition, n_draws, seed) for name, run in named]
    if not points:
        raise InputError(
            "runs is empty, but a rate–distortion plane needs at least one model.",
            got="no runs",
            expected="models or (rate, distortion, label) records",
            fix="Pass models or (rate, distortion, label) records.",
        )
    return points


def measure_rate_point(
    model: Model, x: Any, condition: Any = None, *, label: str = "", n_draws: int = 8, seed: int = 0
) -> RatePoint:
    """Measure rate and distortion of a model on samples.

    Parameters
    ----------
    model : Model
        Model with an encoder and a likelihood, a function or the name of its decoder's.
    x : array_like, shape (N, ...)
        Samples.
    condition : array_like, shape (N, ...), optional
        Conditions of `x`, for a conditional model.
    label : str, optional
        Label of the point; by default the β or the name of the model.
    n_draws : int, default: 8
        Posterior samples per x for the distortion; the rate is in closed form.
    seed : int, default: 0
        Seed of these samples.

    Returns
    -------
    RatePoint
        Rate and distortion with standard errors.

    Raises
    ------
    InputError
        If `n_draws` is below 1.
    NotApplicable
        If the model has no encoder, no likelihood, or no Gaussian posteriors.
    """
    if n_draws < 1:
        raise InputError(
            f"n_draws = {n_draws}, but at least 1 posterior sample per x is needed.",
            got=f"n_draws = {n_draws}",
            expected="1 or more",
        )
    if model.encoder is None or model.inputs.get("likelihood") is None:
        missing = "encoder" if model.encoder is None else "likelihood ln p(x | z)"
        fix = "" if model.encoder is None else 'Pass vaeviz.Model(encoder, decoder, {"likelihood": "bernoulli"}).'
        raise NotApplicable(
            f"{label or model.name} has no {missing}, so its rate and distortion cannot be measured.", fix=fix
        )
    x = check_samples(x, "x")
    posterior = encode(model.encoder, x, condition if model.encoder.is_conditional else None)
    check_gaussian_posterior(posterior, min_samples=1)
    rng = np.random.default_rng(seed)
    likelihood = as_likelihood(model.inputs["likelihood"], model.decoder)
    warn_of_mean_likelihood(likelihood, model.decoder, x, posterior)
    rates, distortions = np.zeros(len(posterior)), np.zeros(len(posterior))
    with numpy_scorer(likelihood, posterior.code_shape) as score:
        for _ in range(n_draws):
            for rows, batch in iterate_batches(x, None, desc="scoring"):
                part = posterior[rows]
                z = part.mean + require_std(part) * rng.standard_normal(part.mean.shape, dtype=np.float32)
                rates[rows] = require_kl(part).sum(axis=1)
                distortions[rows] -= score(batch, z, part.condition) / n_draws
    rate, distortion = mean_estimate(rates), mean_estimate(distortions)
    return RatePoint(
        rate.value, distortion.value, label or _label(model), rate.standard_error, distortion.standard_error
    )


def _as_sequence(runs: Any) -> Iterable[Any]:
    if isinstance(runs, (str, bytes, Model)) or not isinstance(runs, (Sequence, np.ndarray)):
        return [runs]
    return [runs] if _is_record(runs) else runs


def _is_record(run: Any) -> bool:
    if isinstance(run, (str, bytes)) or not isinstance(run, (Sequence, np.ndarray)) or len(run) not in (2, 3):
        return False
    return all(isinstance(value, (int, float, np.number)) for value in run[:2])


def _open_unless_record(run: Any) -> Any:
    return run if isinstance(run, RatePoint) or _is_record(run) else open(run)


def _warn_of_other_measures(runs: list[Any]) -> None:
    """Warn if the likelihoods of models, by their names, are of different kinds."""
    likelihoods = [run.inputs.get("likelihood") for run in runs if isinstance(run, Model)]
    names = [one if isinstance(one, str) else getattr(one, "name", "") for one in likelihoods]
    by_measure = {name if name in DISCRETE else "density": name for name in names if isinstance(name, str) and name}
    if len(by_measure) > 1:
        warn_user(
            GuessWarning(
                f"The likelihoods of these models are {' and '.join(by_measure.values())}. Probabilities and densities "
                "have no common unit, so their distortions cannot be compared.",
                fix="Compare models of one kind of likelihood.",
            )
        )


def _rate_point(run: Any, name: str | None, x: Any, condition: Any, n_draws: int, seed: int) -> RatePoint:
    if isinstance(run, RatePoint):
        return replace(run, label=name) if name else run
    if _is_record(run):
        return RatePoint(float(run[0]), float(run[1]), str(name or (run[2] if len(run) > 2 else "")))
    is_conditional = run.encoder is not None and run.encoder.is_conditional
    label = (name or _label(run)) + (", given y" if is_conditional else "")
    if x is None:
        return _recorded_point(run, label)
    return measure_rate_point(run, x, condition, label=label, n_draws=n_draws, seed=seed)


def _recorded_point(model: Model, label: str) -> RatePoint:
    """Return the row of a model's history of the epoch whose weights it has, of the test set if it was recorded."""
    history = model.inputs.get("history") or {}
    split = next((name for name in RECORDED_SPLITS if {f"{name}_kl", f"{name}_log_likelihood"} <= set(history)), None)
    if split is None:
        raise InputError(
            f"The history of {label} has no KL and log-likelihood, so its rate and distortion are unknown.",
            got="a model without recorded rate and distortion",
            expected="a history with test_kl and test_log_likelihood",
            fix="Pass x to measure the model on it.",
        )
    row = row_of_weights(history)
    return RatePoint(history[f"{split}_kl"][row], -history[f"{split}_log_likelihood"][row], label)


def _with_names(runs: list[Any]) -> list[tuple[str | None, Any]]:
    """Return (name, run), with a name for those models whose β another one shares."""
    labels = [_label(run) if isinstance(run, Model) else None for run in runs]
    names = [
        run.name if isinstance(run, Model) and labels.count(label) > 1 else None for run, label in zip(runs, labels)
    ]
    return list(zip(names, runs))


def _label(model: Model) -> str:
    """Return the β in a model's history, or else its name."""
    beta = (model.inputs.get("history") or {}).get("beta")
    return model.name if beta is None or not len(beta) else f"β = {beta[-1]:g}"
