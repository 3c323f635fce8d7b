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


def test_own_plots_are_found_by_walking_without_being_imported(python):
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
        (["list"], "('torch', 'matplotlib.pyplot', 'sklearn', 'seaborn', 'pandas')"),
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
    [("latent_scater", "Did you mean 'latent_scatter'"), ("qqq", f"known: {', '.join(PLOTS)}")],
)
def test_an_unknown_name_is_answered_with_the_nearest(wanted, hint):
    with pytest.raises(UnknownName, match=f"unknown plot {wanted!r}; ") as caught:
        registry.find("vaeviz.plots", wanted)
    assert hint in str(caught.value)


def test_dashes_and_underscores_are_alike():
    assert registry.find("vaeviz.plots", "latent-scatter") == registry.find("vaeviz.plots", "latent_scatter")
    assert registry.find("vaeviz.datasets", "fashion_mnist").name == "fashion-mnist"


def test_a_data_set_is_called_so_in_the_error():
    with pytest.raises(UnknownName, match="Unknown data set 'minst'. Did you mean 'mnist'"):
        registry.load("vaeviz.datasets", "minst")


def test_a_plot_registered_again_replaces_its_former_self(registered):
    def first(encoder, *, ax=None):
        """One."""

    def second(encoder, *, ax=None):
        """Two."""

    registered.add("vaeviz.plots", "mine", first)
    registered.add("vaeviz.plots", "mine", second)
    assert registered.load("vaeviz.plots", "mine") is second


def test_two_plots_of_one_name_are_an_error_that_names_both(registered):
    def stranger(encoder, *, ax=None):
        """Not the real one."""

    stranger.__module__ = "elsewhere.plots"
    registered.add("vaeviz.plots", "latent_scatter", stranger)
    with pytest.raises(InputError, match=r"registered twice, by elsewhere \(elsewhere\.plots\) and vaeviz \(vaeviz"):
        registered.load("vaeviz.plots", "latent_scatter")
    assert registered.load("vaeviz.plots", "samples").__name__ == "samples"


def test_a_package_of_plots_is_walked_and_private_files_are_not(python, plug_in):
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
def test_a_plug_in_names_an_object_or_a_module_or_a_package(python, plug_in, point):
    files = {"single/__init__.py": "", "single/wedge.py": A_PLOT.format(name="wedge")}
    plug_in("single", {"vaeviz.plots": [point]}, files)
    printed = python("from vaeviz import get_plot; spec = get_plot('wedge'); print(spec.distribution, spec.summary)")
    assert printed == "single A plot from elsewhere."


def test_two_distributions_that_claim_a_name_are_both_named(python, plug_in):
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
        "print(CliRunner().invoke(cli, ['--help']).output)\n"
        "print(CliRunner().invoke(cli, ['list']).output)\n"
        "print(CliRunner().invoke(cli, ['plot', '--help']).output)\n"
        "print(CliRunner().invoke(cli, ['plot', 'shattered', 'x', '--y']).exception)\n"
        "print(CliRunner().invoke(cli, ['shatter', 'x', '--y']).exception)\n"
    )
    lines = printed.splitlines()
    assert lines[0] == "drawn"
    assert lines[1] == "skipped 'shattered' of broken could not be imported: ZeroDivisionError: division by zero"
    assert lines[2].startswith("skipped 'gone' of broken could not be imported: ModuleNotFoundError")
    assert "(broken) 'shatter' of broken could not be" in printed
    assert "(broken) 'shattered' of broken could not be imported: ZeroDivisionError" in printed
    assert printed.count("(broken) 'shards' of broken could not be imported: ZeroDivisionError") == 2
    plot, command = lines[-2:]
    assert plot == "'shattered' of broken could not be imported: ZeroDivisionError: division by zero"
    assert command.startswith("'shatter' of broken could not be imported: ModuleNotFoundError: No module named")
