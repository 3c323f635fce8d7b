"""Nodes and codes of latent grids."""

from __future__ import annotations

import numpy as np


def equal_mass_nodes(n_nodes: int) -> np.ndarray:
    """Return nodes that carry equal mass under N(0, 1).

    Parameters
    ----------
    n_nodes : int
        Number of nodes.

    Returns
    -------
    ndarray, shape (n_nodes,)
        Φ⁻¹((i − ½) / n), i = 1 … n (Kingma & Welling 2013, figure 4).

    Examples
    --------
    >>> equal_mass_nodes(10)[[0, -1]].round(3).tolist()
    [-1.645, 1.645]
    """
    from scipy.special import ndtri

    return np.asarray(ndtri((np.arange(n_nodes) + 0.5) / n_nodes))


def equal_mass_nodes_of(values: np.ndarray, n_nodes: int) -> np.ndarray:
    """Return nodes that carry equal mass under an empirical distribution.

    Parameters
    ----------
    values : ndarray, shape (N,)
        Sample of the distribution.
    n_nodes : int
        Number of nodes.

    Returns
    -------
    ndarray, shape (n_nodes,)
        Quantiles at (i − ½) / n, i = 1 … n, float64.
    """
    return np.asarray(np.quantile(values.astype(np.float64), (np.arange(n_nodes) + 0.5) / n_nodes))


def linear_nodes(low: float, high: float, n_nodes: int) -> np.ndarray:
    """Return evenly spaced nodes.

    Parameters
    ----------
    low, high : float
        First and last node.
    n_nodes : int
        Number of nodes.

    Returns
    -------
    ndarray, shape (n_nodes,)
        Nodes.
    """
    return np.linspace(low, high, n_nodes)


def plane(dims: tuple[int, int], nodes: tuple[np.ndarray, np.ndarray], base: np.ndarray) -> np.ndarray:
    """Return codes on a grid in two latent dimensions.

    Parameters
    ----------
    dims : tuple of int
        The two dimensions.
    nodes : tuple of ndarray
        Nodes along each of them.
    base : ndarray, shape (D,)
        Code that holds the values of the other dimensions.

    Returns
    -------
    ndarray, shape (rows, columns, D)
        Codes. The first dimension runs along the columns, the second upwards: row 0 is the top, its largest value.
    """
    x_nodes, y_nodes = nodes
    codes = np.broadcast_to(base, (len(y_nodes), len(x_nodes), len(base))).astype(np.float64)
    codes[..., dims[0]] = x_nodes[None, :]
    codes[..., dims[1]] = y_nodes[::-1, None]
    return codes


def line(dim: int, nodes: np.ndarray, base: np.ndarray) -> np.ndarray:
    """Return codes along one latent dimension.

    Parameters
    ----------
    dim : int
        The dimension.
    nodes : ndarray, shape (columns,)
        Nodes along it.
    base : ndarray, shape (D,)
        Code that holds the values of the other dimensions.

    Returns
    -------
    ndarray, shape (1, columns, D)
        Codes, as a grid of one row.
    """
    codes = np.repeat(base[None, None].astype(np.float64), len(nodes), axis=1)
    codes[0, :, dim] = nodes
    return codes
