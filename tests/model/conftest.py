"""Shared by the tests of models: a check that the declarations of an inspection work."""

from __future__ import annotations

import warnings

import numpy as np
import pytest


@pytest.fixture
def check_declaration():
    """Check that the declarations that `vaeviz.inspect` prints give the same codes and samples, without a warning.

    Call it as ``check_declaration(model, x, condition)`` or ``check_declaration(encoder=fn, decoder=fn, x=x)``. It
    returns the inspection.
    """
    import vaeviz

    def check(model=None, x=None, condition=None, *, encoder=None, decoder=None):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            inspection = vaeviz.inspect(model, x, condition, encoder=encoder, decoder=decoder)
            source = model if encoder is None else encoder
            expected = vaeviz.encode(source, x, condition)
        assert inspection.encoder_declaration, str(inspection)
        declared = eval(inspection.encoder_declaration, {"vaeviz": vaeviz, "fn": source})
        with warnings.catch_warnings():
            warnings.simplefilter("error", vaeviz.GuessWarning)
            posterior = vaeviz.encode(declared, x, condition)
        np.testing.assert_allclose(posterior.mean, expected.mean, atol=1e-6)
        assert posterior.prior == expected.prior
        assert (posterior.std is None) == (expected.std is None)
        if expected.std is not None:
            np.testing.assert_allclose(posterior.std, expected.std, rtol=1e-5)
        assert inspection.encoder_declaration in str(inspection)
        assert inspection.encoder_flags in inspection.for_command_line()
        if inspection.decoder_declaration:
            _check_decoder(inspection, model if decoder is None else decoder, expected, x)
        return inspection

    def _check_decoder(inspection, source, posterior, x):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            expected = vaeviz.decode(source, posterior, reference=x)
        declared = eval(inspection.decoder_declaration, {"vaeviz": vaeviz, "fn": source})
        with warnings.catch_warnings():
            warnings.simplefilter("error", vaeviz.GuessWarning)
            samples = vaeviz.decode(declared, posterior)
        np.testing.assert_allclose(samples, expected, atol=1e-6)
        assert inspection.decoder_flags in inspection.for_command_line()

    return check
