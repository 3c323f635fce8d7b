import numpy as np
import pytest

from vaeviz.analysis.estimates import Estimate, Score, mean_estimate, standard_error


@pytest.mark.parametrize(
    ("value", "error", "text"),
    [
        (0.01134, 0.0024, "0.0113 ± 0.0024"),
        (0.00294, 0.00061, "0.00294 ± 0.00061"),
        (-24.9149, 0.1312, "−24.91 ± 0.13"),
        (-98.345, 0.4, "−98.34 ± 0.40"),
        (153.3, 12.0, "153 ± 12"),
        (1234.5, 22.0, "1234 ± 22"),
        (-0.00001, 0.0011, "0.0000 ± 0.0011"),  # no negative zero
    ],
)
def test_estimates_are_rounded_to_two_digits_of_their_error(value, error, text):
    assert str(Estimate(value, error)) == text


@pytest.mark.parametrize("value, error", [(1.0, 0.0), (0.9999999999999882, 4e-15), (1.00000002, 5e-8)])
def test_errors_of_the_arithmetic_are_printed_as_zero(value, error):
    assert str(Estimate(value, error)) == "1 ± 0"


@pytest.mark.parametrize(
    "value, error, text", [(3.0, np.nan, "3"), (0.5, np.nan, "0.5"), (np.inf, np.nan, "inf"), (2.0, np.inf, "2")]
)
def test_unknown_errors_are_left_out(value, error, text):
    assert str(Estimate(value, error)) == text


def test_scores_are_printed_as_estimates():
    assert str(Score(0.512, 0.02, 0.1, "MIG")) == "0.512 ± 0.020"


def test_mean_estimate_has_the_standard_error_of_the_mean():
    assert mean_estimate(np.array([1.0, 3.0])) == Estimate(2.0, 1.0)


@pytest.mark.parametrize("values", [[1.0], [1.0, np.inf]])
def test_error_is_unknown_for_one_value_or_an_infinite_one(values):
    assert np.isnan(mean_estimate(np.array(values)).standard_error)


def test_standard_errors_are_computed_over_the_rows():
    assert standard_error(np.array([1.0, 3.0])) == pytest.approx(1.0)
    np.testing.assert_allclose(standard_error(np.array([[1.0, 5.0], [3.0, 5.0]])), [1, 0])
    assert np.isnan(standard_error(np.array([[1.0, 2.0]]))).tolist() == [True, True]
