"""The folder of a watched training: numbered figures, numbers, and the page."""

import csv
import io

import pytest
from PIL import Image

import vaeviz
from vaeviz.callbacks.folder import WatchFolder


@pytest.fixture
def png():
    content = io.BytesIO()
    Image.new("RGB", (4, 4)).save(content, "png")
    return content.getvalue()


def rows(folder):
    with (folder / "history.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_the_page_reloads_while_the_training_runs_and_shows_the_last_figure(tmp_path, png):
    folder = WatchFolder(tmp_path)
    for step in (1, 2):
        folder.log_scalars({"loss": 1 / step}, step=step)
        folder.log_figure("latent_scatter", png, caption=f"<b> at {step}", step=step)
    page = (tmp_path / "index.html").read_text()
    assert 'http-equiv="refresh"' in page
    assert 'src="latent_scatter/000002.png"' in page
    assert "<b> at" not in page
    folder.close()
    assert 'http-equiv="refresh"' not in (tmp_path / "index.html").read_text()


def test_new_numbers_become_new_columns(tmp_path):
    folder = WatchFolder(tmp_path)
    folder.log_scalars({"loss": 2.0}, step=1)
    folder.log_scalars({"loss": 1.0}, step=2)
    folder.log_scalars({"kl": 3.0}, step=3)
    assert rows(tmp_path) == [
        {"epoch": "1", "loss": "2", "kl": ""},
        {"epoch": "2", "loss": "1", "kl": ""},
        {"epoch": "3", "loss": "", "kl": "3"},
    ]


def test_the_numbers_can_be_drawn(tmp_path):
    folder = WatchFolder(tmp_path)
    for step in (1, 2, 3):
        folder.log_scalars({"train_loss": 1 / step, "val_loss": 2 / step}, step=step)
    (ax,) = vaeviz.training_curves(tmp_path / "history.csv")
    assert ax.get_xlabel() == "epoch"
    assert len(ax.lines) == 2


@pytest.mark.parametrize(("first", "expected"), [(3, [1, 2, 3]), (1, [1])])
def test_a_resumed_training_continues_its_folder_and_a_new_one_does_not(tmp_path, png, first, expected):
    earlier = WatchFolder(tmp_path)
    for step in (1, 2, 3):
        earlier.log_scalars({"loss": 9.0}, step=step)
        earlier.log_figure("samples", png, caption=f"<b> & {step}", step=step)
        earlier.log_figure("traversal", png, caption="", step=step)
    later = WatchFolder(tmp_path)
    later.log_scalars({"loss": 1.0}, step=first)
    later.log_figure("samples", png, caption="", step=first)
    assert later.figures["samples"] == {step: "" if step == first else f"<b> & {step}" for step in expected}
    assert ("traversal" in later.figures) == (first == 3)
    assert [int(float(row["epoch"])) for row in rows(tmp_path)] == expected
    assert float(rows(tmp_path)[-1]["loss"]) == 1.0


def test_a_damaged_history_is_replaced(tmp_path):
    (tmp_path / "history.csv").write_bytes(b"\xff\x00epoch,loss\n1,x\n")
    folder = WatchFolder(tmp_path)
    folder.log_scalars({"loss": 1.0}, step=1)
    assert rows(tmp_path) == [{"epoch": "1", "loss": "1"}]


@pytest.mark.parametrize("name", ["history.csv", "index.html"])
def test_files_of_something_else_stay(tmp_path, x, name):
    (tmp_path / name).write_text("epoch,loss\n1,2\n")
    with pytest.raises(vaeviz.InputError) as caught:
        vaeviz.watch("latent_scatter", x, to=tmp_path)
    assert caught.value.got == name
    assert (tmp_path / name).read_text() == "epoch,loss\n1,2\n"
