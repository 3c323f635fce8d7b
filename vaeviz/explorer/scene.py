"""The scene: everything that the front end shows, as one JSON document and named arrays."""

from __future__ import annotations

import gzip
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from vaeviz.analysis.active_dimensions import active_dimensions, active_mask
from vaeviz.analysis.reconstruction import errors_from_means
from vaeviz.data.labels import check_labels, factorize_labels
from vaeviz.data.out_of_core import SampleStream, sample_shape
from vaeviz.data.sample_kind import label_factors
from vaeviz.drawing.colors import ClassNames
from vaeviz.drawing.sample_style import SampleStyle
from vaeviz.errors import InputError, NotApplicable, printable_text
from vaeviz.explorer.columns import (
    LABEL,
    MAX_COMPARED_SAMPLES,
    disagreement_column,
    factor_column,
    label_column,
    number_column,
)
from vaeviz.explorer.condition_choices import Conditions, find_conditions
from vaeviz.explorer.decoder_entry import static_decoder
from vaeviz.explorer.latent_maps import add_maps
from vaeviz.explorer.page_decoder import PageDecoder
from vaeviz.explorer.region import CodeDensity, code_density, describe_density, neighbor_distance
from vaeviz.explorer.sample_sheets import add_samples
from vaeviz.explorer.sample_space import SampleSpace, sample_space
from vaeviz.explorer.scene_arrays import ArrayRef, SceneArrays
from vaeviz.model.decoder import Decoder
from vaeviz.model.posterior import Posterior
from vaeviz.plugins.diagnostics import capture_warnings

VERSION = 1  # of the document
NO_DECODER = {"method": "none", "note": "There is no decoder."}
MAX_EXACT_NUMBERS = 1_000_000  # log-variances in single precision; more are in half precision
RANGE_LEVELS = (0.001, 0.999)  # quantiles of the codes at the ends of a slider
SHARED_KEYS = ("samples", "color_by", "row_ids", "python", "value_range")  # of the first of two scenes


@dataclass(frozen=True)
class Scene:
    """Document and arrays that the front end shows.

    Parameters
    ----------
    document : dict
        The JSON document. It refers to arrays by name.
    arrays : mapping of str to bytes
        The arrays.
    """

    document: dict[str, Any]
    arrays: Mapping[str, bytes]

    def read_array(self, reference: ArrayRef) -> np.ndarray:
        """Return an array of the scene.

        Parameters
        ----------
        reference : dict
            What the document says of it.

        Returns
        -------
        ndarray
            Its values.
        """
        stored = self.arrays[reference["name"]]
        stored = gzip.decompress(stored) if reference.get("gzip") else stored
        return np.frombuffer(stored, np.dtype(reference["dtype"]).newbyteorder("<")).reshape(reference["shape"])

    def with_decoder(self, entry: dict[str, Any], arrays: Mapping[str, bytes]) -> Scene:
        """Return the scene with another entry ``decoder``.

        Parameters
        ----------
        entry : dict
            The entry.
        arrays : mapping of str to bytes
            The arrays that it needs.

        Returns
        -------
        Scene
            The scene.
        """
        return Scene({**self.document, "decoder": entry}, {**self.arrays, **arrays})

    def with_other(self, other: Scene) -> Scene:
        """Return the scene beside a second one of the same samples.

        Parameters
        ----------
        other : Scene
            The second scene.

        Returns
        -------
        Scene
            Both.
        """
        own = {key: value for key, value in other.document.items() if key not in SHARED_KEYS}
        return Scene({**self.document, "other": own}, {**self.arrays, **other.arrays})


