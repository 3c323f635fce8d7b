"""Batches for models whose functions take samples and condition together."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from vaeviz.model.conditions import names_condition


class SampleBatch(dict[Any, Any]):
    """A batch that gives a model samples and condition under the keys that its code reads.

    It is also a sequence of both. The condition is what is read under the name of one, and samples are what is read
    under the first other key.

    Parameters
    ----------
    samples : Any
        The samples.
    *conditions : Any
        Their condition, if there is one.

    Attributes
    ----------
    samples_key : str or None
        The key under which samples were read.
    """

    def __init__(self, samples: Any, *conditions: Any) -> None:
        super().__init__(enumerate((samples, *conditions)))
        self.samples_key: str | None = None

    def __missing__(self, key: Any) -> Any:
        is_condition = isinstance(key, str) and names_condition(key)
        if is_condition and 1 in self:
            return self[1]
        if is_condition or not isinstance(key, str) or self.samples_key not in (None, key):
            raise KeyError(key)
        self.samples_key = key
        return self[0]

    def get(self, key: Any, default: Any = None) -> Any:
        """Return the value of a key.

        Parameters
        ----------
        key : Any
            The key.
        default : Any, optional
            What to return if there is none.
        """
        try:
            return self[key]
        except KeyError:
            return default

    def __iter__(self) -> Iterator[Any]:
        return iter(self.values())
