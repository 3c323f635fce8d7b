"""Warnings that are collected."""

import warnings

import pytest

from vaeviz.errors import GuessWarning
from vaeviz.plugins.diagnostics import capture_warnings


def test_each_warning_is_collected_once_with_its_category():
    with capture_warnings() as found:
        for _ in range(2):
            warnings.warn(GuessWarning("a guess.", fix="Declare it."), stacklevel=1)
            warnings.warn("overflow", RuntimeWarning, stacklevel=1)
        warnings.warn("internal", DeprecationWarning, stacklevel=1)
    assert [(type(warning), str(warning)) for warning in found] == [
        (GuessWarning, "a guess. Declare it."),
        (RuntimeWarning, "overflow"),
    ]


def test_a_warning_that_is_an_error_is_raised():
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        with pytest.raises(UserWarning, match="odd"), capture_warnings():
            warnings.warn("odd", stacklevel=1)


def test_warnings_before_an_error_are_collected():
    with pytest.raises(ValueError, match="stop"), capture_warnings() as found:
        warnings.warn("odd", stacklevel=1)
        raise ValueError("stop")
    assert [str(warning) for warning in found] == ["odd"]
