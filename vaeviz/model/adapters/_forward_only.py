"""Models that return reconstruction and codes from one call, and have no separate encoder."""

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
    """Return a model whose encoder is the call of the whole model."""
    return Model(
        Encoder(_forward_with_codes(model), name=callable_name(model)),
        Decoder(decoder, name=callable_name(decoder)),
        name=type(model).__name__,
    )


def _forward_with_codes(model: Any) -> Callable[..., Any]:
    """Return the model's call, which raises InputError if the model returns samples only."""

    def forward(x: Any, *condition: Any) -> Any:
        returned = model(x, *condition)
        if not isinstance(returned, (tuple, list, dict)):
            size = math.prod(as_array(returned).shape[1:])
            raise InputError(
                f"The model returns one array with {size} values per sample and no codes.",
                got="one array",
                expected="(reconstruction, mean, log_var)",
                fix="Pass a function of x that returns (mean, log_var) as the encoder.",
            )
        return returned

    return forward
