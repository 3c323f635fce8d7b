"""Shared by the tests of drawing: nodes of latent axes."""

import numpy as np
import pytest

from vaeviz.analysis.latent_grid import equal_mass_nodes, linear_nodes

NODES = {
    "even": linear_nodes(-3, 1, 5),
    "uneven": equal_mass_nodes(6),
    "two": np.array([0.5, 2.0]),
    "skewed": np.array([-1.0, 0.0, 0.1, 5.0]),
}


@pytest.fixture
def nodes_by_name():
    return NODES


@pytest.fixture(params=NODES.values(), ids=NODES)
def nodes(request):
    """The nodes of an axis, of each kind in turn."""
    return request.param
