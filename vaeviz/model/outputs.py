"""How the return value of an encoder is interpreted as a mean and a spread."""

from __future__ import annotations

import dataclasses
import itertools
import math
import warnings
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np

from vaeviz.data.arrays import as_array
from vaeviz.errors import Fix, GuessWarning, InputError, declare

Path = tuple[int | str, ...]
"""Where an output is found: the keys to follow from the return value, ``()`` for the return value itself."""

SPREADS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "log_var": lambda value: np.exp(0.5 * value.astype(np.float64)),
    "var": lambda value: np.sqrt(value.astype(np.float64)),
    "std": lambda value: value,
    "log_std": lambda value: np.exp(value.astype(np.float64)),
}
"""How each kind of second output becomes a standard deviation."""

MAX_LOG_SPREAD = {"log_var": 60.0, "log_std": 30.0}  # exp(±30) is a standard deviation beyond any data's precision

MAX_STANDARD_ERRORS = 4.0  # a sampled z strays farther from its own mean and spread once in 16,000 times

DECISIVE_NATS = 5.0  # one interpretation is proven if all others are 150 times less likely

_ALIASES = {
    "mean": ("mean", "mu", "loc", "z_mean", "z_mu", "qz_m", "embedding"),
    "log_var": ("log_var", "logvar", "log_variance", "z_log_var", "z_logvar", "log_covariance"),
    "var": ("var", "variance", "qz_v"),
    "std": ("std", "stddev", "scale", "sigma", "z_std"),
    "log_std": ("log_std", "log_scale", "logstd"),
}
_KINDS = {alias: kind for kind, aliases in _ALIASES.items() for alias in aliases}

_RETURN_PAIR = "Write a function that returns (mean, log_var), and pass it as the encoder."


@dataclass(frozen=True)
class OutputSpec:
    """Where the mean and the spread are in the return value of an encoder.

    Parameters
    ----------
    mean : tuple of int or str, default ()
        Keys that lead to the mean.
    spread_at : tuple of int or str, default ()
        Keys that lead to the spread.
    spread : {"log_var", "var", "std", "log_std"}, optional
        Kind of the spread. None for a mean alone.
    family : str, optional
        Name of the distribution if it is not a Gaussian with independent dimensions.
    declaration : str, optional
        The value of ``Encoder(fn, returns=...)`` that means the same. None if no declaration is needed.
    """

    mean: Path = ()
    spread_at: Path = ()
    spread: str | None = None
    family: str | None = None
    declaration: str | None = None

    def read(self, returned: Any) -> tuple[np.ndarray, np.ndarray | None]:
        """Return the mean and the standard deviation as arrays.

        Parameters
        ----------
        returned : Any
            What the encoder returned.

        Returns
        -------
        mean : ndarray
            The mean, in the shape that the encoder gave it.
        std : ndarray or None
            The standard deviation. None for a mean alone.
        """
        mean = as_array(_get_output(returned, self.mean))
        if self.spread is None:
            return mean, None
        spread = as_array(_get_output(returned, self.spread_at))
        if self.spread in ("var", "std") and (spread < 0).any():
            raise InputError(
                f"The encoder returned {self.spread} with negative values ({spread.min():.3g}).",
                got=f"{spread.min():.3g}",
                expected="0 or more",
                fix=declare("Encoder", returns="mean,log_var"),
            )
        with np.errstate(over="ignore"):
            return mean, SPREADS[self.spread](spread)

    def warn_of_extreme_spread(self, returned: Any, first_row: int) -> None:
        """Warn if a log-variance is too large or too small to be one.

        Parameters
        ----------
        returned : Any
            What the encoder returned.
        first_row : int
            Number of the first sample of the batch.
        """
        limit = MAX_LOG_SPREAD.get(self.spread or "")
        if limit is None:
            return
        values = as_array(_get_output(returned, self.spread_at))
        extreme = np.argwhere(np.abs(values) > limit)
        if not len(extreme):
            return
        row, *dimension = extreme[0]
        warnings.warn(
            GuessWarning(
                f"The encoder returned {self.spread} = {values[tuple(extreme[0])]:.3g} in row {first_row + row}, "
                f"dimension {', '.join(str(index + 1) for index in dimension) or '1'}; "
                f"{len(extreme)} of {values.size} values are beyond ±{limit:g}.",
                fix="Clamp it in the encoder, or say what it is: "
                + declare("Encoder", returns="mean,var").python.removeprefix("Write "),
            ),
            stacklevel=2,
        )

    def __str__(self) -> str:
        mean = f"mean of a {self.family}" if self.family else "mean"
        return mean if self.spread is None else f"{mean},{self.spread}"


