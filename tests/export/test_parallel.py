"""Figures of one set drawn by several processes."""

import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from click.testing import CliRunner

import vaeviz
from vaeviz import Batches, Posterior, export_figures, load_data
from vaeviz.cli.main import cli
from vaeviz.data.labels import ClassLabels
from vaeviz.data.out_of_core import StoredArray
from vaeviz.errors import InputError
from vaeviz.export.sharing import Shelf, taken

CHOSEN = {
    "plots": ["interpolation", "latent_scatter", "manifold_grid", "reconstruction_error", "tsne"],
    "settings": {"latent_scatter": {"marker_kws": {"mew": 0.1}, "dims": (1, 0)}},
    "formats": ("png", "svg"),
    "dpi": 60,
    "title": "set",
}

PLOTS = {
    "killed": "import os, signal\n    os.kill(os.getpid(), signal.SIGKILL)",
    "printing": "print('a word')\n    ax.plot([0, 1])",
    "waiting": "import os, pathlib, time\n    pathlib.Path('pid').write_text(str(os.getpid()))\n    time.sleep(100)",
}

MODULE = """
import numpy as np
x = np.random.default_rng(0).random((30, 4, 4), dtype=np.float32)
def encode(x): return x.reshape(len(x), -1)[:, :2]
def decode(z): return 1 / (1 + np.exp(-np.repeat(z, 8, axis=1)))
class pair:
    encode, decode = staticmethod(encode), staticmethod(decode)
"""

OWN_PLOT = """
import vaeviz
@vaeviz.register_plot
def own(encoder, x, *, ax=None):
    "Known to this process alone."
    ax.plot(vaeviz.encode(encoder, x).mean)
    return ax
"""


@pytest.fixture
def mine(plug_in, tmp_path, monkeypatch):
    """A working folder with `my_model`, and with an installed package of plots that behave badly."""
    head = 'import vaeviz\n@vaeviz.register_plot\ndef {}(encoder, x, *, ax=None):\n    "Bad."\n    {}\n    return ax\n'
    files = {f"bad_plots/{name}.py": head.format(name, body) for name, body in PLOTS.items()}
    plug_in("bad", {"vaeviz.plots": ["bad = bad_plots"]}, files | {"bad_plots/__init__.py": "", "my_model.py": MODULE})
    monkeypatch.chdir(tmp_path)
    return tmp_path


def left(folder):
    files = {path.name: path.read_bytes() for path in folder.iterdir()}
    files.pop("timings.json")
    return files


def test_several_jobs_leave_what_one_leaves(run, tmp_path):
    data = load_data("digits")
    with vaeviz.style("talk"):  # which the figures take over, where the set's own style says nothing
        alone, shared = (
            export_figures(tmp_path / str(jobs), model=run, data=data, jobs=jobs, **CHOSEN) for jobs in (1, 2)
        )
    assert alone == shared
    assert [record.status for record in shared] == ["drawn"] * 4 + ["skipped"]
    one, two = left(tmp_path / "1"), left(tmp_path / "2")
    assert len(one) == 4 * 2 + 2
    assert [name for name in one if one[name] != two[name]] == []
    assert list(json.loads((tmp_path / "2" / "timings.json").read_text()))[:5] == CHOSEN["plots"]


def test_a_process_that_dies_spoils_its_own_plot_alone(mine, python):
    code = (
        OWN_PLOT
        + """
import json, my_model
plots = ["killed", "latent_scatter", "own", "printing", "reconstruction_pairs"]
records = vaeviz.export_figures("out", model="my_model:pair", x=my_model.x, plots=plots, jobs=2, dpi=40)
print(json.dumps([[r.plot, r.status, r.reason, r.summary] for r in records]))
"""
    )
    killed, *others = json.loads(python(code).splitlines()[-1])
    assert killed[1] == "failed"
    assert killed[2].startswith("its process was killed by SIGKILL")
    assert killed[3] == "Bad."
    assert [other[:2] for other in others] == [
        [name, "drawn"] for name in ("latent_scatter", "own", "printing", "reconstruction_pairs")
    ]
    assert not list((mine / "out").glob(".*"))


def test_an_interrupt_ends_all_processes(mine):
    code = "import vaeviz, my_model; vaeviz.export_figures('out', model='my_model:pair', x=my_model.x, "
    code += "plots=['waiting'], jobs=2)"
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(mine), os.environ.get("PYTHONPATH", "")])}
    process = subprocess.Popen([sys.executable, "-c", code], env=environment, stderr=subprocess.PIPE, text=True)
    pid = mine / "pid"
    while process.poll() is None and not (pid.exists() and pid.read_text()):
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    assert "KeyboardInterrupt" in process.communicate(timeout=60)[1]
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid.read_text()), 0)


