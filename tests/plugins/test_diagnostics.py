"""Warnings that are collected."""

import warnings

import pytest

from vaeviz.errors import GuessWarning, declare
from vaeviz.plugins.diagnostics import capture_warnings, merge_warnings


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


def test_advice_that_differs_only_in_numbers_is_given_once():
    declared = declare("Decoder", output="logits")
    other = declare("Decoder", value_range=(-1, 1))
    with capture_warnings() as found:
        for name, high, fix in [("a", 3.9, declared), ("a", 4, declared), ("b", 3.9, declared), ("a", 5, other)]:
            warnings.warn(GuessWarning(f"{name} gave [-2.8, {high}], not [0, 1].", fix=fix), stacklevel=1)
    assert [(warning.message, warning.fix) for warning in found] == [
        ("a gave [-2.8, 3.9] and [-2.8, 4], not [0, 1].", declared),
        ("b gave [-2.8, 3.9], not [0, 1].", declared),
        ("a gave [-2.8, 5], not [0, 1].", other),
    ]


def test_a_merged_message_lists_a_few_numbers():
    found = merge_warnings(GuessWarning(f"z{dim} has no spread.", fix="Declare it.") for dim in range(1, 10))
    assert [str(warning) for warning in found] == ["z1, z2, z3, z4, z5 and 4 more has no spread. Declare it."]
