"""Names that are cut to the room that there is."""

import pytest

from vaeviz.drawing.room import shortened


def test_short_names_stay():
    assert shortened(["pH", "clay share"], 10) == ["pH", "clay share"]
    assert shortened([], 10) == []


def test_the_middle_of_a_long_name_is_left_out():
    names = [f"mean temperature at a depth of {d} cm" for d in (5, 10)]
    assert shortened(names, 16) == ["mean tem…of 5 cm", "mean tem…f 10 cm"]


@pytest.mark.parametrize("letters", [2, 5, 8, 24])
def test_names_that_differ_are_shown_differently(letters):
    names = [f"a{'b' * i}{'c' * (30 - i)}d" for i in range(30)]
    assert len(set(shortened(names, letters))) == 30


def test_the_same_name_twice_does_not_lengthen_the_others():
    assert shortened(["abcdefghij", "abcdefghij", "k"], 5) == ["ab…ij", "ab…ij", "k"]
