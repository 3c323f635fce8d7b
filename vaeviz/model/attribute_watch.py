"""See objects of a class whose attributes are read, however a callable reaches them."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

_watchers: dict[type, list[Callable[[Any, str], None]]] = {}  # of all threads
_lock = threading.Lock()


def hide_from_compiler(hook: Callable[..., Any]) -> Callable[..., Any]:
    """Return a hook that ``torch.compile``, if something was compiled with it, does not trace.

    Parameters
    ----------
    hook : callable
        The hook.
    """
    dynamo = sys.modules.get("torch._dynamo")
    return hook if dynamo is None else dynamo.disable(hook)


@contextmanager
def watch_attributes(kind: type[Any], before: Callable[[Any], None]) -> Iterator[None]:
    """Call a function with each object of a class before this thread reads one of its attributes.

    Parameters
    ----------
    kind : type
        The class. Nothing is watched if it defines ``__getattribute__`` itself.
    before : callable
        The function. What it reads itself is not watched.

    Yields
    ------
    None
        Nothing.
    """
    thread, is_busy = threading.get_ident(), False

    def watch(instance: Any, name: str) -> None:
        nonlocal is_busy
        if is_busy or name == "__init__" or threading.get_ident() != thread:
            return  # a model that another thread trains stays in its own mode
        is_busy = True
        try:
            before(instance)
        finally:
            is_busy = False

    def read_attribute(instance: Any, name: str) -> Any:
        for watcher in tuple(_watchers.get(kind, ())):
            watcher(instance, name)
        return super(kind, instance).__getattribute__(name)

    if "__getattribute__" in vars(kind) and kind not in _watchers:
        yield
        return
    with _lock:
        _watchers.setdefault(kind, []).append(watch)
        kind.__getattribute__ = hide_from_compiler(read_attribute)
    try:
        yield
    finally:
        with _lock:
            _watchers[kind].remove(watch)
            if not _watchers[kind]:
                del kind.__getattribute__, _watchers[kind]


def is_complete(instance: Any) -> bool:
    """Return False for an object that is being constructed.

    Parameters
    ----------
    instance : Any
        The object.

    Returns
    -------
    bool
        False if a method ``__init__`` of it is running, or if it has no attributes yet.
    """
    frame = sys._getframe(1)
    while frame is not None:
        code = frame.f_code
        if code.co_name == "__init__" and code.co_varnames and frame.f_locals.get(code.co_varnames[0]) is instance:
            return False
        frame = frame.f_back  # type: ignore[assignment]
    return bool(object.__getattribute__(instance, "__dict__"))