def parse_returns(returns: str) -> OutputSpec:
    """Return the interpretation that a declaration spells.

    Parameters
    ----------
    returns : str
        Names of the outputs in their order, e.g. ``"mean,std"`` or ``"z,mu,logvar"``.

    Returns
    -------
    OutputSpec
        The interpretation.

    Raises
    ------
    InputError
        If it does not name one mean and at most one spread.

    Examples
    --------
    >>> parse_returns("z,mu,std").mean
    (1,)
    """
    names = [_KINDS.get(name.strip(), name.strip()) for name in returns.split(",")]
    spreads = [name for name in names if name in SPREADS]
    unclear = [name for name in names if name not in SPREADS and _sounds_like_a_spread(name)]
    known = ", ".join(SPREADS)
    if unclear:
        raise InputError(
            f"returns={returns!r} names {unclear[0]!r}, which is not a known kind of spread.",
            got=unclear[0],
            expected=known,
            fix=f"Write one of {known}, or any other name to leave it out.",
        )
    if names.count("mean") != 1 or len(spreads) > 1:
        raise InputError(
            f"returns={returns!r} must name `mean` once and at most one of {known}.",
            got=returns,
            expected=f"mean, and at most one of {known}",
            fix=declare("Encoder", returns="mean,log_var"),
        )
    at: Path = (names.index("mean"),) if len(names) > 1 else ()
    spread = spreads[0] if spreads else None
    return OutputSpec(at, (names.index(spread),) if spread else (), spread, declaration=returns)


def infer_outputs(returned: Any, *, again: Any = None, sample_shape: tuple[int, ...] | None = None) -> OutputSpec:
    """Infer what an encoder returned from names, or from numbers that allow one interpretation only.

    Parameters
    ----------
    returned : Any
        What the encoder returned.
    again : Any, optional
        What it returned for the same batch a second time. Outputs that differ were sampled.
    sample_shape : tuple of int, optional
        Shape of one sample. Outputs of that size are reconstructions if there are others.

    Returns
    -------
    OutputSpec
        The interpretation.

    Raises
    ------
    InputError
        If nothing proves one. Its fix is the declaration to write.

    Warns
    -----
    GuessWarning
        If the kind of spread is likely but not proven.
    """
    if hasattr(returned, "latent_dist"):
        returned = returned.latent_dist
    if _is_distribution(returned):
        return _spec_of_distribution(returned, ())
    names = _output_names(returned)
    if names is not None:
        return _spec_of_names(names)
    if not isinstance(returned, Sequence) or isinstance(returned, str):
        return OutputSpec(declaration="mean")
    distributions = [i for i, part in enumerate(returned) if _is_distribution(part)]
    if distributions:
        return _spec_of_distribution(returned[distributions[0]], (distributions[0],))
    if any(isinstance(part, (tuple, list)) and any(hasattr(p, "shape") for p in part) for part in returned):
        raise InputError(
            "The encoder returned tuples inside a tuple.", got="nested outputs", expected="arrays", fix=_RETURN_PAIR
        )
    return _spec_of_arrays(returned, again, sample_shape)


