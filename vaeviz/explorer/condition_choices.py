"""The conditions among which a page lets a person choose."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from vaeviz.analysis.condition_sets import condition_set
from vaeviz.explorer.scene_arrays import SceneArrays
from vaeviz.model.conditions import condition_names
from vaeviz.model.decoder import Decoder
from vaeviz.model.posterior import Posterior


@dataclass(frozen=True, eq=False)
class Conditions:
    """The conditions that a page offers for a conditional decoder.

    Parameters
    ----------
    names : tuple of str
        Their names.
    values : ndarray, shape (C, ...)
        What the decoder receives for each.
    inputs : ndarray, shape (C, ...)
        What `vaeviz.decode` accepts for each.
    of_rows : ndarray of int, shape (N,)
        Index of each sample's own condition, −1 if it is not among them.
    """

    names: tuple[str, ...]
    values: np.ndarray
    inputs: np.ndarray
    of_rows: np.ndarray

    def to_scene(self, arrays: SceneArrays) -> dict[str, Any]:
        """Return the entry ``condition`` of a scene.

        Parameters
        ----------
        arrays : SceneArrays
            Receives the values.

        Returns
        -------
        dict
            The entry. It holds the condition of each sample if all are among the choices.
        """
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
