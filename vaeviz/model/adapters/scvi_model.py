"""scvi-tools: trained models with ``get_latent_representation``, on counts in an AnnData."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from vaeviz.data.arrays import as_array
from vaeviz.errors import InputError
from vaeviz.model.adapters._detect import defined_in
from vaeviz.model.decoder import Decoder
from vaeviz.model.encoder import Encoder
from vaeviz.model.opening import Model

# Fields of a model's set-up that its cells can be rebuilt from; others, such as proteins, are arrays of their own.
KNOWN_FIELDS = ("X", "batch", "labels", "size_factor", "extra_categorical_covs", "extra_continuous_covs")


def scvi_model(model: Any) -> Model | None:
    """Open a trained scvi-tools model: the mean and variance of q(z | x), and the mean counts of its decoder.

    Samples are an AnnData like the model's own, or counts ``(N, genes)`` in the order of its genes. The model supplies
    the cells that it was trained on. The condition is the covariates of each cell that the model was set up with: the
    name of its batch or label if there is one alone, else a row of codes and numbers. An AnnData supplies them.

    Parameters
    ----------
    model : object
        A model of scvi-tools.

    Returns
    -------
    Model or None
        None for anything else.

    Raises
    ------
    InputError
        If the model was set up with more than counts and columns of ``obs``.
    """
    if not defined_in(model, "scvi.model") or not hasattr(model, "get_latent_representation"):
        return None
    name = type(model).__name__
    others = [field for field in _fields(model) if field not in KNOWN_FIELDS]
    if others:
        raise InputError(
            f"{name} was set up with {', '.join(others)}, which are not counts or columns of obs.",
            got=", ".join(others),
            expected="counts and columns of obs",
            fix="Pass vaeviz.Posterior(model.get_latent_representation()) as the encoder, and the counts as x.",
        )
    covariates = Covariates(model)
    encoder = Encoder(
        _encode_function(model, covariates),
        returns="mean,var",
        input_shape=(model.adata.n_vars,),
        prior="normal",
        conditions=covariates.names_of_classes,
        unpack=_unpack_function(model, covariates),
        name=name,
    )
    return Model(encoder, _decoder(model, covariates), inputs=TrainingCells(model, covariates), name=name)


@dataclass(frozen=True)
class ObsColumn:
    """A column of ``obs`` that a model was set up with.

    Parameters
    ----------
    key : str
        Its name.
    argument : str
        The argument of the model's networks that receives it.
    categories : tuple, optional
        Its categories in the order of their codes. Empty for numbers.
    """

    key: str
    argument: str
    categories: tuple[Any, ...] = ()


class Covariates:
    """The covariates of each cell that a model receives, as columns of ``obs`` and as conditions of vaeviz.

    Parameters
    ----------
    model : object
        A model of scvi-tools.
    """

    def __init__(self, model: Any) -> None:
        used = {name for step in ("inference", "generative") for name in _arguments(getattr(model.module, step))}
        self.columns = [column for column in _registered_columns(model) if column.argument in used]

    @property
    def names_of_classes(self) -> dict[str, int] | None:
        """Codes by name, if the only covariate has categories."""
        if len(self.columns) != 1 or not self.columns[0].categories:
            return None
        return {str(name): code for code, name in enumerate(self.columns[0].categories)}

    def of_cells(self, cells: Any) -> np.ndarray | None:
        """Return the condition of each cell of an AnnData.

        Parameters
        ----------
        cells : AnnData
            The cells.

        Returns
        -------
        np.ndarray, shape (N,) or (N, K), or None
            Names of classes, or rows of codes and numbers. None if there are no covariates.
        """
        if not self.columns:
            return None
        if self.names_of_classes is not None:
            return np.array([str(name) for name in _read_column(cells, self.columns[0])])
        return np.column_stack([self._codes(cells, column) for column in self.columns])

    def to_obs(self, obs: Any, condition: np.ndarray | None) -> None:
        """Write the condition of each cell into a frame of cells.

        Parameters
        ----------
        obs : pandas.DataFrame
            The frame.
        condition : np.ndarray, shape (N,) or (N, K), or None
            Codes and numbers, as the model receives them.

        Raises
        ------
        InputError
            If there are covariates, and no condition is given.
        """
        if not self.columns:
            return
        if condition is None:
            keys = ", ".join(column.key for column in self.columns)
            raise InputError(
                f"The model was set up with the columns {keys} of obs, and no condition is given.",
                expected="a condition",
                fix=f"Pass an AnnData with {keys} as x.",
            )
        for column, values in zip(self.columns, np.asarray(condition).reshape(len(obs), -1).T):
            obs[column.key] = np.asarray(column.categories)[values.astype(int)] if column.categories else values

    @staticmethod
    def _codes(cells: Any, column: ObsColumn) -> np.ndarray:
        values = _read_column(cells, column)
        if not column.categories:
            return np.asarray(values, dtype=np.float32)
        codes = {name: code for code, name in enumerate(column.categories)}
        return np.array([codes[name] for name in values], dtype=np.float32)


class TrainingCells(Mapping[str, np.ndarray]):
    """The cells that a model was trained on: ``x``, and ``condition`` if there are covariates. Computed on access.

    Parameters
    ----------
    model : object
        A model of scvi-tools.
    covariates : Covariates
        Its covariates.
    """

    def __init__(self, model: Any, covariates: Covariates) -> None:
        self.model, self.covariates = model, covariates
        self.names = ("x", "condition") if covariates.columns else ("x",)

    def __getitem__(self, name: str) -> np.ndarray:
        if name not in self.names:
            raise KeyError(name)
        condition = self.covariates.of_cells(self.model.adata) if name == "condition" else None
        return _counts(self.model, self.model.adata) if condition is None else condition

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def __len__(self) -> int:
        return len(self.names)


def _unpack_function(model: Any, covariates: Covariates) -> Callable[[Any, Any], tuple[Any, Any]]:
    """Return a function that takes counts and covariates from an AnnData, for the model's genes and layer."""

    def unpack(x: Any, condition: Any) -> tuple[Any, Any]:
        cells = getattr(x, "origin", x)  # of samples that were converted before
        if not defined_in(cells, "anndata"):
            return x, condition
        cells = _select_genes(model, cells)
        return _counts(model, cells), covariates.of_cells(cells) if condition is None else condition

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


