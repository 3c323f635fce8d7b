"""Inputs by name: gathered from a model, a data set and what is given, with x encoded once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vaeviz.data import Dataset
from vaeviz.encoding import remember
from vaeviz.errors import InputError
from vaeviz.model import as_decoder, open


def gathered(model: Any, data: Dataset | None, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Inputs by name from an opened model, a data set, and what was given by name, which wins."""
    found: dict[str, Any] = {}
    if model is not None:
        opened = open(model)
        found |= {"encoder": opened.encoder, "decoder": opened.decoder, **opened.inputs}
    if data is not None:
        found |= {"x": data.x, "labels": data.named_labels(), "factors": data.factors}
    found |= {name: value for name, value in inputs.items() if value is not None}
    return {name: value for name, value in found.items() if value is not None}


def encoded_once(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """The inputs, checked, with an encoder that remembers the posterior of x."""
    inputs = dict(inputs)
    if "decoder" in inputs:
        inputs["decoder"] = as_decoder(inputs["decoder"])
    if "encoder" in inputs and "x" in inputs:
        inputs["encoder"] = remember(inputs["encoder"], inputs["x"], inputs.get("condition"))
        inputs["x"] = inputs["encoder"].remembered[0]
    for name in ("labels", "condition", "factors"):
        if name in inputs and "x" in inputs:
            rows = len(inputs[name]) if hasattr(inputs[name], "__len__") else "no list of"
            if rows != len(inputs["x"]):
                raise InputError(f"{name}: got {rows} {name} for {len(inputs['x'])} samples of x")
    return inputs