def _spec_of_arrays(returned: Sequence[Any], again: Sequence[Any] | None, sample_shape: Any) -> OutputSpec:
    """Infer unnamed outputs."""
    kept = _possible_codes(returned, sample_shape)
    if len(kept) == 1:
        return OutputSpec((kept[0],), declaration=_declaration({"mean": kept[0]}, len(returned)))
    if len(kept) == 2:
        at = {"mean": kept[0], "log_var": kept[1]}
        if (as_array(returned[kept[1]]) >= 0).all():
            _warn_of_kind(len(returned), {"mean": kept[0], "std": kept[1]})
        return OutputSpec((kept[0],), (kept[1],), "log_var", declaration=_declaration(at, len(returned)))
    if len(kept) == 3:
        return _spec_of_three(returned, again, kept)
    at = dict(zip(("mean", "log_var", "z"), kept))
    raise InputError(
        f"The encoder returned {len(returned)} outputs, expected a mean, (mean, log_var) or (mean, log_var, z).",
        got=f"{len(returned)} outputs",
        expected="1 to 3 outputs",
        fix=declare("Encoder", returns=_declaration(at, len(returned))),
    )


def _possible_codes(returned: Sequence[Any], sample_shape: tuple[int, ...] | None) -> list[int]:
    """Return which of several outputs may be codes: not losses, and nothing of the size of a sample."""
    everything = list(range(len(returned)))
    if sample_shape is None or len(returned) < 2:
        return everything
    shapes = [as_array(part).shape for part in returned]
    rank = 2 if any(len(shape) > 1 for shape in shapes) else 1  # one number per sample is a loss beside vectors
    codes = [
        i for i, shape in enumerate(shapes) if len(shape) >= rank and math.prod(shape[1:]) != math.prod(sample_shape)
    ]
    return codes or everything


def _spec_of_three(returned: Sequence[Any], again: Sequence[Any] | None, kept: list[int]) -> OutputSpec:
    """Infer mean, spread and a sampled z.

    z is the output that differs between two calls. Mean and spread are those about which z scatters as it should.
    """
    arrays = [as_array(returned[i]).astype(np.float64) for i in kept]
    repeats = arrays if again is None else [as_array(again[i]).astype(np.float64) for i in kept]
    varying = [i for i in range(3) if not same_up_to_rounding(arrays[i], repeats[i])]
    readings: list[tuple[float, int, int, str]] = []
    if len(varying) == 1 and len({array.shape for array in arrays}) == 1:
        draws = np.stack([arrays[varying[0]], repeats[varying[0]]])
        for mean, spread in itertools.permutations([i for i in range(3) if i not in varying]):
            fits = _log_likelihoods(draws, arrays[mean], arrays[spread])
            readings += [(value, mean, spread, kind) for kind, value in fits.items()]
    best = max(readings, default=(0.0, -1, -1, ""))
    rivals = [one for one in readings if one[0] > best[0] - DECISIVE_NATS and one != best]
    if not readings or any(one[1] != best[1] for one in rivals):
        positions = _likely_positions(arrays, kept)
        fix = declare("Encoder", returns=_declaration(positions, len(returned)))
        advice = 'Name the outputs in their order, and "other" what is neither mean nor spread.'
        raise InputError(
            f"The encoder returned {len(returned)} outputs without names, and their numbers do not prove which are "
            "the mean and the spread.",
            got=f"{len(returned)} outputs",
            expected="a mean, (mean, log_var), or names",
            fix=Fix(f"{fix.python} {advice}", f"{fix.command_line} {advice}"),
        )
    _, mean, spread, kind = best
    positions = {"mean": kept[mean], kind: kept[spread], "z": kept[varying[0]]}
    if kind != "log_var" or rivals:
        _warn_of_kind(len(returned), positions)
    return OutputSpec((kept[mean],), (kept[spread],), kind, declaration=_declaration(positions, len(returned)))


