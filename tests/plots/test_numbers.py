import pytest

from vaeviz.drawing.numbers import with_error


@pytest.mark.parametrize(
    ("value", "error", "text"),
    [
        (-24.9149, 0.1312, "−24.91 ± 0.13"),
        (0.00294, 0.00061, "0.00294 ± 0.00061"),
        (153.3, 12.0, "153 ± 12"),
        (1.0, 0.0, "1 ± 0"),
        (0.9999999999999882, 4e-15, "1 ± 0"),
        (0.5, float("nan"), "0.5"),
    ],
)
def test_a_value_is_written_to_two_digits_of_its_error(value, error, text):
    assert with_error(value, error) == text
