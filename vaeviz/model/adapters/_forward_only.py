"""Models whose codes come from the call of the whole model, which returns them beside the reconstruction."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from vaeviz.errors import InputError
from vaeviz.model.calling import callable_name
from vaeviz.model.decoder import Decoder
from vaeviz.model.encoder import Encoder
from vaeviz.model.opening import Model
from vaeviz.model.output_tree import list_outputs
from vaeviz.model.outputs import has_codes


def forward_only_model(model: Any, decoder: Any, encoder: Any = None) -> Model:
    """Return a model whose encoder is the call of the whole model.

    Parameters
    ----------
    model : callable
        The whole model.
    decoder : callable
        Its decoder.
    encoder : callable, optional
        A part that is called instead if the whole model returns no codes.

    Returns
    -------
    Model
        The model.
    """
    return Model(
        Encoder(_forward_with_codes(model, decoder, encoder), name=callable_name(model)),
        Decoder(decoder, name=callable_name(decoder)),
        name=type(model).__name__,
    )


def _forward_with_codes(model: Any, decoder: Any, encoder: Any) -> Callable[..., Any]:
    """Return the model's call or, once that was seen to return no codes, the call of its encoder."""
    returns_codes = True

    def forward(x: Any, *condition: Any) -> Any:
        nonlocal returns_codes
        if not returns_codes:
            return encoder(x, *condition)
        returned = model(x, *condition)
        if has_codes(returned, x):
            return returned
        _check_rows(returned, x)
        codes = None if encoder is None else encoder(x, *condition)
        if codes is None or not _decodes(decoder, codes, *condition):
            raise InputError(
                "The model returns reconstructions and no codes.",
                got="reconstructions",
                expected="(reconstruction, mean, log_var)",
                fix="Pass a function of x that returns (mean, log_var) as the encoder.",
            )
        returns_codes = False
        return codes

    return forward


def _check_rows(returned: Any, samples: Any) -> None:
    """Raise if a model returned another number of rows, as one that reshapes samples of a wrong size does."""
    rows = {np.shape(output.value)[0] for output in list_outputs(returned) if np.ndim(output.value) > 1}
    if rows and len(samples) not in rows:
        raise InputError(
            f"The model returned {min(rows)} rows for {len(samples)} samples of shape {tuple(samples.shape[1:])}.",
            got=f"{min(rows)} rows",
            expected=f"{len(samples)} rows",
            fix="Pass samples of the shape that the model takes.",
        )


def _decodes(decoder: Any, codes: Any, *condition: Any) -> bool:
    """Return False if a decoder fails on codes, as on features from which the model computes its codes."""
    try:
        decoder(codes, *condition)
    except Exception:
        return False
    return True
