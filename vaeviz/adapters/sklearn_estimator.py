"""scikit-learn: ``transform`` encodes, ``inverse_transform`` decodes."""

from __future__ import annotations

from typing import Any

import numpy as np

from vaeviz.model import Decoder, Encoder, Model


def sklearn_estimator(model: Any) -> Model | None:
    """An estimator or pipeline (PCA, KernelPCA, ...) as encoder and, where it has the inverse, decoder."""
    if not hasattr(model, "transform") or not hasattr(model, "get_params"):
        return None
    name = type(model).__name__
    encoder = Encoder(lambda x: np.asarray(model.transform(x)), input_shape=(-1,), name=f"{name}.transform")
    decoder = None
    if hasattr(model, "inverse_transform"):
        decoder = Decoder(model.inverse_transform, latent_shape=_latent_shape(model), name=f"{name}.inverse_transform")
    return Model(encoder, decoder, name=name)


def _latent_shape(model: Any) -> tuple[int] | None:
    last = model[-1] if hasattr(model, "steps") else model
    size = getattr(last, "n_components_", getattr(last, "n_components", None))
    return (size,) if isinstance(size, (int, np.integer)) else None
