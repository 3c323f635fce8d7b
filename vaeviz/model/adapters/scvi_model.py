"""scvi-tools: trained models with ``get_latent_representation``, on counts in an AnnData."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from vaeviz.data.arrays import as_array
from vaeviz.errors import InputError
from vaeviz.model.adapters._detect import defined_in
from vaeviz.model.encoder import Encoder
from vaeviz.model.opening import Model


def scvi_model(model: Any) -> Model | None:
    """Open a trained scvi-tools model as an encoder that returns mean and variance of q(z | x).

    Samples are an AnnData like the model's own, or counts ``(N, genes)`` in the order of its genes. The model supplies
    the cells that it was trained on. If it was set up with batches, the condition is the index of each cell's batch
    among them; an AnnData supplies it.

    Parameters
    ----------
    model : object
        A model of scvi-tools.

    Returns
    -------
    Model or None
        None for anything else.
    """
    if not defined_in(model, "scvi.model") or not hasattr(model, "get_latent_representation"):
        return None
    name, adata = type(model).__name__, model.adata
    encoder = Encoder(
        _encode_function(model, adata),
        returns="mean,var",
        input_shape=(adata.n_vars,),
        prior="normal",
        unpack=_unpack_function(model),
        name=name,
    )
    return Model(encoder, inputs=TrainingCells(model), name=name)


class TrainingCells(Mapping[str, np.ndarray]):
    """The cells that a model was trained on: ``x``, and ``condition`` if there are batches. Computed on access.

    Parameters
    ----------
    model : object
        A model of scvi-tools.
    """

    def __init__(self, model: Any) -> None:
        self.model = model
        self.names = ("x", "condition") if _has_batches(model) else ("x",)

    def __getitem__(self, name: str) -> np.ndarray:
        if name not in self.names:
            raise KeyError(name)
        read = _condition if name == "condition" else _counts
        return read(self.model, self.model.adata)

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def __len__(self) -> int:
        return len(self.names)


def _unpack_function(model: Any) -> Callable[[Any, Any], tuple[Any, Any]]:
    """Return a function that takes counts and batches from an AnnData, for the model's genes and layer."""

    def unpack(x: Any, condition: Any) -> tuple[Any, Any]:
        if not defined_in(x, "anndata"):
            return x, condition
        cells = _select_genes(model, x)
        if condition is None and _has_batches(model):
            condition = _condition(model, cells)
        return _counts(model, cells), condition

    return unpack


def _select_genes(model: Any, cells: Any) -> Any:
    """Return the cells with the genes of the model, in its order."""
    genes = model.adata.var_names
    missing = genes.difference(cells.var_names)
    if len(missing):
        raise InputError(
            f"x lacks {len(missing)} of the {len(genes)} genes of the model, e.g. {missing[0]}.",
            got=f"{len(cells.var_names)} genes",
            expected=f"{len(genes)} genes",
        )
    return cells if genes.equals(cells.var_names) else cells[:, genes]


def _encode_function(model: Any, adata: Any) -> Callable[..., Any]:
    def encode(counts: np.ndarray, batch: np.ndarray | None = None) -> Any:
        cells = _anndata_like(model, adata, counts, batch)
        return model.get_latent_representation(cells, give_mean=True, return_dist=True)

    return encode


def _anndata_like(model: Any, adata: Any, counts: np.ndarray, batch: np.ndarray | None) -> Any:
    """Return other cells as an AnnData like the one that the model was set up with."""
    from anndata import AnnData

    rows = np.zeros(len(counts), dtype=int)  # other covariates are as in the first cell
    obs = adata.obs.iloc[rows].reset_index(drop=True)
    obs.index = obs.index.astype(str)
    if _has_batches(model):
        key = _obs_column(model, "batch")
        if batch is None:
            named = ", ".join(f"{i} for {name}" for i, name in enumerate(_batches(model)[:5]))
            raise InputError(
                f"The model was set up with the batches obs[{key!r}], and no batch is given.",
                expected="a condition",
                fix=f"Pass the index of each cell's batch as the condition: {named}.",
            )
        obs[key] = np.asarray(_batches(model))[np.asarray(batch, dtype=int)]
    cells = AnnData(counts, obs=obs, var=adata.var[[]])
    layer = _layer(model)
    if layer is not None:
        cells.layers[layer] = counts
    return cells


def _counts(model: Any, cells: Any) -> np.ndarray:
    """Return the counts ``(N, genes)`` of some cells, from the layer that the model was set up with."""
    layer = _layer(model)
    if layer is not None and layer not in cells.layers:
        raise InputError(f"The model was set up with the layer {layer!r}, and x has none of this name.", expected=layer)
    return as_array(cells.X if layer is None else cells.layers[layer]).astype(np.float32)


def _condition(model: Any, cells: Any) -> np.ndarray:
    """Return the index of each cell's batch among the batches of the model, ``(N,)``."""
    key = _obs_column(model, "batch")
    places = {name: place for place, name in enumerate(_batches(model))}
    if key not in cells.obs:
        raise InputError(f"The model was set up with obs[{key!r}], and x has no such column.", expected=str(key))
    unknown = [name for name in cells.obs[key].unique() if name not in places]
    if unknown:
        known = ", ".join(map(str, list(places)[:5]))
        raise InputError(
            f"obs[{key!r}] of x holds {unknown[0]!r}, which is not a batch of the model.",
            got=str(unknown[0]),
            expected=known,
        )
    return np.array([places[name] for name in cells.obs[key]])


def _has_batches(model: Any) -> bool:
    return _obs_column(model, "batch") is not None and len(_batches(model)) > 1


def _batches(model: Any) -> list[Any]:
    return list(model.adata_manager.get_state_registry("batch").categorical_mapping)


def _obs_column(model: Any, field: str) -> str | None:
    """Return the column of ``obs`` that a field of the model's set-up was taken from, or None."""
    try:
        key = model.adata_manager.get_state_registry(field).original_key
    except (AttributeError, KeyError):
        return None
    return str(key) if key in model.adata.obs and not key.startswith("_scvi") else None


def _layer(model: Any) -> str | None:
    try:
        registered = model.adata_manager.data_registry["X"]
    except (AttributeError, KeyError):
        return None
    return registered.get("attr_key") if registered.get("attr_name") == "layers" else None
