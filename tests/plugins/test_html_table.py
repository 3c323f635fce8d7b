"""Tables for notebooks, and the objects that show themselves as one."""

from __future__ import annotations

import re
from html import unescape

import numpy as np

import vaeviz
from vaeviz.export.manifest import FigureRecord, FigureRecords
from vaeviz.health.check import CheckResult
from vaeviz.plugins.html_table import html_table


def cells(html):
    """Return the cells of each row below the header."""
    rows = re.findall(r"<tr>(.*?)</tr>", html, flags=re.DOTALL)[1:]
    return [[unescape(cell) for cell in re.findall(r"<td[^>]*>(.*?)</td>", row, flags=re.DOTALL)] for row in rows]


def test_texts_are_escaped_and_without_control_characters():
    html = html_table("<script>", ["a & b"], [["<b>\x1b", 3]], note="<i>")
    assert not re.search(r"<(script|b>\W|i>)", html.replace("<b>&lt;script&gt;</b>", ""))
    assert cells(html) == [["<b>\N{REPLACEMENT CHARACTER}", "3"]]


def test_a_posterior_shows_each_dimension():
    posterior = vaeviz.Posterior(np.array([[0.0, 1.0], [0.0, 3.0]]), np.ones((2, 2)), prior="normal")
    html = posterior._repr_html_()
    assert cells(html) == [["z1", "0", "0", "1"], ["z2", "2.5", "1", "1"]]
    assert all(word in html for word in ("2 posterior means", "2 latent dimensions", "N(0, I)"))


def test_a_deterministic_posterior_shows_no_kl_and_many_dimensions_are_counted():
    html = vaeviz.Posterior(np.zeros((3, 40)))._repr_html_()
    assert len(cells(html)) == 16
    assert "24 more" in html
    assert "KL" not in html


def test_a_report_shows_every_check():
    x = np.random.default_rng(0).standard_normal((60, 3))
    report = vaeviz.analyze(encoder=lambda x: x[:, :2], x=x, checks=["collapsed", "holes"])
    shown = cells(report._repr_html_())
    assert [row[1:] for row in shown] == [[result.name, result.sentence] for result in report.checks]
    assert all(isinstance(result, CheckResult) and result.status in row[0] for result, row in zip(report.checks, shown))


def test_records_show_captions_and_reasons():
    records = FigureRecords(
        [
            FigureRecord("samples", "skipped", "needs decoder"),
            FigureRecord("tsne", summary="A map.", files={"tsne.png": ""}, warnings=["A guess."]),
        ]
    )
    assert cells(records._repr_html_()) == [
        ["samples", "skipped", "needs decoder", ""],
        ["tsne", "drawn", "A map. A guess.", "tsne.png"],
    ]


def test_an_export_returns_records_that_show_themselves(tmp_path):
    records = vaeviz.export_figures(tmp_path, encoder=lambda x: x[:, :2], x=np.eye(6), plots=["latent_scatter"])
    assert "1 of 1 plots drawn" in records._repr_html_()


def test_a_plot_shows_its_inputs_and_options():
    spec = vaeviz.get_plot("latent_scatter")
    assert [row[0] for row in cells(spec._repr_html_())] == list(spec.options)
    assert "encoder, x, [labels]" in spec._repr_html_()
