"""Names to things. Nothing is imported to list names; a broken plug-in breaks only itself.

A group (``vaeviz.plots``, ``vaeviz.models``, ...) is filled from two sides: entry points of installed
distributions, this one's own included, and :func:`add` at run time. An entry point names either one
object (``module:attribute``, filed under the entry point's name), or a package, whose files are
walked, or a module; there the file's name is the name of the entry and of the object in it.
"""

from __future__ import annotations

import functools
import importlib
import importlib.util
import operator
import pkgutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

from vaeviz.errors import InputError, UnknownName

ENTRY_KINDS = {
    "vaeviz.plots": "plot",
    "vaeviz.adapters": "adapter",
    "vaeviz.models": "model",
    "vaeviz.datasets": "data set",
    "vaeviz.embeddings": "embedding",
    "vaeviz.commands": "command",
}
"""The groups, and what one thing of each is called."""

OWN_DISTRIBUTION = "vaeviz"
"""The distribution whose things are known to import: its tests import them all."""


@dataclass(frozen=True)
class Entry:
    """One registered thing, not yet imported."""

    group: str
    name: str
    module: str
    attribute: str
    distribution: str

    def load(self) -> object:
        """Import and return the object; `InputError` with the reason if that fails, or if it is of no use there."""
        try:
            thing = operator.attrgetter(self.attribute)(importlib.import_module(self.module))
        except (Exception, SystemExit) as error:
            reason = f"{type(error).__name__}: {error}".splitlines()[0]
            raise InputError(f"{self.name!r} of {self.distribution} could not be imported: {reason}") from error
        if not callable(thing) and self.group != "vaeviz.models":
            got = f"{self.module}:{self.attribute} is of type {type(thing).__name__}"
            raise InputError(
                f"{self.name!r} of {self.distribution} is no {ENTRY_KINDS[self.group]}: {got}, not a function"
            )
        return thing

    def is_loaded_as(self, thing: object) -> bool:
        """Whether its module is imported already, and the object in it is that very thing."""
        try:
            return operator.attrgetter(self.attribute)(sys.modules[self.module]) is thing
        except (KeyError, AttributeError):
            return False


@dataclass(frozen=True)
class RuntimeEntry(Entry):
    """A thing registered at run time by :func:`add`: already imported."""

    thing: object

    def load(self) -> object:
        return self.thing


_added: dict[str, dict[tuple[str, str], RuntimeEntry]] = {}


def add(group: str, name: str, thing: Callable) -> None:
    """File `thing` under `name`. The same function of the same module replaces its former self."""
    module = thing.__module__
    entry = RuntimeEntry(group, name, module, thing.__qualname__, module.partition(".")[0], thing)
    _added.setdefault(group, {})[module, name] = entry


def runtime_entries() -> list[Entry]:
    """All that was registered at run time, of all groups."""
    return [entry for entries in _added.values() for entry in entries.values()]


def runtime_only(group: str) -> set[str]:
    """The names that were registered at run time, and that no other process knows."""
    installed = {(entry.module, entry.name) for entry in _installed(group)}
    return {name for module, name in _added.get(group, {}) if (module, name) not in installed}


@contextmanager
def temporary_entries() -> Iterator[None]:
    """What is added while the block runs is forgotten after it."""
    before = {group: dict(entries) for group, entries in _added.items()}
    try:
        yield
    finally:
        _added.clear()
        _added.update(before)


def entries(group: str) -> dict[str, list[Entry]]:
    """Every entry of a group by name, in order of name. Two under one name are a conflict: see :func:`find`."""
    found: list[Entry] = [*_installed(group)]
    found += [entry for entry in _added.get(group, {}).values() if not _is_installed(entry)]
    named: dict[str, list[Entry]] = {}
    for entry in sorted(found, key=lambda entry: (_plain(entry.name), entry.distribution)):
        named.setdefault(_plain(entry.name), []).append(entry)
    return {same[0].name: same for same in named.values()}


def find(group: str, name: str) -> Entry:
    """The one entry of that name (``-`` and ``_`` are alike).

    Raises `UnknownName` with the nearest names, or `InputError` naming both distributions if two claim it.
    """
    known = entries(group)
    named = {_plain(name): found for name, found in known.items()}
    if _plain(name) not in named:
        raise UnknownName(ENTRY_KINDS.get(group, group), name, known)
    found = named[_plain(name)]
    if len(found) > 1:
        owners = " and ".join(f"{entry.distribution} ({entry.module})" for entry in found)
        raise InputError(f"{name!r} is registered twice, by {owners}; uninstall or rename one of them")
    return found[0]


def load(group: str, name: str) -> object:
    """The object registered under `name`."""
    return find(group, name).load()


def _plain(name: str) -> str:
    return name.replace("-", "_")


def _is_installed(added: RuntimeEntry) -> bool:
    """Whether an entry point names the same thing, under this name or another: importing it has added it."""
    return any(
        (entry.module, entry.name) == (added.module, added.name) or entry.is_loaded_as(added.thing)
        for entry in _installed(added.group)
    )


@functools.cache
def _installed(group: str) -> tuple[Entry, ...]:
    return tuple(entry for point in entry_points(group=group) for entry in _entries_of(group, point))


def _entries_of(group: str, point: EntryPoint) -> list[Entry]:
    distribution = point.dist.name if point.dist else "unknown"
    if point.attr:
        return [Entry(group, point.name, point.module, point.attr, distribution)]
    return [Entry(group, name, module, name, distribution) for name, module in _walk(point.module)]


def _walk(module: str) -> list[tuple[str, str]]:
    """(name, module) of each public file of a package, or of the module itself, without importing it."""
    folders = _folders(module)
    if not folders:
        return [(module.rpartition(".")[2], module)]
    names = (info.name for info in pkgutil.iter_modules(folders) if not info.name.startswith("_"))
    return [(name, f"{module}.{name}") for name in names]


def _folders(module: str) -> list[str]:
    """The folders of a package, found from its top-level package's place; none if it is a plain module."""
    top, *parts = module.split(".")
    try:
        spec = importlib.util.find_spec(top)
    except (ImportError, ValueError):
        spec = None
    places = (spec and spec.submodule_search_locations) or []
    folders = (Path(place).joinpath(*parts) for place in places)
    return [str(folder) for folder in folders if folder.is_dir()]
