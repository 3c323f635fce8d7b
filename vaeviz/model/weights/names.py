"""Match the tensors of a file with the weights of a module by their names, and list what does not fit."""

from __future__ import annotations

import difflib
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from vaeviz.data.out_of_core import shorten
from vaeviz.errors import Fix, GuessWarning, InputError, warn_user

PLAIN_PREFIXES = ("", "state_dict.", "model_state_dict.", "model.")  # under which training scripts nest a state dict
COMPILED = "_orig_mod."  # which torch.compile puts before the names of a module, at any depth
PARTIAL_FIX = Fix(
    "To keep the initial values of what does not fit, pass strict=False.",
    "To keep the initial values of what does not fit, add --partial-weights.",
)
MAX_LISTED = 3  # names in a message; the error has them all
WITHOUT_EFFECT = "num_batches_tracked"  # a counter of batch normalization, which old files lack


@dataclass(frozen=True)
class WeightDifferences:
    """How the tensors of a file differ from the weights of a model.

    Parameters
    ----------
    missing : tuple of str
        Weights of the model that the file does not have.
    unexpected : tuple of str
        Tensors of the file that the model does not have.
    wrong_shape : mapping of str to pair of tuples
        Shape in the file and shape in the model, by name.
    nearest : mapping of str to str
        For missing weights, the unexpected tensor with the most similar name, if one is similar.
    """

    missing: tuple[str, ...] = ()
    unexpected: tuple[str, ...] = ()
    wrong_shape: Mapping[str, tuple[tuple[int, ...], tuple[int, ...]]] = field(default_factory=dict)
    nearest: Mapping[str, str] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.missing or self.unexpected or self.wrong_shape)

    def __str__(self) -> str:
        shapes = (f"{name} is {got}, expected {wanted}" for name, (got, wanted) in self.wrong_shape.items())
        similar = (f"{theirs} for {name}" for name, theirs in self.nearest.items())
        lists = {
            "Missing": self.missing,
            "Unexpected": self.unexpected,
            "Wrong shape": shapes,
            "Similar names": similar,
        }
        return " ".join(f"{title}: {text}." for title, names in lists.items() if (text := _list_names(names)))


class WeightMismatch(InputError):
    """Weights that do not fit a model.

    Parameters
    ----------
    message : str
        Which file does not fit which model.
    differences : WeightDifferences
        All that does not fit.
    fix : Fix, optional
        What to write instead.
    """

    def __init__(self, message: str, differences: WeightDifferences, *, fix: Fix | str = "") -> None:
        got = ", ".join([*differences.unexpected, *differences.wrong_shape])
        expected = ", ".join([*differences.missing, *differences.wrong_shape])
        super().__init__(f"{message} {differences}", got=got, expected=expected, fix=fix)
        self.differences = differences


def compare_weights(
    found: Mapping[str, tuple[int, ...]], expected: Mapping[str, tuple[int, ...] | None]
) -> WeightDifferences:
    """Compare names and shapes of a file with those of a model.

    Parameters
    ----------
    found : mapping of str to tuple of int
        Shapes in the file by name.
    expected : mapping of str to tuple of int or None
        Shapes in the model; None for one that is not known yet.

    Returns
    -------
    WeightDifferences
        What differs; it is false if nothing does.

    Examples
    --------
    >>> differences = compare_weights({"enc.weight": (2, 4)}, {"encoder.weight": (2, 4)})
    >>> str(differences)
    'Missing: encoder.weight. Unexpected: enc.weight. Similar names: enc.weight for encoder.weight.'
    """
    missing = tuple(name for name in expected if name not in found and not name.endswith(WITHOUT_EFFECT))
    unexpected = tuple(name for name in found if name not in expected)
    wrong_shape = {
        name: (found[name], wanted)
        for name, wanted in expected.items()
        if name in found and wanted is not None and found[name] != wanted
    }
    similar = ((name, difflib.get_close_matches(name, unexpected, n=1)) for name in missing[:MAX_LISTED])
    return WeightDifferences(missing, unexpected, wrong_shape, {name: match[0] for name, match in similar if match})


def find_prefix(tensors: Mapping[str, Any], expected: Mapping[str, tuple[int, ...] | None], path: Path) -> str:
    """Return the prefix of the names of a file under which the weights of a model are found.

    Parameters
    ----------
    tensors : mapping of str to tensor
        Tensors of the file by name.
    expected : mapping of str to tuple of int or None
        Shapes in the model by name.
    path : Path
        The file, for warnings.

    Returns
    -------
    str
        The prefix under which most weights are found with their shapes; averaged weights (``ema``) are preferred.

    Warns
    -----
    GuessWarning
        If the prefix is not one under which training scripts nest a state dict, or several fit.
    """
    fitting: Counter[str] = Counter()
    named: Counter[str] = Counter()
    for name, value in tensors.items():
        for start in (0, *(dot.end() for dot in re.finditer(r"\.", name))):
            prefix, rest = name[:start], name[start:]
            if rest in expected:
                named[prefix] += 1
                fitting[prefix] += expected[rest] in (None, tuple(value.shape))
    if not named:
        return ""
    best = max((fitting[prefix], named[prefix]) for prefix in named)
    prefixes = [prefix for prefix in named if (fitting[prefix], named[prefix]) == best]
    prefix = next((prefix for prefix in prefixes if "ema" in re.split(r"[._]", prefix)), prefixes[0])
    others = [other for other in prefixes if other != prefix]
    if others or prefix not in PLAIN_PREFIXES:
        listed = ", ".join(f'"{other}"' for other in others)
        also = f" It also holds weights with {listed}." if others else ""
        message = f'The weights in {path} were read without the prefix "{prefix}" of their names.{also}'
        chosen, purpose = (others[0], "To choose others") if others else (prefix, "To choose this without a warning")
        fix = Fix(f'{purpose}, pass prefix="{chosen}".', f'{purpose}, add --weights-prefix "{chosen}".')
        warn_user(GuessWarning(message, fix=fix))
    return prefix


def names_without_compiler(names: Iterable[str]) -> dict[str, str]:
    """Return names by the names that they have without ``torch.compile``.

    Parameters
    ----------
    names : iterable of str
        Names of weights.

    Returns
    -------
    dict of str to str
        The names as they are, by the plain ones.

    Examples
    --------
    >>> names_without_compiler(["encoder._orig_mod.weight"])
    {'encoder.weight': 'encoder._orig_mod.weight'}
    """
    return {name.replace(COMPILED, ""): name for name in names}


def _list_names(names: Iterable[str]) -> str:
    listed = list(names)
    more = f" and {len(listed) - MAX_LISTED} more" if len(listed) > MAX_LISTED else ""
    return ", ".join(map(shorten, listed[:MAX_LISTED])) + more
