"""scvi-tools: models with ``get_latent_representation``, on counts in an AnnData."""

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
    """A trained scvi-tools model as an encoder: mean and variance of its q(z | x).

    x is an AnnData that is like the model's own, or counts (N, genes) in the order of its genes; it supplies those of
    its own cells where no other x is given. The batch of each cell, where the model was set up with one, is the
    condition, its place among the model's batches; an AnnData tells it itself.
    """
    if not defined_in(model, "scvi.model") or not hasattr(model, "get_latent_representation"):
        return None
    name, adata = type(model).__name__, model.adata
    encoder = Encoder(
        _encoder(model, adata),
        returns="mean,var",
        input_shape=(adata.n_vars,),
        prior="normal",
        unpack=_unpacking(model),
        name=name,
    )
    return Model(encoder, inputs=Cells(model), name=name)


class Cells(Mapping):
    """What a model knows of the cells it was trained on: `x`, and `condition` where there is one; made when asked."""

    def __init__(self, model: Any):
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


def _unpacking(model: Any) -> Callable[[Any, Any], tuple[Any, Any]]:
    """Counts and batches of an AnnData, by the genes and in the layer that the model was set up with."""

    def unpack(x: Any, condition: Any) -> tuple[Any, Any]:
        if not defined_in(x, "anndata"):
            return x, condition
        cells = _with_genes_of(model, x)
        if condition is None and _has_batches(model):
            condition = _condition(model, cells)
        return _counts(model, cells), condition

    return unpack


def _with_genes_of(model: Any, cells: Any) -> Any:
    """The cells with the model's genes alone, in its order."""
    genes = model.adata.var_names
    missing = genes.difference(cells.var_names)
    if len(missing):
        raise InputError(f"x: lacks {len(missing)} of the {len(genes)} genes of the model, e.g. {missing[0]}")
    return cells if genes.equals(cells.var_names) else cells[:, genes]


def _encoder(model: Any, adata: Any) -> Callable[..., Any]:
    def encode(counts: np.ndarray, batch: np.ndarray | None = None) -> Any:
        cells = _cells(model, adata, counts, batch)
        return model.get_latent_representation(cells, give_mean=True, return_dist=True)

    return encode


def _cells(model: Any, adata: Any, counts: np.ndarray, batch: np.ndarray | None) -> Any:
    """An AnnData like the one that the model was set up with, of other cells."""
    from anndata import AnnData

    rows = np.zeros(len(counts), dtype=int)  # other covariates are as in the first cell
    obs = adata.obs.iloc[rows].reset_index(drop=True)
    obs.index = obs.index.astype(str)
    if _has_batches(model):
        key = _key(model, "batch")
        if batch is None:
            named = ", ".join(f"{i} for {name}" for i, name in enumerate(_batches(model)[:5]))
            raise InputError(f"the model was set up with obs[{key!r}]; give each cell's as the condition: {named}")
        obs[key] = np.asarray(_batches(model))[np.asarray(batch, dtype=int)]
    cells = AnnData(counts, obs=obs, var=adata.var[[]])
    layer = _layer(model)
    if layer is not None:
        cells.layers[layer] = counts
    return cells


def _counts(model: Any, cells: Any) -> np.ndarray:
    """The counts of some cells, (N, genes), in the layer that the model was set up with."""
    layer = _layer(model)
    if layer is not None and layer not in cells.layers:
        raise InputError(f"x: the model was set up with the layer {layer!r}, which these cells do not have")
    return as_array(cells.X if layer is None else cells.layers[layer]).astype(np.float32)


def _condition(model: Any, cells: Any) -> np.ndarray:
    """The place of each cell's batch among the model's batches, (N,)."""
    key, places = _key(model, "batch"), {name: place for place, name in enumerate(_batches(model))}
    if key not in cells.obs:
        raise InputError(f"x: the model was set up with obs[{key!r}], which these cells do not have")
    unknown = [name for name in cells.obs[key].unique() if name not in places]
    if unknown:
        known = ", ".join(map(str, list(places)[:5]))
        raise InputError(f"x: obs[{key!r}] holds {unknown[0]!r}, which is no batch of the model; it knows {known}")
    return np.array([places[name] for name in cells.obs[key]])


def _has_batches(model: Any) -> bool:
    return _key(model, "batch") is not None and len(_batches(model)) > 1


def _batches(model: Any) -> list[Any]:
    return list(model.adata_manager.get_state_registry("batch").categorical_mapping)


def _key(model: Any, field: str) -> str | None:
    """The column of `obs` that a field of the model's set-up was taken from."""
    try:
        key = model.adata_manager.get_state_registry(field).original_key
    except (AttributeError, KeyError):
        return None
    return key if key in model.adata.obs and not key.startswith("_scvi") else None


def _layer(model: Any) -> str | None:
    try:
        registered = model.adata_manager.data_registry["X"]
    except (AttributeError, KeyError):
        return None
    return registered.get("attr_key") if registered.get("attr_name") == "layers" else None
