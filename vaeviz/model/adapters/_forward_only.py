"""Models whose one call gives reconstruction and codes together."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from vaeviz.data.arrays import as_array
from vaeviz.errors import InputError
from vaeviz.model.calling import callable_name
from vaeviz.model.decoder import Decoder
from vaeviz.model.encoder import Encoder
from vaeviz.model.opening import Model


def forward_only_model(model: Any, decoder: Any) -> Model:
    """A model that has no encoder apart: called as a whole, it returns codes beside the reconstruction."""
    name = callable_name(model)
    return Model(
        Encoder(codes_of_forward(model), name=name),
        Decoder(decoder, name=callable_name(decoder)),
        name=type(model).__name__,
    )


def codes_of_forward(model: Any) -> Callable[..., Any]:
    """The model's call; `InputError` where it gives nothing but samples."""

    def codes(x: Any, *condition: Any) -> Any:
        returned = model(x, *condition)
        if not isinstance(returned, (tuple, list, dict)):
            size = math.prod(as_array(returned).shape[1:])
            raise InputError(
                f"its call returns one array with {size} values a sample and no codes; "
                "write a function of x that returns (mean, log_var), and pass that as the encoder"
            )
        return returned

    return codes
