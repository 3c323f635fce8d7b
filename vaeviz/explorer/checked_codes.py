"""Codes with the samples that the decoder makes of them, to check what a page computes."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from vaeviz.explorer.page_decoder import PageDecoder
from vaeviz.explorer.sample_space import SampleSpace
from vaeviz.model.decode import OutputLayout

N_CHECKED = 64  # codes with which a network is checked, half of them of the data


@dataclass(frozen=True, eq=False)
class CheckedCodes:
    """Codes, and the samples to which the decoder decodes them.

    Parameters
    ----------
    codes : ndarray, shape (M, D)
        The codes.
    samples : ndarray, shape (M, S)
        The values of the samples, in the order of the page.
    layout : OutputLayout
        How the decoder arranges its samples.
    space : SampleSpace
        How the page arranges them.
    code_shape : tuple of int
        Shape of one code as the decoder takes it.
    condition : ndarray, shape (M, ...), optional
        What the decoder received as the condition of each code.
    choices : ndarray of int, shape (M,), optional
        Index of each condition.
    """

    codes: np.ndarray
    samples: np.ndarray
    layout: OutputLayout
    space: SampleSpace
    code_shape: tuple[int, ...]
    condition: np.ndarray | None = None
    choices: np.ndarray | None = None

    def graph_inputs(self) -> tuple[np.ndarray, ...]:
        """Return the inputs of a graph.

        Returns
        -------
        tuple of ndarray
            The codes (M, D), and the conditions (M, K) if there are any.
        """
        if self.condition is None:
            return (self.codes,)
        return self.codes, self.condition.reshape(len(self.codes), -1)


def checked_codes(decoder: PageDecoder, seed: int) -> CheckedCodes:
    """Decode codes of the data and of the prior in turn; without a prior, of a normal distribution as wide as the data.

    Parameters
    ----------
    decoder : PageDecoder
        The decoder. The codes take its conditions in turn.
    seed : int
        Seed of the codes.

    Returns
    -------
    CheckedCodes
        The codes and their samples.

    Raises
    ------
    InputError
        If the decoder fails.
    """
    rng, posterior = np.random.default_rng(seed), decoder.posterior
    half = N_CHECKED // 2
    codes = np.empty((N_CHECKED, posterior.size), np.float32)
    codes[::2] = posterior.mean[rng.integers(len(posterior), size=half)]
    wide = rng.standard_normal((half, posterior.size))
    if posterior.prior != "normal":
        spread = posterior.mean.std(axis=0)
        spread[spread == 0] = 1  # codes that are all equal would prove nothing
        wide = posterior.mean.mean(axis=0) + spread * wide
    codes[1::2] = wide
    choices = np.arange(N_CHECKED) % decoder.n_conditions
    samples, layout = decoder.trace(codes, choices)
    checked = CheckedCodes(codes, samples, layout, decoder.space, decoder.code_shape)
    if decoder.conditions is None:
        return checked
    return replace(checked, condition=decoder.conditions.values[choices], choices=choices)
