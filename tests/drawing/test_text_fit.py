"""Names that are cut to the room that there is."""

import pytest

from vaeviz.drawing.text_fit import abbreviate, text_width


def test_short_names_stay():
    assert abbreviate(["pH", "clay share"], 10) == ["pH", "clay share"]
    assert abbreviate([], 10) == []


def test_the_middle_of_a_long_name_is_left_out():
    names = [f"mean temperature at a depth of {d} cm" for d in (5, 10)]
    assert abbreviate(names, 16) == ["mean tem…of 5 cm", "mean tem…f 10 cm"]


@pytest.mark.parametrize("letters", [2, 5, 8, 24])
def test_names_that_differ_are_shown_differently(letters):
    names = [f"a{'b' * i}{'c' * (30 - i)}d" for i in range(30)]
    assert len(set(abbreviate(names, letters))) == 30


def test_the_same_name_twice_does_not_lengthen_the_others():
    assert abbreviate(["abcdefghij", "abcdefghij", "k"], 5) == ["ab…ij", "ab…ij", "k"]


def test_what_long_names_share_gives_way_to_what_tells_them_apart():
    names = ["pH", *(f"the same long beginning {i:02d} and the same long ending" for i in range(14))]
    assert abbreviate(names, 12) == ["pH", *(f"…{i:02d}…" for i in range(14))]


def test_mathtext_is_not_cut():
    names = [r"$\mathit{Pinus\ sylvestris}$", "a" * 30]
    assert abbreviate(names, 12) == [names[0], "aaaaaa…aaaaa"]


def test_wide_letters_take_more_room():
    assert text_width("WWW", 10) > 2 * text_width("iii", 10) > 0
    assert text_width("$x_1$", 10) < text_width("x_{1}{2}", 10)
