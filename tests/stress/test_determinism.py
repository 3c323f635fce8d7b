"""The same inputs and seed give the same bytes, whatever the hash seed, folder, locale, clock and terminal are."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

PLOTS = ("latent_scatter", "samples", "latent_triage", "reconstruction_error", "training_curves", "tsne")
SURROUNDINGS = {
    "hash seed": {"PYTHONHASHSEED": "1"},
    "other hash seed": {"PYTHONHASHSEED": "77"},
    "locale": {"LC_ALL": "C", "PYTHONUTF8": "0"},
    "German": {"LC_ALL": "de_DE.UTF-8", "LANG": "de_DE.UTF-8"},
    "time zone": {"TZ": "Pacific/Kiritimati"},
    "narrow terminal": {"COLUMNS": "20"},
    "latin-1 output": {"PYTHONIOENCODING": "latin-1"},
    "home": {"HOME": "/nonexistent"},
    "style of a user": {"MATPLOTLIBRC": "matplotlibrc"},
    "threads": {"OMP_NUM_THREADS": "2"},
}
RC = "figure.dpi: 77\nfont.size: 31\naxes.facecolor: red\nlines.linewidth: 9\nsavefig.bbox: tight\n"


def export(run, folder, env, *options):
    """Draw figures of a run in a new process, and return their bytes by name."""
    folder.mkdir()
    (folder / "matplotlibrc").write_text(RC)
    command = [sys.executable, "-m", "vaeviz", "export", str(run), "--plots", ",".join(PLOTS), "--out", "out"]
    command += ["--format", "png,svg,pdf", "--dpi", "40", "--set", "tsne.perplexity=5", *options]
    done = subprocess.run(command, cwd=folder, env=os.environ | env, capture_output=True, text=True, errors="replace")
    assert done.returncode == 0, done.stderr
    return {path.name: path.read_bytes() for path in (folder / "out").iterdir() if path.name != "timings.json"}


@pytest.mark.slow
@pytest.mark.parametrize("options", [(), ("--jobs", "2")], ids=["one job", "two jobs"])
def test_figures_are_the_same_in_all_surroundings(options, run, tmp_path, try_all, rng, rounds):
    whole = export(run, tmp_path / "whole", {"PYTHONHASHSEED": "0"})

    def attempt(name):
        figures = export(run, tmp_path / name.replace(" ", "_"), SURROUNDINGS[name], *options)
        different = [file for file in whole if figures.get(file) != whole[file]]
        assert set(figures) == set(whole)
        assert not different, different

    chosen = rng.sample(list(SURROUNDINGS), min(len(SURROUNDINGS), rounds))
    try_all((name, lambda name=name: attempt(name)) for name in chosen)
