"""`vaeviz analyze`, and the report on the page of `vaeviz export`."""

from __future__ import annotations

import json
from html.parser import HTMLParser

import numpy as np
import pytest

import vaeviz
from vaeviz import export_figures
from vaeviz.cli.main import main
from vaeviz.export.gallery import gallery_page
from vaeviz.health.analyze import CHECKS

MODULE = """
import numpy as np

def encode(x):
    flat = np.asarray(x).reshape(len(x), -1)
    return flat[:, 20:22] * 3 - 1, np.full((len(x), 2), -2.0)

def decode(z):
    return np.repeat(1 / (1 + np.exp(-z[:, :1])), 64, axis=1).reshape(-1, 8, 8)

def broken(z):
    raise ValueError("no")
"""


@pytest.fixture
def vaeviz_command(tmp_path, monkeypatch, capsys):
    """Run a command line in `tmp_path`, which has a module `mine`; returns (exit code, output, errors)."""
    (tmp_path / "mine.py").write_text(MODULE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "110")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(__import__("sys").modules, "mine", raising=False)

    def run(*args):
        with pytest.raises(SystemExit) as left:
            main(list(args))
        shown = capsys.readouterr()
        return left.value.code, shown.out, shown.err

    return run


MODEL = ("--encoder", "mine:encode", "--decoder", "mine:decode", "--data", "digits")


def test_a_flagged_check_is_not_an_error(vaeviz_command, tmp_path):
    code, out, _ = vaeviz_command("analyze", *MODEL, "--out", "report.json")
    assert code == 0
    assert "! ignored         flagged         " in out
    assert "– likelihood      not applicable  " in out
    kept = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    assert [result["name"] for result in kept["checks"]] == list(CHECKS)
    assert kept["title"].endswith("digits")
    assert out.splitlines()[-1] == "report.json"


def test_a_run_needs_only_its_name(vaeviz_command, run):
    code, out, _ = vaeviz_command("analyze", str(run), "--checks", "spread,holes")
    assert code == 0
    assert out.startswith("tiny · digits · 360 samples, 2 latent dimensions · seed 0\n")
    assert [line.split()[1] for line in out.splitlines() if line.startswith(("✓", "?", "!"))] == ["holes", "spread"]


def test_thresholds_are_set_like_options_of_plots(vaeviz_command):
    code, out, _ = vaeviz_command(
        "analyze", *MODEL, "--checks", "ignored", "--set", "ignored.max_count=1", "--set", "ignored.n_codes=5"
    )
    assert code == 0
    assert out.splitlines()[-1].startswith("0 of 1 ")
    for wrong, token in (("holes", "holes.max_mass"), ("holes.max_mass=lots", "lots"), ("hole.level=1", "holes")):
        code, _, err = vaeviz_command("analyze", *MODEL, "--set", wrong)
        assert code == 2
        assert token in err


def test_exit_code_1_if_a_check_failed_or_none_applies(vaeviz_command):
    broken = ("--encoder", "mine:encode", "--decoder", "mine:broken", "--data", "digits")
    code, out, _ = vaeviz_command("analyze", *broken, "--checks", "reconstruction,collapsed")
    assert code == 1
    assert "✗ reconstruction  failed" in out
    assert "✓ collapsed       healthy" in out
    code, out, _ = vaeviz_command("analyze", *MODEL, "--checks", "likelihood")
    assert code == 1


def test_advice_is_written_as_options(vaeviz_command):
    many = ("--checks", "neighbors", "--set", "neighbors.n_neighbors=1000")
    code, out, _ = vaeviz_command("analyze", *MODEL, *many)
    assert code == 1
    assert "--set neighbors.n_neighbors=" in " ".join(out.split())
    assert "settings=" not in out


def test_wrong_usage(vaeviz_command):
    code, _, err = vaeviz_command("analyze")
    assert code == 2 and "MODEL" in err
    code, _, err = vaeviz_command("analyze", *MODEL, "--out", "nowhere/report.json")
    assert code == 2 and "mkdir -p nowhere" in err
    code, _, err = vaeviz_command("analyze", *MODEL, "--input", "lables=mine:encode")
    assert code == 2 and "labels" in err
    code, _, err = vaeviz_command("analyze", *MODEL, "--input", "seed=mine:encode")
    assert code == 2 and "--seed" in err


