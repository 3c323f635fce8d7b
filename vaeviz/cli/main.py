"""The command line: find a command, run it, and report errors and warnings as one line each."""

from __future__ import annotations

import codecs
import io
import signal
import sys
import warnings
from collections.abc import Callable
from typing import Any

import click

from vaeviz.cli.openmp import shorten_waiting
from vaeviz.cli.plugin_commands import broken_command, load_command
from vaeviz.cli.types import repeat_options
from vaeviz.errors import (
    GuessWarning,
    InputError,
    NotApplicable,
    NothingDrawnWarning,
    SmallPlaceWarning,
    UnknownName,
    for_command_line,
    printable_text,
)
from vaeviz.plugins import registry
from vaeviz.plugins.optional_libraries import quiet_logger

EXIT_FAILED, EXIT_USAGE, EXIT_INTERRUPTED = 1, 2, 130
HELP = """See what a variational autoencoder, or any model with an encoder or a decoder, has learned.

\b
vaeviz demo                                   train on embedded digits and draw everything
vaeviz train mlp --data mnist --out runs/m    train a VAE
vaeviz export runs/m --out figures/m          draw every plot of it into a folder
vaeviz plot latent_scatter runs/m             draw one plot
"""
PLAIN_CHARACTERS = {"−": "-", "–": "-", "×": "x", "·": "|", "…": "...", "√": "sqrt ", "✓": "+", "✗": "x", "→": "->"}
"""What is printed instead of a character that the output cannot encode; a question mark for all others."""
PLAIN_WARNINGS = (UserWarning, GuessWarning, NothingDrawnWarning, SmallPlaceWarning)  # shown without their category
MAX_REASON_LENGTH = 300  # of an unexpected error; --traceback shows all of it


class RegisteredCommands(click.Group):
    """A group whose commands are those of the registry."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the arguments of the group.

        Parameters
        ----------
        ctx : click.Context
            The context of the group.
        args : list of str
            All arguments of the command line.

        Returns
        -------
        list of str
            The arguments that are left for the command.
        """
        return super().parse_args(ctx, repeat_options(args))

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of the commands.

        Parameters
        ----------
        ctx : click.Context
            Not used.

        Returns
        -------
        list of str
            In alphabetical order.
        """
        return list(registry.entries("vaeviz.commands"))

    def get_command(self, ctx: click.Context, name: str) -> click.Command:
        """Return a command.

        Parameters
        ----------
        ctx : click.Context
            Not used.
        name : str
            Its name.

        Returns
        -------
        click.Command
            The command. One that cannot be imported is listed with the reason, and fails with it.

        Raises
        ------
        click.UsageError
            If there is no such command.
        """
        try:
            return load_command(name)
        except UnknownName as error:
            raise click.UsageError(str(error)) from None
        except InputError as error:
            return broken_command(name, error)


@click.group(
    cls=RegisteredCommands,
    help=HELP,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.option("--traceback", is_flag=True, expose_value=False, help="Show the traceback of an error, anywhere.")
@click.version_option(package_name="vaeviz")
def cli() -> None:
    """See what a variational autoencoder has learned."""


def main(args: list[str] | None = None) -> None:
    """Run the command line and exit the process.

    The exit code is 0 for success, 1 if something failed, 2 for wrong usage or input, 130 after an interruption.

    Parameters
    ----------
    args : list of str, optional
        Arguments, by default those of the process.
    """
    args = list(sys.argv[1:] if args is None else args)
    show_traceback = "--traceback" in args
    args = [arg for arg in args if arg != "--traceback"]
    _print_any_character()
    shorten_waiting()
    on_terminate = signal.signal(signal.SIGTERM, _exit_on_signal)  # so that what is open is closed and removed
    try:
        # fontTools warns about fonts whenever a PDF embeds one.
        with quiet_logger("fontTools"), warnings.catch_warnings():
            warnings.showwarning = _show_each_once()
            code = cli.main(args, prog_name="vaeviz", standalone_mode=False)
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        code = EXIT_INTERRUPTED
    except Exception as error:
        if show_traceback:
            raise
        code = _report_error(error)
    finally:
        signal.signal(signal.SIGTERM, on_terminate)
    sys.exit(code if isinstance(code, int) else 0)


def _print_any_character() -> None:
    """Print plain characters where the output cannot encode others, as on a terminal of Windows or in a pipe."""

    def replace_characters(error: UnicodeError) -> tuple[str, int]:
        assert isinstance(error, UnicodeEncodeError)
        replaced = (PLAIN_CHARACTERS.get(character, "?") for character in error.object[error.start : error.end])
        return "".join(replaced), error.end

    codecs.register_error("vaeviz-plain", replace_characters)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="vaeviz-plain")


def _exit_on_signal(number: int, frame: object) -> None:
    sys.exit(128 + number)


def _report_error(error: Exception) -> int:
    """Print an error and return the exit code."""
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        error.show()
        return error.exit_code
    if isinstance(error, click.ClickException):
        ctx = getattr(error, "ctx", None)
        see = f" (see {ctx.command_path} --help)" if ctx else ""
        click.echo(f"Error: {printable_text(error.format_message())}{see}", err=True)
        return error.exit_code
    if isinstance(error, (InputError, NotApplicable)):
        click.echo(f"Error: {for_command_line(error)}", err=True)
        return EXIT_FAILED if isinstance(error, NotApplicable) else EXIT_USAGE
    reason = " ".join(for_command_line(error).split())[:MAX_REASON_LENGTH]
    click.echo(f"Error: {type(error).__name__}: {reason} (add --traceback to see where)", err=True)
    return EXIT_FAILED


def _show_each_once() -> Callable[..., None]:
    """Return a replacement of `warnings.showwarning` that prints one line, and no line twice."""
    shown: set[str] = set()

    def show(message: Warning | str, category: type[Warning], *_: Any, **__: Any) -> None:
        label = "warning" if category in PLAIN_WARNINGS else category.__name__
        line = f"{label}: {' '.join(for_command_line(message).split())}"
        if line not in shown:
            shown.add(line)
            click.echo(line, err=True)

    return show
