"""Every option that a message, a help text or a docstring advises is one of the command that shows it."""

from __future__ import annotations

import ast
import inspect
import re
from pathlib import Path

import click
import pytest

import vaeviz
import vaeviz_models
from vaeviz.cli.main import cli
from vaeviz.cli.source import MODEL_AND_DATA_OPTIONS

FOLDERS = {package.__name__: Path(package.__file__).parent for package in (vaeviz, vaeviz_models)}
FLAG = re.compile(r"(?<![\w-])--[a-z][a-z-]*(?![a-z{-])")
COMMAND_BEFORE = re.compile(r"vaeviz (\w+)[^`;]*$")  # a backtick ends the command
ANYWHERE = {"--help", "--traceback", "--with"}
OF_TORCHRUN = {
    "--log-dir",
    "--nnodes",
    "--nproc-per-node",
    "--rdzv-backend",
    "--rdzv-conf",
    "--rdzv-endpoint",
    "--rdzv-id",
    "--standalone",
}


def flags_of(command):
    """Return the flags of a command and of its subcommands."""
    flags = {flag for param in command.params for flag in [*param.opts, *param.secondary_opts]}
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            flags |= flags_of(command.get_command(context, name))
    return flags


@pytest.fixture(scope="module")
def flags():
    """Flags of each command by its name, and of all commands by the empty name."""
    context = click.Context(cli)
    by_command = {name: flags_of(cli.get_command(context, name)) for name in cli.list_commands(context)}
    return by_command | {"": set().union(*by_command.values())}


def messages():
    """Yield each string of the source with its file. Parts of an f-string that are computed are left out."""
    for folder in FOLDERS.values():
        for file in sorted(folder.rglob("*.py")):
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Constant) and isinstance(node.value, str) and "--" in node.value:
                    yield file, node.value


def commands_with_flags(file, text):
    """Yield (command, flag) for each flag of a text; the command is "" where the text names none."""
    own = file.stem if file.parent.name == "commands" else ""
    for line in text.splitlines():
        for flag in FLAG.finditer(line):
            named = COMMAND_BEFORE.search(line[: flag.start()])
            yield (named[1] if named else own), flag[0]


def test_every_option_in_a_text_exists(flags):
    unknown = [
        (file.name, command, flag)
        for file, text in messages()
        for command, flag in commands_with_flags(file, text)
        if flag not in flags.get(command, flags[""]) | ANYWHERE | OF_TORCHRUN
    ]
    of_other_commands = [
        ("demo.py", "demo", "--other-encoder"),  # of the command that its page shows, as is the next
        ("demo.py", "demo", "--runs"),
        ("list.py", "list", "--set"),  # of `vaeviz analyze`, where it sets an option of a check
    ]
    assert sorted(unknown) == of_other_commands


def test_every_declaration_that_is_advised_has_an_option():
    def command(): ...

    for decorate in MODEL_AND_DATA_OPTIONS:
        command = decorate(command)
    known = {flag for param in command.__click_params__ for flag in param.opts}
    for folder in FOLDERS.values():
        for file in folder.rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "declare":
                    advised = {f"--{keyword.arg.replace('_', '-')}" for keyword in node.keywords if keyword.arg}
                    assert advised <= known, file


@pytest.mark.parametrize("command", ["analyze", "export"])
def test_a_name_that_is_no_input_advises_only_an_option_that_exists(command, run_main, make_module, flags):
    from vaeviz.export.figure_set import export_figures
    from vaeviz.health.analyze import analyze

    make_module("taken_names", "value = 1\ndef encode(x): return x.reshape(len(x), -1)[:, :2]")
    function = {"analyze": analyze, "export": export_figures}[command]
    names = [
        name
        for name, parameter in inspect.signature(function).parameters.items()
        if parameter.kind.name != "VAR_KEYWORD"
    ]
    for name in names:
        done = run_main(
            command, "--encoder", "taken_names:encode", "--data", "digits", "--input", f"{name}=taken_names:value",
            *(["--out", "unused"] if command == "export" else []),
        )  # fmt: skip
        assert done.code == 2
        assert set(FLAG.findall(done.err)) <= flags[command] | ANYWHERE
