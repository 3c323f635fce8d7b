"""The examples of CONTRIBUTING.md, written where it says, pass their own tests and those of every plot and check."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FENCE = re.compile(r"```(\w+)\n(.*?)```", flags=re.DOTALL)
FILE = re.compile(r"`([\w./]+\.(?:py|toml))`")
LIBRARY = """
import numpy as np

class VAE:
    latent_dim = 2

    def encode(self, x):
        flat = np.asarray(x).reshape(len(x), -1)
        return flat[:, 20:22], np.full((len(x), 2), -1.0, np.float32)

    def decode(self, z):
        return 1 / (1 + np.exp(-np.repeat(z, 32, axis=1).reshape(-1, 8, 8)))
"""


def blocks_by_file():
    """Return the text of each code block by the file that the line above it names last."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    found = {}
    for block in FENCE.finditer(text):
        before = text[: block.start()].rstrip().rpartition("\n\n")[2]
        if block[1] in ("python", "toml"):
            found[FILE.findall(before)[-1]] = block[2]
    return found


def test_every_kind_of_addition_has_a_file_and_a_test():
    added = [Path(file).stem for file in blocks_by_file()]
    for name in ("my_plot", "my_check", "my_library", "my_data", "my_map", "my_command"):
        assert name in added
        assert f"test_{name}" in added


@pytest.fixture
def clone(tmp_path):
    """A copy of the repository in which every example of CONTRIBUTING.md was written."""
    ignored = shutil.ignore_patterns("__pycache__", "baseline")
    for folder in ("vaeviz", "vaeviz_models", "tests"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=ignored)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    blocks = blocks_by_file()
    points = tomllib.loads(blocks.pop("pyproject.toml"))["project"]["entry-points"]
    info = tmp_path / "contributed-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: contributed\nVersion: 1.0\n")
    lines = (
        line for group, names in points.items() for line in (f"[{group}]", *(f"{k} = {v}" for k, v in names.items()))
    )
    (info / "entry_points.txt").write_text("\n".join(lines))
    (tmp_path / "my_library.py").write_text(LIBRARY)
    for file, code in blocks.items():
        assert not (tmp_path / file).exists(), f"{file} is a file of ours"
        (tmp_path / file).write_text(code, encoding="utf-8")
    return tmp_path


def run_tests(clone, *arguments):
    """Run pytest in the copy, and return its output if all tests pass."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-vv", "-p", "no:cacheprovider", "-p", "no:xdist", *arguments],
        cwd=clone,
        env=os.environ | {"PYTHONPATH": str(clone), "MPLBACKEND": "agg"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]
    assert "skipped" not in done.stdout
    return done.stdout


@pytest.mark.slow
def test_the_examples_pass_their_tests_and_those_of_every_plot(clone):
    tests = [file for file in blocks_by_file() if file.startswith("tests/")]
    tests += ["tests/plots/test_plot_contract.py", "tests/plots/test_bad_input.py", "tests/drawing/test_interaction.py"]
    output = run_tests(clone, *tests, "-k", "my_")
    for file in tests:
        assert f"{file}::" in output


@pytest.mark.slow
def test_a_further_check_passes_the_tests_of_all_checks(clone):
    run_tests(clone, "tests/health/test_analyze.py", "tests/health/test_planted_defects.py")
