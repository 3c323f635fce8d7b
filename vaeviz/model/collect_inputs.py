"""Collect the inputs of plots by name: from a model, from a data set, and from those that are passed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

from vaeviz.data.batches import check_samples
from vaeviz.data.dataset import Dataset, as_factor_table
from vaeviz.data.out_of_core import Batches, as_samples, is_dataset, take_rows
from vaeviz.data.row_index import check_row_index
from vaeviz.data.sample_kind import check_same_columns, column_names
from vaeviz.errors import Fix, GuessWarning, InputError, NotApplicable, warn_user
from vaeviz.model.conditions import as_condition
from vaeviz.model.decoder_likelihood import as_likelihood, find_decoder, warn_of_mean_likelihood
from vaeviz.model.encode import cache_encoding, encode
from vaeviz.model.encoder import Encoder
from vaeviz.model.opening import as_decoder, as_encoder, open, with_decoder
from vaeviz.model.part import ModelPart
from vaeviz.model.posterior import Posterior
from vaeviz.plugins.inputs import PER_SAMPLE_INPUTS
from vaeviz.plugins.object_refs import import_object, is_object_ref

MAX_TRIED_SAMPLES = 8  # enough to see whether an encoder accepts the labels


def collect_inputs(model: Any, data: Dataset | None, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Return inputs by name from a model and a data set. Inputs that are given by name win.

    A model's likelihood is that of its own decoder, so another decoder needs a likelihood by name.

    Parameters
    ----------
    model : Any
        Anything that `vaeviz.open` accepts, or ``"package.module:attribute"``, which is imported. None for no model.
    data : Dataset or None
        The data set.
    inputs : mapping
        Inputs by name. A value ``"package.module:attribute"`` is imported, and None is left out.

    Returns
    -------
    dict
        The inputs that are known.

    Raises
    ------
    InputError
        If a condition is given for a model that takes none, or the name of a likelihood without a decoder.
    """
    given = {name: _import_reference(value) for name, value in inputs.items() if value is not None}
    if is_dataset(given.get("x")):
        data = given.pop("x")
    found: dict[str, Any] = {}
    if model is not None:
        opened = open(_import_reference(model))
        found |= {"encoder": opened.encoder, "decoder": opened.decoder, **opened.inputs}
    if data is not None:
        encoder = given.get("encoder", found.get("encoder"))
        found = _without_per_sample_inputs(found) | _inputs_of_data(data, getattr(encoder, "unpack", None) is not None)
    if "x" in given:
        found = _without_per_sample_inputs(found)
    own_decoder = found.get("decoder")
    if own_decoder is not None and given.get("decoder", own_decoder) is not own_decoder:
        found.pop("likelihood", None)  # it scores what the model's own decoder returns
    found |= given
    found["likelihood"] = as_likelihood(found.get("likelihood"), found.get("decoder"))
    for name in PER_SAMPLE_INPUTS:
        check_row_index(found.get(name), name, found.get("x"))
    _add_condition(found, is_given="condition" in given)
    samples = found.get("x") if data is None or "x" in given else data
    for part in _usable_parts(found):
        if isinstance(part, Encoder):
            part.check_columns(samples)
    check_same_columns(samples, found.get("other_x"))
    if isinstance(found.get("other_x"), Dataset):
        found["other_x"] = found["other_x"].x
    for name, owner in (("feature_names", "x"), ("factor_names", "factors")):
        found[name] = column_names(found.get(name), found.get(owner)) or None
    if found.get("factors") is not None:
        found["factors"] = as_factor_table(found["factors"])
    return {name: value for name, value in found.items() if value is not None}


def _inputs_of_data(data: Dataset, is_unpacked: bool) -> dict[str, Any]:
    """Return what a data set supplies. An encoder that unpacks it receives its source."""
    found: dict[str, Any] = {"x": data.x, "labels": data.named_labels(), "factors": data.factors}
    found |= {"feature_names": data.feature_names or None, "factor_names": data.factor_names or None}
    if data.source is not None and is_unpacked:  # the encoder may put the features in another order
        found |= {"x": data.source, "feature_names": None}
    return found


def _without_per_sample_inputs(found: Mapping[str, Any]) -> dict[str, Any]:
    """Drop per-sample inputs, because x is replaced."""
    return {name: value for name, value in found.items() if name not in PER_SAMPLE_INPUTS}


def _import_reference(value: Any) -> Any:
    return import_object(value) if isinstance(value, str) and is_object_ref(value) else value