def _log_likelihoods(draws: np.ndarray, mean: np.ndarray, spread: np.ndarray) -> dict[str, float]:
    """Return the log-likelihood of the draws in nats under each kind of spread that fits.

    A kind fits if (z − mean) / std has mean 0 and variance 1, within standard errors.
    """
    fits = {}
    for kind, to_std in SPREADS.items():
        if kind in ("var", "std") and (spread <= 0).any():
            continue
        with np.errstate(all="ignore"):
            std = to_std(spread)
            residuals = (draws - mean) / std
            is_centered = abs(residuals.mean()) < MAX_STANDARD_ERRORS / np.sqrt(residuals.size)
            is_scaled = abs(np.mean(residuals**2) - 1) < MAX_STANDARD_ERRORS * np.sqrt(2 / residuals.size)
            if is_centered and is_scaled:
                fits[kind] = float(-np.sum(0.5 * residuals**2 + np.log(std)))
    return fits


def _likely_positions(arrays: list[np.ndarray], kept: list[int]) -> dict[str, int]:
    """Return the positions to propose.

    An encoder in eval mode often returns its mean as z, too; and mean and spread have one shape.
    """
    for z, mean, spread in ((2, 0, 1), (0, 1, 2), (1, 0, 2)):
        if np.array_equal(arrays[z], arrays[mean]):
            return {"mean": kept[mean], "log_var": kept[spread], "z": kept[z]}
    for other, mean, spread in ((0, 1, 2), (1, 0, 2), (2, 0, 1)):
        if arrays[mean].shape == arrays[spread].shape != arrays[other].shape:
            return {"mean": kept[mean], "log_var": kept[spread]}
    return {"mean": kept[0], "log_var": kept[1], "z": kept[2]}


def _declaration(positions: Mapping[str, int], n_outputs: int) -> str | None:
    """Return the declaration for outputs at these positions. None for one output in a tuple, which has none."""
    if n_outputs == 1:
        return None
    names = ["other"] * n_outputs
    for name, position in positions.items():
        names[position] = name
    return ",".join(names)


def _warn_of_kind(n_outputs: int, positions: Mapping[str, int]) -> None:
    """Warn that the kind of spread is a guess. `positions` are what to declare."""
    is_sampled = "z" in positions
    reason = (
        f"The outputs of the encoder were read as {_declaration(positions, n_outputs)}, because z scatters so."
        if is_sampled
        else "The second output of the encoder was read as a log-variance, but it is nowhere negative."
    )
    fix = declare("Encoder", returns=_declaration(positions, n_outputs))
    warnings.warn(GuessWarning(reason, fix=fix), stacklevel=2)


def _get_output(returned: Any, path: Path) -> Any:
    if hasattr(returned, "latent_dist"):
        returned = returned.latent_dist
    for key in path:
        if isinstance(key, str):
            returned = returned[key] if isinstance(returned, Mapping) else getattr(returned, key)
            continue
        if not isinstance(returned, Sequence):
            raise InputError(
                f"The encoder returned one {type(returned).__name__}, but several outputs are declared.",
                got=type(returned).__name__,
                expected="several outputs",
                fix=declare("Encoder", returns="mean"),
            )
        if len(returned) <= key:
            raise InputError(
                f"The encoder returned {len(returned)} outputs, but at least {key + 1} are declared.",
                got=f"{len(returned)} outputs",
                expected=f"{key + 1} outputs or more",
                fix="Name each output once in returns.",
            )
        returned = returned[key]
    return returned


def _output_names(returned: Any) -> list[str] | None:
    """Return the names of the outputs in a named tuple, a data class or a mapping. None for other returns."""
    if hasattr(returned, "_fields"):
        return list(returned._fields)
    if isinstance(returned, Mapping):
        return list(returned)
    if dataclasses.is_dataclass(returned) and not isinstance(returned, type):
        return [field.name for field in dataclasses.fields(returned)]
    return None


