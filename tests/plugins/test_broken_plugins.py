"""What plug-ins bring, and what they break: nothing but themselves."""

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


def listed(python, *args):
    return python(LISTED.format(args=list(args)))


@pytest.mark.parametrize(
    ("module", "reason"),
    [
        ("1 / 0", "could not be imported: ZeroDivisionError: division by zero"),
        ("import no_such_module", "could not be imported: ModuleNotFoundError: No module named 'no_such_module'"),
        ("thing = 3", "could not be imported: AttributeError: module 'shards' has no attribute 'broken'"),
        ("raise SystemExit(3)", "could not be imported: SystemExit: 3"),
        ("def broken(:", "could not be imported: SyntaxError"),
    ],
)
def test_what_cannot_be_imported_is_listed_with_the_reason_in_every_group(module, reason, python, plug_in):
    points = {group: ["broken = shards:broken", "sound = whole:sound"] for group in GROUPS}
    whole = "import click, vaeviz\n\nclass Sound(click.Command):\n    pass\n\nsound = Sound('sound')\n"
    del points["vaeviz.plots"][1]
    plug_in("shards", points, {"shards.py": module, "whole.py": whole})
    told = listed(python, "list")
    assert told.count(f"(broken) 'broken' of shards {reason}") == len(GROUPS)
    assert told.count("  sound                  shards") == len(GROUPS) - 1
    assert told.count("(broken)") == len(GROUPS)
    assert told.endswith("code 0")


def test_a_thing_of_the_wrong_kind_is_broken(python, plug_in):
    points = {group: ["odd = odd:odd"] for group in GROUPS if group not in ("vaeviz.plots", "vaeviz.models")}
    plug_in("odd", points | {"vaeviz.commands": ["odd = odd:odd", "called = odd:called"]},
            {"odd.py": "odd = 3\ndef called(): pass"})  # fmt: skip
    told = listed(python, "list")
    for kind in ("adapter", "data set", "embedding", "command"):
        assert f"(broken) 'odd' of odd is no {kind}: odd:odd is of type int, not a function" in told
    assert "(broken) 'called' of odd is no command: odd:called is of type function; decorate it with" in told
    assert "(broken) 'called' of odd is no command" in " ".join(listed(python, "--help").split())


def test_the_list_imports_nothing_of_vaeviz_but_its_plots(python):
    printed = python(
        LISTED.format(args=["list"]) + "\nimport sys\n"
        "own = [m for m in sys.modules if m.startswith(('vaeviz.model.adapters.', 'vaeviz.embeddings.', 'vaeviz_models')) and '._' not in m]\n"
        "print(own)"
    )
    assert printed.splitlines()[-1] == "[]"


@pytest.mark.parametrize("group", GROUPS)
def test_two_things_of_one_name_are_an_error_that_names_both_distributions(group, python, plug_in):
    for name in ("first", "second"):
        spelled = "a-wedge" if name == "first" else "a_wedge"
        plug_in(name, {group: [f"{spelled} = {name}_module:wedge"]}, {f"{name}_module.py": A_PLOT})
    told = listed(python, "list", GROUPS[group])
    both = "is registered twice, by first (first_module) and second (second_module); uninstall or rename one of them"
    assert told.count("(broken)") == 1
    assert f"(broken) 'a-wedge' {both}" in told


def test_two_adapters_of_one_name_are_passed_over_with_a_warning(python, plug_in):
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
    assert "adapter 'same' is registered twice, by first (first_module) and second (second_module)" in printed


@pytest.mark.parametrize("point", ["wedge = inner:wedge", "slice = inner.plots:wedge", "wedge = inner.plots:wedge"])
def test_an_entry_point_that_names_a_plot_by_another_way_names_it_once(point, python, plug_in):
    files = {"inner/__init__.py": "from inner.plots import wedge", "inner/plots.py": A_PLOT}
    plug_in("inner", {"vaeviz.plots": [point]}, files)
    name = point.partition(" ")[0]
    printed = python(
        "from vaeviz import get_plot, plot_names\n"
        f"print(get_plot('{name}').distribution, get_plot('{name}').summary)\n"
        "print([name for name in plot_names() if name in ('wedge', 'slice')])"
    )
    assert printed == f"inner A plot from elsewhere.\n['{name}']"


def test_what_is_registered_for_a_while_is_forgotten_after_it():
    def mine(z):
        return z[:, :2]

    with registry.temporary_entries():
        registry.add("vaeviz.embeddings", "mine", mine)
        assert registry.load("vaeviz.embeddings", "mine") is mine
    with pytest.raises(InputError, match="Unknown embedding 'mine'"):
        registry.load("vaeviz.embeddings", "mine")


def test_an_engine_is_given_the_settings_that_it_takes(registered):
    from vaeviz.embeddings._base import embed

    def seeded(z, *, seed: int = 0):
        return np.random.default_rng(seed).standard_normal((len(z), 2))

    def bare(z):
        return z[:, :2]

    registered.add("vaeviz.embeddings", "seeded", seeded)
    registered.add("vaeviz.embeddings", "bare", bare)
    z = np.random.default_rng(1).standard_normal((5, 3))
    np.testing.assert_array_equal(embed(z, "seeded", seed=3, perplexity=9.0).points, seeded(z, seed=3))
    np.testing.assert_array_equal(embed(z, "bare", seed=3).points, bare(z))
