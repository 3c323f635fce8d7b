"""Output that is not UTF-8 degrades characters, and never ends a command."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

COMMANDS = """
import sys
import numpy as np
from vaeviz.cli.main import main

np.savez("own.npz", x=np.random.default_rng(0).random((100, 8, 8), dtype=np.float32), y=np.arange(100) % 3)
for args in (
    ["train", "mlp", "--data", "npz:own.npz", "--hidden", "8", "--epochs", "1", "--out", "run"],
    ["export", "run", "--plots", "latent_scatter,compare", "--analysis", "--dpi", "40", "--out", "figures"],
    ["analyze", "run", "--checks", "collapsed,reconstruction", "--out", "report.json"],
    ["list"],
    ["plot", "latent_scatter", "--data", "\\u2212\\udcff\\x1b[31m.csv"],
):
    try:
        main(args)
    except SystemExit as left:
        print("code", left.code)
"""


@pytest.mark.processes
def test_every_command_prints_into_cp1252(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", COMMANDS],
        cwd=tmp_path,
        env=os.environ | {"PYTHONIOENCODING": "cp1252", "MPLBACKEND": "agg"},
        capture_output=True,
    )
    out, err = done.stdout.decode("cp1252"), done.stderr.decode("cp1252")
    assert [line for line in out.splitlines() if line.startswith("code")] == [
        "code 0",
        "code 1",  # compare is skipped
        "code 0",
        "code 0",
        "code 2",
    ], err
    assert "train ELBO -" in out
    assert "+ latent_scatter" in out
    assert (tmp_path / "report.json").is_file()
    assert (tmp_path / "figures" / "index.html").is_file()
    assert "\x1b" not in out + err
