"""The arrays in the return value of an encoder or a decoder, which may be nested, and the keys that lead to them."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from vaeviz.data.arrays import as_array
from vaeviz.errors import InputError
from vaeviz.model.output_names import SPREAD_KINDS, kind_of_name, sounds_like_a_spread

SAMPLE_NAMES = (
    *("reconstruction", "reconstructions", "recon_x", "x_recon", "recon", "x_hat", "x_rec", "sample", "samples", "x"),
    *("mean", "logits", "output", "audio_values"),
)
"""Names that decoders give to the samples that they return, the likeliest first."""


@dataclass(frozen=True)
class Part:
    """One of several equal parts of an array, as the key of a path.

    Parameters
    ----------
    index, n_parts : int
        Which part this is, and how many there are.
    axis : int
        The axis along which the parts follow each other.
    is_stacked : bool
        True if the axis has one place per part, and is dropped.
    alternates : bool
        True if the values of the parts take turns along the axis.
    """

    index: int
    n_parts: int
    axis: int = 1
    is_stacked: bool = False
    alternates: bool = False

    def take(self, array: np.ndarray) -> np.ndarray:
        """Return this part.

        Parameters
        ----------
        array : ndarray
            All parts together.

        Returns
        -------
        ndarray
            One part.
        """
        if self.alternates:
            return array[:, self.index :: self.n_parts]
        part: np.ndarray = (
            np.take(array, self.index, self.axis)
            if self.is_stacked
            else np.split(array, self.n_parts, self.axis)[self.index]
        )
        return part


Path = tuple["int | str | Part", ...]
"""Where an output is found: the keys to follow from the return value, ``()`` for the return value itself."""


class Output(NamedTuple):
    """An array or a distribution in a return value."""

    path: Path
    value: Any

    @property
    def name(self) -> str:
        """Name of the output. Empty if it has none."""
        return next((key for key in reversed(self.path) if isinstance(key, str)), "")


def list_outputs(returned: Any, path: Path = ()) -> list[Output]:
    """List the arrays and distributions in a return value, in their order.

    Parameters
    ----------
    returned : Any
        What an encoder returned: an array or a distribution, or these in tuples, mappings, named tuples and data
        classes, which may be nested.
    path : tuple, default ()
        Keys that led to it.

    Returns
    -------
    list of Output
        The outputs. None among them is left out.

    Examples
    --------
    >>> import numpy as np
    >>> [output.path for output in list_outputs((np.zeros(2), {"mu": np.zeros(2)}))]
    [(0,), (1, 'mu')]
    """
    return list(_iterate_outputs(returned, path))


def _iterate_outputs(returned: Any, path: Path) -> Iterator[Output]:
    if hasattr(returned, "latent_dist"):
        yield from _iterate_outputs(returned.latent_dist, (*path, "latent_dist"))
    elif is_distribution(returned):
        yield Output(path, returned)
    elif (names := _field_names(returned)) is not None:
        for name in names:
            yield from _iterate_outputs(_follow(returned, name), (*path, name))
    elif _holds_outputs(returned):
        for index, part in enumerate(returned):
            yield from _iterate_outputs(part, (*path, index))
    elif not path or not _is_empty(returned):
        yield Output(path, returned)


def get_output(returned: Any, path: Path) -> Any:
    """Return the output at a path.

    Parameters
    ----------
    returned : Any
        What an encoder or a decoder returned.
    path : tuple
        Keys to follow.

    Returns
    -------
    Any
        The array or distribution, or a value of the distribution.

    Raises
    ------
    InputError
        If there is none.
    """
    for key in path:
        try:
            returned = _follow(returned, key)
        except (LookupError, AttributeError, TypeError, ValueError):
            raise InputError(
                "Other outputs were returned than for the first batch.", expected=f"an output at {key!r}"
            ) from None
    return returned


def write_path(returned: Any, path: Path) -> str:
    """Return a path as the Python expression that follows it.

    Parameters
    ----------
    returned : Any
        What an encoder or a decoder returned.
    path : tuple
        Keys to follow.

    Returns
    -------
    str
        What to write after the call.

    Examples
    --------
    >>> write_path([{"mean": 1}], (0, "mean"))
    "[0]['mean']"
    """
    written = ""
    for key in path:
        is_attribute = isinstance(key, str) and not isinstance(returned, Mapping)
        written += f".{key}" if is_attribute else f"[{key!r}]"
        returned = _follow(returned, key)
    return written


def divide(array: np.ndarray, n_parts: int, n_rows: int) -> list[Part] | None:
    """Return the keys of equal parts of an array that holds several outputs.

    Parameters
    ----------
    array : ndarray
        Outputs side by side ``(N, n_parts * D)``, or stacked ``(n_parts, N, D)`` or ``(N, n_parts, D)``.
    n_parts : int
        Number of outputs.
    n_rows : int
        Number of samples N.

    Returns
    -------
    list of Part or None
        The keys. None if the array cannot be divided.
    """
    shape = array.shape
    if len(shape) > 1 and shape[0] == n_parts != n_rows == shape[1]:
        return [Part(index, n_parts, axis=0, is_stacked=True) for index in range(n_parts)]
    if len(shape) < 2 or shape[0] != n_rows or shape[1] % n_parts:
        return None
    is_stacked = len(shape) == 3 and shape[1] == n_parts
    return [Part(index, n_parts, axis=1, is_stacked=is_stacked) for index in range(n_parts)]


def find_samples(returned: Any, n_rows: int, sample_size: int | None = None) -> list[Path]:
    """Return the paths to the outputs of a decoder that may be the samples, the likeliest first.

    Parameters
    ----------
    returned : Any
        What the decoder returned: an array, a distribution, or several outputs.
    n_rows : int
        Number of codes that it received.
    sample_size : int, optional
        Number of values in a sample, if it is known.

    Returns
    -------
    list of tuple
        The path to the output whose name, shape or distribution proves it, if there is one. Otherwise those to all
        outputs that have a row per code.

    Raises
    ------
    InputError
        If the outputs have names, and none of them is known.

    Examples
    --------
    >>> import numpy as np
    >>> returned = np.zeros((5, 3)), np.zeros((5, 784)), np.zeros(())
    >>> find_samples(returned, 5)
    [(0,), (1,)]
    >>> find_samples(returned, 5, sample_size=784)
    [(1,)]
    """
    found = _possible_samples(returned, ())
    if not found and (named := [output.name for output in list_outputs(returned) if output.name]):
        listed = ", ".join(named)
        raise InputError(
            f"The decoder returned outputs named {listed}. None of them is known as the samples.",
            got=listed,
            expected=", ".join(SAMPLE_NAMES),
            fix="Write a function that returns the samples alone, and pass it as the decoder.",
        )
    if len(found) < 2:
        return [found[0].path if found else ()]
    shapes = [tuple(getattr(output.value, "shape", ())) for output in found]
    with_rows = [one for one, shape in zip(found, shapes) if shape[:1] == (n_rows,)]
    of_size = [one for one in with_rows if math.prod(one.value.shape[1:]) == sample_size]
    return [output.path for output in of_size or with_rows or found]


def _possible_samples(returned: Any, path: Path) -> list[Output]:
    """Return the outputs that may be samples by their names and types. None of a mapping of unknown names."""
    names = _field_names(returned) or []
    named = next((name for name in SAMPLE_NAMES if name in names), None)
    if named is not None:
        return _possible_samples(_follow(returned, named), (*path, named))
    if _holds_outputs(returned):
        parts = list(enumerate(returned))
        parts = [one for one in parts if not names or not _names_spread(names[one[0]])] or parts
        found = [one for index, part in parts for one in _possible_samples(part, (*path, index))]
        means = [one for one in found if one.path[-1] == "mean"]
        return means if len(means) == 1 else found
    if names or _is_empty(returned):
        return []
    for name in ("sample", "mean"):
        if (value := get_value(returned, name)) is not None:
            return [Output((*path, name), value)]
    return [Output(path, returned)]


def _names_spread(name: str) -> bool:
    return kind_of_name(name) in SPREAD_KINDS or sounds_like_a_spread(name)


def is_distribution(value: Any) -> bool:
    """Return True for a distribution of torch, Pyro or NumPyro, or an object whose mean and spread are values.

    Parameters
    ----------
    value : Any
        What an encoder returned.

    Returns
    -------
    bool
        The answer.
    """
    is_known = any(kind.__name__ == "Distribution" for kind in type(value).__mro__)
    return is_known or (get_value(value, "mean") is not None and bool(spread_attributes(value)))


def spread_attributes(value: Any) -> dict[str, str]:
    """Return the attributes of a distribution that hold a spread.

    Parameters
    ----------
    value : Any
        The distribution.

    Returns
    -------
    dict of str to str
        The kind of each by its name.
    """
    kinds = {"stddev": "std", "std": "std", "variance": "var"}
    return {name: kind for name, kind in kinds.items() if get_value(value, name) is not None}


def get_value(owner: Any, name: str) -> Any:
    """Return an attribute that is a value.

    Parameters
    ----------
    owner : Any
        A distribution.
    name : str
        The attribute.

    Returns
    -------
    Any
        Its value. None for a method, or where a distribution does not define it.
    """
    with suppress(NotImplementedError):
        found = getattr(owner, name, None)
        return None if callable(found) else found
    return None


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
    if first.shape != second.shape:
        return False
    if not np.isfinite(first).all():
        return np.array_equal(first, second, equal_nan=True)
    spread = float(np.std(first, dtype=np.float64))
    return np.allclose(first, second, rtol=1e-3, atol=1e-4 + 1e-3 * spread)


def same_arrays(first: Any, second: Any) -> bool:
    """Return True if two return values for the same input hold the same arrays, up to rounding.

    Parameters
    ----------
    first, second : Any
        What an encoder returned.

    Returns
    -------
    bool
        The answer. False if they hold distributions, or anything else that is not numbers.
    """
    ones, others = list_outputs(first), list_outputs(second)
    if len(ones) != len(others) or any(is_distribution(output.value) for output in ones):
        return False
    try:
        return all(same_up_to_rounding(as_array(one.value), as_array(other.value)) for one, other in zip(ones, others))
    except InputError:
        return False


def _follow(value: Any, key: int | str | Part) -> Any:
    if isinstance(key, Part):
        return key.take(as_array(value))
    if isinstance(key, int):
        return value[key]
    return value[key] if isinstance(value, Mapping) else getattr(value, key)


def _field_names(value: Any) -> list[str] | None:
    """Return the names of the outputs in a named tuple, a data class or a mapping. None for other values."""
    if hasattr(value, "_fields"):
        return list(value._fields)
    if isinstance(value, Mapping):
        return list(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return [field.name for field in dataclasses.fields(value)]
    return None


def _is_empty(value: Any) -> bool:
    """Return True for None, and for a tuple or list of None, as quantizers return for values that are not computed."""
    return value is None or (isinstance(value, (tuple, list)) and all(map(_is_empty, value)))


def _holds_outputs(value: Any) -> bool:
    """Return True for a tuple or list of outputs, and False for nested lists of numbers."""
    if not isinstance(value, Sequence) or isinstance(value, (str, bytes)):
        return False
    return any(
        hasattr(part, "shape") or is_distribution(part) or _field_names(part) is not None or _holds_outputs(part)
        for part in value
    )
