"""Names, options, flags and links in the README, the docs and the contributing guide exist."""

from __future__ import annotations

import ast
import re
import tomllib
from importlib import import_module
from pathlib import Path

import click
import pytest

import vaeviz
import vaeviz_models
from vaeviz.cli.main import cli
from vaeviz.health.analyze import CHECKS
from vaeviz.plugins.inputs import input_table

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "examples/plugin/README.md")]
PAGES += sorted(path for path in (ROOT / "docs").rglob("*.md") if "_build" not in path.parts)
EXAMPLES = {"code_lengths", "code_radii", "my_plot", "check"}  # names that the pages define
EXAMPLE_FLAGS = {"--code-lengths-style"}
LAUNCHER_FLAGS = {"--nproc-per-node", "--ntasks-per-node", "--gpus-per-node"}  # of torchrun and Slurm


each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))


def read_page(page):
    return page.read_text(encoding="utf-8")


def code_blocks(page, language):
    return re.findall(rf"```{language}\n(.*?)```", read_page(page), flags=re.DOTALL)


def all_flags(command):
    """Return the flags of a command and of all its subcommands, those of every plot included."""
    flags = {flag for param in command.params for flag in [*param.opts, *param.secondary_opts]}
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            flags |= all_flags(command.get_command(context, name))
    return flags


@pytest.fixture(scope="module")
def flags():
    return all_flags(cli) | EXAMPLE_FLAGS | LAUNCHER_FLAGS | {"--help"}


@each_page
def test_public_names_exist(page):
    for package in (vaeviz, vaeviz_models):
        names = set(re.findall(rf"(?<![\w./-]){package.__name__}\.(\w+)", read_page(page)))
        missing = {name for name in names if not hasattr(package, name) and not _is_module(package, name)}
        assert missing <= EXAMPLES


def _is_module(package, name):
    try:
        import_module(f"{package.__name__}.{name}")
    except ImportError:
        return name in {"plots", "adapters", "models", "datasets", "embeddings", "commands"}  # entry-point groups
    return True


@each_page
def test_flags_exist(page, flags):
    words = re.findall(r"(?<![\w-])--[a-z][a-z-]*", read_page(page))
    assert set(words) - flags == set()


@each_page
def test_plot_options_exist(page):
    text = read_page(page)
    for owner, option in re.findall(r"--set (\w+)\.(\w+)=", text):
        if owner not in EXAMPLES:
            assert option in (CHECKS[owner] if owner in CHECKS else vaeviz.get_plot(owner)).options
    for block in code_blocks(page, "toml"):
        for owner, settings in tomllib.loads(block).items():
            if owner in vaeviz.plot_names():
                assert settings.keys() <= vaeviz.get_plot(owner).options.keys()
    for block in code_blocks(page, "python"):
        for call in (node for node in ast.walk(ast.parse(block)) if isinstance(node, ast.Call)):
            if isinstance(call.func, ast.Attribute) and call.func.attr in vaeviz.plot_names():
                spec = vaeviz.get_plot(call.func.attr)
                known = {*spec.required, *spec.optional, *spec.options, spec.place}
                assert {keyword.arg for keyword in call.keywords} <= known


@pytest.mark.parametrize("page", [*PAGES, ROOT / "CHANGELOG.md"], ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_to_files_and_headings(page):
    for target, _, heading in re.findall(r"\]\((?!https?:)([^)#\s]*)(#([^)\s]+))?\)", read_page(page)):
        file = (page.parent / target) if target else page
        assert file.exists(), target
        if heading:
            assert heading in _anchors(file), heading


def _anchors(file):
    """Return the anchors that GitHub makes of the headings."""
    headings = re.findall(r"^#+ (.*)$", read_page(file), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_every_plot_is_listed_with_its_inputs_below_its_question():
    question, listed = "", set()
    for line in read_page(ROOT / "docs" / "reference" / "plots.md").splitlines():
        question = line.removeprefix("## ") if line.startswith("## ") else question
        if row := re.fullmatch(r"\| `(\w+)` \| .* \| (.*) \|", line):
            spec, (required, _, optional) = vaeviz.get_plot(row[1]), row[2].partition("[")
            assert spec.question == question
            assert tuple(re.findall(r"\w+", required)) == spec.required
            assert set(re.findall(r"\w+", optional)) <= set(spec.optional)
            listed.add(spec.name)
    assert listed == _own_plots()


def test_the_readme_names_every_plot_beside_its_question():
    rows = re.findall(r"^\| ([\w ]+\?) \| (.*) \|$", read_page(ROOT / "README.md"), flags=re.MULTILINE)
    named = {(plot, question) for question, plots in rows for plot in re.findall(r"`(\w+)`", plots)}
    assert named == {(plot, vaeviz.get_plot(plot).question) for plot in _own_plots()}


def _own_plots():
    return {name for name in vaeviz.plot_names() if vaeviz.get_plot(name).distribution == "vaeviz"}


def test_the_table_of_inputs_is_the_one_of_the_code():
    assert input_table() in read_page(ROOT / "docs" / "how-to" / "writing-a-plot.md")


def test_every_check_is_described():
    text = read_page(ROOT / "docs" / "explanation" / "analysis.md")
    assert set(re.findall(r"^\*\*`(\w+)`\*\*", text, flags=re.MULTILINE)) == set(CHECKS)
