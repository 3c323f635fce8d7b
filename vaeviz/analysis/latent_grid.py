"""Where to put the nodes of a latent grid."""

from __future__ import annotations

import numpy as np


def equal_mass_nodes(n: int) -> np.ndarray:
    """n points of equal mass under N(0, 1): Φ⁻¹((i − ½)/n), i = 1..n (Kingma & Welling 2013, fig. 4)."""
    from scipy.special import ndtri

    return ndtri((np.arange(n) + 0.5) / n)


def equal_mass_nodes_of(values: np.ndarray, n: int) -> np.ndarray:
    """n points of equal mass under the empirical distribution of `values` (N,)."""
    return np.quantile(values.astype(np.float64), (np.arange(n) + 0.5) / n)


def linear_nodes(low: float, high: float, n: int) -> np.ndarray:
    """n evenly spaced points from low to high."""
    return np.linspace(low, high, n)


def plane(dims: tuple[int, int], nodes: tuple[np.ndarray, np.ndarray], base: np.ndarray) -> np.ndarray:
    """Codes (rows, columns, D) with the two `dims` on the nodes and the others as in `base` (D,).

    The first dimension runs along the columns, the second up the rows: row 0 is the top, its largest value.
    """
    across, up = nodes
    codes = np.broadcast_to(base, (len(up), len(across), len(base))).astype(np.float64)
    codes[..., dims[0]] = across[None, :]
    codes[..., dims[1]] = up[::-1, None]
    return codes


def line(dim: int, nodes: np.ndarray, base: np.ndarray) -> np.ndarray:
    """Codes (1, columns, D) with one dimension on the nodes and the others as in `base` (D,)."""
    codes = np.repeat(base[None, None].astype(np.float64), len(nodes), axis=1)
    codes[0, :, dim] = nodes
    return codes
