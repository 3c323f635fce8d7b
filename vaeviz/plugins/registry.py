"""Find plots, models, data sets and commands by name, without importing them.

An entry is a name, the module and attribute that hold the object, and the distribution it comes from. A group
(``vaeviz.plots``, ``vaeviz.models``, ...) gets its entries from the entry points of installed distributions, our own
included, and from `add` at run time. An entry point names one object (``module:attribute``), or a package whose files
are the entries: each file contains an object of the same name. A plug-in that cannot be imported breaks only its own
entries.
"""

from __future__ import annotations

import functools
import importlib
import importlib.util
import operator
import os
import pkgutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from importlib.metadata import Distribution, EntryPoint, EntryPoints, entry_points
from pathlib import Path
from typing import Any

from vaeviz.errors import InputError, UnknownName
from vaeviz.plugins.guarded_import import guarded_import

ENTRY_KINDS = {
    "vaeviz.plots": "plot",
    "vaeviz.adapters": "adapter",
    "vaeviz.models": "model",
    "vaeviz.datasets": "data set",
    "vaeviz.embeddings": "embedding",
    "vaeviz.commands": "command",
    "vaeviz.checks": "check",
}
"""The groups, and what an entry of each is called."""

OWN_DISTRIBUTION = "vaeviz"
OWN_PACKAGES = {"vaeviz.checks": "vaeviz.health.checks"}  # groups without entry points, and the package of their files


@dataclass(frozen=True)
class Entry:
    """An object of an installed distribution, not yet imported.

    Parameters
    ----------
    group : str
        Entry-point group.
    name : str
        Name under which it is found.
    module, attribute : str
        Where the object is defined.
    distribution : str
        Distribution that provides it.
    """

    group: str
    name: str
    module: str
    attribute: str
    distribution: str

    @property
    def kind(self) -> str:
        """What an entry of this group is called."""
        return ENTRY_KINDS.get(self.group, self.group)

    def load(self) -> Any:
        """Import the object.

        Returns
        -------
        object
            The object.

        Raises
        ------
        InputError
            If it cannot be imported, or is neither a function nor a model.
        """
        guard = nullcontext() if self.distribution == OWN_DISTRIBUTION else guarded_import(self.module)
        try:
            with guard:
                found = operator.attrgetter(self.attribute)(importlib.import_module(self.module))
        except Exception as error:
            text = str(error) if isinstance(error, InputError) else f"{type(error).__name__}: {error}"
            reason = text.splitlines()[0].rstrip(".")
            raise InputError(
                f"The {self.kind} {self.name!r} of {self.distribution} cannot be imported: {reason}.",
                fix=f"See where with: python -c 'import {self.module}'",
            ) from error
        if not callable(found) and self.group != "vaeviz.models":
            raise self.wrong_type(type(found).__name__, "a function")
        return found

    def wrong_type(self, got: str, expected: str) -> InputError:
        """Return the error for an object that this group cannot use.

        Parameters
        ----------
        got, expected : str
            Type of the object, and what the group needs.

        Returns
        -------
        InputError
            The error, to be raised.
        """
        return InputError(
            f"The {self.kind} {self.name!r} of {self.distribution} cannot be used: {self.module}:{self.attribute} is "
            f"of type {got}, expected {expected}.",
            got=got,
            expected=expected,
        )

    def is_loaded_as(self, found: object) -> bool:
        """Return True if the module is imported already and holds this very object.

        Parameters
        ----------
        found : object
            The object to compare with.

        Returns
        -------
        bool
            True if both are the same object.
        """
        try:
            return operator.attrgetter(self.attribute)(sys.modules[self.module]) is found
        except (KeyError, AttributeError):
            return False


@dataclass(frozen=True)
class RuntimeEntry(Entry):
    """An object that was registered at run time by `add`.

    Parameters
    ----------
    target : object
        The object itself.
    """

    target: Any

    def load(self) -> Any:
        """Return the object.

        Returns
        -------
        object
            The object.
        """
        return self.target


_runtime_entries: dict[str, dict[tuple[str, str], RuntimeEntry]] = {}


def add(group: str, name: str, target: Callable[..., Any]) -> None:
    """Register an object at run time. A function of the same module and name is overwritten.

    Parameters
    ----------
    group : str
        Entry-point group, e.g. ``"vaeviz.embeddings"``.
    name : str
        Name under which it is found.
    target : callable
        The function, class or model.

    Raises
    ------
    InputError
        If the name is not a Python identifier, with dashes for underscores.
    """
    _check_name(ENTRY_KINDS.get(group, group), name)
    module = target.__module__
    entry = RuntimeEntry(group, name, module, target.__qualname__, module.partition(".")[0], target)
    _runtime_entries.setdefault(group, {})[module, name] = entry


def runtime_entries() -> list[RuntimeEntry]:
    """Return everything that was registered at run time, of all groups.

    Returns
    -------
    list of RuntimeEntry
        In the order of registration within each group.
    """
    return [entry for entries in _runtime_entries.values() for entry in entries.values()]


def runtime_only(group: str) -> set[str]:
    """Return the names that were registered at run time and that no other process finds.

    Parameters
    ----------
    group : str
        Entry-point group.

    Returns
    -------
    set of str
        Names without an installed entry.
    """
    installed = {(entry.module, entry.name) for entry in _installed(group)}
    return {name for module, name in _runtime_entries.get(group, {}) if (module, name) not in installed}


@contextmanager
def temporary_entries() -> Iterator[None]:
    """Forget what the block registers when it ends."""
    before = {group: dict(entries) for group, entries in _runtime_entries.items()}
    try:
        yield
    finally:
        _runtime_entries.clear()
        _runtime_entries.update(before)


