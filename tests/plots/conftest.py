"""Shared by the tests of plots."""

import pytest


@pytest.fixture
def few_trees(monkeypatch):
    """Compute the disentanglement scores with little effort, where their precision does not matter."""
    for name, count in {"TREES": 3, "SHUFFLES": 1, "VOTES": 40}.items():
        monkeypatch.setattr(f"vaeviz.analysis.disentanglement.{name}", count)
