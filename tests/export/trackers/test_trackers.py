"""Trackers: what they receive is read back with their own libraries."""

import importlib.util
import sys
from types import ModuleType

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from vaeviz import export_figures
from vaeviz.cli.main import cli, main
from vaeviz.errors import InputError, OutputError, UnknownName
from vaeviz.export.trackers import tracker
from vaeviz.export.trackers.tracker import find_tracker, open_tracker, report_tracker_errors, send_figures

ENCODE = "import numpy as np\ndef encode(x):\n    return np.asarray(x)[:, :2]\n"


class Recorder:
    """A tracker that keeps what it receives."""

    def __init__(self, place=""):
        self.place, self.figures, self.scalars, self.is_open = place, {}, {}, True

    def log_figure(self, name, png, *, caption, step):
        self.figures[name] = png, caption, step

    def log_scalars(self, scalars, *, step):
        self.scalars |= {(name, step): value for name, value in scalars.items()}

    def close(self):
        self.is_open = False


@pytest.fixture
def figure_set(tmp_path):
    """A set of two figures, one of them drawn with a warning."""
    x = np.random.default_rng(0).random((40, 4), dtype=np.float32)
    history = {"epoch": [1, 2], "loss": [3.0, 2.0]}
    export_figures(
        tmp_path / "set", encoder=lambda x: x[:, :2], x=x, history=history, plots=["latent_scatter", "training_curves"]
    )
    return tmp_path / "set"


@pytest.fixture
def recorded(monkeypatch):
    """Name the tracker ``tensorboard`` a recorder, and return the recorders that were opened."""
    opened = []

    class Opened(Recorder):
        def __init__(self, place):
            super().__init__(place)
            opened.append(self)

    module = ModuleType("vaeviz.export.trackers.recorder")
    module.Opened = Opened
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setitem(tracker.TRACKERS, "tensorboard", "recorder:Opened")
    monkeypatch.setattr(tracker, "import_library", lambda *_, **__: None)
    return opened


@pytest.fixture
def source(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "two_columns.py").write_text(ENCODE)
    np.save("x.npy", np.random.default_rng(0).random((30, 4), dtype=np.float32))
    return ["export", "--encoder", "two_columns:encode", "--data", "x.npy", "--plots", "latent_scatter", "--out", "set"]


def test_every_figure_of_a_set_is_sent_with_its_caption(figure_set):
    recorder = Recorder()
    assert send_figures(figure_set, recorder) == ["latent_scatter", "training_curves"]
    png, caption, step = recorder.figures["latent_scatter"]
    assert png == (figure_set / "latent_scatter.png").read_bytes()
    assert "latent" in caption
    assert step == 0


def test_a_folder_without_a_set_is_an_error(tmp_path):
    with pytest.raises(InputError) as error:
        send_figures(tmp_path, Recorder())
    assert error.value.got == str(tmp_path)


def test_an_unknown_tracker_and_a_missing_place_are_errors():
    with pytest.raises(UnknownName) as error:
        find_tracker("tensorbord:runs")
    assert "tensorboard" in error.value.fix.python
    with pytest.raises(InputError) as error:
        find_tracker("mlflow")
    assert error.value.expected == "mlflow:URI"


def test_a_tracker_that_is_not_installed_names_the_command_to_install_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "wandb", None)
    with pytest.raises(InputError) as error:
        find_tracker("wandb:project")
    assert "pip install" in error.value.fix.python


def test_errors_of_a_library_become_one_message():
    with pytest.raises(OutputError) as error, report_tracker_errors("wandb:project"):
        raise RuntimeError("no network")
    assert error.value.got == "wandb:project"


def test_the_command_sends_a_finished_set(source, recorded):
    result = CliRunner().invoke(cli, [*source, "--log", "tensorboard:logs"])
    assert result.exit_code == 0, result.output
    (recorder,) = recorded
    assert recorder.place == "logs"
    assert list(recorder.figures) == ["latent_scatter"]
    assert not recorder.is_open


def test_a_tracker_that_fails_loses_no_figure(source, recorded, monkeypatch, tmp_path, capsys):
    def fail(*_, **__):
        raise ConnectionError("refused")

    monkeypatch.setattr(Recorder, "log_figure", fail)
    with pytest.raises(SystemExit) as stopped:
        main([*source, "--log", "tensorboard:logs"])
    assert stopped.value.code == 2
    assert "refused" in capsys.readouterr().err
    assert (tmp_path / "set" / "latent_scatter.png").exists()
    assert (tmp_path / "set" / "index.html").exists()
    assert not recorded[0].is_open


def test_a_tracker_that_cannot_be_used_is_reported_before_anything_is_drawn(source, monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "mlflow", None)
    with pytest.raises(SystemExit) as stopped:
        main([*source, "--log", "mlflow:runs"])
    assert stopped.value.code == 2
    with pytest.raises(SystemExit) as stopped:
        main([*source, "--format", "pdf", "--log", "tensorboard:logs"])
    assert stopped.value.code == 2
    assert not (tmp_path / "set").exists()