def _encode_function(model: Any, covariates: Covariates) -> Callable[..., Any]:
    def encode(counts: np.ndarray, condition: np.ndarray | None = None) -> Any:
        cells = _anndata_like(model, covariates, counts, condition)
        return model.get_latent_representation(cells, give_mean=True, return_dist=True)

    return encode


def _anndata_like(model: Any, covariates: Covariates, counts: np.ndarray, condition: np.ndarray | None) -> Any:
    """Return cells as an AnnData like the one that the model was set up with."""
    from anndata import AnnData

    rows = np.zeros(len(counts), dtype=int)  # columns that no network receives are as in the first cell
    obs = model.adata.obs.iloc[rows].reset_index(drop=True)
    obs.index = obs.index.astype(str)
    covariates.to_obs(obs, condition)
    cells = AnnData(counts, obs=obs, var=model.adata.var[[]])
    layer = _layer(model)
    if layer is not None:
        cells.layers[layer] = counts
    return cells


def _decoder(model: Any, covariates: Covariates) -> Decoder | None:
    """Return the decoder: the mean counts of a cell with the median number of counts. None if it needs more."""
    arguments = _arguments(model.module.generative)
    needed = {name for name, is_required in arguments.items() if is_required}
    needs_more = needed - {"z", "library", "batch_index", "y"} or "size_factor" in _fields(model)
    if needs_more or not {"z", "library"} <= set(arguments):
        return None
    library = float(np.log(np.median(_counts(model, model.adata).sum(axis=1))))

    def decode(z: np.ndarray, *condition: np.ndarray) -> Any:
        import torch

        def as_column(values: np.ndarray, dtype: Any) -> Any:
            return torch.as_tensor(values.reshape(len(z), 1), dtype=dtype, device=model.device)

        given: dict[str, list[Any]] = {}
        rows = condition[0].reshape(len(z), -1) if condition else np.empty((len(z), 0))
        for column, values in zip(covariates.columns, rows.T):
            dtype = torch.long if column.categories else torch.float
            given.setdefault(column.argument, []).append(as_column(values, dtype))
        for argument in needed & {"batch_index", "y"}:  # which have one category
            given.setdefault(argument, [as_column(np.zeros(len(z)), torch.long)])
        outputs = model.module.generative(
            z=torch.as_tensor(z, device=model.device),
            library=as_column(np.full(len(z), library), torch.float),
            **{name: torch.cat(values, dim=1) for name, values in given.items() if name in arguments},
        )
        return outputs["px"].mean

    def decode_under(z: np.ndarray, condition: np.ndarray) -> Any:
        return decode(z, condition)

    return Decoder(
        decode_under if covariates.columns else lambda z: decode(z),
        output="values",
        latent_shape=(model.module.n_latent,),
        prior="normal",
        conditions=covariates.names_of_classes,
        name=f"{type(model).__name__}.decoder",
    )


