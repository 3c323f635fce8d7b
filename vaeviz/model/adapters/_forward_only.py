"""Models whose codes come from the call of the whole model, which returns them beside the reconstruction."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import numpy as np

from vaeviz.errors import InputError
from vaeviz.model.calling import bind_eval_mode, callable_name
from vaeviz.model.decoder import Decoder
from vaeviz.model.encoder import Encoder
from vaeviz.model.opening import Model
from vaeviz.model.output_tree import is_distribution, list_outputs
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
    model, decoder = bind_eval_mode(model), bind_eval_mode(decoder)
    encoder = None if encoder is None else bind_eval_mode(encoder)

    def forward(x: Any, *condition: Any) -> Any:
        nonlocal returns_codes
        if not returns_codes:
            return encoder(x, *condition)
        returned = model(x, *condition)
        if has_codes(returned, x):
            return returned
        codes = None if encoder is None else encoder(x, *condition)
        if codes is None or not _decodes(decoder, codes, *condition):
            _check_rows(returned, x)
            raise InputError(
                "The call of the model returns no codes, only reconstructions or losses.",
                got="no codes",
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
    """Return False if a decoder fails on codes, as on features from which the model computes its codes.

    Of several outputs, and of a distribution, it may take the first, or the mean.
    """
    outputs = [output.value for output in list_outputs(codes)]
    for possible in (codes, *(one.mean if is_distribution(one) else one for one in outputs[:1])):
        with suppress(Exception):
            decoder(possible, *condition)
            return True
    return False
