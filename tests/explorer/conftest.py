"""Shared by the tests of the explorer: run its command."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from vaeviz.cli.main import cli


@pytest.fixture
def invoke():
    """Run a command in this process and return click's result; errors that the command line would print are raised."""

    def invoke_command(*args):
        result = CliRunner().invoke(cli, [str(arg) for arg in args])
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return invoke_command
