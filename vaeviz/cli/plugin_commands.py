"""Commands of the registry: load one, or represent one that cannot be loaded."""

from __future__ import annotations

import click

from vaeviz.errors import InputError
from vaeviz.plugins import registry


def load_command(name: str) -> click.Command:
    """Return a registered command.

    Parameters
    ----------
    name : str
        Its name.

    Returns
    -------
    click.Command
        The command.

    Raises
    ------
    InputError
        If the name is unknown, or what it names cannot be imported or is not a command.
    """
    entry = registry.find("vaeviz.commands", name)
    command = entry.load()
    if not isinstance(command, click.Command):
        raise entry.wrong_type(type(command).__name__, "a function with @click.command()")
    return command


def broken_command(name: str, error: InputError) -> click.Command:
    """Return a command that is listed with an error and fails with it.

    Parameters
    ----------
    name : str
        Name of the command that cannot be loaded.
    error : InputError
        The reason.

    Returns
    -------
    click.Command
        A command that accepts any arguments.
    """

    def fail(**_: object) -> None:
        raise error

    settings = {"ignore_unknown_options": True, "allow_extra_args": True}
    return click.Command(name, callback=fail, short_help=f"(broken) {error.message}", context_settings=settings)
