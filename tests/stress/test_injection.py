"""Odd texts wherever one can be: every file still parses, runs no script, and the terminal gets plain text."""

from __future__ import annotations

import json
import shutil
import xml.etree.ElementTree
from html.parser import HTMLParser

import matplotlib.pyplot as plt
import numpy as np
import pytest

import vaeviz
from vaeviz.errors import InputError

TEXTS = {
    "control characters": "a\0b\x01\x07\x08\x0b\x1f",
    "ANSI": "\x1b[31mred\x1b]0;title\x07\x9b2J",
    "surrogate": "lone \ud800 and \udfff",
    "not in XML": "\ufffe\uffff",
    "reversed": "\u202eabc\u2066",
    "script": "<script>alert(1)</script>",
    "end of script": "</script><script>alert(2)</script>",
    "attribute": "\" onload='alert(3)' x=\"",
    "link": "javascript:alert(4)",
    "template": "{{ 7 * 7 }}{% for x in y %}",
    "comment": "<!-- --> ]]> <![CDATA[",
    "entity": "&lt;&#0;&amp;&nope;",
    "mathtext": r"$_$ $\frac{$ $$ \$",
    "TeX": r"\input{/etc/passwd} ^_% #",
    "format": "%s %n {} {0.__class__}",
    "line breaks": "a\r\nb\u2028c\x85d",
    "formula": "=cmd|' /C calc'!A0",
    "wide": "\U0001f9ec\u200d\u0301漢",
    "path": "../../../escaped",
    "blank": " \t ",
    "long": "x" * 3000,
}
ODD_FILES = [name for name, text in TEXTS.items() if not {"\0", "/", "\ud800"} & set(text) and len(text) < 200]
N_TEXTS = 1  # of each test, in one round


class Page(HTMLParser):
    """A page that is read to look for scripts and handlers of events that a text brought in."""

    def __init__(self):
        super().__init__()
        self.in_script, self.foreign = False, []

    def handle_starttag(self, tag, attributes):
        self.in_script = tag == "script"
        self.foreign += [name for name, value in attributes if name == "onload" or "alert(" in (value or "")[:17]]

    def handle_endtag(self, tag):
        self.in_script = False

    def handle_data(self, data):
        if self.in_script and data.startswith("alert("):
            self.foreign.append(data)


def check_folder(folder):
    """Parse all that an export wrote."""
    for path in folder.rglob("*"):
        if path.suffix == ".svg":
            xml.etree.ElementTree.parse(path)
        elif path.suffix == ".json":
            json.loads(path.read_text(encoding="utf-8"))
        elif path.suffix == ".html":
            page = Page()
            page.feed(path.read_text(encoding="utf-8"))
            assert not page.foreign, page.foreign
    assert not list(folder.parent.glob("escaped*"))


def export(folder, text, x, formats, analysis):
    """Draw figures with a text as label, as name of a feature, a class, a column and the set."""
    labels = np.array([text, "plain", text + "2"], dtype=object)[np.arange(len(x)) % 3]
    history = {"epoch": [1, 2, 3], text: [3.0, 2.0, 1.0]}
    names = [f"{text} {k}" for k in range(x.shape[1])]
    given = {"encoder": vaeviz.Encoder(lambda x: x[:, :2], name=text), "decoder": lambda z: np.tile(z, 3)}
    try:
        vaeviz.export_figures(
            folder / "figures", **given, x=x, labels=labels, history=history, feature_names=names, title=text,
            plots=["latent_scatter", "training_curves", "reconstruction_error"], formats=formats, analysis=analysis,
        )  # fmt: skip
    except InputError as error:
        assert "labels" in str(error) or "names" in str(error), error
    plt.close("all")
    records = json.loads((folder / "figures" / "manifest.json").read_text())["figures"]
    assert [record for record in records if record["status"] == "failed"] == []
    check_folder(folder / "figures")


def sample(rng, rounds, names):
    return rng.sample(list(names), min(len(names), N_TEXTS * rounds))


def test_odd_texts_are_drawn_and_parsed(tmp_path, try_all, rng, rounds):
    x = np.random.default_rng(0).random((30, 6), dtype=np.float32)
    how = (["svg", "pdf"], True) if rounds > 1 else (["svg"], False)
    try_all(
        (name, lambda name=name: export(tmp_path / name.replace(" ", "_"), TEXTS[name], x, *how))
        for name in sample(rng, rounds, TEXTS)
    )


def check_printed(done):
    printed = (done.out + done.err).replace("\n", "").replace("\t", "")
    shown = printed.replace("\r", "").replace("\u200d", "")  # which joins emoji and letters
    assert shown.isprintable(), ascii(printed[-300:])
    assert "Traceback" not in printed and "--traceback" not in printed, printed[-300:]


@pytest.mark.slow
@pytest.mark.parametrize("command", ["explain", "analyze", "plot"])
def test_odd_names_of_files_and_columns_are_printed_plainly(command, tmp_path, run_command, try_all, rng, rounds):
    def attempt(name):
        text = TEXTS[name]
        folder = tmp_path / name.replace(" ", "_")
        folder.mkdir()
        (folder / "net.py").write_text("def encode(x):\n    return x.reshape(len(x), -1)[:, :2]\n")
        names = [f"{text}{k}".replace('"', '""') for k in range(3)]
        rows = ["0.1,0.2,0.3", "0.3,0.1,0.2", "0.9,0.4,0.6"] * 5
        file = f"{text[:40].replace('/', '_')}.csv"
        columns = ",".join(f'"{name}"' for name in names)
        (folder / file).write_text("\n".join([columns, *rows]) + "\n", encoding="utf-8", errors="replace", newline="")
        args = {"explain": ["explain"], "analyze": ["analyze"], "plot": ["plot", "latent_scatter", "--out", "a.svg"]}
        done = run_command(*args[command], "--encoder", "net:encode", "--data", file, folder=folder)
        assert done.code in (0, 2), f"{done.code}: {done.err[-300:]}"
        check_printed(done)
        if (folder / "a.svg").exists():
            xml.etree.ElementTree.parse(folder / "a.svg")
        shutil.rmtree(folder)

    try_all((name, lambda name=name: attempt(name)) for name in sample(rng, -(-rounds // 3), ODD_FILES))


def test_odd_arguments_are_printed_plainly(tmp_path, run_command, try_all, rng, rounds):
    def attempt(name, command):
        text = TEXTS[name].replace("\0", "\x02")  # no argument of a process holds NUL
        done = run_command(*(part.replace("ODD", text) for part in command), folder=tmp_path)
        assert done.code == 2, f"{done.code}: {done.err[-300:]}"
        check_printed(done)

    commands = (
        ["plot", "ODD"],
        ["explain", "ODD"],
        ["train", "mlp", "--data", "ODD", "--out", "out"],
        ["export", "--set", "ODD"],
    )
    cases = [(name, command) for name in TEXTS for command in commands if name not in ("blank", "path")]
    try_all(
        (f"{name}: {' '.join(command)}", lambda name=name, command=command: attempt(name, command))
        for name, command in rng.sample(cases, min(len(cases), N_TEXTS * rounds))
    )
