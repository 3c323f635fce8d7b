"""Fix the condition of a conditional model to one value: ``--condition VALUE``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from vaeviz.errors import GuessWarning, InputError, warn_user

if TYPE_CHECKING:
    from vaeviz.data.dataset import Dataset
    from vaeviz.model.opening import Model


def fix_condition(
    text: str, model: Model | None, data: Dataset | None, supplied: Mapping[str, Any]
) -> tuple[Model, Dataset | None, dict[str, Any]]:
    """Fix the condition of a model, and keep the samples that have it.

    Parameters
    ----------
    text : str
        A class name, a number, or several numbers joined by commas.
    model : Model or None
        The model.
    data : Dataset or None
        The data set. If its labels do not tell the condition, all samples are kept with a warning.
    supplied : mapping
        Other inputs by name. An encoder or decoder among them replaces that of the model.

    Returns
    -------
    model : Model
        The model with the condition fixed.
    data : Dataset or None
        The samples that have the condition.
    supplied : dict
        The other inputs, without encoder and decoder, and with the rows of these samples.

    Raises
    ------
    InputError
        If the model is not conditional, or no sample has the condition.
    """
    import numpy as np

    from vaeviz.model.opening import condition_on

    model = _with_parts(model, supplied)
    classes = _declared_conditions(text, model)
    model = condition_on(model, text if classes and text in classes else _parse_condition(text))
    name = next(part.condition_name for part in model if part is not None and part.condition_name)
    model = replace(model, name=f"{model.name} given {name}")
    others = {key: value for key, value in supplied.items() if key not in ("encoder", "decoder")}
    if data is None:
        return model, None, others
    rows = _rows_with_condition(name, data.named_labels(), classes)
    if rows is None:
        message = f"The labels do not say which of the {len(data):,} samples have --condition {text}, so all are kept."
        warn_user(GuessWarning(message, fix="Add --labels NAME."))
        return model, data, others
    if not len(rows):
        fix = "Name a condition that occurs in the data."
        raise InputError(f"No sample of {data.name} has --condition {text}.", got=text, fix=fix)
    for key in ("labels", "factors"):
        if key in others and len(others[key]) == len(data):
            others[key] = np.asarray(others[key])[rows]
    return model, data[rows], others


def _with_parts(model: Model | None, supplied: Mapping[str, Any]) -> Model:
    """Return the model with the encoder and decoder that were supplied by name."""
    from vaeviz.model.opening import Model, as_decoder, as_encoder

    model = model or Model()
    if "encoder" in supplied:
        model = replace(model, encoder=as_encoder(supplied["encoder"]))
    if "decoder" in supplied:
        model = replace(model, decoder=as_decoder(supplied["decoder"]))
    return model


def _declared_conditions(text: str, model: Model) -> Any:
    """Return the declared conditions of a conditional model, or None if there are none."""
    conditional = [part for part in model if part is not None and part.is_conditional]
    if not conditional:
        raise InputError(
            f"{model.name} takes no condition, so --condition {text} has nothing to fix.",
            got=text,
            expected="FILE.npy or package.module:attribute",
            fix="Leave --condition out, or name the condition of each sample: FILE.npy or package.module:attribute.",
        )
    return next((part.conditions for part in conditional if part.conditions), None)


def _rows_with_condition(name: str, labels: Any, classes: Any) -> Any:
    """Return the indices of the samples that have a condition, or None if the labels are not the condition."""
    import numpy as np

    from vaeviz.data.labels import check_labels, has_classes
    from vaeviz.model.conditions import condition_names

    if labels is None or not has_classes(check_labels(labels, len(labels))):
        return None
    try:
        names = condition_names(labels, classes)
    except InputError:
        return None
    return np.flatnonzero(np.array(names) == name) if classes or name in names else None


def _parse_condition(text: str) -> Any:
    """Return a number, a list of numbers, or the text if it is neither."""
    try:
        numbers = [int(part) if part.strip().lstrip("+-").isdigit() else float(part) for part in text.split(",")]
    except ValueError:
        return text
    return numbers[0] if len(numbers) == 1 else numbers