def _counts(model: Any, cells: Any) -> np.ndarray:
    """Return the counts ``(N, genes)`` of some cells, from the layer that the model was set up with."""
    layer = _layer(model)
    if layer is not None and layer not in cells.layers:
        raise InputError(f"The model was set up with the layer {layer!r}, and x has none of this name.", expected=layer)
    return as_array(cells.X if layer is None else cells.layers[layer]).astype(np.float32)


def _read_column(cells: Any, column: ObsColumn) -> Any:
    """Return a column of the cells, whose categories the model knows."""
    if column.key not in cells.obs:
        raise InputError(
            f"The model was set up with obs[{column.key!r}], and x has no such column.", expected=column.key
        )
    values = cells.obs[column.key]
    unknown = [name for name in values.unique() if name not in column.categories]
    if column.categories and unknown:
        known = ", ".join(map(str, column.categories[:5]))
        raise InputError(
            f"obs[{column.key!r}] of x holds {unknown[0]!r}, which is not a category of the model.",
            got=str(unknown[0]),
            expected=known,
        )
    return values


def _registered_columns(model: Any) -> list[ObsColumn]:
    """Return the columns of ``obs`` that a model was set up with and that differ between cells."""
    state = {field: model.adata_manager.get_state_registry(field) for field in _fields(model)}
    columns = []
    for field, argument in (("batch", "batch_index"), ("labels", "y")):
        key = state.get(field, {}).get("original_key")
        categories = tuple(state.get(field, {}).get("categorical_mapping", ()))
        if key in model.adata.obs and not str(key).startswith("_scvi") and len(categories) > 1:
            columns.append(ObsColumn(str(key), argument, categories))
    joint = state.get("extra_categorical_covs", {})
    columns += [ObsColumn(str(key), "cat_covs", tuple(joint["mappings"][key])) for key in joint.get("field_keys", ())]
    columns += [ObsColumn(str(key), "cont_covs") for key in state.get("extra_continuous_covs", {}).get("columns", ())]
    return columns


def _arguments(function: Callable[..., Any]) -> dict[str, bool]:
    """Return the arguments of a function, and whether each is required."""
    parameters = inspect.signature(function).parameters.values()
    return {parameter.name: parameter.default is parameter.empty for parameter in parameters}


def _layer(model: Any) -> str | None:
    counts = _fields(model)["X"]
    return counts.attr_key if counts.attr_name == "layers" else None


def _fields(model: Any) -> dict[str, Any]:
    """Return the fields that a model was set up with, by name."""
    return {field.registry_key: field for field in model.adata_manager.fields if not field.is_empty}
