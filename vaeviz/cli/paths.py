"""Paths on a command line, checked before any work is done."""

from __future__ import annotations

import errno
import os
import shlex
from pathlib import Path

import click

from vaeviz.errors import InputError, list_words


class PathName(click.ParamType):  # type: ignore[type-arg]  # generic only in recent versions of click
    """A file or folder, which need not exist. Its name must be one that the system accepts."""

    name = "path"

    def convert(self, value: str | Path, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        """Return the path of a name.

        Parameters
        ----------
        value : str or Path
            What was written.
        param : click.Parameter, optional
            The option, for messages.
        ctx : click.Context, optional
            Not used.

        Returns
        -------
        Path
            The path.

        Raises
        ------
        InputError
            If no file or folder can have this name, or the command cannot use it.
        """
        flag = param.opts[0] if param is not None else "The path"
        if not str(value):
            raise InputError(f"{flag} is empty.", got="nothing", expected=f"a {self.name}", fix=f"Name a {self.name}.")
        try:
            os.lstat(value)
        except ValueError:
            raise InputError(f"{flag} has a NUL character.", got=repr(value), expected=f"a {self.name}") from None
        except OSError as error:
            if error.errno != errno.ENOENT:
                raise InputError(f"{flag} {value} cannot be used: {error.strerror}.", got=str(value)) from None
        self._check_path(Path(value), flag)
        return Path(value)

    def _check_path(self, path: Path, flag: str) -> None:
        """Raise InputError for a path that the command cannot use. Here, every path is accepted."""


class OutputFile(PathName):
    """A file that a command writes, in a folder that exists.

    Parameters
    ----------
    *endings : str
        Endings that its name may have; any if none is given.
    """

    def __init__(self, *endings: str) -> None:
        self.endings = endings

    def _check_path(self, path: Path, flag: str) -> None:
        """Raise InputError if the name has another ending, its folder does not exist, or it is a folder."""
        if self.endings and path.suffix not in self.endings:
            listed = list_words(self.endings, "or")
            raise InputError(f"{flag} {path} must end in {listed}.", got=path.suffix, expected=listed)
        if not path.parent.is_dir():
            fix = f"Create it: mkdir -p {shlex.quote(str(path.parent))}"
            raise InputError(f"The folder of {flag} {path} does not exist.", got=str(path), fix=fix)
        if path.is_dir():
            raise InputError(f"{flag} {path} is a folder.", got=str(path), expected="a file", fix="Name a file in it.")