needs_tensorboard = pytest.mark.skipif(not importlib.util.find_spec("tensorboard"), reason="needs tensorboard")


@needs_tensorboard
@pytest.mark.adapters
def test_tensorboard_event_files_hold_figures_captions_and_numbers(figure_set, tmp_path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    opened = open_tracker(f"tensorboard:{tmp_path / 'logs'}")
    send_figures(figure_set, opened)
    opened.log_scalars({"kl": 2.5}, step=3)
    opened.close()
    events = EventAccumulator(str(tmp_path / "logs")).Reload()
    image = events.Images("latent_scatter")[0]
    assert (image.width, image.height) == Image.open(figure_set / "latent_scatter.png").size
    assert [(event.step, event.value) for event in events.Scalars("kl")] == [(3, 2.5)]
    caption = events.Tensors("latent_scatter/caption/text_summary")[0].tensor_proto.string_val[0].decode()
    assert "latent" in caption


@needs_tensorboard
@pytest.mark.adapters
def test_a_writer_that_is_passed_stays_open(figure_set, tmp_path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    from torch.utils.tensorboard import SummaryWriter

    from vaeviz.export.trackers.tensorboard import TensorBoardTracker

    writer = SummaryWriter(tmp_path / "logs")
    opened = TensorBoardTracker(writer)
    send_figures(figure_set, opened)
    opened.close()
    writer.add_scalar("after", 1.0, 0)
    writer.close()
    tags = EventAccumulator(str(tmp_path / "logs")).Reload().Tags()
    assert "after" in tags["scalars"]
    assert "latent_scatter" in tags["images"]


@pytest.mark.adapters
def test_mlflow_keeps_figures_captions_and_numbers(figure_set, tmp_path, monkeypatch):
    mlflow = pytest.importorskip("mlflow")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    opened = open_tracker(f"mlflow:{(tmp_path / 'mlruns').as_uri()}")
    send_figures(figure_set, opened)
    opened.log_scalars({"kl": 2.5}, step=3)
    opened.close()
    client = mlflow.MlflowClient(tracking_uri=(tmp_path / "mlruns").as_uri())
    run = client.get_run(opened.run_id)
    assert run.data.metrics == {"kl": 2.5}
    assert run.info.status == "FINISHED"
    files = [file.path for file in client.list_artifacts(opened.run_id, "figures/latent_scatter")]
    assert sorted(file.rpartition(".")[2] for file in files) == ["png", "txt"]


@pytest.mark.adapters
def test_an_mlflow_server_that_does_not_answer_is_an_error():
    pytest.importorskip("mlflow")
    with pytest.raises(OutputError) as error:
        open_tracker("mlflow:http://127.0.0.1:9")
    assert error.value.got == "mlflow:http://127.0.0.1:9"


@pytest.mark.adapters
def test_wandb_keeps_figures_with_captions(figure_set, tmp_path, monkeypatch):
    wandb = pytest.importorskip("wandb")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setenv("WANDB_SILENT", "true")
    opened = open_tracker("wandb:project")
    send_figures(figure_set, opened)
    opened.log_scalars({"kl": 2.5}, step=3)
    opened.log_scalars({"loss": 1.0}, step=4)
    assert opened.run.summary["kl"] == 2.5
    assert opened.run.summary["latent_scatter"]["caption"]
    opened.close()
    assert wandb.run is None
    assert list((tmp_path / "wandb").glob("offline-run-*/files/media/images/latent_scatter*.png"))


def test_a_server_behind_a_proxy_is_not_asked_itself(monkeypatch):
    from vaeviz.export.trackers.mlflow import _check_reachable

    monkeypatch.setenv("no_proxy", "")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:3128")
    _check_reachable("http://mlflow.invalid:5000")
    monkeypatch.setenv("no_proxy", "mlflow.invalid")
    with pytest.raises(OSError):
        _check_reachable("http://mlflow.invalid:5000")


@pytest.mark.adapters
def test_figures_in_an_open_run_of_wandb_have_steps_of_their_own(figure_set, tmp_path, monkeypatch):
    wandb = pytest.importorskip("wandb")
    from vaeviz.export.trackers.wandb import WandbTracker

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setenv("WANDB_SILENT", "true")
    with wandb.init(project="project") as run:
        run.log({"own": 1.0}, step=5000)
        opened = WandbTracker(run)
        opened.log_scalars({"kl": 2.5}, step=3)
        send_figures(figure_set, opened)
        opened.close()
        assert run.summary["kl"] == 2.5
        assert run.summary["latent_scatter"]["caption"]
        run.log({"own": 2.0})
        assert run.summary["own"] == 2.0
