"""``vaeviz explore``: the page that it writes, and its exit codes."""

from __future__ import annotations

import json
import re
import sys

import numpy as np
import pytest

import vaeviz
from vaeviz.errors import InputError

MODELS = """
import numpy as np

def encode(x):
    flat = x.reshape(len(x), -1)
    return flat[:, 20:22], np.full((len(x), 2), -2.0)

def decode(z):
    return np.repeat(z, 32, axis=1).reshape(-1, 8, 8)

def broken(z):
    raise RuntimeError("no weights")

pair = encode, decode
"""


@pytest.fixture
def models(tmp_path, monkeypatch):
    """A folder with a module of models, which is the current one."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "explored_models.py").write_text(MODELS)
    yield tmp_path
    sys.modules.pop("explored_models", None)


def read_scene(path):
    found = re.search(r'<script type="application/json" id="scene">(.*?)</script>', path.read_text(), re.S)
    return json.loads(found[1])


def test_a_run_has_its_network_data_and_labels_in_the_page(run, tmp_path, invoke):
    page = tmp_path / "explorer.html"
    result = invoke("explore", run, "--out", page)
    assert result.exit_code == 0
    scene = read_scene(page)
    assert scene["decoder"]["method"] == "network"
    assert scene["title"] == "tiny · digits"
    assert scene["color_by"] == "label"
    assert str(page) in result.output
    assert scene["decoder"]["note"] in result.output


def test_two_models_are_shown_side_by_side(run, models, invoke):
    assert invoke("explore", run, "--other", "explored_models:pair", "--out", "page.html").exit_code == 0
    scene = read_scene(models / "page.html")
    assert scene["title"] == "tiny · digits"
    assert scene["other"]["title"].endswith("· digits")
    assert scene["other"]["decoder"]["method"] == "network"


def test_errors_of_the_second_model_name_its_option(run, models, invoke):
    (models / "empty").mkdir()
    for other in ("missing", "empty", str(run), f"{run}/"):
        with pytest.raises(InputError) as info:
            invoke("explore", run, "--other", other, "--out", "page.html")
        assert "--other" in info.value.message
        assert info.value.got == other
    assert not (models / "page.html").exists()


def test_a_decoder_that_fails_is_exit_code_1(models, invoke):
    args = ("--encoder", "explored_models:encode", "--data", "digits", "--out", "page.html")
    assert invoke("explore", *args, "--decoder", "explored_models:decode").exit_code == 0
    assert invoke("explore", *args).exit_code == 0
    result = invoke("explore", *args, "--decoder", "explored_models:broken")
    assert result.exit_code == 1
    assert "no weights" in result.output
    assert read_scene(models / "page.html")["decoder"]["method"] == "none"
    (models / "explored_models.py").write_text(f"{MODELS}\npair = encode, broken\n")
    sys.modules.pop("explored_models")
    result = invoke("explore", *args, "--decoder", "explored_models:decode", "--other", "explored_models:pair")
    assert result.exit_code == 1
    assert "no weights" in result.output


def test_wrong_usage_is_an_error(models, invoke, run):
    assert invoke("explore", "--out", "page.html").exit_code == 2
    assert invoke("explore", run).exit_code == 2
    with pytest.raises(InputError):
        invoke("explore", run, "--out", "page.txt")
    with pytest.raises(InputError) as info:
        invoke("explore", "--data", "digits", "--out", "page.html")
    assert info.value.expected == "encoder"
    np.save("x.npy", np.zeros((3, 5), np.float32))
    with pytest.raises(InputError):
        invoke("explore", run, "--data", "x.npy", "--out", "page.html")
    assert not (models / "page.html").exists()


def test_the_page_of_figures_links_an_explorer_beside_it(digits, make_encoder, tmp_path):
    def links():
        vaeviz.export_figures(tmp_path, encoder=make_encoder(), x=digits.x, plots="latent_scatter", dpi=40)
        return re.findall(r'href="([^"]+)"', (tmp_path / "index.html").read_text(encoding="utf-8"))

    assert "explorer.html" not in links()
    vaeviz.explore(make_encoder(), x=digits.x).save(tmp_path / "explorer.html")
    assert "explorer.html" in links()
    assert "epochs.gif" not in links()
    (tmp_path / "epochs.gif").touch()
    assert "epochs.gif" in links()