@dataclass(frozen=True, eq=False)
class LatentView:
    """One model and its samples.

    Parameters
    ----------
    posterior : Posterior
        Posteriors of N samples.
    decoder : Decoder or None
        The decoder.
    x : ndarray or SampleStream, shape (N, ...)
        Samples.
    style : SampleStyle
        How samples are drawn.
    title : str
        Title of the page.
    seed : int
        Seed of all random choices.
    prefix : str, default ""
        Beginning of the names of its arrays.
    """

    posterior: Posterior
    decoder: Decoder | None
    x: np.ndarray | SampleStream
    style: SampleStyle
    title: str
    seed: int
    prefix: str = ""

    @property
    def value_range(self) -> tuple[float, float]:
        """Values at both ends of the scale of samples."""
        low, high = self.style.value_range or (0.0, 1.0)
        return float(low), float(high)

    @cached_property
    def space(self) -> SampleSpace:
        """How samples are arranged in the page."""
        return sample_space(sample_shape(self.x), self.style)

    @cached_property
    def page_decoder(self) -> PageDecoder | None:
        """The decoder as the page needs it, or None. Raises if it needs a condition and none is known."""
        if self.decoder is None:
            return None
        conditions = find_conditions(self.decoder, self.posterior)
        return PageDecoder(self.decoder, self.posterior, conditions, self.x, self.space)

    def conditions(self) -> Conditions | None:
        """Return the conditions of the decoder.

        Returns
        -------
        Conditions or None
            None for a decoder of codes alone, without a decoder, and if none are known.
        """
        try:
            return None if self.page_decoder is None else self.page_decoder.conditions
        except (InputError, NotApplicable):  # the decoder's entry says it
            return None

    def static_decoder(self) -> tuple[dict[str, Any], dict[str, bytes]]:
        """Return the entry ``decoder`` of a page, which runs without Python, and its arrays.

        Returns
        -------
        entry : dict
            The entry.
        arrays : dict of str to bytes
            Its arrays.
        """
        arrays = SceneArrays(self.prefix)
        try:
            if self.page_decoder is None:
                return NO_DECODER, {}
            with capture_warnings():  # `explore` decoded the samples, and warned of what is not proven
                return static_decoder(arrays, self.page_decoder, self.seed), arrays.data
        except (InputError, NotApplicable) as error:
            return {"method": "none", "note": f"The decoder failed. {error}"}, {}


@dataclass(frozen=True, eq=False)
class SampleTable:
    """Labels, factors and names of the samples.

    Parameters
    ----------
    labels : array_like, shape (N,), optional
        Labels.
    factors : ndarray or DataFrame, shape (N, K), optional
        Known factors.
    factor_names : tuple of str
        Their names.
    row_ids : tuple of str
        Names of the samples; empty for row numbers.
    palette : str, sequence or mapping, optional
        Colors of the labels.
    class_names : sequence of str or mapping, optional
        Names of the labels.
    """

    labels: Any = None
    factors: Any = None
    factor_names: tuple[str, ...] = ()
    row_ids: tuple[str, ...] = ()
    palette: Any = None
    class_names: ClassNames | None = None

    def columns(
        self, arrays: SceneArrays, codes: np.ndarray, *, is_first: bool = True
    ) -> tuple[list[dict[str, Any]], list[str]]:
        """Return the columns of the labels and of the factors, and of labels that differ from those nearby.

        Parameters
        ----------
        arrays : SceneArrays
            Receives the values.
        codes : ndarray, shape (N, D)
            Codes.
        is_first : bool, default True
            Return all columns. A second model shares those that do not depend on its codes.

        Returns
        -------
        columns : list of dict
            Entries of ``columns`` of a scene.
        notes : list of str
            What is left out.
        """
        columns, notes, n_samples = [], list[str](), len(codes)
        if self.labels is not None:
            kept = arrays if is_first else SceneArrays()
            label = label_column(kept, self.labels, n_samples, self.palette, self.class_names)
            columns += [label] if is_first else []
            if label["kind"] == "classes":
                classes = factorize_labels(check_labels(self.labels, n_samples))[0]
                if n_samples > MAX_COMPARED_SAMPLES:
                    notes.append(f"Labels are not compared with those nearby: {n_samples:,} samples take minutes.")
                elif len(np.unique(classes[classes >= 0])) > 1:
                    columns.append(disagreement_column(arrays, codes, classes))
        if self.factors is not None and is_first:
            names = label_factors(self.factor_names, self.factors)
            columns += [factor_column(arrays, name, self.factors, k, n_samples) for k, name in enumerate(names)]
        return columns, notes


