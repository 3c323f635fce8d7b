"""A decoder as a page needs it: conditions by their index, and samples in the layout of the page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from vaeviz.explorer.condition_choices import Conditions
from vaeviz.explorer.sample_space import SampleSpace
from vaeviz.model.decode import OutputLayout, trace_decoding
from vaeviz.model.decoder import Decoder
from vaeviz.model.posterior import Posterior


@dataclass(frozen=True, eq=False)
class PageDecoder:
    """A decoder, and what it is used with.

    Parameters
    ----------
    decoder : Decoder
        The decoder.
    posterior : Posterior
        Posteriors of N samples.
    conditions : Conditions or None
        The conditions to choose from. None for a decoder of codes alone.
    x : array_like, shape (N, ...)
        Samples that have the shape of the decoder's output.
    space : SampleSpace
        How samples are arranged in the page.
    """

    decoder: Decoder
    posterior: Posterior
    conditions: Conditions | None
    x: Any
    space: SampleSpace

    @property
    def n_conditions(self) -> int:
        """Number of conditions, 1 for a decoder of codes alone."""
        return 1 if self.conditions is None else len(self.conditions.names)

    @property
    def code_shape(self) -> tuple[int, ...]:
        """Shape of one code as the decoder takes it."""
        return self.decoder.latent_shape or self.posterior.code_shape or (self.posterior.size,)

    def decode(self, codes: np.ndarray, choices: np.ndarray | None = None) -> np.ndarray:
        """Decode codes by `vaeviz.decode`.

        Parameters
        ----------
        codes : ndarray, shape (M, D)
            The codes.
        choices : ndarray of int, shape (M,), optional
            Index of the condition of each code; the first by default.

        Returns
        -------
        ndarray of float32, shape (M, S)
            The values of the samples, in the order of the page.
        """
        return self.trace(codes, choices)[0]

    def trace(self, codes: np.ndarray, choices: np.ndarray | None = None) -> tuple[np.ndarray, OutputLayout]:
        """Decode codes, and return how the decoder arranges its samples as well.

        Parameters
        ----------
        codes, choices : ndarray
            See `decode`.

        Returns
        -------
        samples : ndarray of float32, shape (M, S)
            The values of the samples, in the order of the page.
        layout : OutputLayout
            How the samples were arranged before.
        """
        given = None
        if self.conditions is not None:
            given = self.conditions.inputs[np.zeros(len(codes), int) if choices is None else choices]
        found = trace_decoding(self.decoder, self.posterior.with_codes(codes), given, reference=self.x)
        return self.space.flatten(found.samples), found.layout
