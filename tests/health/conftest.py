"""Shared by the tests of health checks: the names of the checks that vaeviz has itself."""

import pytest


@pytest.fixture(scope="session")
def builtin_checks():
    """Names of the built-in checks in the order of a report. Tests of all of them allow further checks."""
    return (
        "collapsed", "ignored", "marginals", "mismatch", "holes", "information", "likelihood", "spread",
        "reconstruction", "classes", "neighbors",
    )  # fmt: skip