def entries(group: str) -> dict[str, list[Entry]]:
    """Return every entry of a group by name.

    Parameters
    ----------
    group : str
        Entry-point group.

    Returns
    -------
    dict of str to list of Entry
        In alphabetical order. A name with several entries is a conflict, see `find`.
    """
    found: list[Entry] = [*_installed(group)]
    found += [entry for entry in _runtime_entries.get(group, {}).values() if not _is_installed(entry)]
    by_name: dict[str, list[Entry]] = {}
    for entry in sorted(found, key=lambda entry: (_with_underscores(entry.name), entry.distribution)):
        by_name.setdefault(_with_underscores(entry.name), []).append(entry)
    return {same[0].name: same for same in by_name.values()}


def find(group: str, name: str) -> Entry:
    """Return the entry of a name.

    Parameters
    ----------
    group : str
        Entry-point group.
    name : str
        The name. Dashes and underscores are the same.

    Returns
    -------
    Entry
        The entry, not yet imported.

    Raises
    ------
    UnknownName
        If there is none. The message lists the nearest names.
    InputError
        If several distributions provide the name, or it could be a path.
    """
    known = entries(group)
    by_name = {_with_underscores(known_name): found for known_name, found in known.items()}
    if _with_underscores(name) not in by_name:
        _check_not_installed_yet(group, name)
        raise UnknownName(ENTRY_KINDS.get(group, group), name, known)
    found = by_name[_with_underscores(name)]
    if len(found) > 1:
        owners = " and ".join(f"{entry.distribution} ({entry.module})" for entry in found)
        raise InputError(
            f"The {found[0].kind} {name!r} is provided by {owners}.",
            got=owners,
            expected="one distribution",
            fix="Rename one of them, or uninstall its distribution.",
        )
    _check_name(found[0].kind, found[0].name, found[0].distribution)
    return found[0]


def load(group: str, name: str) -> Any:
    """Import the object of a name.

    Parameters
    ----------
    group : str
        Entry-point group.
    name : str
        The name. Dashes and underscores are the same.

    Returns
    -------
    object
        The object.

    Raises
    ------
    InputError
        If the name is unknown or ambiguous, or the object cannot be imported.
    """
    return find(group, name).load()


def package_folders(module: str) -> list[Path]:
    """Return the folders of a package, without importing it.

    Parameters
    ----------
    module : str
        Full name of the package.

    Returns
    -------
    list of Path
        Existing folders; empty for a module that is a single file, or that does not exist.
    """
    top, *parts = module.split(".")
    try:
        spec = importlib.util.find_spec(top)
    except (ImportError, ValueError):
        spec = None
    places = (spec and spec.submodule_search_locations) or []
    folders = (Path(place).joinpath(*parts) for place in places)
    return [folder for folder in folders if folder.is_dir()]


def _check_name(kind: str, name: str, distribution: str = "") -> None:
    """Raise InputError for a name that is not an identifier: names become file names and options."""
    if not _with_underscores(name).isidentifier():
        owner = f" of {distribution}" if distribution else ""
        expected = "a Python identifier, in which dashes count as underscores"
        raise InputError(f"The {kind} {name!r}{owner} has a name that is not {expected}.", got=name, expected=expected)


def _check_not_installed_yet(group: str, name: str) -> None:
    """Raise InputError for a name that has a file in one of our packages, but no entry point."""
    packages = {
        entry.module.rpartition(".")[0] for entry in _installed(group) if entry.distribution == OWN_DISTRIBUTION
    }
    file = f"{_with_underscores(name)}.py"
    if any(os.path.isfile(folder / file) for package in packages for folder in package_folders(package)):
        message = f"The {ENTRY_KINDS.get(group, group)} {name!r} is not installed, although there is a file {file}."
        fix = "Add it to the entry points of pyproject.toml, and install again: pip install -e ."
        raise InputError(message, got=name, expected="an entry point", fix=fix)


def _with_underscores(name: str) -> str:
    return name.replace("-", "_")


def _is_installed(added: RuntimeEntry) -> bool:
    """Return True if an entry point names the same object: importing it has registered it."""
    return any(
        (entry.module, entry.name) == (added.module, added.name) or entry.is_loaded_as(added.target)
        for entry in _installed(added.group)
    )


@functools.cache
def _entry_points() -> EntryPoints:
    return entry_points()  # type: ignore[return-value]  # before Python 3.12 a dictionary with the same `select`


@functools.cache
def _installed(group: str) -> tuple[Entry, ...]:
    if group in OWN_PACKAGES:
        return tuple(_package_entries(group, OWN_PACKAGES[group], OWN_DISTRIBUTION))
    return tuple(entry for point in _entry_points().select(group=group) for entry in _entries_of(group, point))


@functools.cache
def _distribution_name(distribution: Distribution) -> str:
    return distribution.name  # parses the metadata of the distribution


def _entries_of(group: str, point: EntryPoint) -> list[Entry]:
    distribution = _distribution_name(point.dist) if point.dist else "unknown"
    if point.attr:
        return [Entry(group, point.name, point.module, point.attr, distribution)]
    return _package_entries(group, point.module, distribution)


def _package_entries(group: str, module: str, distribution: str) -> list[Entry]:
    """Return one entry for each public file of a package, or for the module itself, without importing it."""
    folders = [str(folder) for folder in package_folders(module)]
    if not folders:
        name = module.rpartition(".")[2]
        return [Entry(group, name, module, name, distribution)]
    names = (info.name for info in pkgutil.iter_modules(folders) if not info.name.startswith("_"))
    return [Entry(group, name, f"{module}.{name}", name, distribution) for name in names]
