"""`--with FILE.py`: plots of a script, for one call."""

import re
import sys

import numpy as np
import pytest
from click.testing import CliRunner

from vaeviz import plot_names
from vaeviz.cli.main import cli
from vaeviz.errors import InputError

SCRIPT = """
import vaeviz
from beside import COLOR

@vaeviz.register_plot
def lengths(encoder, x, *, bins: int = 30, style: str = "step", ax=None):
    '''Lengths of the codes.'''
    import beside  # its neighbor is also found when it draws
    ax.hist((vaeviz.encode(encoder, x).mean ** 2).sum(axis=1), bins=bins, histtype=style, color=COLOR)
    ax.set_title("Lengths")
    return ax

def encode(x):
    return x.reshape(len(x), -1)[:, 10:13]

if __name__ == "__main__":
    raise RuntimeError("imported, not run")
"""


@pytest.fixture
def script(tmp_path, monkeypatch):
    """A script in a folder that is not the working folder."""
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "beside.py").write_text("COLOR = 'C3'\n")
    (tmp_path / "mine" / "own_lengths.py").write_text(SCRIPT)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    yield "mine/own_lengths.py"
    sys.modules.pop("beside", None)


def invoked(*args):
    result = CliRunner().invoke(cli, [str(arg) for arg in args])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def test_its_plots_are_listed_for_this_call_only(script):
    before, path = plot_names(), list(sys.path)
    shown = invoked("list", "plots", "--with", script).output
    assert "  lengths                Lengths of the codes.  (own_lengths)\n" in shown
    assert "--bins int = 30" in shown
    assert plot_names() == before
    assert sys.path == path
    assert "own_lengths" not in sys.modules
    assert "lengths" not in invoked("list", "plots").output.split()


@pytest.mark.parametrize("order", ["before", "after", "equals"])
def test_the_script_may_be_named_anywhere(order, script, tmp_path):
    plot = ["lengths", "--encoder", "own_lengths:encode", "--data", "digits", "--bins", "5", "--out", "lengths.png"]
    args = {
        "before": ["--with", script, *plot],
        "after": [*plot, "--with", script],
        "equals": [*plot, f"--with={script}"],
    }
    done = invoked("plot", *args[order])
    assert (done.exit_code, done.output) == (0, "lengths.png\n")
    assert (tmp_path / "lengths.png").stat().st_size > 1000


def test_its_plots_are_in_the_help(script):
    assert "lengths" in invoked("plot", "--with", script, "--help").output
    shown = invoked("plot", "lengths", "--help", "--with", script).output
    assert "--bins INT" in shown
    assert "--with FILE.py" in shown


def test_an_option_that_every_plot_has_is_prefixed_with_the_name_of_the_plot(script, tmp_path, monkeypatch):
    shown = invoked("plot", "lengths", "--with", script, "--help").output
    assert "--lengths-style TEXT" in shown
    assert "paper or talk." in shown
    plot = ["plot", "lengths", "--with", script, "--encoder", "own_lengths:encode", "--data", "digits"]
    with pytest.raises(ValueError, match="'wavy'"):  # matplotlib's own error: the option has reached the plot
        invoked(*plot, "--lengths-style", "wavy")
    assert invoked(*plot, "--lengths-style", "bar", "--style", "talk").exit_code == 0


def test_export_draws_its_plots_with_the_others(script, tmp_path):
    done = invoked(
        "export", "--with", script, "--encoder", "own_lengths:encode", "--data", "digits", "--out", "figures",
        "--plots", "lengths,latent_scatter", "--set", "lengths.bins=3", "--set", "lengths.style=bar", "--dpi", 50,
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    assert {path.name for path in (tmp_path / "figures").glob("*.png")} == {"lengths.png", "latent_scatter.png"}


def test_a_script_may_register_an_adapter(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "opens_mine.py").write_text(
        "from vaeviz import Encoder, Model\n"
        "from vaeviz.plugins import registry\n"
        "class Mine:\n    def codes(self, x): return x[:, 0, :2]\n"
        "mine = Mine()\n"
        "def opens(model):\n    return Model(Encoder(model.codes, name='mine')) if isinstance(model, Mine) else None\n"
        "registry.add('vaeviz.adapters', 'opens', opens)\n"
    )
    args = ["explain", "--with", "opens_mine.py", "opens_mine:mine", "--data", "digits"]
    shown = invoked(*args).output
    assert "mine" in shown
    assert re.search(r"latent size\s+2", shown)


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        (None, []),
        ("x = 1\ny = 1 / 0\n", ["line 2", "ZeroDivisionError: division by zero"]),
        ("def f():\n    raise KeyError('k')\n\nf()\n", ["line 2", "KeyError: 'k'"]),
        ("x = 1\ndef f(:\n", ["line 2", "SyntaxError: invalid syntax"]),
        ("import not_here\n", ["line 1", "ModuleNotFoundError: No module named 'not_here'"]),
        ("raise SystemExit(3)\n", ["line 1", "SystemExit: 3"]),
        (
            "import vaeviz\n\n@vaeviz.register_plot\ndef f(x, *, n: list = (), ax=None): ...\n",
            ["line 3", "'n'", "list"],
        ),
        ("x = 1\n", ["@vaeviz.register_plot"]),
    ],
    ids=["missing", "fails", "fails within", "no Python", "no module", "exits", "no plot", "nothing"],
)
@pytest.mark.parametrize("command", [["list"], ["plot", "tsne"], ["export", "--out", "o"], ["explain"]], ids=" ".join)
def test_a_script_that_fails_is_an_input_error_with_the_line(command, text, tokens, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    if text is not None:
        (tmp_path / "a_script.py").write_text(text)
    with pytest.raises(InputError) as caught:
        invoked(*command, "--with", "a_script.py")
    assert all(token in str(caught.value) for token in ["--with a_script.py", *tokens])
    assert not (tmp_path / "o").exists()


def test_a_script_that_would_hide_a_module_is_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "numpy.py").write_text("1 / 0")
    (tmp_path / "notes.txt").write_text("")
    with pytest.raises(InputError, match="'numpy'"):
        invoked("list", "--with", "numpy.py")
    assert sys.modules["numpy"] is np
    for name in ("notes.txt", "."):
        with pytest.raises(InputError) as caught:
            invoked("list", "--with", name)
        assert caught.value.expected == "a Python script, FILE.py"


def test_a_plot_whose_name_is_taken_is_an_error_with_both_owners(script, tmp_path):
    (tmp_path / "mine" / "again.py").write_text(SCRIPT.replace("def lengths", "def samples"))
    with pytest.raises(InputError, match=r"again \(again\) and vaeviz"):
        invoked("plot", "samples", "--with", "mine/again.py")