def latent_scene(
    view: LatentView, table: SampleTable, *, max_points: int | None, max_sample_bytes: int | None
) -> Scene:
    """Return the scene of one model, whose entry ``decoder`` is still to be chosen.

    Parameters
    ----------
    view : LatentView
        The model and its samples.
    table : SampleTable
        What is known about the samples.
    max_points : int or None
        Largest number of codes on the t-SNE map.
    max_sample_bytes : int or None
        Bytes that pictures or values of samples may take; None for a second model, which shares samples and labels.

    Returns
    -------
    Scene
        The scene.
    """
    posterior, arrays = view.posterior, SceneArrays(view.prefix)
    maps, notes = add_maps(arrays, posterior.mean, max_points=max_points, seed=view.seed)
    density = code_density(posterior, view.seed)
    columns, column_notes = table.columns(arrays, posterior.mean, is_first=max_sample_bytes is not None)
    measured, failures = _measured_columns(arrays, view, density)
    samples, sample_notes = (None, []) if max_sample_bytes is None else _sample_entry(arrays, view, max_sample_bytes)
    conditions, dimensions = view.conditions(), _dimensions(posterior)
    dimension_names = [dimension["name"] for dimension in dimensions]
    document: dict[str, Any] = {
        "version": VERSION,
        "title": printable_text(view.title),
        "n_samples": len(posterior),
        "latent_dim": posterior.size,
        "codes": arrays.add("codes", posterior.mean),
        "log_var": _log_var(arrays, posterior),
        "dimensions": dimensions,
        "maps": maps,
        "columns": [*_rename_repeated(columns, [*dimension_names, *(one["name"] for one in measured)]), *measured],
        "color_by": LABEL if table.labels is not None else None,
        "row_ids": list(map(printable_text, table.row_ids)) or None,
        "samples": samples,
        "value_range": list(view.value_range),
        "decoder": NO_DECODER,
        "condition": None if conditions is None else conditions.to_scene(arrays),
        "neighbor_distance": neighbor_distance(posterior.mean, view.seed),
        **({"density": None, "holes": None} if density is None else describe_density(arrays, density)),
        "notes": [*notes, *sample_notes, *column_notes, *failures],
        "python": {"rows": "x[[{rows}]]"},
        "other": None,
    }
    return Scene(document, arrays.data)


def _dimensions(posterior: Posterior) -> list[dict[str, Any]]:
    """Return the entry ``dimensions``: name, KL, activity and range of each."""
    found, mask = active_dimensions(posterior), active_mask(posterior)
    low, high = np.quantile(posterior.mean, RANGE_LEVELS, axis=0)
    medians = np.median(posterior.mean, axis=0)
    return [
        {
            "index": dim,
            "name": f"z{dim + 1}",
            "kl": float(found.kl[dim]) if np.isfinite(found.kl[dim]) else None,
            "active": bool(mask[dim]),
            "range": [float(low[dim]), float(high[dim])],
            "median": float(medians[dim]),
        }
        for dim in range(posterior.size)
    ]


def _rename_repeated(columns: list[dict[str, Any]], taken: list[str]) -> list[dict[str, Any]]:
    """Return columns with a number after each name that is taken, since a name selects one column."""
    renamed, known = [], set(taken)
    for column in columns:
        names = (column["name"], *(f"{column['name']} ({place})" for place in range(2, len(columns) + len(taken) + 2)))
        name = next(name for name in names if name not in known)
        known.add(name)
        renamed.append(column | {"name": name})
    return renamed


def _log_var(arrays: SceneArrays, posterior: Posterior) -> dict[str, Any] | None:
    if posterior.std is None or not posterior.std.all():
        return None
    values = 2 * np.log(posterior.std.astype(np.float64))
    return arrays.add("log-var", values, "float32" if values.size <= MAX_EXACT_NUMBERS else "float16")


def _measured_columns(
    arrays: SceneArrays, view: LatentView, density: CodeDensity | None
) -> tuple[list[dict[str, Any]], list[str]]:
    """Return the columns of numbers that the model gives each sample, and what could not be computed."""
    columns, failures = [], []
    if view.decoder is not None:
        try:
            errors = errors_from_means(view.decoder, view.posterior, view.x)
            columns.append(number_column(arrays, "reconstruction error", errors, "mean square"))
        except (InputError, NotApplicable) as error:
            failures.append(f"There are no reconstruction errors: the decoder failed. {error}")
    kl = view.posterior.kl()
    if kl is not None and view.posterior.prior == "normal":
        columns.append(number_column(arrays, "KL", kl.sum(axis=1), "nats"))
    if density is not None and not density.is_quick:
        failures.append(f"ln q(z) is not a column: for {len(view.posterior):,} samples it takes minutes.")
    elif density is not None and len(view.posterior) > 1:
        columns.append(number_column(arrays, "ln q(z) without the sample itself", density.of_samples(), "nats"))
    return columns, failures


def _sample_entry(arrays: SceneArrays, view: LatentView, max_bytes: int) -> tuple[dict[str, Any] | None, list[str]]:
    """Return the entry ``samples``; None, with the reason, for samples that cannot be drawn."""
    try:
        entry = add_samples(arrays, view.x, view.style, view.space, max_bytes=max_bytes, seed=view.seed)
    except InputError as error:
        return None, [f"Samples are not shown. {error}"]
    return entry, [entry["note"]] if entry["note"] else []
