"""Plug-ins that are broken break only their own entries."""

import numpy as np
import pytest

from vaeviz.errors import InputError
from vaeviz.plugins import registry

GROUPS = {
    "vaeviz.plots": "plots",
    "vaeviz.models": "models",
    "vaeviz.adapters": "adapters",
    "vaeviz.datasets": "data",
    "vaeviz.embeddings": "embeddings",
    "vaeviz.commands": "commands",
}
LISTED = "from vaeviz.cli.main import main\ntry: main({args})\nexcept SystemExit as left: print('code', left.code)"
A_PLOT = """
from vaeviz import register_plot

@register_plot
def wedge(encoder, x, *, ax=None):
    '''A plot from elsewhere.'''
"""


@pytest.fixture
def list_entries(python):
    """Run `vaeviz list` in a fresh interpreter and return what it printed."""
    return lambda *args: python(LISTED.format(args=["list", *args]))


@pytest.mark.parametrize(
    ("module", "reason"),
    [
        ("thing = 3", "module 'shards' has no attribute 'broken'"),
        ("def broken(:", "SyntaxError"),
        ("def broken(): ...\n1 +", "SyntaxError"),
    ],
)
def test_entries_that_cannot_be_read_are_listed_with_the_reason(module, reason, list_entries, plug_in):
    points = {group: ["broken = shards:broken", "sound = whole:sound"] for group in GROUPS}
    whole = "import click, vaeviz\n\nclass Sound(click.Command):\n    pass\n\nsound = Sound('sound')\n"
    plug_in("shards", points, {"shards.py": module, "whole.py": whole})
    shown = list_entries()
    assert shown.count("(broken)") == shown.count(reason) == len(GROUPS)
    assert shown.count("  sound                    (shards)") == len(GROUPS)
    assert shown.endswith("code 0")


@pytest.mark.parametrize("module", ["1 / 0", "import no_such_module", "raise SystemExit(3)"])
def test_entries_are_listed_without_being_imported(module, list_entries, plug_in):
    points = {group: ["broken = shards:broken"] for group in GROUPS}
    plug_in("shards", points, {"shards.py": f"{module}\ndef broken(encoder, *, ax=None):\n    'Break.'"})
    shown = list_entries()
    assert shown.count("  broken                 Break.  (shards)") == len(GROUPS)
    assert "(broken)" not in shown
    assert shown.endswith("code 0")


@pytest.mark.parametrize(
    ("module", "reason"),
    [
        ("1 / 0", "ZeroDivisionError: division by zero"),
        ("import no_such_module", "ModuleNotFoundError: No module named 'no_such_module'"),
        ("raise SystemExit(3)", "SystemExit: 3"),
        ("thing = 3", "AttributeError"),
    ],
)
@pytest.mark.parametrize("group", GROUPS)
def test_an_entry_that_cannot_be_imported_is_an_input_error_with_the_reason(module, reason, group, python, plug_in):
    plug_in("shards", {group: ["broken = shards:broken"]}, {"shards.py": module})
    printed = python(
        "from vaeviz.plugins import registry\nfrom vaeviz.errors import InputError\n"
        f"try: registry.load({group!r}, 'broken')\nexcept InputError as error: print(error)"
    )
    assert all(token in printed for token in ("'broken'", "shards", reason))


HOSTILE = {
    "interrupts": ("raise KeyboardInterrupt", "KeyboardInterrupt"),
    "exits": ("import sys; sys.exit(3)", "SystemExit: 3"),
    "ends": ("import os; os._exit(3)", "os._exit(3)"),
    "hangs": ("import time\nwhile True: time.sleep(0.01)", "longer than"),
    "prints": ("print('spam')", ""),
}


@pytest.mark.parametrize(("module", "reason"), HOSTILE.values(), ids=HOSTILE)
def test_a_plugin_that_misbehaves_takes_no_other_with_it(module, reason, python, plug_in, tmp_path):
    names = ["aaa = hostile:wedge", "zzz = whole:wedge"]
    files = {"hostile.py": f"{module}\n{A_PLOT}", "whole.py": A_PLOT}
    plug_in("hostile", {"vaeviz.plots": names, "vaeviz.adapters": ["aaa = hostile:wedge"]}, files)
    out = str(tmp_path / "out")
    printed = python(
        "import os, signal, sys, numpy as np, vaeviz\n"
        "from vaeviz.plugins import guarded_import\n"
        "guarded_import.MAX_IMPORT_SECONDS = 0.5\n"
        "before = signal.getsignal(signal.SIGINT), os._exit\n"
        "x = np.random.default_rng(0).random((20, 2))\n"
        f"records = vaeviz.export_figures({out!r}, encoder=lambda x: x, x=x, plots=['aaa', 'latent_scatter'], dpi=30)\n"
        "assert (signal.getsignal(signal.SIGINT), os._exit) == before\n"
        "print([(record.plot, record.status, record.reason) for record in records])"
    )
    assert "('latent_scatter', 'drawn', '')" in printed
    assert reason in printed
    assert "spam" not in printed


@pytest.mark.parametrize("name", ["../evil", "/tmp/evil", "a/b", "a.b", "", "1st", "con\x1b"])
def test_a_name_is_never_a_path(name, registered):
    def wedge(encoder, *, ax=None):
        """Draw nothing."""

    with pytest.raises(InputError) as caught:
        registered.add("vaeviz.plots", name, wedge)
    assert caught.value.got == name


