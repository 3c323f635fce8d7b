"""The page of a figure set: its groups and captions, and the lines that draw a figure again."""

from __future__ import annotations

import base64
import json
import re
import shlex

import matplotlib.pyplot as plt
import numpy as np
import pytest

import vaeviz
from vaeviz.cli.main import main
from vaeviz.export.redraw import redraw_call
from vaeviz.plugins.plot_spec import QUESTIONS, get_plot, plot_names

PLOTS = ["latent_scatter", "manifold_grid", "reconstruction_pairs"]


@pytest.fixture(scope="module")
def export_set(make_encoder, make_decoder, digits, tmp_path_factory, read_page):
    def export(**options):
        out = tmp_path_factory.mktemp("set")
        inputs = {"encoder": make_encoder(), "decoder": make_decoder(), "x": digits.x, "labels": digits.labels}
        vaeviz.export_figures(out, plots=PLOTS, dpi=40, **inputs, **options)
        return out, read_page(out)

    return export


def test_figures_are_grouped_by_question(export_set):
    _, page = export_set()
    assert page.texts_in("h2") == [
        "Where do my classes lie?",
        "What does it reconstruct?",
        "Can I sample from it?",
    ]
    assert page.values("figure", "id") == [
        "latent_scatter",
        "reconstruction_pairs",
        "manifold_grid",
    ]


def test_every_plot_names_a_question_and_explains_itself():
    for name in plot_names():
        spec = get_plot(name)
        if spec.distribution == "vaeviz":
            assert spec.question in QUESTIONS, name
            look_for, caution = spec.docstring_sections["Summary"][1:]
            assert look_for.startswith("What to look for: ") and caution.startswith("What commonly misleads: "), name


def test_plot_without_a_question_comes_last(encoder, digits, tmp_path, registered, read_page):
    @vaeviz.register_plot
    def own_plot(encoder, x, *, ax=None):
        """Plot nothing in particular."""
        return ax

    vaeviz.export_figures(tmp_path, encoder=encoder, x=digits.x, plots=["own_plot", "latent_scatter"], dpi=40)
    page = read_page(tmp_path)
    assert page.values("figure", "id") == ["latent_scatter", "own_plot"]
    assert page.texts_in("h2")[-1] == "Further figures"


def test_single_file_holds_every_image(export_set):
    out, page = export_set(single_file=True)
    contents = [base64.b64decode(source.removeprefix("data:image/png;base64,")) for source in page.values("img", "src")]
    assert contents == [(out / f"{name}.png").read_bytes() for name in page.values("figure", "id")]
    assert all(link.startswith("#") for link in page.values("a", "href"))


def test_page_refers_to_its_files(export_set):
    out, page = export_set(formats=("png", "pdf"))
    files = [link for link in page.values("a", "href") if not link.startswith("#")]
    assert {f"{name}.pdf" for name in PLOTS} < set(files)
    assert all((out / file).is_file() for file in files)


def test_python_lines_draw_the_same_figure_in_its_style(encoder, digits):
    options = {"dims": (0, 1), "marker_size": 20}
    inputs = {"encoder": encoder, "x": digits.x, "labels": digits.labels}
    exec(redraw_call(get_plot("latent_scatter"), inputs, options, style="talk"), {"vaeviz": vaeviz, **inputs})
    redrawn = plt.gca()
    with vaeviz.style("talk"):
        expected = vaeviz.latent_scatter(*inputs.values(), **options)
    drawn, known = (np.concatenate([c.get_offsets() for c in ax.collections]) for ax in (redrawn, expected))
    np.testing.assert_array_equal(drawn, known)
    assert redrawn.title.get_fontsize() == expected.title.get_fontsize()
    assert redrawn.figure.get_size_inches().tolist() == expected.figure.get_size_inches().tolist()
    plt.close("all")


def test_command_draws_the_same_figure(run, tmp_path, monkeypatch, read_page):
    monkeypatch.chdir(tmp_path)
    arguments = f"export {shlex.quote(str(run))} --out set --plots latent_scatter,samples --set samples.n_samples=4"
    with pytest.raises(SystemExit) as ended:
        main([*shlex.split(arguments), "--style", "talk", "--dpi", "50"])
    assert ended.value.code == 0
    page = read_page(tmp_path / "set")
    for command in filter(re.compile("vaeviz plot ").match, page.texts_in("pre")):
        words = shlex.split(command)[1:]
        with pytest.raises(SystemExit) as ended:
            main([*words, "--out", f"{words[1]}.png"])
        assert ended.value.code == 0
        assert (tmp_path / f"{words[1]}.png").read_bytes() == (tmp_path / "set" / f"{words[1]}.png").read_bytes()


def test_manifest_keeps_the_arguments_that_name_model_and_data(run, tmp_path):
    with pytest.raises(SystemExit):
        main(["export", str(run), "--split", "train", "--plots", "samples", "--out", str(tmp_path), "--clean"])
    assert json.loads((tmp_path / "manifest.json").read_text())["source"] == [str(run), "--split", "train"]
