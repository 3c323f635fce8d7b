"""Codes of a decoder that comes without an encoder and data."""

from __future__ import annotations

import numpy as np

from vaeviz.model.decode import check_normal_prior, latent_size
from vaeviz.model.decoder import Decoder
from vaeviz.model.posterior import Posterior


def prior_codes(decoder: Decoder, n_codes: int, seed: int) -> Posterior:
    """Draw codes from N(0, I), the prior that is known or assumed."""
    check_normal_prior(decoder)
    codes = np.random.default_rng(seed).standard_normal((n_codes, latent_size(decoder)))
    return Posterior(codes, prior="normal")
