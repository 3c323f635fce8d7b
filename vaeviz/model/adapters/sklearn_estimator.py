"""scikit-learn: ``transform`` encodes, ``inverse_transform`` decodes."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

from vaeviz.model.adapters._detect import defined_in
from vaeviz.model.decoder import Decoder
from vaeviz.model.encoder import Encoder
from vaeviz.model.opening import Model

SERIES_LIBRARIES = ("tslearn", "aeon", "sktime")  # whose estimators take several variables at each time


def sklearn_estimator(model: Any) -> Model | None:
    """Open an estimator or pipeline as an encoder and, if it has an inverse, a decoder.

    Samples become rows of a matrix, but those of estimators of time series keep their shape. A model without an inverse
    whose attributes ``encoder`` and ``decoder`` are callable is opened by these.

    Parameters
    ----------
    model : object
        A fitted estimator such as PCA or KernelPCA, or a pipeline that ends in one.

    Returns
    -------
    Model or None
        None for anything else.
    """
    if not hasattr(model, "transform") or not hasattr(model, "get_params"):
        return None
    if defined_in(model, "torch.nn.modules.module"):  # a module that has these methods is run as a module
        return None
    if not _has_inverse(model) and all(callable(getattr(model, part, None)) for part in ("encoder", "decoder")):
        return None
    name = type(model).__name__
    is_of_series = any(defined_in(model, library) for library in SERIES_LIBRARIES)
    shape = None if is_of_series else (-1,)
    names = getattr(model, "feature_names_in_", None)

    def transform(x: Any) -> np.ndarray:
        return np.asarray(model.transform(x if names is None else _as_frame(x, names)))

    features = None if names is None else tuple(names)
    encoder = Encoder(transform, input_shape=shape, name=f"{name}.transform", _feature_names=features)
    decoder = None
    if _has_inverse(model):
        decoder = Decoder(model.inverse_transform, latent_shape=_latent_shape(model), name=f"{name}.inverse_transform")
    return Model(encoder, decoder, name=name)


def _as_frame(x: np.ndarray, names: Any) -> Any:
    """Return samples as the data frame that an estimator expects which was fitted on one."""
    pandas = sys.modules.get("pandas")
    if pandas is None or x.ndim != 2 or x.shape[1] != len(names):
        return x
    return pandas.DataFrame(x, columns=names)


def _has_inverse(model: Any) -> bool:
    """Return True if `inverse_transform` exists and works; KernelPCA learns its inverse only on request."""
    if hasattr(model, "steps"):
        return all(step in (None, "passthrough") or _has_inverse(step) for _, step in model.steps)
    return hasattr(model, "inverse_transform") and bool(getattr(model, "fit_inverse_transform", True))


def _latent_shape(model: Any) -> tuple[int] | None:
    last = model[-1] if hasattr(model, "steps") else model
    sizes = (getattr(last, name, None) for name in ("n_components_", "_n_features_out", "n_components"))
    size = next((size for size in sizes if isinstance(size, (int, np.integer))), None)
    return None if size is None else (int(size),)
