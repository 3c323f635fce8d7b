"""Run command lines in a folder with a module of models."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import pytest

from vaeviz.cli.main import main


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
