"""What the file system does not allow is one error, and nothing of what was there is lost."""

from __future__ import annotations

import os
import shutil
import sys

import pytest

from vaeviz import export_figures, register_plot
from vaeviz.cli.main import main
from vaeviz.errors import OutputError

try:
    import resource
except ImportError:  # Windows
    resource = None


@pytest.fixture
def small_disk(monkeypatch):
    """Allow no file of more than 20 kB, as a full disk or a quota does."""
    if resource is None:
        pytest.skip("needs file-size limits")
    monkeypatch.setattr(sys, "dont_write_bytecode", True)  # Python would cut off the byte code of what is imported
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, limits[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, limits)


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_full_disk_ends_the_export_and_keeps_what_was_there(tmp_path, encoder, digits, request):
    inputs = {"encoder": encoder, "x": digits.x}
    export_figures(tmp_path, **inputs, plots=["latent_scatter"], dpi=30)
    before = contents(tmp_path)
    request.getfixturevalue("small_disk")
    with pytest.raises(OutputError) as caught:
        export_figures(tmp_path, **inputs, plots=["latent_scatter", "posterior_ellipses"], dpi=600)
    assert str(tmp_path) in caught.value.got
    assert contents(tmp_path) == before


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_folder_that_is_deleted_midway_is_one_error(tmp_path, encoder, digits, registered, jobs):
    out = tmp_path / "out"

    @register_plot
    def aaa_deletes(x, *, ax=None):
        """Delete the folder of the figures."""
        shutil.rmtree(out, ignore_errors=True)
        return ax

    with pytest.raises(OutputError):
        export_figures(out, encoder=encoder, x=digits.x, plots=["aaa_deletes", "latent_scatter"], dpi=30, jobs=jobs)


def test_the_probe_of_the_folder_leaves_files_of_the_user_alone(tmp_path, encoder, digits):
    for name in (".writable", ".manifest.json"):
        (tmp_path / name).write_text("mine")
    export_figures(tmp_path, encoder=encoder, x=digits.x, plots=["latent_scatter"], dpi=30)
    assert (tmp_path / ".writable").read_text() == (tmp_path / ".manifest.json").read_text() == "mine"


NAMES = {"long": "n" * 300, "empty": "", "NUL": "a\0b", "below a file": "file.txt/out"}
COMMANDS = {
    "export": ["export", "--data", "digits", "--out"],
    "plot": ["plot", "latent_scatter", "--data", "digits", "--out"],
    "analyze": ["analyze", "--data", "digits", "--out"],
    "encode": ["encode", "--data", "digits", "--out"],
    "train": ["train", "mlp", "--data", "digits", "--out"],
    "demo": ["demo", "--out"],
}


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_a_name_that_no_file_can_have_is_one_error(command, name, tmp_path, monkeypatch, capsys):
    (tmp_path / "file.txt").write_text("mine")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as left:
        main([*command, name])
    assert left.value.code == 2
    err = capsys.readouterr().err
    assert err.count("\n") == 1 and "--out" in err
    assert os.listdir(tmp_path) == ["file.txt"]


@pytest.mark.parametrize("name", ["", "a\0b", "n" * 300])
def test_a_script_gets_an_output_error(name, tmp_path, monkeypatch, encoder, digits):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(OutputError):
        export_figures(name, encoder=encoder, x=digits.x, plots=["latent_scatter"], dpi=30)
    assert os.listdir(tmp_path) == []


def test_a_report_that_cannot_be_written_is_one_error(tmp_path, run, capsys, small_disk, monkeypatch):
    from vaeviz.health.report import Report

    def full(report, path):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Report, "save", full)
    with pytest.raises(SystemExit) as left:
        main(["analyze", str(run), "--checks", "collapsed", "--out", str(tmp_path / "report.json")])
    assert left.value.code == 2
    assert "report.json" in capsys.readouterr().err
