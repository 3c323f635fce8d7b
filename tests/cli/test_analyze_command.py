"""`vaeviz analyze` as a person runs it, and the report on the page of `vaeviz export`."""

from __future__ import annotations

import json

import numpy as np
import pytest

import vaeviz
from vaeviz import export_figures
from vaeviz.cli.main import main
from vaeviz.export.report_page import report_section
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
    """Run a command line in `tmp_path`, where a module `mine` lies; returns (exit code, output, errors)."""
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


def test_a_flagged_latent_space_is_an_answer_and_no_error(vaeviz_command, tmp_path):
    code, out, _ = vaeviz_command("analyze", *MODEL, "--out", "report.json")
    assert code == 0
    assert "! ignored         flagged         The decoder ignores 1 of 2 encoded dimensions: along z2 a value" in out
    assert "– likelihood      not applicable  needs likelihood: " in out
    kept = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    assert [finding["name"] for finding in kept["findings"]] == list(CHECKS)
    assert kept["title"].endswith("digits")
    assert out.splitlines()[-1] == "report.json"


def test_a_run_needs_no_more_than_its_name(vaeviz_command, run):
    code, out, _ = vaeviz_command("analyze", str(run), "--findings", "spread,holes")
    assert code == 0
    assert out.startswith("tiny · digits · 360 samples, 2 latent dimensions · seed 0\n")
    assert [line.split()[1] for line in out.splitlines() if line.startswith(("✓", "!"))] == ["holes", "spread"]


def test_thresholds_are_set_as_options_of_plots_are(vaeviz_command):
    code, out, _ = vaeviz_command(
        "analyze", *MODEL, "--findings", "ignored", "--set", "ignored.max_count=1", "--set", "ignored.n=5"
    )
    assert (code, out.splitlines()[-1]) == (0, "0 of 1 findings flagged")
    code, _, err = vaeviz_command("analyze", *MODEL, "--set", "holes")
    assert (code, err) == (2, "Error: --set 'holes': expected FINDING.OPTION=VALUE, e.g. holes.max_mass=0.1\n")
    code, _, err = vaeviz_command("analyze", *MODEL, "--set", "holes.max_mass=lots")
    assert (code, err) == (2, "Error: holes.max_mass = 'lots': expected float\n")


def test_a_finding_that_fails_is_told_by_the_exit_code(vaeviz_command):
    broken = ("--encoder", "mine:encode", "--decoder", "mine:broken", "--data", "digits")
    code, out, _ = vaeviz_command("analyze", *broken, "--findings", "reconstruction,collapsed")
    assert code == 1
    assert out.splitlines()[-1] == "0 of 1 findings flagged; failed: reconstruction"
    code, out, _ = vaeviz_command("analyze", *MODEL, "--findings", "likelihood")
    assert code == 1  # nothing that was asked for applies


def test_wrong_usage(vaeviz_command):
    code, _, err = vaeviz_command("analyze")
    assert code == 2 and "nothing to analyze: give MODEL" in err
    code, _, err = vaeviz_command("analyze", *MODEL, "--out", "nowhere/report.json")
    assert (code, err) == (2, "Error: --out nowhere/report.json: the folder nowhere does not exist\n")
    code, _, err = vaeviz_command("analyze", *MODEL, "--input", "lables=mine:encode")
    assert code == 2 and "Unknown input 'lables'. Did you mean 'labels'" in err
    code, _, err = vaeviz_command("analyze", *MODEL, "--input", "seed=mine:encode")
    assert code == 2 and "--input seed=...: is an argument of the analysis itself" in err


def test_help_tells_every_threshold_with_its_default_and_source(vaeviz_command):
    code, out, _ = vaeviz_command("analyze", "--help")
    told = " ".join(out.split())
    assert code == 0
    for name, question in CHECKS.items():
        assert f" {name} {question.summary} [" in told
        assert all(f"{option}=" in told for option in question.options)
        assert " ".join(question.source.split()).replace("- ", "-") in told.replace("- ", "-")


# On the page of a figure set


@pytest.fixture
def inputs(encoder, decoder, digits):
    return {"encoder": encoder, "decoder": decoder, "x": digits.x, "labels": digits.labels}


ONE = {"plots": ["latent_scatter"]}


def manifest_of(out):
    return json.loads((out / "manifest.json").read_text(encoding="utf-8"))


def test_the_page_shows_the_findings_above_the_figures(tmp_path, inputs):
    seen = []
    export_figures(tmp_path, **inputs, **ONE, analysis=True, on_findings=seen.append)
    page, manifest = (tmp_path / "index.html").read_text(encoding="utf-8"), manifest_of(tmp_path)
    (findings,) = seen
    assert [finding["name"] for finding in manifest["report"]] == [finding.name for finding in findings]
    assert page.index('class="report"') < page.index("<figure")
    for finding in manifest["report"]:
        assert finding["sentence"].replace("'", "&#x27;").replace(">", "&gt;") in page
    alone = vaeviz.analyze(**inputs)
    assert [finding["value"] for finding in manifest["report"]] == [f["value"] for f in alone.as_dict()["findings"]]


def test_one_figure_by_name_is_drawn_without_a_report(tmp_path, inputs):
    export_figures(tmp_path, **inputs, **ONE)
    assert manifest_of(tmp_path)["report"] == []
    assert 'class="report"' not in (tmp_path / "index.html").read_text(encoding="utf-8")


def test_what_fails_in_the_analysis_spoils_no_figure(tmp_path, inputs):
    def broken(z):
        raise ValueError("<no>")

    records = export_figures(tmp_path, **inputs | {"decoder": broken}, **ONE, analysis=True)
    assert [record.status for record in records] == ["drawn"]
    page = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert "✗ failed" in page
    assert "&lt;no&gt;" in page and "<no>" not in page


def test_the_command_reports_with_the_whole_set_and_where_it_is_asked_to(vaeviz_command, tmp_path):
    some = ("export", *MODEL, "--plots", "latent_scatter", "--out", "some")
    assert "report" not in vaeviz_command(*some)[1]
    code, out, _ = vaeviz_command(*some, "--analysis")
    assert code == 0
    assert "findings flagged: ignored" in out
    (tmp_path / "set.toml").write_text('plots = ["latent_scatter"]\nanalysis = true\n')
    code, out, _ = vaeviz_command("export", *MODEL, "--config", "set.toml", "--out", "some")
    assert "findings flagged: ignored" in out
    assert "report" not in vaeviz_command("export", *MODEL, "--config", "set.toml", "--no-analysis", "--out", "some")[1]


def test_a_page_of_nothing_that_applies_says_so_in_a_fold(inputs):
    report = vaeviz.analyze(decoder=inputs["decoder"]).as_dict()
    section = report_section(report["findings"])
    assert "No finding applies" in section
    assert f"<summary>{len(CHECKS)} not applicable</summary>" in section
    assert report_section([]) == ""


def test_numbers_of_the_page_stand_with_unit_and_threshold():
    finding = vaeviz.analyze(
        encoder=vaeviz.Posterior(np.zeros((9, 1)), np.ones((9, 1)), "normal"), x=np.eye(9), findings=["collapsed"]
    ).as_dict()["findings"]
    assert '<td class="number">1 <small>dimensions, flagged above 0</small></td>' in report_section(finding)