def _add_condition(found: dict[str, Any], *, is_given: bool) -> None:
    """Use the labels as the condition if a part takes one and no other is given."""
    parts = list(_usable_parts(found))
    if is_given and parts and not any(part.accepts_condition for part in parts):
        names = " and ".join(part.name for part in parts)
        raise InputError(
            f"condition is given, but {names} take none.",
            got="a condition",
            expected="no condition",
            fix=Fix("Leave out condition.", "Leave out --condition."),
        )
    conditional = next((part for part in parts if part.names_condition), None)
    if found.get("condition") is not None or conditional is None or _unpacks_condition(conditional):
        return
    labels = found.get("labels")
    if labels is None and found.get("x") is not None:
        labels = getattr(as_samples(found["x"], "x"), "labels", None)
    if labels is not None and (conditional.is_conditional or _takes_labels(conditional, found, labels)):
        found["condition"] = labels


def _unpacks_condition(part: ModelPart) -> bool:
    return isinstance(part, Encoder) and part.unpack is not None


def _takes_labels(part: ModelPart, found: Mapping[str, Any], labels: Any) -> bool:
    """Return True if a part that can do without a condition accepts the labels. Warn if it does not."""
    if not isinstance(part, Encoder) or found.get("x") is None:
        return True
    first = slice(MAX_TRIED_SAMPLES)
    try:
        encode(part, take_rows(as_samples(found["x"], "x"), first), as_condition(labels)[first])
    except (InputError, NotApplicable) as error:
        warn_user(
            GuessWarning(
                f"The encoder {part.name} takes a condition, but not the labels: {error.message} It received none.",
                fix=error.fix,
            )
        )
        return False
    return True


def _usable_parts(found: Mapping[str, Any]) -> Iterator[ModelPart]:
    """Yield the encoder and the decoder. Invalid ones are reported where they are used."""
    with suppress(InputError, NotApplicable):
        yield as_encoder(found.get("encoder"))
    with suppress(InputError, NotApplicable):
        yield as_decoder(found.get("decoder"))


def with_cached_codes(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Return checked inputs with an encoder that holds the posterior of x.

    Parameters
    ----------
    inputs : mapping
        Inputs by name, see `collect_inputs`.

    Returns
    -------
    dict
        The inputs.

    Raises
    ------
    InputError
        If an input cannot be used, or has another number of rows than x.
    """
    inputs = dict(inputs)
    if "other_x" in inputs:
        inputs["other_x"] = check_samples(inputs["other_x"], "other_x")
    if "decoder" in inputs:
        inputs["decoder"] = as_decoder(inputs["decoder"])
    if "encoder" in inputs and "x" in inputs and not _lacks_condition(inputs):
        encoder = with_decoder(inputs["encoder"], inputs.get("decoder"))
        encoder = cache_encoding(encoder, inputs["x"], inputs.get("condition"))
        assert encoder._cached is not None
        inputs["encoder"] = encoder
        inputs["x"], posterior = encoder._cached  # x may have held more than samples
        if "condition" in inputs:
            inputs["condition"] = posterior.condition
        if "likelihood" in inputs:
            decoder = find_decoder(inputs.get("decoder", encoder))
            warn_of_mean_likelihood(inputs["likelihood"], decoder, inputs["x"], posterior)
    elif "x" in inputs:
        inputs["x"] = check_samples(inputs["x"], "x")
    if isinstance(inputs.get("x"), Batches) and "labels" not in inputs and inputs["x"].labels is not None:
        inputs["labels"] = inputs["x"].labels
    if "x" in inputs:
        _check_row_counts(inputs)
    return inputs


def _check_row_counts(inputs: Mapping[str, Any]) -> None:
    n_samples = len(inputs["x"])
    for name in PER_SAMPLE_INPUTS:
        if name not in inputs:
            continue
        n_rows = len(inputs[name]) if hasattr(inputs[name], "__len__") else None
        if n_rows != n_samples:
            got = "no rows" if n_rows is None else f"{n_rows} rows"
            raise InputError(
                f"{name} has {got} but x has {n_samples} samples.",
                got=got,
                expected=f"{n_samples} rows",
                fix="Pass one row per sample, or None.",
            )


def _lacks_condition(inputs: Mapping[str, Any]) -> bool:
    """Return True if x cannot be encoded without a condition; what uses it reports that."""
    if inputs.get("condition") is not None or isinstance(inputs["encoder"], Posterior):
        return False
    encoder = as_encoder(inputs["encoder"])
    return encoder.is_conditional and encoder.unpack is None
