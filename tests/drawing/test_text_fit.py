"""Names that are abbreviated to fit."""

import warnings

import numpy as np
import pytest

import vaeviz
from vaeviz.drawing.text_fit import abbreviate, drawable_text, text_width


def test_short_names_are_kept():
    assert abbreviate(["pH", "clay share"], 10) == ["pH", "clay share"]
    assert abbreviate([], 10) == []


def test_middle_of_a_long_name_is_removed():
    names = [f"mean temperature at a depth of {d} cm" for d in (5, 10)]
    assert abbreviate(names, 16) == ["mean tem…of 5 cm", "mean tem…f 10 cm"]


@pytest.mark.parametrize("max_length", [2, 5, 8, 24])
def test_different_names_remain_different(max_length):
    names = [f"a{'b' * i}{'c' * (30 - i)}d" for i in range(30)]
    assert len(set(abbreviate(names, max_length))) == 30


def test_repeated_names_do_not_lengthen_the_others():
    assert abbreviate(["abcdefghij", "abcdefghij", "k"], 5) == ["ab…ij", "ab…ij", "k"]


def test_shared_ends_of_long_names_are_removed_first():
    names = ["pH", *(f"the same long beginning {i:02d} and the same long ending" for i in range(14))]
    assert abbreviate(names, 12) == ["pH", *(f"…{i:02d}…" for i in range(14))]


def test_mathtext_is_not_cut():
    names = [r"$\mathit{Pinus\ sylvestris}$", "a" * 30]
    assert abbreviate(names, 12) == [names[0], "aaaaaa…aaaaa"]


def test_wide_letters_are_wider():
    assert text_width("WWW", 10) > 2 * text_width("iii", 10) > 0
    assert text_width("$x_1$", 10) < text_width("x_{1}{2}", 10)


def test_characters_that_the_font_lacks_cause_one_warning(ax):
    codes, labels = (
        np.random.default_rng(0).standard_normal((60, 2)),
        np.array(["猫", "犬と鳥", "é"])[np.arange(60) % 3],
    )
    with pytest.warns(UserWarning, match="The font DejaVu Sans lacks") as found:
        vaeviz.latent_scatter(vaeviz.Posterior(codes), codes, labels, ax=ax)
        ax.figure.canvas.draw()
    assert len(found) == 1
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["é", "\ufffd" * 3, "\ufffd"]


def test_characters_that_the_font_has_are_kept():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert drawable_text("größe µ") == "größe µ"
