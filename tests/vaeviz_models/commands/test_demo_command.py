"""``vaeviz demo`` trains every entry of its table and draws it, with the other runs of the same data."""

import json

import pytest

from vaeviz.data.loading import load_data
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


def test_sets_of_one_data_set_are_compared_and_factors_are_scored_once(vaeviz, exports, tmp_path):
    vaeviz("demo", "--out", tmp_path, "--epochs", 1)
    runs = {name: tmp_path / "runs" / name for name in ("demo", "demo-10d")}
    assert exports["demo"]["runs"] == exports["demo-10d"]["runs"] == runs
    assert exports["demo"]["other_encoder"] == runs["demo-10d"]
    assert exports["demo-10d"]["other_encoder"] == runs["demo"]
    assert "runs" not in exports["demo-shapes"]
    has_factors = {name: arguments["data"].factors is not None for name, arguments in exports.items()}
    assert has_factors == {"demo": False, "demo-10d": False, "demo-shapes": True}


def test_the_data_sets_of_the_demo_need_no_network(monkeypatch):
    monkeypatch.setattr("vaeviz_models.datasets.idx._download", None)
    assert all(len(load_data(entry.data)) == 64 for entry in DEMOS.values())
