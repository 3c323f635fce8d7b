"""The command line. Commands are found through the registry, a plug-in's as our own."""

from __future__ import annotations

import logging
import sys
import warnings
from collections.abc import Callable

import click

from vaeviz.cli.declarations import as_flags
from vaeviz.cli.source import broken_command, load_command
from vaeviz.errors import InputError, NotApplicable, UnknownName
from vaeviz.plugins import registry

GROUP = "vaeviz.commands"


class RegisteredCommands(click.Group):
    """A group whose commands are the registry's. One that cannot be imported is listed with the reason."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(registry.entries(GROUP))

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        try:
            return load_command(name)
        except UnknownName as error:
            raise click.UsageError(str(error)) from None
        except InputError as error:
            return broken_command(name, error)


@click.group(cls=RegisteredCommands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option("--traceback", is_flag=True, expose_value=False, help="Show the traceback of an error, at any place.")
@click.version_option(package_name="vaeviz")
def cli() -> None:
    """See what a variational autoencoder, or anything with an encoder or a decoder, has learned.

    \b
    vaeviz demo                                   train on embedded digits and draw everything
    vaeviz train mlp --data mnist --out runs/m    train a VAE
    vaeviz export runs/m --out figures/m          draw every plot of it into a folder
    vaeviz plot latent_scatter runs/m             draw one
    """


def main(args: list[str] | None = None) -> None:
    """Run the command line, and leave with its exit code: 2 for wrong usage or input, 1 for what went wrong."""
    args = list(sys.argv[1:] if args is None else args)
    show = "--traceback" in args
    args = [arg for arg in args if arg != "--traceback"]
    warnings.showwarning = _showing_once()
    logging.getLogger("fontTools").setLevel(logging.ERROR)  # it remarks on fonts whenever a PDF embeds one
    try:
        code = cli.main(args, prog_name="vaeviz", standalone_mode=False)
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        code = 130
    except Exception as error:
        if show:
            raise
        code = _report(error)
    sys.exit(code if isinstance(code, int) else 0)


def _report(error: Exception) -> int:
    if isinstance(error, getattr(click.exceptions, "NoArgsIsHelpError", ())):
        error.show()
        return error.exit_code
    if isinstance(error, click.ClickException):
        ctx = getattr(error, "ctx", None)
        click.echo(f"Error: {error.format_message()}" + (f" (see {ctx.command_path} --help)" if ctx else ""), err=True)
        return error.exit_code
    if isinstance(error, (InputError, NotApplicable)):
        click.echo(f"Error: {as_flags(str(error))}", err=True)
        return 1 if isinstance(error, NotApplicable) else 2
    reason = " ".join(str(error).split())[:300]
    click.echo(f"Error: {type(error).__name__}: {reason} (add --traceback to see where)", err=True)
    return 1


def _showing_once() -> Callable[..., None]:
    """What shows a warning as one line, and no line twice."""
    shown: set[str] = set()

    def show(message: Warning | str, *_: object, **__: object) -> None:
        line = f"warning: {as_flags(str(message))}"
        if line not in shown:
            shown.add(line)
            click.echo(line, err=True)

    return show
