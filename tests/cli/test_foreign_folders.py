"""A folder of somebody else cannot run code: not by what its files name, and not by the names of its files."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys

import pytest

MARKER = "from pathlib import Path\nPath(r'{mark}').touch()\n"
DATA = "import vaeviz\ndef data(): return vaeviz.load_data('digits', split='train')\n"
NAMES = ("evil:data", "binarized:evil:data", "binarized:0,1:evil:data", "standardized:0.3:evil:data")


@pytest.fixture
def mark(tmp_path):
    """A file that exists once the foreign module has run."""
    return tmp_path / "mark"


@pytest.fixture
def foreign_run(run, mark, make_module):
    """Make a run folder whose config names its data, beside a module that leaves a mark."""
    folder = make_module("evil", MARKER.format(mark=mark) + DATA)

    def make(name):
        shutil.copytree(run, folder / "foreign")
        config = json.loads((folder / "foreign" / "config.json").read_text())
        config["data"]["name"] = name
        (folder / "foreign" / "config.json").write_text(json.dumps(config))
        return "foreign"

    return make


COMMANDS = {
    "export": ["export", "--out", "figures", "--plots", "training_curves"],
    "plot": ["plot", "latent_scatter"],
    "analyze": ["analyze"],
    "explain": ["explain"],
    "resume": ["train", "--epochs", "3", "--resume"],
}


@pytest.mark.parametrize(
    ("command", "name"),
    [*((command, NAMES[0]) for command in COMMANDS.values()), *((["explain"], name) for name in NAMES[1:])],
)
def test_a_run_does_not_import_the_data_that_its_config_names(command, name, foreign_run, run_main, mark):
    done = run_main(*command, foreign_run(name))
    assert done.code == 2
    assert f"--data {name}" in done.err
    assert not mark.exists()


def test_data_that_the_user_names_are_imported(make_module, run_main, mark):
    make_module("evil", MARKER.format(mark=mark) + DATA)
    train = ("train", "mlp", "--data", "evil:data", "--hidden", "8", "--epochs", "1", "--out", "own")
    assert run_main(*train).code == 0
    mark.unlink()
    sys.modules.pop("evil")
    for command in (["explain"], ["train", "--epochs", "2", "--resume"]):
        assert run_main(*command, "own").code == 2
        assert not mark.exists()
        done = run_main(*command, "own", "--data", "evil:data")
        assert done.code == 0, done.err
        assert mark.exists()
        mark.unlink()
        sys.modules.pop("evil")


def test_a_model_of_a_run_is_opened_without_its_data(foreign_run, mark):
    import vaeviz

    assert vaeviz.open(foreign_run("evil:data")).data["name"] == "evil:data"
    assert not mark.exists()


CURIOUS = """
import sys
from pathlib import Path
from vaeviz import register_plot

HERE = str(Path(__file__).parent)

@register_plot
def curious(x, *, ax=None):
    "Look for the folder."
    assert HERE not in sys.path and "" not in sys.path

@register_plot
def furtive(x, *, ax=None):
    "Look for the folder, perhaps in another process."
    assert HERE not in sys.path and "" not in sys.path
"""


@pytest.mark.processes
@pytest.mark.parametrize("jobs", ["1", "2"])
def test_files_of_the_current_folder_do_not_pass_for_libraries(jobs, run, mark, tmp_path):
    for library in ("umap", "openTSNE", "keras", "tensorflow", "pandas", "torch", "sitecustomize_of_mine"):
        (tmp_path / f"{library}.py").write_text(MARKER.format(mark=mark))
    (tmp_path / "curious.py").write_text(CURIOUS)
    source, plots = (["--data", "digits"], "curious,furtive") if jobs == "2" else ([run], "curious,latent_scatter")
    command = ["export", *source, "--with", "curious.py", "--plots", plots, "--dpi", "40", "--jobs", jobs]
    done = subprocess.run(
        [sys.executable, "-m", "vaeviz", *command, "--out", "figures"],
        cwd=tmp_path,
        env=os.environ | {"MPLBACKEND": "agg"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert not mark.exists()
