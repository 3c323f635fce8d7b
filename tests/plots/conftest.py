"""Shared by the tests of plots.

``python -m pytest tests/plots/test_pictures.py --renew-pictures`` draws the baselines of the image comparison anew.
Look at each of them before you commit it.
"""

import pytest


def pytest_addoption(parser):
    parser.addoption("--renew-pictures", action="store_true", help="Draw the baselines of tests/plots/baseline anew.")


@pytest.fixture
def renew_pictures(request):
    """Return True if baselines are drawn anew instead of compared with."""
    return request.config.getoption("--renew-pictures", default=False)
