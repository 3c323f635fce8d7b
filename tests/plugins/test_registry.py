"""Entries of the registry: found by name, imported only when they are used."""

from pathlib import Path

import pytest

import vaeviz
from vaeviz.errors import InputError, UnknownName
from vaeviz.plugins import registry

HEAVY = "('torch', 'matplotlib', 'sklearn', 'seaborn', 'pandas', 'scipy', 'numpy')"
PLOTS = sorted(path.stem for path in Path(vaeviz.__file__).parent.glob("plots/[!_]*.py"))
A_PLOT = """
from vaeviz import register_plot

@register_plot
def {name}(encoder, x, *, ax=None):
    '''A plot from elsewhere.'''
    return ax
"""


def test_own_plots_are_found_without_being_imported(python):
    printed = python(
        "import sys\n"
        "from vaeviz.plugins.plot_spec import plot_names\n"
        "print(plot_names())\n"
        f"print([name for name in sys.modules if name in {HEAVY} or name.startswith('vaeviz.plots')])"
    )
    names, imported = printed.splitlines()
    assert names == str(PLOTS)
    assert {"latent_scatter", "manifold_grid", "tsne"} < set(PLOTS)
    assert imported == "[]"


@pytest.mark.parametrize("statement", ["import vaeviz", "import vaeviz; dir(vaeviz)", "import vaeviz_models"])
def test_importing_the_package_imports_nothing_heavy(python, statement):
    assert python(f"{statement}\nimport sys\nprint([name for name in {HEAVY} if name in sys.modules])") == "[]"


@pytest.mark.parametrize(
    ("args", "unneeded"),
    [
        (["--help"], HEAVY),
        (["export", "--help"], "('torch', 'matplotlib.pyplot', 'sklearn', 'seaborn', 'pandas')"),
        (["list"], HEAVY),
        (["list", "plots"], HEAVY),
        (["plot", "latent_scatter", "--help"], "('torch', 'matplotlib.pyplot', 'sklearn', 'seaborn', 'pandas')"),
    ],
)
def test_help_and_listing_import_no_more_than_they_need(python, args, unneeded):
    printed = python(
        "import sys\n"
        "from vaeviz.cli.main import main\n"
        f"try: main({args})\n"
        f"except SystemExit as done: print(done.code, [name for name in {unneeded} if name in sys.modules])"
    )
    assert printed.splitlines()[-1] == "0 []"


@pytest.mark.parametrize(
    ("wanted", "hint"),
    [("latent_scater", "'latent_scatter'"), ("qqq", ", ".join(PLOTS))],
)
def test_an_unknown_name_lists_the_nearest(wanted, hint):
    with pytest.raises(UnknownName) as caught:
        registry.find("vaeviz.plots", wanted)
    assert (caught.value.got, caught.value.expected) == (wanted, ", ".join(PLOTS))
    assert hint in caught.value.fix.python


def test_dashes_and_underscores_are_the_same():
    assert registry.find("vaeviz.plots", "latent-scatter") == registry.find("vaeviz.plots", "latent_scatter")
    assert registry.find("vaeviz.datasets", "fashion_mnist").name == "fashion-mnist"


def test_an_error_names_the_kind_of_the_entry():
    with pytest.raises(UnknownName, match=r"data set 'minst'.*'mnist'"):
        registry.load("vaeviz.datasets", "minst")


def test_registering_a_function_again_overwrites_it(registered):
    def first(encoder, *, ax=None):
        """One."""

    def second(encoder, *, ax=None):
        """Two."""

    registered.add("vaeviz.plots", "mine", first)
    registered.add("vaeviz.plots", "mine", second)
    assert registered.load("vaeviz.plots", "mine") is second


def test_two_plots_of_one_name_are_an_error_with_both_distributions(registered):
    def other_scatter(encoder, *, ax=None):
        """Not the real one."""

    other_scatter.__module__ = "elsewhere.plots"
    registered.add("vaeviz.plots", "latent_scatter", other_scatter)
    with pytest.raises(InputError) as caught:
        registered.load("vaeviz.plots", "latent_scatter")
    assert caught.value.got == "elsewhere (elsewhere.plots) and vaeviz (vaeviz.plots.latent_scatter)"
    assert registered.load("vaeviz.plots", "samples").__name__ == "samples"