def _spec_of_names(names: Sequence[str]) -> OutputSpec:
    found = {kind: name for kind, aliases in _ALIASES.items() for name in names if str(name).lower() in aliases}
    if "mean" not in found:
        listed = ", ".join(map(str, names))
        raise InputError(
            f"The encoder returned outputs named {listed}. None of them is known as the posterior mean.",
            got=listed,
            expected="mean",
            fix=_RETURN_PAIR,
        )
    spread = next((kind for kind in SPREADS if kind in found), None)
    if spread is not None:
        return OutputSpec((found["mean"],), (found[spread],), spread)
    for name in filter(_sounds_like_a_spread, map(str, names)):
        warnings.warn(
            GuessWarning(
                f"The output {name!r} of the encoder is not used: its name does not say whether it is a log-variance, "
                "a variance or a standard deviation.",
                fix=_RETURN_PAIR,
            ),
            stacklevel=2,
        )
    return OutputSpec((found["mean"],))


def _is_distribution(value: Any) -> bool:
    """Return True for a distribution of torch, Pyro or NumPyro, or an object whose mean and spread are values."""
    return "Distribution" in _class_names(value) or (
        _get_value(value, "mean") is not None and bool(_spread_attributes(value))
    )


def _spec_of_distribution(q: Any, path: Path) -> OutputSpec:
    family = _family_name(q)
    mean = _get_value(q, "mean")
    if mean is None or (family and np.isnan(as_array(mean)).any()):
        raise InputError(
            f"The encoder returned a {type(q).__name__}, which has no mean, so it is not a point of a latent space.",
            got=type(q).__name__,
            expected="a distribution with a mean",
            fix="Return numbers (N, D) instead, e.g. the embeddings of discrete codes, or their probabilities.",
        )
    spreads = _spread_attributes(q)
    if family or not spreads:
        return OutputSpec((*path, "mean"), family=family)
    name, kind = next(iter(spreads.items()))
    return OutputSpec((*path, "mean"), (*path, name), kind)


def _family_name(q: Any) -> str | None:
    """Return the name of a distribution that is not a Gaussian with independent dimensions, else None."""
    while type(q).__name__ in ("Independent", "ExpandedDistribution", "MaskedDistribution"):
        q = q.base_dist
    class_names = _class_names(q)
    if "Distribution" not in class_names or "Normal" in class_names:
        return None
    covariance = _get_value(q, "covariance_matrix")
    if covariance is None:
        return type(q).__name__
    covariance = as_array(covariance)
    is_diagonal = (covariance == covariance * np.eye(covariance.shape[-1])).all()
    return None if is_diagonal else f"{type(q).__name__} with dependent dimensions"


def _class_names(value: Any) -> list[str]:
    return [kind.__name__ for kind in type(value).__mro__]


def _spread_attributes(value: Any) -> dict[str, str]:
    """Return the attributes that hold a spread, and the kind of each."""
    kinds = {"stddev": "std", "std": "std", "variance": "var"}
    return {name: kind for name, kind in kinds.items() if _get_value(value, name) is not None}


def _get_value(owner: Any, name: str) -> Any:
    """Return an attribute that is a value. None for a method, or where a distribution does not define it."""
    with suppress(NotImplementedError):
        found = getattr(owner, name, None)
        return None if callable(found) else found
    return None


def _sounds_like_a_spread(name: str) -> bool:
    return any(part in name.lower() for part in ("sigma", "std", "var", "scale"))


def same_up_to_rounding(first: np.ndarray, second: np.ndarray) -> bool:
    """Return True if two results for the same input differ by rounding only.

    Parameters
    ----------
    first, second : ndarray
        The results.

    Returns
    -------
    bool
        The answer.
    """
    return first.shape == second.shape and np.allclose(
        first, second, rtol=1e-3, atol=1e-4 + 1e-3 * float(np.std(first))
    )
