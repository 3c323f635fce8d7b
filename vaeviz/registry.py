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
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

from vaeviz.errors import InputError, UnknownName


@dataclass(frozen=True)
class Entry:
    """One registered thing, not yet imported."""

    group: str
    name: str
    module: str
    attribute: str
    distribution: str

    def load(self) -> object:
        """Import and return the object; `InputError` with the reason if that fails."""
        try:
            return getattr(importlib.import_module(self.module), self.attribute)
        except Exception as error:
            reason = f"{type(error).__name__}: {error}".splitlines()[0]
            raise InputError(f"{self.name!r} of {self.distribution} could not be imported: {reason}") from error


@dataclass(frozen=True)
class Added(Entry):
    """A thing registered at run time by :func:`add`: already imported."""

    thing: object

    def load(self) -> object:
        return self.thing


_added: dict[str, dict[tuple[str, str], Added]] = {}


def add(group: str, name: str, thing: Callable) -> None:
    """File `thing` under `name`. The same function of the same module replaces its former self."""
    module = thing.__module__
    entry = Added(group, name, module, thing.__qualname__, module.partition(".")[0], thing)
    _added.setdefault(group, {})[module, name] = entry


def added(group: str) -> set[str]:
    """The names that were registered at run time, and that no other process knows."""
    installed = {(entry.module, entry.name) for entry in _installed(group)}
    return {name for module, name in _added.get(group, {}) if (module, name) not in installed}


def entries(group: str) -> dict[str, list[Entry]]:
    """Every entry of a group by name, in order of name. Two under one name are a conflict: see :func:`find`."""
    found = {(entry.module, entry.name): entry for entry in _installed(group)}
    for key, entry in _added.get(group, {}).items():
        found.setdefault(key, entry)
    named: dict[str, list[Entry]] = {}
    for entry in sorted(found.values(), key=lambda entry: (entry.name, entry.distribution)):
        named.setdefault(entry.name, []).append(entry)
    return named


def find(group: str, name: str) -> Entry:
    """The one entry of that name (``-`` and ``_`` are alike).

    Raises `UnknownName` with the nearest names, or `InputError` naming both distributions if two claim it.
    """
    named = {_plain(known): found for known, found in entries(group).items()}
    if _plain(name) not in named:
        kind = group.rpartition(".")[2].removesuffix("s")
        raise UnknownName({"dataset": "data set"}.get(kind, kind), name, entries(group))
    found = named[_plain(name)]
    if len(found) > 1:
        owners = " and ".join(f"{entry.distribution} ({entry.module})" for entry in found)
        raise InputError(f"{name!r} is registered twice, by {owners}; uninstall one of them")
    return found[0]


def load(group: str, name: str) -> object:
    """The object registered under `name`."""
    return find(group, name).load()


def _plain(name: str) -> str:
    return name.replace("-", "_")


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
