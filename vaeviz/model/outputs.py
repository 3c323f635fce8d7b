"""How the return of an encoder is read as a mean and a spread."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from vaeviz.data.arrays import as_array
from vaeviz.errors import GuessWarning, InputError

SPREADS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "log_var": lambda value: np.exp(0.5 * value.astype(np.float64)),
    "var": lambda value: np.sqrt(value.astype(np.float64)),
    "std": lambda value: value,
    "log_std": lambda value: np.exp(value.astype(np.float64)),
}
"""How each kind of second output becomes a standard deviation."""

_ALIASES = {
    "mean": ("mean", "mu", "loc", "z_mean", "z_mu", "embedding"),
    "log_var": ("log_var", "logvar", "log_variance", "z_log_var", "z_logvar", "log_covariance"),
    "var": ("var", "variance"),
    "std": ("std", "stddev", "scale", "sigma", "z_std"),
    "log_std": ("log_std", "log_scale", "logstd"),
}
_KINDS = {alias: kind for kind, aliases in _ALIASES.items() for alias in aliases}


@dataclass(frozen=True)
class OutputSpec:
    """Where in an encoder's return the mean and the spread stand. `spread` is a key of `SPREADS`, or None.

    family: see `Posterior`.
    """

    mean: int | str | None
    spread_at: int | str | None = None
    spread: str | None = None
    family: str | None = None

    def __call__(self, returned: Any) -> tuple[np.ndarray, np.ndarray | None]:
        """(mean, std) as arrays of the shapes that the encoder gave them."""
        mean = as_array(_part(returned, self.mean))
        if self.spread is None:
            return mean, None
        spread = as_array(_part(returned, self.spread_at))
        if self.spread == "var" or self.spread == "std":
            _check_not_negative(spread, self.spread)
        with np.errstate(over="ignore"):
            return mean, SPREADS[self.spread](spread)

    def __str__(self) -> str:
        mean = f"mean of a {self.family}" if self.family else "mean"
        return mean if self.spread is None else f"{mean},{self.spread}"


def parse_returns(returns: str) -> OutputSpec:
    """The reading that a declaration such as ``"mean,std"`` or ``"z,mu,logvar"`` spells."""
    names = [_KINDS.get(name.strip(), name) for name in returns.split(",")]
    spreads = [name for name in names if name in SPREADS]
    unclear = [name for name in names if name not in SPREADS and _sounds_like_a_spread(name)]
    if unclear:
        raise InputError(f"returns={returns!r}: {unclear[0]!r} is not clear; write {', '.join(SPREADS)}, or drop it")
    if names.count("mean") != 1 or len(spreads) > 1:
        raise InputError(f"returns={returns!r}: expected `mean` once and at most one of {', '.join(SPREADS)}")
    at = names.index("mean") if len(names) > 1 else None
    return OutputSpec(at, names.index(spreads[0]), spreads[0]) if spreads else OutputSpec(at)


def infer_outputs(returned: Any, *, again: Any = None, sample_shape: tuple[int, ...] | None = None) -> OutputSpec:
    """What an encoder's first return most likely means. Warns where the guess is unsafe.

    again: its return for the same input; what differs was sampled. sample_shape: that of the samples it was given;
    outputs of that size, among others, are reconstructions.
    """
    if hasattr(returned, "latent_dist"):
        returned = returned.latent_dist
    if _is_distribution(returned):
        return _reading_of_distribution(returned)
    if hasattr(returned, "_fields"):
        return _reading_of_names(returned._fields)
    if isinstance(returned, Mapping):
        return _reading_of_names(list(returned))
    if not isinstance(returned, Sequence) or isinstance(returned, str):
        return OutputSpec(None)
    kept = _codes_among(returned, sample_shape)
    reading = _reading_of_codes([returned[i] for i in kept], None if again is None else [again[i] for i in kept])
    return replace(reading, mean=kept[reading.mean], spread_at=reading.spread and kept[reading.spread_at])


def _reading_of_codes(returned: Sequence, again: Sequence | None) -> OutputSpec:
    if len(returned) == 2:
        return _checked_guess(OutputSpec(0, 1, "log_var"), returned)
    if len(returned) == 3:
        return _reading_of_three(returned, again)
    if len(returned) == 1:
        return OutputSpec(0)
    raise InputError(
        f"got {len(returned)} outputs, expected a mean, (mean, log_var) or (mean, log_var, z); "
        'name them: Encoder(fn, returns="z,mean,log_var,other")'
    )


def _codes_among(returned: Sequence, sample_shape: tuple[int, ...] | None) -> list[int]:
    """Where the codes stand among several outputs: losses and what has the size of a sample are none."""
    everything = list(range(len(returned)))
    if sample_shape is None or len(returned) < 2:
        return everything
    sizes = [math.prod(array.shape[1:]) if array.ndim else None for array in map(as_array, returned)]
    codes = [i for i in everything if sizes[i] not in (None, math.prod(sample_shape))]
    return codes or everything


def _part(returned: Any, key: int | str | None) -> Any:
    if hasattr(returned, "latent_dist"):
        returned = returned.latent_dist
    if key is None:
        return returned
    if isinstance(key, int):
        if not isinstance(returned, Sequence):
            raise InputError(f"got one {type(returned).__name__}, expected the several outputs that were declared")
        if len(returned) <= key:
            raise InputError(f"got {len(returned)} outputs, expected at least {key + 1}")
        return returned[key]
    return returned[key] if isinstance(returned, Mapping) else getattr(returned, key)


def _is_distribution(value: Any) -> bool:
    """A distribution of torch, Pyro or NumPyro, or something like one: with a mean and a spread that are values."""
    return "Distribution" in _kinds(value) or (_attribute(value, "mean") is not None and bool(_spreads_of(value)))


def _reading_of_distribution(q: Any) -> OutputSpec:
    family = _family(q)
    mean = _attribute(q, "mean")
    if mean is None or (family and np.isnan(as_array(mean)).any()):
        raise InputError(
            f"got a {type(q).__name__}, which has no mean: it is no point of a latent space. Return numbers (N, D) "
            "for it instead, such as the embeddings of discrete codes, or their probabilities"
        )
    spreads = _spreads_of(q)
    if family or not spreads:
        return OutputSpec("mean", family=family)
    at, spread = next(iter(spreads.items()))
    return OutputSpec("mean", at, spread)


def _family(q: Any) -> str | None:
    """The name of a distribution that is no Gaussian with independent dimensions; None for one that is, or may be."""
    while type(q).__name__ in ("Independent", "ExpandedDistribution", "MaskedDistribution"):
        q = q.base_dist
    kinds = _kinds(q)
    if "Distribution" not in kinds or "Normal" in kinds:
        return None
    covariance = _attribute(q, "covariance_matrix")
    if covariance is None:
        return type(q).__name__
    covariance = as_array(covariance)
    independent = (covariance == covariance * np.eye(covariance.shape[-1])).all()
    return None if independent else f"{type(q).__name__} with dependent dimensions"


def _kinds(value: Any) -> list[str]:
    return [kind.__name__ for kind in type(value).__mro__]


def _spreads_of(value: Any) -> dict[str, str]:
    """The attributes that hold a spread, and the kind of each."""
    kinds = {"stddev": "std", "std": "std", "variance": "var"}
    return {name: kind for name, kind in kinds.items() if _attribute(value, name) is not None}


def _attribute(value: Any, name: str) -> Any:
    """An attribute that is a value and no method; None where there is none, or a distribution does not define it."""
    with suppress(NotImplementedError):
        found = getattr(value, name, None)
        return None if callable(found) else found


def _reading_of_names(names: Sequence[str]) -> OutputSpec:
    found = {kind: name for kind, aliases in _ALIASES.items() for name in names if str(name).lower() in aliases}
    if "mean" not in found:
        raise InputError(
            f"got outputs named {', '.join(map(str, names))}; none of them is known as the posterior mean: "
            "wrap the encoder in a function that returns (mean, log_var)"
        )
    spread = next((kind for kind in SPREADS if kind in found), None)
    if spread is None:
        _warn_of_spreads(names)
    return OutputSpec(found["mean"], found.get(spread), spread) if spread else OutputSpec(found["mean"])


def _warn_of_spreads(names: Sequence[str]) -> None:
    for name in map(str, names):
        if _sounds_like_a_spread(name):
            warnings.warn(
                f"the output {name!r} was left out: its name does not say whether it is a log-variance, a variance or "
                "a standard deviation. Wrap the encoder in a function that returns (mean, log_var)",
                GuessWarning,
                stacklevel=2,
            )


def _sounds_like_a_spread(name: str) -> bool:
    return any(hint in name.lower() for hint in ("sigma", "std", "var", "scale"))


def _checked_guess(reading: OutputSpec, returned: Sequence) -> OutputSpec:
    """A second output that is never negative looks like a variance or a standard deviation."""
    second = as_array(returned[reading.spread_at])
    if second.size and (second >= 0).all():
        warnings.warn(
            "the second output was read as a log-variance, but it is nowhere negative. If it is a standard "
            'deviation or a variance, say so: Encoder(fn, returns="mean,std") or Encoder(fn, returns="mean,var")',
            GuessWarning,
            stacklevel=2,
        )
    return reading


def _reading_of_three(returned: Sequence, again: Sequence | None) -> OutputSpec:
    """The order of mean, spread and z in which the residual (z − μ)/σ looks standard normal, for some kind of spread.

    Mean and z look alike in one return; where z was sampled, it is the one that differs the second time. An encoder
    in eval mode may return its mean as z, which makes the residual 0 and says nothing of the spread.
    """
    arrays = [as_array(part).astype(np.float64) for part in returned]
    steady = [
        again is None or same_up_to_rounding(array, as_array(other)) for array, other in zip(arrays, again or arrays)
    ]
    orders = ("mean,log_var,z", "z,mean,log_var", "mean,z,log_var")
    if again is None or all(steady):
        orders = orders[:2]
    fits = {order: _spread_that_fits(arrays, parse_returns(order), steady) for order in orders}
    plausible = [order for order, spread in fits.items() if spread]
    if len(plausible) != 1:
        warnings.warn(
            "the three outputs were read as mean, log_var, z, but the numbers do not prove it; "
            'say what they are: Encoder(fn, returns="mean,log_var,z")',
            GuessWarning,
            stacklevel=2,
        )
        return OutputSpec(0, 1, "log_var")
    order, spread = plausible[0], fits[plausible[0]]
    reading = replace(parse_returns(order), spread=spread)
    if spread != "log_var":
        names = order.replace("log_var", spread)
        warnings.warn(
            f"the three outputs were read as {names}, since z scatters so; say so: Encoder(fn, returns={names!r})",
            GuessWarning,
            stacklevel=2,
        )
    z = arrays[order.split(",").index("z")]
    return _checked_guess(reading, returned) if (z == arrays[reading.mean]).all() else reading


def _spread_that_fits(arrays: list[np.ndarray], reading: OutputSpec, steady: list[bool]) -> str | None:
    """The kind of spread by which z scatters about the mean with variance one, if these outputs may be such."""
    (at_z,) = {0, 1, 2} - {reading.mean, reading.spread_at}
    z, mean, spread = arrays[at_z], arrays[reading.mean], arrays[reading.spread_at]
    if not z.shape == mean.shape == spread.shape or not (steady[reading.mean] and steady[reading.spread_at]):
        return None
    if (z == mean).all():
        return "log_var"
    kinds = ["log_var"] if (spread <= 0).any() else list(SPREADS)
    with np.errstate(over="ignore", divide="ignore"):
        misfits = {kind: abs(np.log(np.mean(((z - mean) / SPREADS[kind](spread)) ** 2))) for kind in kinds}
    best = min(misfits, key=misfits.get)
    return best if misfits[best] < np.log(2) else None


def same_up_to_rounding(first: np.ndarray, second: np.ndarray) -> bool:
    """Whether two returns for the same input are the same but for rounding."""
    return first.shape == second.shape and np.allclose(first, second, rtol=1e-3, atol=1e-4 + 1e-3 * np.std(first))


def _check_not_negative(spread: np.ndarray, kind: str) -> None:
    if (spread < 0).any():
        raise InputError(f"got {kind} with negative values ({spread.min():.3g}); is it a log-variance?")
