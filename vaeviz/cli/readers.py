"""Read the inputs of plots from the text of command-line options: one function per `ReaderKind`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from tokenize import TokenError
from typing import TYPE_CHECKING, Any, Literal

from vaeviz.errors import InputError
from vaeviz.plugins.inputs import INPUTS, ReaderKind
from vaeviz.plugins.object_refs import import_object, is_object_ref, resolve_model

if TYPE_CHECKING:
    from vaeviz.model.opening import Model

# What numpy.load raises for a broken file. Its own messages are not shown: one advises to unpickle the file.
UNREADABLE_ARRAY = (EOFError, MemoryError, OSError, OverflowError, TokenError, TypeError, ValueError)


@dataclass(frozen=True)
class ReaderContext:
    """What readers know besides the text of their option.

    Parameters
    ----------
    labels : array_like or None
        Labels of the data set.
    label_name : str or None
        The array, column or file that holds them.
    other_data_dir : Path or None
        Folder with the files of the second data set.
    trust : bool
        Whether files that can run code are opened.
    """

    labels: Any
    label_name: str | None
    other_data_dir: Path | None
    trust: bool


def read_inputs(texts: Mapping[str, Any], context: ReaderContext) -> dict[str, Any]:
    """Return the inputs that options name, without those that belong to the model and the data set.

    Parameters
    ----------
    texts : mapping
        Text of each option by the name of its input; a tuple of texts for a repeatable one.
    context : ReaderContext
        What readers know besides.

    Returns
    -------
    dict
        Inputs by name.

    Raises
    ------
    InputError
        If a file or object does not exist or cannot be used.
    """
    given = [spec for name, spec in INPUTS.items() if spec.reader in READERS and texts.get(name)]
    inputs = {spec.name: READERS[spec.reader](texts[spec.name], spec.flag, context) for spec in given}
    return {name: value for name, value in inputs.items() if value is not None}


def read_array(text: str, flag: str, context: ReaderContext | None = None) -> Any:
    """Return the array of a file or an object.

    Parameters
    ----------
    text : str
        ``FILE.npy`` or ``package.module:attribute``.
    flag : str
        The option, for messages.
    context : ReaderContext, optional
        Not used.

    Returns
    -------
    array_like
        The object, or a memory-mapped array.

    Raises
    ------
    InputError
        If the file does not exist or is not a plain array of numbers.
    """
    if is_object_ref(text):
        return import_object(text)
    expected = "FILE.npy or package.module:attribute"
    if Path(text).suffix.lower() != ".npy":
        raise InputError(f"{flag} {text} is not {expected}.", got=text, expected=expected)
    import numpy as np

    try:
        return np.load(text, mmap_mode="r", allow_pickle=False)
    except FileNotFoundError:
        raise InputError(f"{flag} {text} does not exist.", got=text, expected=expected) from None
    except UNREADABLE_ARRAY:
        reason = "cannot be read as a plain array of numbers"
        fix = "Save it with numpy.save(FILE, array, allow_pickle=False)."
        raise InputError(f"{flag} {text} {reason}.", got=text, expected="an array without objects", fix=fix) from None


def open_model(text: str, *, trust: bool) -> Model:
    """Open a model that a command line names.

    Parameters
    ----------
    text : str
        A path, ``package.module:attribute``, or the name of a registered model.
    trust : bool
        Whether to open files that can run code.

    Returns
    -------
    Model
        The opened model.
    """
    from vaeviz.model.opening import open

    return open(resolve_model(text), trust=trust)


def resolve_part(text: str, role: Literal["encoder", "decoder"], *, trust: bool) -> Any:
    """Return what a command line names as an encoder or a decoder.

    Parameters
    ----------
    text : str
        As for `open_model`.
    role : {"encoder", "decoder"}
        Which of them it is.
    trust : bool
        Whether to open files that can run code.

    Returns
    -------
    object
        What `vaeviz.model.opening.as_encoder` and ``as_decoder`` accept.

    Raises
    ------
    InputError
        If it is a class of torch modules, which has no weights.
    """
    from vaeviz.model.opening import open

    found = resolve_model(text)
    if isinstance(found, type) and hasattr(found, "state_dict"):
        fix = f"Name a module, or write {text} --weights FILE."
        raise InputError(f"{text} is a class without weights.", got="a class", expected="a module", fix=fix)
    return open(found, role=role, trust=True) if trust else found


def is_condition_value(text: str) -> bool:
    """Return True if a condition is one value for all samples, and not an array or the labels.

    Parameters
    ----------
    text : str
        Value of ``--condition``.

    Returns
    -------
    bool
        False for ``labels``, ``FILE.npy`` and ``package.module:attribute``.
    """
    return text != "labels" and not is_object_ref(text) and Path(text).suffix.lower() != ".npy"


def _read_condition(text: str, flag: str, context: ReaderContext) -> Any:
    """Return the condition of each sample, or None if the text is one value for all."""
    if is_condition_value(text):
        return None
    if text != "labels":
        return read_array(text, flag)
    if context.labels is None:
        raise InputError(f"{flag} labels needs labels, and the data set has none.", fix="Add --labels NAME.")
    return context.labels


def _read_histories(texts: tuple[str, ...], flag: str, context: ReaderContext) -> Any:
    """Return the history of one run, or those of several by their names."""
    from vaeviz.data.history import name_runs
    from vaeviz.data.history_files import read_history_file

    read = [import_object(text) if is_object_ref(text) else read_history_file(Path(text)) for text in texts]
    return dict(zip(name_runs(texts), read)) if len(read) > 1 else read[0]


def _read_samples(text: str, flag: str, context: ReaderContext) -> Any:
    """Return the samples of a second data set. A column that holds the labels of the first is not a feature."""
    from vaeviz.data.loading import load_data

    if context.label_name is None:
        return load_data(text, data_dir=context.other_data_dir)
    try:
        return load_data(text, data_dir=context.other_data_dir, labels=context.label_name)
    except InputError as error:
        try:
            return load_data(text, data_dir=context.other_data_dir)
        except InputError as error_without:
            raise (error_without if error.got == "labels" else error) from None  # a loader without an option for labels


def _read_encoder(text: str, flag: str, context: ReaderContext) -> Any:
    from vaeviz.model.opening import as_encoder

    return as_encoder(resolve_part(text, "encoder", trust=context.trust))


def _read_names(text: str, flag: str, context: ReaderContext) -> Any:
    return import_object(text) if is_object_ref(text) else tuple(name.strip() for name in text.split(","))


READERS: Mapping[ReaderKind, Callable[[Any, str, ReaderContext], Any]] = {
    "condition": _read_condition,
    "array": read_array,
    "history": _read_histories,
    "likelihood": lambda text, flag, context: import_object(text) if is_object_ref(text) else text,
    "object": lambda text, flag, context: import_object(text),
    "samples": _read_samples,
    "encoder": _read_encoder,
    "models": lambda texts, flag, context: [open_model(text, trust=context.trust) for text in texts],
    "names": _read_names,
}
"""Function that reads an option, by `ReaderKind`: its text, its flag, and what it knows besides."""
