"""How a page decodes: by the network itself, else by a grid, else not at all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from vaeviz.analysis.active_dimensions import most_active_dims
from vaeviz.analysis.condition_sets import ConditionSet, condition_set
from vaeviz.errors import InputError, NotApplicable
from vaeviz.explorer.graph import UnsupportedOperation
from vaeviz.explorer.network_export import CheckedCodes, NetworkExport, export_network
from vaeviz.explorer.plane_grid import decode_plane
from vaeviz.explorer.scene_arrays import SceneArrays
from vaeviz.model.conditions import condition_names
from vaeviz.model.decode import trace_decoding
from vaeviz.model.decoder import Decoder
from vaeviz.model.posterior import Posterior

N_CHECKED = 64  # codes with which a network is checked, half of them of the data
N_STORED = 4  # of them in the page, which checks its own arithmetic
MAX_GRID_BYTES = 3_000_000


@dataclass(frozen=True, eq=False)
class Conditions:
    """The conditions that a page offers for a conditional decoder.

    Parameters
    ----------
    names : tuple of str
        Their names.
    values : ndarray, shape (C, ...)
        What the decoder receives for each.
    inputs : sequence
        What `vaeviz.decode` accepts for each.
    of_rows : ndarray of int, shape (N,)
        Index of each sample's own condition, −1 if it is none of these.
    """

    names: tuple[str, ...]
    values: np.ndarray
    inputs: Any
    of_rows: np.ndarray

    def rows(self, indices: np.ndarray) -> Any:
        """Return what `vaeviz.decode` accepts for conditions by index."""
        return np.asarray(self.inputs)[indices]

    def to_scene(self, arrays: SceneArrays) -> dict[str, Any]:
        """Return the entry ``condition`` of a scene."""
        vectors = arrays.add("condition-vectors", self.values.reshape(len(self.names), -1))
        entry: dict[str, Any] = {"name": "condition", "choices": list(self.names), "vectors": vectors}
        if (self.of_rows >= 0).all():
            entry["of_rows"] = arrays.add("condition-of-rows", self.of_rows, "int32")
        return entry


def find_conditions(decoder: Decoder, posterior: Posterior) -> Conditions | None:
    """Return the conditions of a conditional decoder.

    Parameters
    ----------
    decoder : Decoder
        The decoder.
    posterior : Posterior
        Posteriors of N samples, with their conditions.

    Returns
    -------
    Conditions or None
        All that the decoder declares, else at most twelve of those of the samples. None for a decoder of codes alone.

    Raises
    ------
    NotApplicable
        If neither are known.
    """
    if not decoder.is_conditional:
        return None
    known = decoder.known_conditions
    if known:
        names, inputs = tuple(known), np.asarray(list(known))
    else:
        chosen = condition_set(decoder, posterior.condition)
        names, inputs = chosen.names, np.asarray(chosen.values)
    values = decoder.condition_values(decoder.condition_rows(inputs, len(names)))
    assert values is not None
    of_rows = np.full(len(posterior), -1)
    if posterior.condition is not None:
        places = {name: place for place, name in enumerate(names)}
        own = condition_names(posterior.condition, known)
        of_rows = np.array([places.get(name, -1) for name in own])
    return Conditions(names, values, inputs, of_rows)


def checked_codes(
    decoder: Decoder,
    posterior: Posterior,
    conditions: Conditions | None,
    *,
    reference: Any,
    value_range: tuple[float, float],
    seed: int,
) -> tuple[CheckedCodes, np.ndarray | None]:
    """Decode codes of the data and of a normal distribution as wide, in turn.

    Parameters
    ----------
    decoder : Decoder
        The decoder.
    posterior : Posterior
        Posteriors of N samples.
    conditions : Conditions or None
        Conditions, which the codes take in turn.
    reference : array_like, shape (N, ...)
        Samples that have the shape of the decoder's output.
    value_range : tuple of float
        Range of the values.
    seed : int
        Seed of the codes.

    Returns
    -------
    checked : CheckedCodes
        The codes and their samples.
    indices : ndarray of int, shape (M,), or None
        Index of the condition of each code.

    Raises
    ------
    InputError
        If the decoder fails.
    """
    rng = np.random.default_rng(seed)
    half = N_CHECKED // 2
    codes = np.empty((N_CHECKED, posterior.size), np.float32)
    codes[::2] = posterior.mean[rng.integers(len(posterior), size=half)]
    wide = rng.standard_normal((half, posterior.size))
    if posterior.prior != "normal":
        wide = posterior.mean.mean(axis=0) + posterior.mean.std(axis=0) * wide
    codes[1::2] = wide
    indices = None if conditions is None else np.arange(N_CHECKED) % len(conditions.names)
    given = None if conditions is None or indices is None else conditions.rows(indices)
    found = trace_decoding(decoder, posterior.with_codes(codes), given, reference=reference)
    values = None if conditions is None or indices is None else conditions.values[indices]
    return CheckedCodes(codes, found.samples, found.layout, value_range, values), indices


def static_decoder(
    arrays: SceneArrays,
    decoder: Decoder,
    posterior: Posterior,
    conditions: Conditions | None,
    *,
    reference: Any,
    value_range: tuple[float, float],
    seed: int,
) -> dict[str, Any]:
    """Return the entry ``decoder`` of the scene of a page.

    Parameters
    ----------
    arrays : SceneArrays
        Receives the weights, or the samples of a grid.
    decoder, posterior, conditions, reference, value_range, seed : Any
        See `checked_codes`.

    Returns
    -------
    dict
        The entry. Its note says how the page decodes, and how exactly.
    """
    try:
        checked, indices = checked_codes(
            decoder, posterior, conditions, reference=reference, value_range=value_range, seed=seed
        )
    except (InputError, NotApplicable) as error:
        return {"method": "none", "note": f"The decoder failed. {error}"}
    try:
        return _network_entry(arrays, export_network(decoder, checked), checked, indices)
    except UnsupportedOperation as error:
        reason = str(error)
    sets = (
        ConditionSet()
        if conditions is None
        else ConditionSet(conditions.names, conditions.inputs, len(conditions.names))
    )
    dims = most_active_dims(posterior, min(2, posterior.size))
    try:
        grid = decode_plane(
            decoder, posterior, dims, sets, reference=reference, value_range=value_range, max_bytes=MAX_GRID_BYTES
        )
    except (InputError, NotApplicable) as error:
        message = error.message
        return {"method": "none", "note": f"The decoder cannot run in this page: {reason}; and {message}."}
    sides = " × ".join(str(len(along)) for along in grid.nodes if len(along) > 1)
    others = "" if posterior.size <= len(dims) else ", the other dimensions at their medians"
    names = " and ".join(f"z{dim + 1}" for dim in dims)
    note = (
        f"Decoded in advance on {sides} nodes of {names}{others}, and blended between them: at the centers of the "
        f"cells the blend differs from the decoder by {100 * grid.mean_error:.2g} % of the range on average, and by "
        f"{100 * grid.largest_error:.2g} % at most. The decoder itself cannot run in this page: {reason}."
    )
    return {**grid.to_scene(arrays), "note": note}


def _network_entry(
    arrays: SceneArrays, exported: NetworkExport, checked: CheckedCodes, indices: np.ndarray | None
) -> dict[str, Any]:
    precision = "half" if any(w.dtype == np.float16 for w in exported.graph.weights.values()) else "single"
    note = (
        f"The network itself runs in this page, with its weights in {precision} precision. On {N_CHECKED} codes it "
        f"differs from the decoder in Python by {exported.largest_difference:.1g} at most, "
        f"{100 * exported.share_of_range:.1g} % of the range."
    )
    check: dict[str, Any] = {
        "codes": arrays.add("check-codes", checked.codes[:N_STORED]),
        "samples": arrays.add("check-samples", checked.samples[:N_STORED].reshape(N_STORED, -1)),
        "n_codes": N_CHECKED,
        "largest_difference": exported.largest_difference,
        "share_of_range": exported.share_of_range,
    }
    if indices is not None:
        check["conditions"] = arrays.add("check-conditions", indices[:N_STORED], "int32")
    return {"method": "network", "graph": exported.graph.to_scene(arrays), "check": check, "note": note}
