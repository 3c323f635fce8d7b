"""Every page of the site is in a table of contents, every plot is in the gallery, and the tutorials run."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import click
import pytest

import vaeviz
import vaeviz_models
from vaeviz.cli.main import cli

DOCS = Path(__file__).parents[2] / "docs"
PAGES = sorted(path for path in DOCS.rglob("*.md") if path.relative_to(DOCS).parts[0] != "_build")
GALLERY = sorted((DOCS / "scripts" / "gallery").rglob("*.py"))
TUTORIALS = sorted((DOCS / "scripts" / "tutorials").glob("*.py"))


def called_plots(script):
    """Return the names of the plots that a script calls as functions of vaeviz."""
    calls = [node.func for node in ast.walk(ast.parse(script.read_text("utf-8"))) if isinstance(node, ast.Call)]
    return {function.attr for function in calls if isinstance(function, ast.Attribute)} & set(vaeviz.plot_names())


def test_every_page_is_in_a_table_of_contents():
    listed = {DOCS / "index.md"}
    for page in PAGES:
        for entries in re.findall(r"```{toctree}\n(.*?)```", page.read_text("utf-8"), flags=re.DOTALL):
            listed |= {page.parent / f"{entry}.md" for entry in entries.split() if not entry.startswith(":")}
    assert set(PAGES) <= listed


@pytest.mark.parametrize("package", [vaeviz, vaeviz_models], ids=lambda package: package.__name__)
def test_the_reference_lists_every_public_name(package):
    text = (DOCS / "reference" / f"{package.__name__}.md").read_text("utf-8")
    assert sorted(re.findall(r"^   (\w+)$", text, flags=re.MULTILINE)) == sorted(package.__all__)


def test_every_command_has_a_page():
    pages = {page.stem for page in (DOCS / "reference" / "commands").glob("*.md")}
    assert pages == set(cli.list_commands(click.Context(cli)))


def test_every_plot_has_an_example_of_its_name():
    own = {name for name in vaeviz.plot_names() if vaeviz.get_plot(name).distribution == "vaeviz"}
    assert {script.stem for script in GALLERY} == own
    assert all(script.stem in called_plots(script) for script in GALLERY)


@pytest.mark.parametrize("script", GALLERY, ids=lambda script: script.stem)
def test_an_example_says_what_the_docstring_says(script):
    paragraphs = vaeviz.get_plot(script.stem).docstring_sections["Summary"][1:]
    text = " ".join(script.read_text("utf-8").replace("\n# ", " ").split()).lower()
    text = re.sub(r":func:`~vaeviz\.(\w+)`", r"`\1`", text).replace(".** ", ": ").replace("**", "")
    for paragraph in paragraphs:
        assert paragraph.lower() in text


@pytest.mark.slow
@pytest.mark.parametrize("script", TUTORIALS, ids=lambda script: script.stem)
def test_a_tutorial_runs_as_a_notebook_and_shows_each_figure_once(script, monkeypatch):
    jupytext, nbclient = pytest.importorskip("jupytext"), pytest.importorskip("nbclient")
    monkeypatch.setenv("PYTHONPATH", str(script.parents[1]))
    monkeypatch.delenv("MPLBACKEND", raising=False)  # the kernel chooses the one of notebooks
    notebook = jupytext.read(script, fmt="py:sphinx")
    nbclient.NotebookClient(notebook, kernel_name="python3").execute()
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", ())]
    figures = [output["data"]["image/png"] for output in outputs if "image/png" in output.get("data", {})]
    assert figures
    assert len(figures) == len(set(figures))
    assert not [output for output in outputs if output.get("name") == "stderr"]
