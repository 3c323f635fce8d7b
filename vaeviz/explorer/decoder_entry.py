"""Choose how a page decodes: by the network itself, else by a grid, else not at all."""

from __future__ import annotations

from typing import Any

import numpy as np

from vaeviz.analysis.active_dimensions import most_active_dims
from vaeviz.errors import InputError, NotApplicable
from vaeviz.explorer.checked_codes import N_CHECKED, CheckedCodes, checked_codes
from vaeviz.explorer.graph import UnsupportedOperation
from vaeviz.explorer.network_export import NetworkExport, export_network
from vaeviz.explorer.page_decoder import PageDecoder
from vaeviz.explorer.plane_grid import decode_plane
from vaeviz.explorer.scene_arrays import SceneArrays

N_STORED = 4  # codes and their samples in the page, which checks its own arithmetic
MAX_GRID_BYTES = 3_000_000


def static_decoder(arrays: SceneArrays, decoder: PageDecoder, seed: int) -> dict[str, Any]:
    """Return the entry ``decoder`` of the scene of a page.

    Parameters
    ----------
    arrays : SceneArrays
        Receives the weights, or the samples of a grid.
    decoder : PageDecoder
        The decoder.
    seed : int
        Seed of the codes with which a network is checked.

    Returns
    -------
    dict
        The entry. Its note says how the page decodes, and how exactly.
    """
    posterior = decoder.posterior
    try:
        checked = checked_codes(decoder, seed)
    except (InputError, NotApplicable) as error:
        return {"method": "none", "note": f"The decoder failed. {error}"}
    try:
        return _network_entry(arrays, export_network(decoder, checked), checked)
    except UnsupportedOperation as error:
        reason = str(error)
    dims = most_active_dims(posterior, min(2, posterior.size))
    try:
        grid = decode_plane(decoder, dims, MAX_GRID_BYTES)
    except (InputError, NotApplicable) as error:
        return {"method": "none", "note": f"The decoder cannot run in this page: {reason}; and {error.message}."}
    sides = " × ".join(str(len(along)) for along in grid.nodes if len(along) > 1)
    others = "" if posterior.size <= len(dims) else ", the other dimensions at their medians"
    names = " and ".join(f"z{dim + 1}" for dim in dims)
    note = (
        f"Decoded in advance on {sides} nodes of {names}{others}, and blended between them: at the centers of the "
        f"cells the blend differs from the decoder by {100 * grid.mean_error:.2g} % of the range on average, and by "
        f"{100 * grid.largest_error:.2g} % at most. The decoder itself cannot run in this page: {reason}."
    )
    return {**grid.to_scene(arrays), "note": note}


def _network_entry(arrays: SceneArrays, exported: NetworkExport, checked: CheckedCodes) -> dict[str, Any]:
    precision = "half" if any(w.dtype == np.float16 for w in exported.graph.weights.values()) else "single"
    note = (
        f"The network itself runs in this page, with its weights in {precision} precision. On {N_CHECKED} codes it "
        f"differs from the decoder in Python by {exported.largest_difference:.2g} at most, "
        f"{100 * exported.share_of_range:.2g} % of the range."
    )
    check: dict[str, Any] = {
        "codes": arrays.add("check-codes", checked.codes[:N_STORED]),
        "samples": arrays.add("check-samples", checked.samples[:N_STORED]),
        "n_codes": N_CHECKED,
        "largest_difference": exported.largest_difference,
        "share_of_range": exported.share_of_range,
    }
    if checked.choices is not None:
        check["conditions"] = arrays.add("check-conditions", checked.choices[:N_STORED], "int32")
    return {"method": "network", "graph": exported.graph.to_scene(arrays), "check": check, "note": note}
