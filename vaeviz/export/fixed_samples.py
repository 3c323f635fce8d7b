"""Samples that are chosen once, and drawn with one model after another."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from vaeviz.analysis.subsampling import subsample_rows
from vaeviz.data.arrays import as_array
from vaeviz.data.out_of_core import Batches, as_samples, take_rows
from vaeviz.errors import InputError
from vaeviz.export.render import collect_plot_inputs
from vaeviz.model.collect_inputs import collect_inputs, with_cached_codes
from vaeviz.plugins.inputs import PER_SAMPLE_INPUTS
from vaeviz.plugins.plot_spec import PlotSpec

PARTS = ("encoder", "decoder")  # inputs that change


@dataclass(frozen=True)
class FixedSamples:
    """Samples, and the other inputs that stay the same.

    Parameters
    ----------
    inputs : mapping
        Inputs of plots by name.
    description : str
        How the samples were chosen; empty without samples.
    rows : ndarray of int, optional
        Rows of the samples in the data that were given.
    """

    inputs: Mapping[str, Any]
    description: str = ""
    rows: np.ndarray | None = None

    @classmethod
    def choose(cls, x: Any, inputs: Mapping[str, Any], n_samples: int, seed: int) -> FixedSamples:
        """Choose samples at random, with the rows of the inputs that belong to them.

        Parameters
        ----------
        x : array_like or Dataset, shape (N, ...), or None
            Samples.
        inputs : mapping
            Other inputs by name.
        n_samples : int
            Largest number of samples.
        seed : int
            Seed of the choice.

        Returns
        -------
        FixedSamples
            The chosen samples, in the order of the data.

        Raises
        ------
        InputError
            If an input is unknown or changes, or has another number of rows than x.
        """
        parts = [name for name in PARTS if inputs.get(name) is not None]
        if parts:
            message = f"{parts[0]} was passed as a fixed input, but it changes from step to step."
            fix = "Pass it with each step: watch(epoch, encoder, decoder), or as one of the frames."
            raise InputError(message, got=parts[0], fix=fix)
        found = collect_plot_inputs(None, x, inputs)
        if "x" not in found:
            return cls(found)
        samples = as_samples(found["x"], "x")
        total = len(samples)
        rows = subsample_rows(n_samples, total, seed)
        if isinstance(samples, Batches) and samples.labels is not None:
            found.setdefault("labels", samples.labels)
        found["x"] = take_rows(samples, rows) if isinstance(samples, Batches) else _take(found["x"], rows, total, "x")
        for name in PER_SAMPLE_INPUTS:
            if name in found:
                found[name] = _take(found[name], rows, total, name)
        what = f"{len(rows):,} of {total:,} samples, chosen at random" if len(rows) < total else f"{total:,} samples"
        return cls(found, what, rows)

    def caption_for(self, spec: PlotSpec, where: str) -> str:
        """Return the sentence on the samples for the caption of a plot.

        Parameters
        ----------
        spec : PlotSpec
            The plot.
        where : str
            Where the samples are the same, such as ``"in each frame"``.

        Returns
        -------
        str
            Empty for a plot that draws without samples, even if it accepts them.
        """
        return f"{self.description}, the same {where}." if self.description and "x" in spec.required else ""


def inputs_with_model(inputs: Mapping[str, Any], encoder: Any, decoder: Any, needed: Collection[str]) -> dict[str, Any]:
    """Return inputs with those of a model, and with the codes of the samples.

    Parameters
    ----------
    inputs : mapping
        Inputs by name.
    encoder : callable or model
        The encoder; or a whole model, if there is no `decoder` and something needed is missing.
    decoder : callable or model, optional
        The decoder.
    needed : collection of str
        Names of the inputs that plots need.

    Returns
    -------
    dict
        All inputs.
    """
    if decoder is None and encoder is not None and {*needed} - {*inputs, "encoder"}:
        return with_cached_codes(collect_inputs(encoder, None, inputs))
    return with_cached_codes(collect_inputs(None, None, {**inputs, "encoder": encoder, "decoder": decoder}))


def _take(values: Any, rows: np.ndarray, total: int, name: str) -> Any:
    """Return some rows of an input that has one per sample."""
    n_rows = len(values) if hasattr(values, "__len__") else 0
    if n_rows != total:
        message = f"{name} has {n_rows} rows but x has {total} samples."
        raise InputError(message, got=f"{n_rows} rows", expected=f"{total} rows", fix="Pass one row per sample.")
    if hasattr(values, "iloc"):  # a table, which names its columns
        return values.iloc[rows]
    if hasattr(values, "obs"):  # an AnnData, of which an encoder may read more than the matrix
        return values[rows]
    return as_array(values[rows]) if hasattr(values, "dtype") else np.asarray(values)[rows]
