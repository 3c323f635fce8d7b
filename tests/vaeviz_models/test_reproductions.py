"""The scripts of docs/reproductions.md, on small data."""

import importlib.util
import re
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parents[2] / "examples" / "reproductions"
SMALL = ["--data", "digits", "--device", "cpu"]


def load_script(name):
    spec = importlib.util.spec_from_file_location(name, SCRIPTS / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def burda(vaeviz, monkeypatch):
    """The script, with its commands run in this process."""
    module, outputs = load_script("burda2016"), []

    def run(command, check):
        assert command[1:3] == ["-m", "vaeviz"] and check
        done = vaeviz(*command[3:])
        assert done.code == 0
        outputs.append(done.out)

    monkeypatch.setattr(module.subprocess, "run", run)
    module.outputs = outputs
    return module


def test_the_model_of_burda_is_trained_resumed_and_evaluated(burda, capsys, tmp_path):
    for epochs in (1, 2):
        burda.train(tmp_path / "run", epochs, SMALL)
    assert "after epoch 1 of 2" in burda.outputs[1]
    capsys.readouterr()
    burda.evaluate(tmp_path / "run", n_images=10, n_draws=20)
    printed = capsys.readouterr().out
    assert "2 epochs on binarized:digits" in printed
    assert re.search(r"test +\d+ of 50 units active, KL [\d.]+ nats, N = 360", printed)
    bounds = [float(nll) for nll in re.findall(r"k = +\d+ +NLL ([\d.]+) ±", printed)]
    assert len(bounds) == 4
    assert bounds == sorted(bounds, reverse=True)


@pytest.mark.no_cover
def test_every_estimate_agrees_with_a_second_way(run, monkeypatch):
    module = load_script("independent_estimates")
    monkeypatch.setattr(module, "N_CODES", 300)
    monkeypatch.setattr(module, "N_POINTS", 120)
    rows = module.compare(run, None)
    assert len(rows) > 20
    for row in rows:
        difference = abs(row.ours - row.theirs) if row.largest is None else row.largest
        assert difference <= (1e-5 if row.error is None else 4 * row.error), row.quantity
        assert str(row).count("|") == 7
