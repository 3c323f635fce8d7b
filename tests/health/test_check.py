"""One rule turns a measurement into a status: flagged, healthy, or uncertain and for which reason."""

from __future__ import annotations

import math

import pytest

from vaeviz.health.check import Check, Measurement


def check_with(flags, unit="nats"):
    return Check(lambda x: None, "mine", "Is it?", unit, flags, "a test")


def measure(value, error=None, **settings):
    return Measurement("It is.", value, settings.pop("threshold", 5.0), 100, error=error, **settings)


@pytest.mark.parametrize(
    ("value", "error", "above", "below"),
    [
        (6.2, 0.75, "uncertain", "uncertain"),
        (9.0, 13.0, "uncertain", "uncertain"),
        (4.0, 0.6, "uncertain", "uncertain"),
        (7.0, 0.9, "flagged", "healthy"),
        (3.0, 0.9, "healthy", "flagged"),
        (5.0, None, "healthy", "healthy"),
        (6.0, None, "flagged", "healthy"),
        (6.0, math.nan, "uncertain", "uncertain"),
    ],
)
def test_a_value_within_two_errors_of_its_threshold_is_uncertain(value, error, above, below):
    assert check_with("above").judge(measure(value, error))[0] == above
    assert check_with("below").judge(measure(value, error))[0] == below


def test_the_threshold_is_in_the_line_of_an_uncertain_check():
    assert "5 nats" in check_with("above").judge(measure(6.2, 0.75))[1]
    assert "5 %" in check_with("above", unit="of the prior").judge(measure(0.062, 0.0075, threshold=0.05))[1]


def test_an_interval_takes_precedence_over_the_error():
    assert check_with("above").judge(measure(6.0, 0.1, interval=(4.0, 6.0)))[0] == "uncertain"
    assert check_with("above").judge(measure(2.0, 9.0, interval=(1.0, 5.0)))[0] == "healthy"


@pytest.mark.parametrize(
    ("value", "status"), [(3.0, "flagged"), (7.0, "uncertain"), (9.5, "healthy"), (11.0, "healthy")]
)
def test_a_value_that_does_not_reach_its_baseline_is_not_healthy(value, status):
    measured = measure(value, 0.3, reference="a PCA", baselines={"a PCA": 10.0})
    found, remark = check_with("below").judge(measured)
    assert found == status
    assert ("a PCA does better" in remark) == (status == "uncertain")


def test_a_blind_spot_excludes_health_and_no_defect():
    unseen = "A half-empty prior would not be seen."
    assert check_with("above").judge(measure(1.0, 0.1, blind_spot=unseen)) == ("uncertain", unseen)
    assert check_with("above").judge(measure(9.0, 0.1, blind_spot=unseen))[0] == "flagged"


def test_a_check_that_cannot_run_to_its_end_has_a_reason_and_no_value():
    check = Check(lambda x, *, seed=0: None, "mine", "Is it?", "nats", "above", "a test")
    result = check.failed("Its process ended.", {"seed": 3, "other": 1})
    assert (result.status, result.sentence, result.value) == ("failed", "Its process ended.", None)
    assert result.options == {"seed": 3}