def test_the_public_files_of_a_package_are_entries(python, plug_in):
    plug_in(
        "walked",
        {"vaeviz.plots": ["walked = walked.plots"]},
        {
            "walked/__init__.py": "raise RuntimeError('imported too early')",
            "walked/plots/__init__.py": "",
            "walked/plots/wedge.py": "",
            "walked/plots/_private.py": "",
        },
    )
    names = python("from vaeviz.plugins.plot_spec import plot_names; print(plot_names())")
    assert names == str(sorted([*PLOTS, "wedge"]))


@pytest.mark.parametrize("point", ["wedge = single.wedge:wedge", "single = single.wedge", "single = single"])
def test_an_entry_point_names_an_object_a_module_or_a_package(python, plug_in, point):
    files = {"single/__init__.py": "", "single/wedge.py": A_PLOT.format(name="wedge")}
    plug_in("single", {"vaeviz.plots": [point]}, files)
    printed = python("from vaeviz import get_plot; spec = get_plot('wedge'); print(spec.distribution, spec.summary)")
    assert printed == "single A plot from elsewhere."


def test_two_distributions_with_one_name_are_both_named(python, plug_in):
    for name in ("first", "second"):
        plug_in(name, {"vaeviz.plots": [f"{name} = {name}"]}, {f"{name}/__init__.py": "", f"{name}/wedge.py": ""})
    printed = python(
        "from vaeviz import get_plot, InputError\ntry: get_plot('wedge')\nexcept InputError as error: print(error)"
    )
    assert "first (first.wedge) and second (second.wedge)" in printed


def test_a_broken_plug_in_breaks_only_itself(python, plug_in, tmp_path):
    plug_in(
        "broken",
        {
            "vaeviz.plots": ["shattered = broken.plots:shattered", "gone = broken.nowhere:gone"],
            "vaeviz.commands": ["shatter = broken.command:shatter"],
            "vaeviz.adapters": ["shattered = broken.plots:shattered"],
            "vaeviz.datasets": ["shards = broken.plots:shards"],
            "vaeviz.embeddings": ["shards = broken.plots:shards"],
        },
        {"broken/__init__.py": "", "broken/plots.py": "1 / 0", "broken/command.py": "import no_such_module"},
    )
    printed = python(
        "import numpy as np, vaeviz\n"
        "from click.testing import CliRunner\n"
        "from vaeviz.cli.main import cli\n"
        "x = np.ones((5, 2))\n"
        f"records = vaeviz.export_figures({str(tmp_path / 'out')!r}, encoder=lambda x: x, x=x)\n"
        "statuses = {record.plot: (record.status, record.reason) for record in records}\n"
        "print(statuses['latent_scatter'][0])\n"
        "print(*statuses['shattered'])\n"
        "print(*statuses['gone'])\n"
        "for args in (['--help'], ['list'], ['plot', '--help']): print('~~~', CliRunner().invoke(cli, args).output)\n"
        "print('~~~')\n"
        "print(CliRunner().invoke(cli, ['plot', 'shattered', 'x', '--y']).exception)\n"
        "print(CliRunner().invoke(cli, ['shatter', 'x', '--y']).exception)\n"
    )
    lines = printed.splitlines()
    assert lines[0] == "drawn"
    for line, name, error in ((lines[1], "'shattered'", "ZeroDivisionError"), (lines[2], "'gone'", "ModuleNotFound")):
        assert line.startswith("skipped") and name in line and error in line
    helped, listed, plots = printed.split("~~~")[1:4]
    assert "(broken)" in helped and "'shatter'" in helped
    assert "'gone'" in listed and listed.count("(broken)") == 6
    assert "(broken)" in plots and "'shattered'" in plots
    plot, command = lines[-2:]
    assert "'shattered'" in plot and "ZeroDivisionError: division by zero" in plot
    assert "'shatter'" in command and "No module named" in command
