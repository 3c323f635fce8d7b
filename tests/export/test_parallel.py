"""Figures of one set drawn by several processes."""

import functools
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import vaeviz
from vaeviz import Batches, export_figures, load_data, register_plot
from vaeviz.cli.main import cli
from vaeviz.errors import InputError
from vaeviz.export.parallel import keep_workers, run_tasks
from vaeviz.health.analyze import CHECKS

CHOSEN = {
    "plots": ["interpolation", "latent_scatter", "manifold_grid", "tsne"],
    "settings": {"latent_scatter": {"marker_kws": {"mew": 0.1}, "dims": (1, 0)}},
    "formats": ("png", "svg"),
    "dpi": 60,
    "title": "set",
}

BAD_PLOTS = {
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
    "Plot codes."
    ax.plot(vaeviz.encode(encoder, x).mean)
    return ax
"""


@pytest.fixture
def folder(plug_in, tmp_path, monkeypatch):
    """A working folder with `my_model`, and with an installed package of plots that behave badly."""
    head = 'import vaeviz\n@vaeviz.register_plot\ndef {}(encoder, x, *, ax=None):\n    "Bad."\n    {}\n    return ax\n'
    files = {f"bad_plots/{name}.py": head.format(name, body) for name, body in BAD_PLOTS.items()}
    plug_in("bad", {"vaeviz.plots": ["bad = bad_plots"]}, files | {"bad_plots/__init__.py": "", "my_model.py": MODULE})
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def started(folder):
    """Start an export in two processes, of which one draws the plot "waiting"; returns (parent, pid of the worker).

    The temporary folder of both is `folder / "temporary"`.
    """
    code = (
        "import vaeviz, my_model, numpy as np; x = np.zeros((300_000, 4), np.float32); vaeviz.export_figures("
        "'out', encoder=my_model.encode, x=x, plots=['waiting', 'printing'], jobs=2)"
    )
    (folder / "temporary").mkdir()
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")]),
        "JOBLIB_TEMP_FOLDER": str(folder / "temporary"),
    }
    parent = subprocess.Popen(
        [sys.executable, "-c", code],
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=functools.partial(signal.signal, signal.SIGINT, signal.SIG_DFL),  # ignored in a shell's background
    )
    pid = folder / "pid"
    assert wait_until(lambda: parent.poll() is not None or (pid.exists() and pid.read_text()))
    yield parent, int(pid.read_text())
    parent.kill()


def wait_until(is_true, seconds=60):
    """Return True if a condition becomes true in time."""
    end = time.monotonic() + seconds
    while not is_true() and time.monotonic() < end:
        time.sleep(0.05)
    return bool(is_true())


def is_running(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return "zombie" not in Path(f"/proc/{pid}/status").read_text() if Path("/proc").exists() else True


def content(folder):
    files = {path.name: path.read_bytes() for path in folder.iterdir()}
    files.pop("timings.json")
    return files


# The same figures with any number of jobs


@pytest.mark.processes
@pytest.mark.no_cover
def test_any_number_of_jobs_leaves_the_same_files(run, tmp_path):
    data = load_data("digits")[:100]
    with vaeviz.style("talk"):  # whose rcParams reach the workers
        alone, shared = (
            export_figures(tmp_path / str(jobs), model=run, data=data, jobs=jobs, analysis=True, **CHOSEN)
            for jobs in (1, 2)
        )
    assert alone == shared
    assert [record.status for record in shared] == ["drawn"] * 3 + ["skipped"]
    one, two = content(tmp_path / "1"), content(tmp_path / "2")
    assert len(one) == 3 * 2 + 2
    assert [name for name in one if one[name] != two[name]] == []
    assert list(json.loads((tmp_path / "2" / "timings.json").read_text())) == [*CHOSEN["plots"], "report"]
    assert len(json.loads((tmp_path / "2" / "manifest.json").read_text())["report"]) == len(CHECKS)


@pytest.mark.processes
@pytest.mark.no_cover
@pytest.mark.parametrize("kind", ["array", pytest.param("memory-mapped", marks=pytest.mark.slow), "batches"])
def test_closures_and_large_data_are_sent_to_workers(tmp_path, kind, make_decoder):
    x = np.random.default_rng(0).random((20_000, 4, 4), dtype=np.float32)  # 1.3 MB, which joblib memory-maps
    np.save(tmp_path / "x.npy", x)
    data = {
        "array": x,
        "memory-mapped": np.load(tmp_path / "x.npy", mmap_mode="r"),
        "batches": Batches(lambda: [x[:15_000], x[15_000:]]),
    }[kind]
    calls = []

    def encoder(x):
        calls.append(len(x))
        mean = x.reshape(len(x), -1)[:, :2]
        return mean, np.full_like(mean, -2.0)

    plots = ["latent_scatter", "reconstruction_pairs"]
    inputs = {"encoder": encoder, "decoder": make_decoder(2, (4, 4)), "x": data, "labels": np.arange(20_000) % 3}
    for jobs in (1, 2):
        calls.clear()
        records = export_figures(tmp_path / str(jobs), **inputs, plots=plots, jobs=jobs, dpi=30, title="set")
        assert {record.status for record in records} == {"drawn"}
        assert sum(calls) > 20_000  # x is encoded in this process, once
    assert content(tmp_path / "1") == content(tmp_path / "2")


@pytest.mark.processes
def test_runtime_registrations_and_rcparams_reach_the_workers(tmp_path, encoder, digits, registered):
    import matplotlib

    parent = os.getpid()

    @register_plot
    def curious(encoder, x, *, ax=None):
        """Plot a word."""
        assert os.getpid() != parent
        assert "torch" not in sys.modules  # which nothing here needs
        assert matplotlib.rcParams["axes.facecolor"] == "red"
        assert "later" in vaeviz.plot_names()

    @register_plot
    def later(x, *, ax=None):
        """Plot nothing."""

    with matplotlib.rc_context({"axes.facecolor": "red"}):
        records = export_figures(tmp_path, encoder=encoder, x=digits.x, plots=["curious", "later"], jobs=2, dpi=30)
    assert [(record.status, record.reason) for record in records] == [("drawn", "")] * 2


def test_a_list_of_openmp_threads_is_legal(folder, python, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "2,1")
    code = "import vaeviz, my_model; r = vaeviz.export_figures('out', encoder=my_model.encode, x=my_model.x, "
    code += "plots=['latent_scatter', 'printing'], jobs=2, dpi=40); print([q.status for q in r])"
    assert python(code).splitlines()[-1] == "['drawn', 'drawn']"


@pytest.mark.processes
@pytest.mark.no_cover
def test_the_command_line_draws_in_several_processes(folder, monkeypatch):
    monkeypatch.syspath_prepend(folder)
    import my_model

    np.save("x.npy", (255 * my_model.x).astype(np.uint8))
    np.save("y.npy", np.arange(30) % 3)
    (folder / "own_plot.py").write_text(OWN_PLOT)
    args = ["export", "--with", "own_plot.py", "--encoder", "my_model:encode", "--decoder", "my_model:decode"]
    args += ["--returns", "mean", "--latent-shape", "2", "--data", "x.npy", "--labels", "y.npy", "--dpi", "40"]
    args += ["--plots", "latent_scatter,samples,own,manifold_grid"]
    for jobs in ("1", "2"):
        result = CliRunner().invoke(cli, [*args, "--out", jobs, "--jobs", jobs])
        assert result.exit_code == 1, result.output  # samples needs a prior
        assert "3 figures" in result.output
        assert "ignored" not in result.output
    one, two = content(folder / "1"), content(folder / "2")
    for name in ("manifest.json", "index.html"):
        one.pop(name), two.pop(name)  # their title is that of the folder
    assert len(one) == 3
    assert one == two
    sys.modules.pop("my_model")


@pytest.mark.processes
def test_workers_are_kept_for_the_next_set_on_request():
    class ProcessTask:
        def run(self, inputs):
            return os.getpid()

    def workers():
        return {completed.result for completed in run_tasks([ProcessTask() for _ in range(8)], {}, 2)}

    with keep_workers():
        first, second = workers(), workers()
        assert all(map(is_running, first | second))
    assert len(first | second) <= 2
    assert os.getpid() not in first
    assert wait_until(lambda: not any(map(is_running, first | second)), 10)


# What cannot be sent


def test_objects_that_cannot_be_pickled_are_drawn_by_one_process(encoder, digits, tmp_path):
    lock = threading.Lock()

    def locked(x):
        with lock:
            return encoder(x)

    with pytest.warns(UserWarning, match="jobs=3") as caught:
        records = export_figures(
            tmp_path,
            encoder=vaeviz.Encoder(locked, returns="mean,log_var"),
            x=digits.x,
            plots=["latent_scatter", "posterior_ellipses"],
            dpi=30,
            jobs=3,
        )
    assert "encoder" in str(caught[0].message)
    assert caught[0].filename == __file__
    assert [record.status for record in records] == ["drawn"] * 2
    assert json.loads((tmp_path / "manifest.json").read_text())["warnings"] == []


def test_objects_that_workers_cannot_import_are_drawn_by_one_process(folder, monkeypatch):
    import types

    module = types.ModuleType("unknown_to_workers")
    exec(MODULE, module.__dict__)
    monkeypatch.setitem(sys.modules, "unknown_to_workers", module)
    with pytest.warns(UserWarning, match="jobs=2"):
        records = export_figures(
            "out", encoder=module.encode, x=module.x, plots=["latent_scatter", "reconstruction_pairs"], jobs=2, dpi=30,
            decoder=module.decode,
        )  # fmt: skip
    assert [record.status for record in records] == ["drawn"] * 2


@pytest.mark.parametrize("jobs", [0, -2])
def test_fewer_than_one_job_is_an_error(tmp_path, encoder, digits, jobs):
    with pytest.raises(InputError) as caught:
        export_figures(tmp_path, encoder=encoder, x=digits.x, jobs=jobs)
    assert caught.value.got == str(jobs)


# Processes that end


def test_a_plot_that_ends_its_process_is_recorded_as_failed(folder, python):
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
    assert "SIGKILL" in killed[2]
    assert killed[3] == "Bad."
    assert [other[:2] for other in others] == [
        [name, "drawn"] for name in ("latent_scatter", "own", "printing", "reconstruction_pairs")
    ]
    assert not list((folder / "out").glob(".*"))


@pytest.mark.slow
def test_a_check_that_ends_its_process_is_failed_in_the_report(folder, python):
    code = """
import json, os, signal, vaeviz, my_model
parent = os.getpid()
def decode(z):
    if os.getpid() != parent:
        os.kill(os.getpid(), signal.SIGKILL)
    return my_model.decode(z)
def show(report):
    print(json.dumps([[result.name, result.status, result.sentence] for result in report.checks]))
inputs = {"encoder": my_model.encode, "decoder": decode, "x": my_model.x}
vaeviz.export_figures("out", **inputs, plots="latent_scatter", analysis=True, jobs=2, dpi=40, on_report=show)
"""
    found = {name: (status, sentence) for name, status, sentence in json.loads(python(code).splitlines()[-1])}
    assert list(found) == list(CHECKS)
    assert found["reconstruction"][0] == "failed"
    assert "SIGKILL" in found["reconstruction"][1]
    assert found["neighbors"][0] not in ("failed", "not applicable")


@pytest.mark.processes
def test_an_interrupt_ends_all_processes(started, folder):
    parent, worker = started
    parent.send_signal(signal.SIGINT)
    assert "KeyboardInterrupt" in parent.communicate(timeout=60)[1]
    assert wait_until(lambda: not is_running(worker), 10)
    assert list((folder / "temporary").iterdir()) == []
    assert not list((folder / "out").glob(".*"))


@pytest.mark.processes
def test_workers_end_with_a_parent_that_is_killed(started, folder):
    parent, worker = started
    parent.kill()
    parent.wait(timeout=60)
    assert wait_until(lambda: not is_running(worker), 15)
    assert wait_until(lambda: not list((folder / "temporary").iterdir()), 15)
