"""``vaeviz demo`` trains every entry of its table and draws it, with the other runs of the same data."""

import json

import pytest
from PIL import Image

from vaeviz.data.loading import load_data
from vaeviz.plugins.plot_spec import get_plot, plot_names
from vaeviz_models.commands.demo import DEMOS
from vaeviz_models.datasets import glyphs, shapes


@pytest.fixture(autouse=True)
def _few_samples(tmp_path, monkeypatch):
    monkeypatch.setenv("VAEVIZ_DATA", str(tmp_path / "cache"))
    for module in (glyphs, shapes):
        monkeypatch.setattr(module, "N_TRAIN", 128)
        monkeypatch.setattr(module, "N_TEST", 64)


@pytest.fixture
def exports(monkeypatch):
    """The arguments of every figure set, in place of its figures."""
    calls = {}

    def export_figures(out, **arguments):
        calls[out.name] = arguments
        return []

    monkeypatch.setattr("vaeviz.export.figure_set.export_figures", export_figures)
    monkeypatch.setattr("vaeviz_models.commands.demo.MAX_JOBS", 1)
    monkeypatch.setattr("vaeviz.cli.commands.export.exit_code", lambda records, by_name: 0)
    return calls


def test_every_entry_is_trained_as_the_table_says(vaeviz, exports, tmp_path):
    result = vaeviz("demo", "--out", tmp_path / "figures", "--epochs", 1)
    assert result.code == 0
    for name, entry in DEMOS.items():
        config = json.loads((tmp_path / "figures" / "runs" / name / "config.json").read_text())
        assert (config["model"]["name"], config["data"]["name"]) == (entry.model, entry.data)
        assert config["training"] | entry.training | {"epochs": 1} == config["training"]
        assert str(tmp_path / "figures" / name / "index.html") in result.out
        assert (tmp_path / "figures" / name / "explorer.html").is_file()


def test_the_epochs_of_one_run_are_animated(vaeviz, exports, tmp_path):
    vaeviz("demo", "--out", tmp_path, "--epochs", 2)
    animation = Image.open(tmp_path / "demo" / "epochs.gif")
    assert animation.n_frames == 3
    assert (tmp_path / "demo" / "epochs.gif").stat().st_size < 500_000
    assert not list((tmp_path / "runs").glob("*/epochs"))


def test_sets_of_one_data_set_are_compared(vaeviz, exports, tmp_path):
    vaeviz("demo", "--out", tmp_path, "--epochs", 1)
    first, second = (tmp_path / "runs" / name for name in ("demo", "demo-10d"))
    assert exports["demo"]["runs"] == [first, second]
    assert exports["demo"]["other_encoder"] == second
    assert exports["demo-10d"]["other_encoder"] == first
    assert "runs" not in exports["demo-shapes"]
    assert exports["demo-shapes"]["data"].factors is not None


def test_every_plot_is_drawn_by_a_set():
    own = {name for name in plot_names() if get_plot(name).distribution == "vaeviz"}
    assert {name for entry in DEMOS.values() for name in entry.plots} == own


def test_the_commands_on_a_page_name_all_inputs(vaeviz, exports, tmp_path):
    vaeviz("demo", "--out", tmp_path, "--epochs", 1)
    source = exports["demo"]["source"]
    assert vaeviz("plot", "compare", *source, "--out", tmp_path / "compare.png", "--dpi", 40).code == 0


def test_the_data_sets_of_the_demo_need_no_network(monkeypatch):
    monkeypatch.setattr("vaeviz_models.datasets.idx._download", None)
    assert all(len(load_data(entry.data)) == 64 for entry in DEMOS.values())
