"""Conditions: what a conditional model is given beside x or z, by the names and the values that it may take."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from vaeviz.data.arrays import as_array
from vaeviz.data.batches import check_samples
from vaeviz.data.labels import ClassLabels, factorize_labels
from vaeviz.errors import InputError, NotApplicable, UnknownName
from vaeviz.model.calling import positional_arity
from vaeviz.plugins.object_refs import is_number

if TYPE_CHECKING:
    from vaeviz.model.decoder import Decoder
    from vaeviz.model.encoder import Encoder

Known = Mapping[str, np.ndarray]


def parse_conditions(declared: Any) -> Known | None:
    """The values of a condition by name, as they are declared: ``range(10)``, ``("cat", "dog")``, ``{"cat": [1, 0]}``.

    Names alone stand for their places, numbers for themselves. `InputError` for anything else.
    """
    if declared is None:
        return None
    if not isinstance(declared, Mapping):
        values = np.asarray(declared)
        if values.ndim != 1 or not len(values) or values.dtype.kind not in "fiubOUS":
            raise InputError(f"conditions = {declared!r}: expected some values, e.g. range(10), or a mapping of names")
        are_names = values.dtype.kind in "OUS"
        declared = {format_class_name(value): place if are_names else value for place, value in enumerate(values)}
    known = {str(name): _number(value, str(name)) for name, value in declared.items()}
    if len({value.shape for value in known.values()}) != 1:
        raise InputError("conditions: expected one value or more, all numbers, or all vectors of one length")
    return known


def is_conditional(part: Encoder | Decoder) -> bool:
    """Whether an encoder or a decoder cannot do without a condition: it is declared, or `fn` asks for two arguments."""
    return part.condition is None and (part.conditions is not None or positional_arity(part.fn)[0] > 1)


def accepts_condition(part: Encoder | Decoder) -> bool:
    """Whether an encoder or a decoder can be given a condition beside x or z."""
    return is_conditional(part) or positional_arity(part.fn)[1] > 1


def resolve_condition(part: Encoder | Decoder, role: str, condition: Any) -> np.ndarray | None:
    """What a part is given beside each row, numbers (N, ...), or None for a plain one.

    condition: (N, ...) names, classes or numbers. Raises `NotApplicable` for a conditional part without one.
    """
    if condition is None:
        if is_conditional(part):
            raise missing_condition_error(part, role)
        return None
    return condition_values(condition, part.conditions) if positional_arity(part.fn)[1] > 1 else None


def fixed_condition_rows(part: Encoder | Decoder, total: int) -> np.ndarray | None:
    """The condition that `given` fixed, for `total` rows: its name where the part knows it, so that others do, too."""
    if part.condition is None:
        return None
    name = fixed_condition_name(part)
    value = np.asarray(name) if part.conditions and name in part.conditions else part.condition
    return np.broadcast_to(value, (total, *value.shape))


def missing_condition_error(part: Encoder | Decoder, role: str) -> NotApplicable:
    """The reason why a conditional part cannot be used without a condition, and both ways to give it one."""
    beside, fixed = {"encoder": ("x", "Encoder(fn)"), "decoder": ("z", "decoder")}[role]
    known = f" ({summarize_names(part.conditions)})" if part.conditions else ""
    return NotApplicable(
        f"{role} {part.name} takes a condition beside {beside}{known}: give condition=y, one row a sample, or fix it "
        f"with vaeviz.given({fixed}, y); --condition labels or --condition y"
    )


def missing_condition_hint(error: Exception, condition: Any) -> str:
    """What to try where a callable that does not say what it takes misses an argument."""
    misses = condition is None and "missing" in str(error) and "argument" in str(error)
    return "; if it takes a condition, give condition=y, or fix it with vaeviz.given(decoder, y)" if misses else ""


def as_condition(condition: Any, total: int | None = None) -> ClassLabels | np.ndarray:
    """`condition` as rows, `total` of them, of what it is: classes, names, numbers or vectors."""
    if hasattr(condition, "codes") and hasattr(condition, "categories"):
        values = condition
    else:
        values = condition.detach().cpu().numpy() if hasattr(condition, "detach") else np.asarray(condition)
        if values.ndim == 0:
            raise InputError(f"condition: got {condition!r}, expected one row a sample; vaeviz.given fixes one for all")
    if total is not None and len(values) != total:
        raise InputError(f"condition: got {len(values)} rows for {total} samples")
    return values


def condition_values(condition: Any, known: Known | None) -> np.ndarray:
    """`condition` as the numbers (N, ...) that a model takes; classes and names are looked up in `known`."""
    values = as_condition(condition)
    if not are_classes(values, known):
        if known and values.ndim == 1 and all(value.dtype.kind in "iu" for value in known.values()):
            raise InputError(f"condition: got numbers of {values.dtype}, expected classes: {summarize_names(known)}")
        return check_samples(values, "condition", reference=values)
    codes, names = factorize_labels(values)
    if (codes < 0).any():
        raise InputError(f"condition: {(codes < 0).sum()} of {len(codes)} samples have none")
    if known is None:
        raise InputError(
            f"condition: got names such as {names[0]!r}, and the model does not say what they stand for; write "
            'Encoder(fn, conditions=("first", "second")), and the same of the decoder'
        )
    present, rows = np.unique(codes, return_inverse=True)
    return np.stack([known[match_condition_name(names[code], known)] for code in present])[rows]


def condition_value(value: Any, known: Known | None) -> np.ndarray:
    """One condition, a class, a name, a number or a vector, as a model takes it."""
    array = np.asarray(value)
    is_class = array.ndim == 0 and (array.dtype.kind in "OUS" or (known is not None and array.dtype.kind in "iub"))
    if not is_class:
        return array
    if known is None:
        raise InputError(
            f"condition {value!r}: the model does not say what names stand for; give the value that it takes, or write "
            'Decoder(fn, conditions=("first", "second"))'
        )
    return known[match_condition_name(format_class_name(array[()]), known)]


def match_condition_name(written_value: str, known: Known) -> str:
    """The name of a condition that is written as its name or, where names are no numbers, as its value."""
    if written_value in known:
        return written_value
    by_value = (
        {} if any(map(is_number, known)) else {format_class_name(v[()]): n for n, v in known.items() if v.ndim == 0}
    )
    if written_value not in by_value:
        raise UnknownName("condition", written_value, known)
    return by_value[written_value]


def condition_names(values: Any, known: Known | None) -> list[str]:
    """The names of conditions (n, ...), one each."""
    values = as_condition(values)
    if are_classes(values, known):
        codes, names = factorize_labels(values)
        present = {
            code: match_condition_name(names[code], known) if known else names[code]
            for code in np.unique(codes[codes >= 0])
        }
        return [present.get(code, "") for code in codes]
    return [_name_of_value(value, known) for value in values]


def fixed_condition_name(part: Encoder | Decoder) -> str:
    """The name of the condition that is fixed by `given`; empty for any other part."""
    return "" if part.condition is None else _name_of_value(part.condition, part.conditions)


def summarize_names(known: Iterable[str]) -> str:
    """All names, or the first few and the last."""
    names = list(known)
    return ", ".join(names if len(names) <= 12 else [*names[:3], "...", names[-1]])


def format_class_name(value: Any) -> str:
    """A value as a person writes it, and as a class is named after it."""
    return f"{value:g}" if isinstance(value, (float, np.floating)) else str(value)


def are_classes(values: ClassLabels | np.ndarray, known: Known | None) -> bool:
    """Whether rows are classes to look up, and not the numbers that a model takes."""
    if not isinstance(values, np.ndarray):
        return True
    return values.dtype.kind in "OUS" or (known is not None and values.ndim == 1 and values.dtype.kind in "iub")


def _name_of_value(value: np.ndarray, known: Known | None) -> str:
    for name, other in (known or {}).items():
        exact = np.result_type(other.dtype, np.float32)  # in which 0.1 is 0.1 of float32, and 2.7 is not 2
        if np.array_equal(value.astype(exact), other.astype(exact)):
            return name
    if value.ndim == 0:
        return f"{value:.3g}" if value.dtype.kind == "f" else str(value)
    if np.count_nonzero(value) == 1 and value.max() == 1:  # one-hot
        return str(int(value.argmax()))
    few = ", ".join(f"{number:.3g}" for number in value.ravel()[:3])
    return f"({few}{', ...' if value.size > 3 else ''})"


def _number(value: Any, name: str) -> np.ndarray:
    try:
        array = as_array(value)
    except InputError as error:
        raise InputError(f"conditions: {name!r}: {error}") from None
    return array.astype(np.float32) if array.dtype.kind == "f" else array.astype(np.int64)
