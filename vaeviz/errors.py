"""Errors and warnings that a person reads: what was received, what was expected, and the line to write."""

from __future__ import annotations

import difflib
import re
import sys
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

OWN_PACKAGES = ("vaeviz", "vaeviz_models")  # whose lines no warning points at
UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]")
"""Control characters but tab and line feed, marks that reverse text, lone surrogates, and what XML does not allow."""

_given_advice: ContextVar[set[tuple[type, str]] | None] = ContextVar("given_advice", default=None)


@dataclass(frozen=True)
class Fix:
    """What to write instead, in a script and on a command line.

    Parameters
    ----------
    python : str
        The advice for a script, one sentence or several.
    command_line : str, optional
        The same advice for a command line; empty where it does not differ.
    """

    python: str
    command_line: str = ""

    def __str__(self) -> str:
        return self.python


def declare(part: str, /, **settings: Any) -> Fix:
    """Return the advice to declare something of an encoder or a decoder.

    Parameters
    ----------
    part : {"Encoder", "Decoder"}
        The class whose parameters are named.
    **settings
        The parameters to write, with an example of each value.

    Examples
    --------
    >>> declare("Encoder", returns="mean,std").python
    'Write vaeviz.Encoder(fn, returns="mean,std").'
    >>> declare("Decoder", latent_shape=(4, 8, 8)).command_line
    'Add --latent-shape 4,8,8.'
    """
    arguments = ", ".join(f"{name}={_python_literal(value)}" for name, value in settings.items())
    flags = " ".join(_flag(name, value) for name, value in settings.items())
    return Fix(f"Write vaeviz.{part}(fn, {arguments}).", f"Add {flags}.")


def advise(*cases: tuple[str, Fix]) -> Fix:
    """Return the advice for several cases.

    Parameters
    ----------
    *cases : tuple of str and Fix
        When it applies, and the advice.

    Examples
    --------
    >>> advise(("If they are logits", declare("Decoder", output="logits"))).python
    'If they are logits, write vaeviz.Decoder(fn, output="logits").'
    """

    def joined(advice: list[str]) -> str:
        return " ".join(f"{when}, {text[:1].lower()}{text[1:]}" for (when, _), text in zip(cases, advice))

    return Fix(joined([fix.python for _, fix in cases]), joined([fix.command_line or fix.python for _, fix in cases]))


class _WithFix(Exception):
    """A message and the advice that follows it."""

    def __init__(self, message: str, *, fix: str | Fix = "") -> None:
        super().__init__(message)
        self.message = message
        self.fix = fix if isinstance(fix, Fix) else Fix(fix)

    def __str__(self) -> str:
        return _join_sentences(self.message, self.fix.python)

    def for_command_line(self) -> str:
        """Return the message with its advice as command-line options."""
        return _join_sentences(self.message, self.fix.command_line or self.fix.python)

    def __reduce__(self) -> tuple[Any, ...]:
        return _restore, (type(self), self.args, self.__dict__)


class InputError(_WithFix, ValueError):
    """An argument, file or option that cannot be used.

    Parameters
    ----------
    message : str
        What was received and what was expected, in one sentence or two.
    got, expected : str, optional
        Both in a few words, for programs that handle the error.
    fix : str or Fix, optional
        What to write instead. It follows the message.
    """

    def __init__(self, message: str, *, got: str = "", expected: str = "", fix: str | Fix = "") -> None:
        super().__init__(message, fix=fix)
        self.got = got
        self.expected = expected


class UnknownName(InputError):
    """A name that is not registered. The message lists the nearest names.

    Parameters
    ----------
    kind : str
        What the name should have named, e.g. ``"plot"``.
    name : str
        The name that was received.
    known : iterable of str
        The names that exist.
    """

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        known = sorted(known)
        nearest = difflib.get_close_matches(str(name), known, n=3, cutoff=0.6)
        listed = ", ".join(known) or "none"
        advice = f"Did you mean {' or '.join(map(repr, nearest))}?" if nearest else f"Known: {listed}."
        super().__init__(f"Unknown {kind} {name!r}.", got=name, expected=listed, fix=advice)


class NoSuchSplit(InputError):
    """A data set does not have the requested split."""


class OutputError(InputError):
    """A file or folder that cannot be written, e.g. because the disk is full."""