def test_an_installed_name_that_is_a_path_is_skipped_and_writes_nothing(python, plug_in, tmp_path):
    plug_in("evil", {"vaeviz.plots": ["../evil = evil:wedge"]}, {"evil.py": A_PLOT})
    out = tmp_path / "folder" / "out"
    printed = python(
        f"import numpy as np, vaeviz\nx = np.random.default_rng(0).random((20, 2))\n"
        f"records = vaeviz.export_figures({str(out)!r}, encoder=lambda x: x, x=x, dpi=30, analysis=False,\n"
        "    plots=['../evil', 'latent_scatter'])\n"
        "print([(record.plot, record.status) for record in records])"
    )
    assert printed == "[('../evil', 'skipped'), ('latent_scatter', 'drawn')]"
    assert [path.name for path in out.parent.iterdir()] == ["out"]


def test_a_data_set_with_a_file_but_no_entry_point_is_to_be_installed():
    with pytest.raises(InputError) as caught:
        registry.find("vaeviz.datasets", "value-ranges")
    assert "install" in caught.value.fix.python


def test_an_entry_of_the_wrong_kind_is_broken(list_entries, python, plug_in):
    points = {group: ["odd = odd:odd"] for group in GROUPS if group not in ("vaeviz.plots", "vaeviz.models")}
    plug_in("odd", points | {"vaeviz.commands": ["odd = odd:odd", "called = odd:called"]},
            {"odd.py": "odd = 3\ndef called(): pass"})  # fmt: skip
    shown = list_entries()
    assert shown.count("(broken)") == shown.count("odd:odd is of type int") == len(points)
    helped = " ".join(python(LISTED.format(args=["--help"])).split())
    assert "odd:called is of type function" in helped


def test_the_list_imports_no_entry(python):
    printed = python(
        LISTED.format(args=["list"]) + "\nimport sys\n"
        "entries = ('vaeviz.plots.', 'vaeviz.model', 'vaeviz.embeddings', 'vaeviz_models', 'numpy')\n"
        "print([module for module in sys.modules if module.startswith(entries)])"
    )
    assert printed.splitlines()[-1] == "[]"


@pytest.mark.parametrize("group", GROUPS)
def test_two_entries_of_one_name_are_an_error_with_both_distributions(group, list_entries, plug_in):
    for name in ("first", "second"):
        entry_name = "a-wedge" if name == "first" else "a_wedge"
        plug_in(name, {group: [f"{entry_name} = {name}_module:wedge"]}, {f"{name}_module.py": A_PLOT})
    shown = list_entries(GROUPS[group])
    assert shown.count("(broken)") == 1
    assert "first (first_module) and second (second_module)" in shown


def test_two_adapters_of_one_name_are_skipped_with_a_warning(python, plug_in):
    for name in ("first", "second"):
        plug_in(name, {"vaeviz.adapters": [f"same = {name}_module:same"]}, {f"{name}_module.py": "1 / 0"})
    printed = python(
        "import warnings, vaeviz\n"
        "with warnings.catch_warnings(record=True) as caught:\n"
        "    warnings.simplefilter('always')\n"
        "    print(vaeviz.encode(lambda x: x, [[1.0, 2.0], [3.0, 4.0]]).size)\n"
        "print({str(warning.message) for warning in caught})"
    )
    assert printed.splitlines()[0] == "2"
    assert "'same'" in printed and "first (first_module) and second (second_module)" in printed


@pytest.mark.parametrize("point", ["wedge = inner:wedge", "slice = inner.plots:wedge", "wedge = inner.plots:wedge"])
def test_a_plot_with_an_entry_point_is_found_once(point, python, plug_in):
    files = {"inner/__init__.py": "from inner.plots import wedge", "inner/plots.py": A_PLOT}
    plug_in("inner", {"vaeviz.plots": [point]}, files)
    name = point.partition(" ")[0]
    printed = python(
        "from vaeviz import get_plot, plot_names\n"
        f"print(get_plot('{name}').distribution, get_plot('{name}').summary)\n"
        "print([name for name in plot_names() if name in ('wedge', 'slice')])"
    )
    assert printed == f"inner A plot from elsewhere.\n['{name}']"


def test_temporary_entries_are_forgotten():
    def mine(z):
        return z[:, :2]

    with registry.temporary_entries():
        registry.add("vaeviz.embeddings", "mine", mine)
        assert registry.load("vaeviz.embeddings", "mine") is mine
    with pytest.raises(InputError, match="'mine'"):
        registry.load("vaeviz.embeddings", "mine")


def test_an_engine_gets_the_settings_that_it_has(registered):
    from vaeviz.embeddings import embed

    def seeded(z, *, seed: int = 0):
        return np.random.default_rng(seed).standard_normal((len(z), 2))

    def bare(z):
        return z[:, :2]

    registered.add("vaeviz.embeddings", "seeded", seeded)
    registered.add("vaeviz.embeddings", "bare", bare)
    z = np.random.default_rng(1).standard_normal((5, 3))
    np.testing.assert_array_equal(embed(z, "seeded", seed=3, perplexity=9.0).points, seeded(z, seed=3))
    np.testing.assert_array_equal(embed(z, "bare", seed=3).points, bare(z))