def test_help_lists_every_threshold_with_its_default_and_source(vaeviz_command):
    code, out, _ = vaeviz_command("analyze", "--help")
    text = " ".join(out.split())
    assert code == 0
    for name, check in CHECKS.items():
        assert f" {name} {check.question} [" in text
        assert all(f"{option}=" in text for option in check.options)
        assert " ".join(check.source.split()).replace("- ", "-") in text.replace("- ", "-")


# On the page of a figure set


@pytest.fixture
def inputs(encoder, decoder, digits):
    return {"encoder": encoder, "decoder": decoder, "x": digits.x, "labels": digits.labels}


ONE = {"plots": ["latent_scatter"], "dpi": 30}


def manifest_of(out):
    return json.loads((out / "manifest.json").read_text(encoding="utf-8"))


def text_of(page):
    """Return the text of a page, without its tags."""
    parts = []
    parser = HTMLParser()
    parser.handle_data = parts.append
    parser.feed(page)
    return " ".join("".join(parts).split())


def page_of_report(checks):
    """Return the page of a figure set that has no figure, but a report."""
    manifest = {"title": "set", "inputs": {}, "seed": 0, "versions": {}, "warnings": [], "figures": []}
    return gallery_page({**manifest, "report": checks})


def test_the_page_shows_the_report_above_the_figures(tmp_path, inputs):
    seen = []
    export_figures(tmp_path, **inputs, **ONE, analysis=True, on_report=seen.append)
    page, manifest = (tmp_path / "index.html").read_text(encoding="utf-8"), manifest_of(tmp_path)
    (report,) = seen
    assert [result["name"] for result in manifest["report"]] == list(CHECKS)
    assert page.index('class="report"') < page.index("<figure")
    text = text_of(page)
    for result in manifest["report"]:
        assert result["sentence"] in text
    alone = vaeviz.analyze(**inputs)
    for same in (report, alone):
        assert [result["value"] for result in manifest["report"]] == [r["value"] for r in same.as_dict()["checks"]]
    assert (report.seed, report.inputs) == (alone.seed, alone.inputs)


def test_a_plot_chosen_by_name_is_drawn_without_a_report(tmp_path, inputs):
    export_figures(tmp_path, **inputs, **ONE, on_report=pytest.fail)
    assert manifest_of(tmp_path)["report"] == []
    assert 'class="report"' not in (tmp_path / "index.html").read_text(encoding="utf-8")


def test_a_check_that_fails_keeps_no_figure_from_being_drawn(tmp_path, inputs):
    def broken(z):
        raise ValueError("<no>")

    records = export_figures(tmp_path, **inputs | {"decoder": broken}, **ONE, analysis=True)
    assert [record.status for record in records] == ["drawn"]
    page = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert "✗ failed" in page
    assert "&lt;no&gt;" in page and "<no>" not in page


def test_the_command_reports_on_the_whole_set_or_with_analysis(vaeviz_command, tmp_path):
    one_plot = ("export", *MODEL, "--plots", "latent_scatter", "--dpi", "30", "--out", "some")
    assert " report " not in vaeviz_command(*one_plot)[1]
    code, out, _ = vaeviz_command(*one_plot, "--analysis")
    assert code == 0
    assert "! report " in out and "ignored" in out
    (tmp_path / "set.toml").write_text('plots = ["latent_scatter"]\nanalysis = true\ndpi = 30\n')
    configured = ("export", *MODEL, "--config", "set.toml", "--out", "some")
    assert "! report " in vaeviz_command(*configured)[1]
    assert " report " not in vaeviz_command(*configured, "--no-analysis")[1]


def test_the_page_folds_checks_that_do_not_apply(inputs):
    report = vaeviz.analyze(decoder=inputs["decoder"], checks=["collapsed", "holes"])
    page = page_of_report(report.as_dict()["checks"])
    assert "No check applies" in page
    assert "<summary>2 not applicable</summary>" in page
    assert 'class="report"' not in page_of_report([])


def test_numbers_of_the_page_have_a_unit_and_a_threshold():
    checks = vaeviz.analyze(
        encoder=vaeviz.Posterior(np.zeros((9, 1)), np.ones((9, 1)), "normal"), x=np.eye(9), checks=["collapsed"]
    ).as_dict()["checks"]
    assert "1 dimensions, flagged above 0" in text_of(page_of_report(checks))