class NotApplicable(_WithFix):
    """A plot or number that would mean nothing for this model or these data.

    The message says why, and ``fix`` what would change that, if anything. `vaeviz.export_figures` lists such a plot
    as skipped.

    Parameters
    ----------
    message : str
        Why it does not apply.
    fix : str or Fix, optional
        What to write instead. It follows the message.
    """


class GuessWarning(_WithFix, UserWarning):
    """Something was inferred that cannot be known for certain.

    Parameters
    ----------
    message : str
        What was inferred, and from what.
    fix : str or Fix, optional
        The line that declares it.
    """


class NothingDrawnWarning(_WithFix, UserWarning):
    """All plots of a figure set were skipped.

    Parameters
    ----------
    message : str
        What was skipped, and what most of it needs.
    fix : str or Fix, optional
        What to pass.
    """


class SmallPlaceWarning(_WithFix, UserWarning):
    """Warning that the panels of a plot are too small to read.

    Parameters
    ----------
    message : str
        Which plot, and how large the place is.
    fix : str or Fix, optional
        A place that is large enough.
    """


def for_command_line(message: BaseException | str) -> str:
    """Return the text of any error or warning, with its advice as command-line options if it has any.

    Parameters
    ----------
    message : exception or str
        An error or a warning.

    Returns
    -------
    str
        The text.

    Examples
    --------
    >>> for_command_line(InputError("The range is unknown.", fix=declare("Decoder", value_range=(-1, 1))))
    'The range is unknown. Add --value-range -1,1.'
    >>> for_command_line(ValueError("no"))
    'no'
    """
    return printable_text(message.for_command_line() if isinstance(message, _WithFix) else message)


def printable_text(text: object) -> str:
    """Return a text that a figure, a page or a terminal can show.

    Parameters
    ----------
    text : object
        Text, bytes in UTF-8, or anything with a text.

    Returns
    -------
    str
        The text, with the replacement character instead of control characters and lone surrogates.

    Examples
    --------
    >>> printable_text("red" + chr(27) + "[31m"), printable_text(b"cat")
    ('red�[31m', 'cat')
    """
    decoded = text.decode("utf-8", "replace") if isinstance(text, bytes) else str(text)
    return UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", decoded)


def warn_user(warning: Warning) -> None:
    """Issue a warning that points at the line outside of vaeviz that led to it.

    Parameters
    ----------
    warning : Warning
        The warning.
    """
    given = _given_advice.get()
    if given is not None:
        advice = type(warning), str(warning.fix if isinstance(warning, GuessWarning) else warning)
        if advice in given:
            return
        given.add(advice)
    frame, level = sys._getframe(), 1
    while frame.f_back is not None and frame.f_globals.get("__name__", "").partition(".")[0] in OWN_PACKAGES:
        frame, level = frame.f_back, level + 1
    warnings.warn(warning, stacklevel=level)


@contextmanager
def each_advice_once() -> Iterator[None]:
    """Issue warnings of `warn_user` with the same advice only once while the block runs."""
    if _given_advice.get() is not None:  # in a larger block
        yield
        return
    token = _given_advice.set(set())
    try:
        yield
    finally:
        _given_advice.reset(token)


def list_words(words: Iterable[str], conjunction: str = "and") -> str:
    """Return words as a list in a sentence.

    Parameters
    ----------
    words : iterable of str
        The words.
    conjunction : str, default: "and"
        The word before the last one.

    Returns
    -------
    str
        The words, with commas and the conjunction.

    Examples
    --------
    >>> list_words(["encoder", "x", "labels"])
    'encoder, x and labels'
    """
    *others, last = words
    return f"{', '.join(others)} {conjunction} {last}" if others else last


def _join_sentences(first: str, second: str) -> str:
    """Return two sentences as one text, with a full stop between them; either may be empty."""
    if not (first and second):
        return first or second
    return f"{first}{'' if first[-1] in '.!?' else '.'} {second}"


def _restore(kind: type[Any], args: tuple[Any, ...], fields: dict[str, Any]) -> Any:
    error = kind.__new__(kind, *args)
    error.args = args
    error.__dict__.update(fields)
    return error


def _python_literal(value: Any) -> str:
    return f'"{value}"' if isinstance(value, str) else repr(value)


def _flag(name: str, value: Any) -> str:
    flag = f"--{name.replace('_', '-')}"
    if value is True:
        return flag
    return f"{flag} {','.join(map(str, value)) if isinstance(value, (tuple, list, range)) else value}"
