"""Run command lines in a folder with a module of models."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import pytest
from click.testing import CliRunner

from vaeviz.cli.main import cli, main


@pytest.fixture
def invoke():
    """Run a command in this process and return click's result; errors that the command line would print are raised."""

    def invoke_command(*args):
        result = CliRunner().invoke(cli, [str(arg) for arg in args])
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return invoke_command


@pytest.fixture
def run_main(capsys):
    """Run `main` and return its exit code and what it printed."""

    def run_command(*args):
        capsys.readouterr()
        with pytest.raises(SystemExit) as exit_info:
            main([str(arg) for arg in args])
        out, err = capsys.readouterr()
        return SimpleNamespace(code=exit_info.value.code, out=out, err=err)

    return run_command


@pytest.fixture
def make_module(tmp_path, monkeypatch):
    """Write modules into `tmp_path`, which is the current folder, and forget them after the test."""
    monkeypatch.chdir(tmp_path)
    written = []

    def make(name, source):
        (tmp_path / f"{name}.py").write_text(source)
        written.append(name)
        return tmp_path

    yield make
    for name in written:
        sys.modules.pop(name, None)
