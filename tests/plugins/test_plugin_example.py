"""The stranger's package of examples/plugin, installed by pip beside vaeviz: all of it is found and works."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace

import pytest

for needed in ("pip", "setuptools"):
    if find_spec(needed) is None:
        pytest.skip(f"needs {needed}", allow_module_level=True)

SOURCE = Path(__file__).parents[2] / "examples" / "plugin"
RINGS = ("rings-whitening", "--data", "rings")
COMMANDS = {
    "list": ["list"],
    "help": ["--help"],
    "help of the plot": ["plot", "code_radii", "--help"],
    "plot": ["plot", "code_radii", *RINGS, "--bins", "7", "--out", "radii.svg"],
    "wrong option": ["plot", "code_radii", "--bins", "few"],
    "map": ["plot", "tsne", *RINGS, "--engine", "random-plane", "--out", "map.png"],
    "export": ["export", *RINGS, "--plots", "code_radii,latent_pairs,samples,tsne", "--dpi", "60", "--out", "figures",
               "--set", "code_radii.bins=7", "--set", "tsne.engine=random_plane"],
    "radii": ["radii", *RINGS],
    "explain": ["explain", *RINGS],
    "help of train": ["train", "--help"],
    "train": ["train", *RINGS, "--out", "run"],
}  # fmt: skip
RUN_ALL = """
import contextlib, io, json, sys
from vaeviz.cli.main import main

told = {}
for name, args in json.loads(sys.argv[1]).items():
    with contextlib.redirect_stdout(io.StringIO()) as said, contextlib.redirect_stderr(said):
        try:
            main(args)
        except SystemExit as left:
            told[name] = {"code": left.code, "out": said.getvalue()}
from vaeviz_rings.model import rings_whitening
from vaeviz_rings.plots.code_radii import code_radii
import vaeviz
data = vaeviz.load_data("rings")
bars = [bar for part in code_radii(rings_whitening(), data.x, data.labels, bins=9).containers for bar in part]
told["script"] = {"bars": len(bars), "area": float(sum(bar.get_height() * bar.get_width() for bar in bars))}
print(json.dumps(told))
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("plugin")


@pytest.fixture(scope="module")
def told(folder):
    """What each command said, run by an interpreter that finds the package where pip has installed it."""
    shutil.copytree(SOURCE, folder / "source", ignore=shutil.ignore_patterns("build", "*.egg-info"))
    pip = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-build-isolation", "--no-index"]
    pip += ["--disable-pip-version-check", "--target", folder / "site", folder / "source"]
    done = subprocess.run(pip, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    path = os.pathsep.join(part for part in (str(folder / "site"), os.environ.get("PYTHONPATH")) if part)
    done = subprocess.run(
        [sys.executable, "-c", RUN_ALL, json.dumps(COMMANDS)],
        env=os.environ | {"PYTHONPATH": path, "MPLBACKEND": "agg"},
        capture_output=True,
        text=True,
        cwd=folder,
    )
    assert done.returncode == 0, done.stderr
    return {name: SimpleNamespace(**values) for name, values in json.loads(done.stdout.splitlines()[-1]).items()}


def test_everything_is_listed_with_where_it_is_from(told):
    assert told["list"].code == 0
    for name in ("whitening", "rings-whitening", "rings", "random-plane", "radii"):
        assert f"  {name:<22} vaeviz-rings\n" in told["list"].out
    plot = told["list"].out.partition("  code_radii")[2].splitlines()
    assert plot[1].endswith("from encoder, x, [labels]  (vaeviz-rings)")
    assert plot[2].endswith("--bins int = 40")
    assert "(broken)" not in told["list"].out


def test_the_plot_has_its_options_on_the_command_line(told, folder):
    assert "--reference [true|false]" in told["help of the plot"].out
    assert told["plot"].code == 0, told["plot"].out
    assert (folder / "radii.svg").stat().st_size > 5000
    assert told["wrong option"].code == 2
    assert "bins = 'few': expected int" in told["wrong option"].out


def test_the_engine_makes_a_map(told, folder):
    assert told["map"].code == 0, told["map"].out
    assert (folder / "map.png").stat().st_size > 5000


def test_export_draws_it_among_the_others(told, folder):
    assert told["export"].code == 0, told["export"].out
    assert told["export"].out.count("✓ ") == 4
    first, *_ = json.loads((folder / "figures" / "manifest.json").read_text())["figures"]
    assert (first["plot"], first["distribution"], first["options"]["bins"]) == ("code_radii", "vaeviz-rings", 7)
    assert (folder / "figures" / "code_radii.png").is_file()


def test_the_command_is_in_the_help_and_runs(told):
    assert "  radii " in told["help"].out.partition("Commands:")[2]
    assert told["radii"].code == 0
    assert [line.split()[0] for line in told["radii"].out.splitlines()] == ["large", "middle", "small"]


def test_a_model_that_is_ready_is_opened_and_not_trained(told):
    assert "Whitening.project" in told["explain"].out
    assert "rings-whitening" not in told["help of train"].out
    assert told["train"].code == 2
    assert "rings-whitening is already trained" in told["train"].out


def test_the_plot_is_a_function_that_a_script_calls(told):
    assert told["script"].bars == 3 * 9
    assert told["script"].area == pytest.approx(1, abs=1e-4)
