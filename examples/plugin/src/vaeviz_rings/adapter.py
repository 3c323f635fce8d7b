"""An adapter, which opens the models of this package."""

from __future__ import annotations

from typing import Any

from vaeviz import Decoder, Encoder, Model


def whitening(model: Any) -> Model | None:
    """Open a `Whitening` as a deterministic encoder and a decoder; return None for any other model."""
    if type(model).__module__ != "vaeviz_rings.model":
        return None
    encoder = Encoder(model.project, returns="mean", prior="normal", name="Whitening.project")
    decoder = Decoder(model.lift, latent_shape=(model.size,), output="values", prior="normal", name="Whitening.lift")
    return Model(encoder, decoder, name="Whitening")
