"""Inputs by name: gathered from a model, a data set and what is given, with x encoded once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Any

from vaeviz.data.arrays import as_array
from vaeviz.data.batches import check_samples
from vaeviz.data.dataset import Dataset
from vaeviz.data.out_of_core import Batches
from vaeviz.data.sample_kind import column_names
from vaeviz.errors import InputError, NotApplicable
from vaeviz.model.conditions import accepts_condition
from vaeviz.model.decoder import Decoder
from vaeviz.model.encode import cache_encoding
from vaeviz.model.encoder import Encoder
from vaeviz.model.opening import as_decoder, as_encoder, open
from vaeviz.model.posterior import Posterior
from vaeviz.plugins.inputs import INPUTS
from vaeviz.plugins.object_refs import import_object, is_object_ref


def collect_inputs(model: Any, data: Dataset | None, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Inputs by name from a model, a data set, and what was given by name, which wins.

    A model or input that is spelled ``package.module:attribute`` is that object. Imports that module.
    """
    given = {name: _named(value) for name, value in inputs.items() if value is not None}
    found: dict[str, Any] = {}
    if model is not None:
        opened = open(_named(model))
        found |= {"encoder": opened.encoder, "decoder": opened.decoder, **opened.inputs}
    if data is not None:
        found = _of_no_sample(found) | {"x": data.x, "labels": data.named_labels(), "factors": data.factors}
        found |= {"feature_names": data.feature_names or None, "factor_names": data.factor_names or None}
        if data.source is not None and getattr(given.get("encoder", found.get("encoder")), "unpack", None):
            found |= {"x": data.source, "feature_names": None}  # the encoder may put the features in another order
    if "x" in given:
        found = _of_no_sample(found)
    found |= given
    parts = list(_parts(found))
    if "condition" in given and parts and not any(map(accepts_condition, parts)):
        raise InputError(f"condition: was given, and {' and '.join(part.name for part in parts)} take none")
    if found.get("condition") is None and _is_conditional(parts):
        found["condition"] = found.get("labels")
    for name, of in (("feature_names", "x"), ("factor_names", "factors")):
        found[name] = column_names(found.get(name), found.get(of)) or None
    if found.get("factors") is not None:
        found["factors"] = as_array(found["factors"])
    return {name: value for name, value in found.items() if value is not None}


def _of_no_sample(found: Mapping[str, Any]) -> dict[str, Any]:
    """What is known, without what is known of single samples, since others take their place."""
    return {name: value for name, value in found.items() if name not in INPUTS or not INPUTS[name].per_sample}


def _named(value: Any) -> Any:
    return import_object(value) if isinstance(value, str) and is_object_ref(value) else value


def _parts(inputs: Mapping[str, Any]) -> Iterator[Encoder | Decoder]:
    """The encoder and the decoder; what is none is told where it is used."""
    for name, as_part in (("encoder", as_encoder), ("decoder", as_decoder)):
        with suppress(InputError, NotApplicable):
            yield as_part(inputs.get(name))


def _is_conditional(parts: Iterable[Encoder | Decoder]) -> bool:
    """Whether a part of the model wants a condition, which the labels are where no other is given.

    Not where the encoder finds the condition in x itself.
    """
    wanting = next((part for part in parts if part.is_conditional), None)
    return wanting is not None and getattr(wanting, "unpack", None) is None


def with_cached_codes(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """The inputs, checked, with an encoder that remembers the posterior of x."""
    inputs = dict(inputs)
    if "other_x" in inputs:
        inputs["other_x"] = check_samples(inputs["other_x"], "other_x")
    if "decoder" in inputs:
        inputs["decoder"] = as_decoder(inputs["decoder"])
    if "encoder" in inputs and "x" in inputs and not _lacks_condition(inputs):
        # x may hold more than samples, and what only the encoder reads
        inputs["encoder"] = cache_encoding(inputs["encoder"], inputs["x"], inputs.get("condition"))
        inputs["x"] = inputs["encoder"].remembered[0]
        if "condition" in inputs:
            inputs["condition"] = inputs["encoder"].remembered[1].condition
    elif "x" in inputs:
        inputs["x"] = check_samples(inputs["x"], "x")
    if isinstance(inputs.get("x"), Batches) and "labels" not in inputs and inputs["x"].labels is not None:
        inputs["labels"] = inputs["x"].labels
    for name in ("labels", "condition", "factors"):
        if name in inputs and "x" in inputs:
            rows = len(inputs[name]) if hasattr(inputs[name], "__len__") else "no list of"
            if rows != len(inputs["x"]):
                raise InputError(f"{name}: got {rows} {name} for {len(inputs['x'])} samples of x")
    return inputs


def _lacks_condition(inputs: Mapping[str, Any]) -> bool:
    """Whether x cannot be encoded, since nobody says under which condition: whatever asks for it then says so."""
    if inputs.get("condition") is not None or isinstance(inputs["encoder"], Posterior):
        return False
    encoder = as_encoder(inputs["encoder"])
    return encoder.is_conditional and encoder.unpack is None
