"""``vaeviz demo`` trains every entry of its table and draws it, with the other runs of the same data."""

import json
from types import SimpleNamespace

import pytest
from click.testing import CliRunner
from PIL import Image

from vaeviz.cli.main import cli
from vaeviz.data.loading import load_data
from vaeviz.plugins.plot_spec import get_plot, plot_names
from vaeviz_models.commands.demo import DEMOS
from vaeviz_models.datasets import glyphs, shapes


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """The result of the command with two epochs, its folder, and the arguments of every figure set by name."""
    folder, exports = tmp_path_factory.mktemp("demo"), {}

    def export_figures(out, **arguments):
        exports[out.name] = arguments
        return []

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VAEVIZ_DATA", str(folder / "cache"))
        for module in (glyphs, shapes):
            patch.setattr(module, "N_TRAIN", 128)
            patch.setattr(module, "N_TEST", 64)
        patch.setattr("vaeviz.export.figure_set.export_figures", export_figures)
        patch.setattr("vaeviz_models.commands.demo.MAX_JOBS", 1)
        patch.setattr("vaeviz.cli.commands.export.exit_code", lambda records, by_name: 0)
        result = CliRunner().invoke(cli, ["demo", "--out", str(folder), "--epochs", "2"], catch_exceptions=False)
        yield SimpleNamespace(result=result, folder=folder, exports=exports)


def test_every_entry_is_trained_as_the_table_says(demo):
    assert demo.result.exit_code == 0
    for name, entry in DEMOS.items():
        config = json.loads((demo.folder / "runs" / name / "config.json").read_text())
        assert (config["model"]["name"], config["data"]["name"]) == (entry.model, entry.data)
        assert config["training"] | entry.training | {"epochs": 2} == config["training"]
        assert str(demo.folder / name / "index.html") in demo.result.stdout
        assert (demo.folder / name / "explorer.html").is_file()


def test_the_epochs_of_one_run_are_animated(demo):
    animation = Image.open(demo.folder / "demo" / "epochs.gif")
    assert animation.n_frames == 3
    assert (demo.folder / "demo" / "epochs.gif").stat().st_size < 500_000
    assert not list((demo.folder / "runs").glob("*/epochs"))


def test_sets_of_one_data_set_are_compared(demo):
    first, second = (demo.folder / "runs" / name for name in ("demo", "demo-10d"))
    assert demo.exports["demo"]["runs"] == [first, second]
    assert demo.exports["demo"]["other_encoder"] == second
    assert demo.exports["demo-10d"]["other_encoder"] == first
    assert "runs" not in demo.exports["demo-shapes"]
    assert demo.exports["demo-shapes"]["data"].factors is not None


def test_every_plot_is_drawn_by_a_set():
    own = {name for name in plot_names() if get_plot(name).distribution == "vaeviz"}
    assert {name for entry in DEMOS.values() for name in entry.plots} == own


def test_the_commands_on_a_page_name_all_inputs(vaeviz, demo, tmp_path):
    source = demo.exports["demo"]["source"]
    assert vaeviz("plot", "compare", *source, "--out", tmp_path / "compare.png", "--dpi", 40).code == 0


def test_the_data_sets_of_the_demo_need_no_network(demo, monkeypatch):
    monkeypatch.setattr("vaeviz_models.datasets.idx._download", None)
    assert all(len(load_data(entry.data)) == 64 for entry in DEMOS.values())
