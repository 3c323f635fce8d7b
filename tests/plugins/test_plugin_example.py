"""The plug-in of examples/plugin, installed by pip beside vaeviz: all of it is found and works."""

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

pytestmark = pytest.mark.processes

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

results = {}
for name, args in json.loads(sys.argv[1]).items():
    with contextlib.redirect_stdout(io.StringIO()) as printed, contextlib.redirect_stderr(printed):
        try:
            main(args)
        except SystemExit as exit_:
            results[name] = {"code": exit_.code, "out": printed.getvalue()}
from vaeviz_rings.model import rings_whitening
from vaeviz_rings.plots.code_radii import code_radii
import vaeviz
data = vaeviz.load_data("rings")
bars = [bar for part in code_radii(rings_whitening(), data.x, data.labels, bins=9).containers for bar in part]
results["script"] = {"bars": len(bars), "area": float(sum(bar.get_height() * bar.get_width() for bar in bars))}
print(json.dumps(results))
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("plugin")


@pytest.fixture(scope="module")
def results(folder):
    """Exit code and output of each command, in an interpreter that finds the installed package."""
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


def test_every_entry_is_listed_with_its_distribution(results):
    assert results["list"].code == 0
    lines = results["list"].out.splitlines()
    for name in ("whitening", "rings-whitening", "rings", "random-plane", "radii"):
        assert any(line.startswith(f"  {name} ") and line.endswith("  (vaeviz-rings)") for line in lines), name
    plot = results["list"].out.partition("  code_radii")[2].splitlines()
    assert plot[0].endswith("  (vaeviz-rings)")
    assert plot[1].endswith("from encoder, x, [labels]")
    assert plot[2].endswith("--bins int = 40")
    assert "(broken)" not in results["list"].out


def test_the_plot_has_its_options_on_the_command_line(results, folder):
    assert "--reference [true|false]" in results["help of the plot"].out
    assert results["plot"].code == 0, results["plot"].out
    assert (folder / "radii.svg").stat().st_size > 5000
    assert results["wrong option"].code == 2
    assert "--bins" in results["wrong option"].out


def test_the_engine_makes_a_map(results, folder):
    assert results["map"].code == 0, results["map"].out
    assert (folder / "map.png").stat().st_size > 5000


def test_export_draws_it_among_the_others(results, folder):
    assert results["export"].code == 0, results["export"].out
    assert results["export"].out.count("✓ ") == 4
    first, *_ = json.loads((folder / "figures" / "manifest.json").read_text())["figures"]
    assert (first["plot"], first["distribution"], first["options"]["bins"]) == ("code_radii", "vaeviz-rings", 7)
    assert (folder / "figures" / "code_radii.png").is_file()


def test_the_command_is_in_the_help_and_runs(results):
    assert "  radii " in results["help"].out.partition("Commands:")[2]
    assert results["radii"].code == 0
    assert [line.split()[0] for line in results["radii"].out.splitlines()] == ["large", "middle", "small"]


def test_a_trained_model_is_opened_and_not_trained(results):
    assert "Whitening.project" in results["explain"].out
    assert "rings-whitening" not in results["help of train"].out
    assert results["train"].code == 2
    assert "rings-whitening is already trained" in results["train"].out


def test_the_plot_is_a_plain_function(results):
    assert results["script"].bars == 3 * 9
    assert results["script"].area == pytest.approx(1, abs=1e-4)