def test_the_command_line_opens_the_same_in_each_process(mine, monkeypatch):
    monkeypatch.syspath_prepend(mine)
    import my_model

    np.save("x.npy", (255 * my_model.x).astype(np.uint8))
    np.save("y.npy", np.arange(30) % 3)
    (mine / "own_plot.py").write_text(OWN_PLOT)
    args = ["export", "--with", "own_plot.py", "--encoder", "my_model:encode", "--decoder", "my_model:decode"]
    args += ["--returns", "mean", "--latent-shape", "2", "--data", "x.npy", "--labels", "y.npy", "--dpi", "40"]
    args += ["--plots", "latent_scatter,samples,own,manifold_grid"]
    for jobs in ("1", "2"):
        result = CliRunner().invoke(cli, [*args, "--out", jobs, "--jobs", jobs])
        assert result.exit_code == 1, result.output  # samples needs a prior
        assert "3 figures" in result.output
    one, two = left(mine / "1"), left(mine / "2")
    for name in ("manifest.json", "index.html"):
        one.pop(name), two.pop(name)  # their title is that of the folder
    assert len(one) == 3
    assert one == two
    sys.modules.pop("my_model")


@pytest.mark.parametrize("as_model", [False, True])
def test_one_draws_what_no_name_opens(as_model, encoder, digits, tmp_path):
    given = {"model": vaeviz.Model(encoder=vaeviz.Encoder(encoder))} if as_model else {"encoder": encoder}
    with pytest.warns(UserWarning, match="^jobs = 3: one draws, since encoder is an object"):
        records = export_figures(tmp_path, **given, x=digits.x, plots=["latent_scatter"], dpi=30, jobs=3)
    assert records[0].status == "drawn"
    assert json.loads((tmp_path / "manifest.json").read_text())["warnings"] == []


def test_bad_jobs(tmp_path, encoder, digits):
    with pytest.raises(InputError, match="jobs = 0: expected 1 or more"):
        export_figures(tmp_path, encoder=encoder, x=digits.x, jobs=0)


# What is laid on the shelf for others


def returned(tmp_path, *values):
    shelf = Shelf(tmp_path)
    laid = {str(number): shelf.laid(value) for number, value in enumerate(values)}
    return list(taken(json.loads(json.dumps(laid))).values())


def test_data_come_back_as_they_were(tmp_path):
    x = np.random.default_rng(0).random((5, 3), dtype=np.float32)
    names = np.array(["a", None, "b", 1, np.nan], dtype=object)
    posterior = Posterior(x, x + 1, "normal", (3, 1))
    classes = ClassLabels(np.array([1, 0, -1]), ("x", "y"))
    history = {"epoch": np.arange(3), "elbo": [-1.5, float("inf")]}
    found = returned(tmp_path, x, names, posterior, classes, history, ["2", 3], None, x)
    np.testing.assert_array_equal(found[0], x)
    assert isinstance(found[0], np.memmap)
    assert found[1].dtype == object
    assert found[1][:4].tolist() == names[:4].tolist()
    np.testing.assert_array_equal(found[2].mean, x)
    np.testing.assert_array_equal(found[2].std, x + 1)
    assert (found[2].prior, found[2].code_shape) == ("normal", (3, 1))
    assert np.asarray(found[3]).tolist() == ["y", "x", ""]
    assert found[4] == {"epoch": [0, 1, 2], "elbo": [-1.5, float("inf")]}
    assert found[5:7] == [["2", 3], None]
    assert found[7] is found[0]


def test_a_file_that_is_there_is_not_written_again(tmp_path):
    values = np.random.default_rng(0).integers(0, 255, (20, 3), dtype=np.uint8)
    (tmp_path / "shelf").mkdir()
    np.save(tmp_path / "x.npy", values)
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    found = returned(tmp_path / "shelf", mapped, StoredArray(mapped, (0, 255)))
    assert not list((tmp_path / "shelf").iterdir())
    np.testing.assert_array_equal(found[0], values)
    np.testing.assert_array_equal(np.asarray(found[1]), values.astype(np.float32) / np.float32(255))
    for part in (mapped[3:], mapped[::-1], StoredArray(mapped[::2], (0, 255)), Batches(lambda: [values[:8], values[8:]])):
        np.testing.assert_array_equal(np.asarray(returned(tmp_path / "shelf", part)[0]), np.asarray(part))


def test_what_is_alive_is_not_laid(tmp_path, encoder):
    shelf = Shelf(tmp_path)
    assert shelf.laid(encoder) is None
    assert shelf.laid([encoder]) is None
    assert shelf.laid(vaeviz.Encoder(encoder)) is None


def test_one_draws_where_the_data_cannot_be_laid_down(run, tmp_path, monkeypatch):
    def full(shelf, value):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Shelf, "laid", full)
    with pytest.warns(
        UserWarning, match=r"jobs = 2: one draws, since the data cannot be laid down in .* \(No space left"
    ):
        records = export_figures(
            tmp_path, model=run, data=load_data("digits"), plots=["latent_scatter"], jobs=2, dpi=40
        )
    assert [record.status for record in records] == ["drawn"]
