"""Import a plug-in so that it can neither end this process, nor interrupt it, print, or hang."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Iterator
from types import FrameType
from typing import Any

from vaeviz.errors import InputError

MAX_IMPORT_SECONDS = 20.0  # torch and scipy on a cold disk take about ten


class _StoppedImport(BaseException):
    """Raised inside an import to stop it; not an Exception, which the import might catch."""


@contextlib.contextmanager
def guarded_import(module: str) -> Iterator[None]:
    """Turn what a module does to this process while it is imported into errors.

    Calls of ``os._exit`` are refused, an import that takes too long is stopped, and what is printed goes to the
    standard error stream. Signals are handled in the main thread only, and time is limited where the system has alarms.

    Parameters
    ----------
    module : str
        Name of the module, for messages.

    Raises
    ------
    InputError
        If the module exits, raises KeyboardInterrupt by itself, or takes longer than 20 seconds.
    KeyboardInterrupt
        If the user interrupts the import.
    """
    with contextlib.ExitStack() as stack:
        stack.enter_context(contextlib.redirect_stdout(sys.stderr))
        stack.enter_context(_refuse_exits())
        interrupted = stack.enter_context(_watch_signals())
        try:
            yield
        except _StoppedImport as error:
            raise InputError(f"{module} was stopped: {error}.", got=str(error)) from None
        except SystemExit as error:
            raise InputError(f"{module} exits when it is imported: SystemExit: {error}.", got="SystemExit") from None
        except KeyboardInterrupt:
            if interrupted.is_set() or threading.current_thread() is not threading.main_thread():
                raise
            message = f"{module} raises KeyboardInterrupt when it is imported."
            raise InputError(message, got="KeyboardInterrupt") from None


@contextlib.contextmanager
def _refuse_exits() -> Iterator[None]:
    """Refuse calls of ``os._exit`` in this thread."""
    real_exit, importer = os._exit, threading.get_ident()

    def refuse(status: int) -> Any:
        if threading.get_ident() != importer:
            real_exit(status)
        raise _StoppedImport(f"it calls os._exit({status})")

    os._exit = refuse
    try:
        yield
    finally:
        os._exit = real_exit


@contextlib.contextmanager
def _watch_signals() -> Iterator[threading.Event]:
    """Stop the block after some seconds, and set the event that is yielded if the user interrupts it."""
    interrupted = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield interrupted
        return

    def interrupt(number: int, frame: FrameType | None) -> None:
        interrupted.set()
        raise KeyboardInterrupt

    def stop(number: int, frame: FrameType | None) -> None:
        raise _StoppedImport(f"it takes longer than {MAX_IMPORT_SECONDS:g} seconds")

    handlers = {signal.SIGINT: interrupt} | ({signal.SIGALRM: stop} if hasattr(signal, "SIGALRM") else {})
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    timer = signal.setitimer(signal.ITIMER_REAL, MAX_IMPORT_SECONDS) if hasattr(signal, "SIGALRM") else None
    try:
        yield interrupted
    finally:
        for number, handler in before.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
        if timer is not None:
            signal.setitimer(signal.ITIMER_REAL, *timer)
