"""Histories in the files of other programs become columns of numbers, or an error says what is wrong."""

import importlib.util
import json
import math
import struct
import sys
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from vaeviz.data.history import history_runs, read_history
from vaeviz.data.history_files import read_history_file
from vaeviz.errors import InputError, UnknownName

COLUMNS = {"epoch": [1.0, 2.0], "loss": [3.0, 2.0], "val_loss": [4.0, 3.0]}
LIGHTNING = """epoch,step,train_loss,val_loss,lr-Adam
,0,,,0.001
0,4,3.0,,
0,4,,4.0,
,5,,,0.001
1,9,2.0,,
1,9,,3.0,
"""
ROWS = [{"epoch": 1, "loss": 3.0, "val_loss": 4.0}, {"epoch": 2, "loss": 2.0, "val_loss": 3.0}]
TABLES = {
    "a.csv": "epoch,loss,val_loss\n1,3,4\n2,2,3\n",
    "semicolons.csv": "epoch;loss;val_loss\n1;3;4\n2;2;3\n",
    "a.tsv": "epoch\tloss\tval_loss\n1\t3\t4\n2\t2\t3\n",
    "byte order mark.csv": "\ufeffepoch,loss,val_loss\n1,3,4\n2,2,3\n",
    "text.csv": "epoch,comment,loss,val_loss\n1,slow,3,4\n2,fast,2,3\n",
    "columns.json": json.dumps(COLUMNS),
    "rows.json": json.dumps(ROWS),
    "pandas.json": pd.DataFrame(COLUMNS).to_json(),
    "rows.jsonl": "\n".join(map(json.dumps, ROWS)) + "\n",
    "trainer_state.json": json.dumps({"log_history": ROWS, "best_metric": None}),
}


def columns_of(history):
    """Return the columns of the history of one run."""
    (columns,) = history_runs(history).values()
    return columns


@pytest.fixture
def written(tmp_path):
    """Write a text and return its path."""

    def write(name, text):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    return write


@pytest.mark.parametrize("name", TABLES)
def test_tables_and_json_are_read(name, written):
    assert read_history(written(name, TABLES[name])) == COLUMNS


@pytest.mark.parametrize("name", ["history.csv", "metrics.csv", "history.json", "trainer_state.json"])
def test_a_folder_with_a_table_of_a_usual_name_is_read(name, written, tmp_path):
    written(name, TABLES["a.csv"] if name.endswith(".csv") else TABLES["trainer_state.json"])
    assert read_history(tmp_path) == COLUMNS


def test_rows_of_lightning_are_merged_by_step(written):
    columns = columns_of(written("metrics.csv", LIGHTNING))
    assert columns["step"].tolist() == [0, 4, 5, 9]
    np.testing.assert_array_equal(columns["train_loss"], [np.nan, 3, np.nan, 2])
    np.testing.assert_array_equal(columns["val_loss"], [np.nan, 4, np.nan, 3])


def test_rows_that_contradict_each_other_are_kept():
    columns = columns_of({"step": [1, 1, 2], "loss": [3.0, 2.0, 1.0]})
    assert columns["loss"].tolist() == [3, 2, 1]


def test_a_chart_of_weights_and_biases_holds_runs(written):
    text = '"Step","a - loss","a - loss__MIN","a - loss__MAX","b - loss"\n"1","3","3","3","2"\n"2","2","2","2",""\n'
    runs = history_runs(written("wandb_export.csv", text))
    assert list(runs) == ["a", "b"]
    assert runs["a"]["loss"].tolist() == [3, 2]
    np.testing.assert_array_equal(runs["b"]["loss"], [2, np.nan])
    assert runs["a"]["step"].tolist() == [1, 2]
    with pytest.raises(InputError) as error:
        read_history(written("wandb_export.csv", text))
    assert error.value.got == "a, b"


def test_the_history_of_a_wandb_run_counts_steps():
    frame = pd.DataFrame({"_step": [0, 1], "_timestamp": [1.0, 2.0], "loss": [3.0, 2.0], "name": ["a", "b"]})
    assert columns_of(frame)["step"].tolist() == [0, 1]


def test_columns_are_renamed():
    columns = history_runs({"Epoch": [1, 2], "L": [3.0, 2.0]}, {"L": "val_loss"})[""]
    assert list(columns) == ["epoch", "val_loss"]
    with pytest.raises(UnknownName) as error:
        history_runs({"loss": [3.0]}, {"los": "val_loss"})
    assert "loss" in error.value.fix.python


def test_a_data_frame_may_count_epochs_in_its_index_and_miss_values():
    frame = pd.DataFrame({"epoch": [5, 10], "loss": [3, None]}).convert_dtypes()
    assert frame["loss"].dtype == "Int64"
    for history in (frame, frame.set_index("epoch")):
        columns = columns_of(history)
        assert columns["epoch"].tolist() == [5, 10]
        np.testing.assert_array_equal(columns["loss"], [3, np.nan])


def test_the_line_of_a_cut_row_is_named_as_an_editor_counts_it(written):
    with pytest.raises(InputError) as error:
        read_history(written("a.csv", "epoch,loss\n\n1,3\n2\n"))
    assert error.value.got == "1 values in line 4"


def test_no_column_takes_the_place_of_another():
    with pytest.raises(InputError) as error:
        history_runs({"L": [3.0], "loss": [2.0]}, {"L": "loss"})
    assert error.value.got == "loss"
    columns = columns_of({"_step": [5.0], "step": [1.0], "Epoch": [0.0], "epoch": [1.0]})
    assert {name: values.tolist() for name, values in columns.items()} == {
        "_step": [5],
        "step": [1],
        "Epoch": [0],
        "epoch": [1],
    }


def test_a_chart_of_spreads_alone_has_their_columns(written):
    path = written("wandb_export.csv", '"Step","a - loss__MIN","a - loss__MAX"\n"1","3","4"\n')
    assert read_history(path) == {"Step": [1], "a - loss__MIN": [3], "a - loss__MAX": [4]}


def test_runs_may_be_of_different_forms(written):
    path = written("a.csv", TABLES["a.csv"])
    keras = SimpleNamespace(history={"loss": [1.0]}, epoch=[0])
    runs = history_runs({"path": path, "columns": COLUMNS, "frame": pd.DataFrame(COLUMNS), "Keras": keras})
    assert [run["loss"][0] for run in runs.values()] == [3, 3, 3, 1]
    assert list(history_runs([path, str(written("b/a.csv", TABLES["a.csv"]))])) == [
        str(path),
        str(path.parent / "b/a.csv"),
    ]


def test_runs_and_columns_in_json_are_distinguished(written):
    assert list(history_runs(written("runs.json", json.dumps({"a": COLUMNS, "b": COLUMNS})))) == ["a", "b"]


BAD = {
    "cut row.csv": "epoch,loss\n1,3\n2\n",
    "mixed.csv": "epoch,loss\n1,3\n2,oops\n",
    "texts.csv": "epoch\none\n",
    "twice.csv": "loss,loss\n1,3\n",
    "quotes.csv": 'epoch,loss\n1,"3\n',
    "cut.json": '{"loss": [3, 2',
    "text.json": '"loss"',
    "empty.json": "",
    "no numbers.json": '{"loss": "low"}',
    "deep.json": "[" * 100_000,
    "cut.jsonl": '{"loss": 3}\n{"loss": ',
    "giant.json": f"[1, {10**400}]",
    "numbers.jsonl": '{"loss": 3}\n4\n',
}


@pytest.mark.parametrize("name", BAD)
def test_files_that_are_cut_or_foreign_are_errors(name, written):
    path = written(name, BAD[name])
    with pytest.raises(InputError) as error:
        read_history(path)
    assert str(path) in error.value.message
    assert error.value.expected


def test_bytes_and_missing_paths_are_errors(tmp_path):
    (tmp_path / "bytes.csv").write_bytes(b"\xff\xfe\0\0loss")
    for name in ("bytes.csv", "missing.csv"):
        with pytest.raises(InputError) as error:
            read_history(tmp_path / name)
        assert error.value.got == str(tmp_path / name)


def test_a_folder_without_a_history_is_an_error(tmp_path):
    with pytest.raises(InputError) as error:
        read_history(tmp_path)
    assert error.value.got == str(tmp_path)


def test_empty_cells_and_nan_are_missing_values(written):
    (loss,) = (read_history(written("a.csv", "epoch,loss\n1,\n2,nan\n3,inf\n"))[name] for name in ("loss",))
    assert math.isnan(loss[0])
    assert math.isnan(loss[1])
    assert loss[2] == math.inf


def test_metrics_of_mlflow_are_read_by_step(written, tmp_path):
    for run, loss in (("aaaa11", 3.0), ("bbbb22", 2.0)):
        written(f"0/{run}/meta.yaml", "run_id: x\n")
        written(f"0/{run}/metrics/train/loss", f"1700000000 {loss} 0\n1700000001 1.0 1\n")
        written(f"0/{run}/metrics/val_loss", "1700000001 1.5 1\n")
        written(f"0/{run}/tags/mlflow.runName", "bold-fox\n")
    columns = read_history(tmp_path / "0" / "aaaa11")
    assert (columns["step"], columns["train/loss"]) == ([0, 1], [3, 1])
    assert math.isnan(columns["val_loss"][0])
    assert read_history(tmp_path / "0" / "aaaa11" / "metrics")["train/loss"] == [3, 1]
    assert list(read_history_file(tmp_path / "0")) == ["bold-fox aaaa11", "bold-fox bbbb22"]
    (tmp_path / "0" / "aaaa11" / "tags" / "mlflow.runName").write_bytes(b"\xff")
    written("0/cccc33/meta.yaml", "run_id: x\n")
    (tmp_path / "0" / "cccc33" / "metrics").mkdir()
    assert list(read_history_file(tmp_path / "0")) == ["\N{REPLACEMENT CHARACTER} aaaa11", "bold-fox bbbb22"]
    written("0/aaaa11/metrics/val_loss", "17000")
    with pytest.raises(InputError) as error:
        read_history(tmp_path / "0" / "aaaa11")
    assert error.value.got.endswith("val_loss")


def test_event_files_need_tensorboard_and_say_so(written, monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorboard", None)
    path = written("events.out.tfevents.1", "")
    with pytest.raises(InputError) as error:
        read_history(path.parent)
    assert "pip install" in error.value.fix.python


@pytest.fixture
def event_folder(tmp_path):
    """Event files with a loss at three steps, and a validation loss at one."""
    if not importlib.util.find_spec("tensorboard"):
        pytest.skip("needs tensorboard")
    from torch.utils.tensorboard import SummaryWriter

    with SummaryWriter(tmp_path / "logs") as writer:
        for step, loss in enumerate([3.0, 2.0, 1.0]):
            writer.add_scalar("loss/train", loss, step)
        writer.add_scalar("loss/val", 2.5, 2)
    return tmp_path / "logs"


@pytest.mark.adapters
def test_event_files_of_tensorboard_are_read(event_folder):
    columns = read_history(event_folder)
    assert (columns["step"], columns["loss/train"]) == ([0, 1, 2], [3, 2, 1])
    assert columns["loss/val"][2] == 2.5
    assert read_history(next(event_folder.iterdir())).keys() == columns.keys()


@pytest.mark.adapters
def test_an_event_file_that_is_cut_is_read_with_a_warning(event_folder):
    (file,) = event_folder.iterdir()
    file.write_bytes(file.read_bytes()[:-9])
    with pytest.warns(UserWarning, match="is cut or damaged"):
        columns = read_history(event_folder)
    assert columns["loss/train"] == [3, 2, 1]
    assert "loss/val" not in columns
    file.write_bytes(file.read_bytes() + bytes(64))  # as a computer that lost power leaves it
    with pytest.warns(UserWarning, match="is cut or damaged"):
        read_history(event_folder)


@pytest.mark.adapters
def test_a_damaged_record_of_an_event_file_is_named(event_folder):
    (file,) = event_folder.iterdir()
    content = file.read_bytes()
    third_loss = content.index(struct.pack("<f", 1.0))
    damaged = bytes([content[third_loss] ^ 1])
    file.write_bytes(content[:third_loss] + damaged + content[third_loss + 1 :])
    with pytest.warns(UserWarning) as caught:
        columns = read_history(event_folder)
    message = str(caught[0].message)
    assert file.name in message and "after 3 whole records" in message
    assert columns == {"step": [0, 1], "loss/train": [3, 2]}


@pytest.mark.adapters
def test_event_files_in_several_folders_are_runs(event_folder, tmp_path):
    from torch.utils.tensorboard import SummaryWriter

    with SummaryWriter(tmp_path / "other") as writer:
        writer.add_scalar("loss/train", 3.0, 0)
    assert list(read_history_file(tmp_path)) == ["logs", "other"]
    with SummaryWriter(tmp_path) as writer:
        writer.add_scalar("loss/train", 3.0, 0)
    assert list(read_history_file(tmp_path)) == [".", "logs", "other"]


@pytest.mark.adapters
def test_event_files_without_scalars_are_an_error(event_folder):
    (file,) = event_folder.iterdir()
    file.write_bytes(b"")
    with pytest.raises(InputError) as error:
        read_history(event_folder)
    assert error.value.expected == "scalars"


@pytest.mark.adapters
def test_scalars_of_tensorflow_are_read(tmp_path):
    pytest.importorskip("tensorboard")
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.compat.proto.summary_pb2 import Summary
    from tensorboard.plugins.scalar.metadata import create_summary_metadata
    from tensorboard.summary.writer.event_file_writer import EventFileWriter
    from tensorboard.util.tensor_util import make_tensor_proto

    writer = EventFileWriter(str(tmp_path))
    for step, loss in enumerate([3.0, 2.0]):
        value = Summary.Value(
            tag="epoch_loss", tensor=make_tensor_proto(loss), metadata=create_summary_metadata("", "")
        )
        writer.add_event(Event(step=step, summary=Summary(value=[value])))
    writer.close()
    assert read_history(tmp_path)["epoch_loss"] == [3, 2]


@pytest.mark.adapters
def test_an_array_in_place_of_a_scalar_of_tensorflow_is_an_error(tmp_path):
    pytest.importorskip("tensorboard")
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.compat.proto.summary_pb2 import Summary
    from tensorboard.compat.proto.tensor_pb2 import TensorProto
    from tensorboard.compat.proto.tensor_shape_pb2 import TensorShapeProto
    from tensorboard.plugins.scalar.metadata import create_summary_metadata
    from tensorboard.summary.writer.event_file_writer import EventFileWriter

    shape = TensorShapeProto(dim=[TensorShapeProto.Dim(size=10**12)])
    tensor = TensorProto(dtype="DT_FLOAT", tensor_shape=shape, float_val=[1.0])
    value = Summary.Value(tag="giant", tensor=tensor, metadata=create_summary_metadata("", ""))
    writer = EventFileWriter(str(tmp_path))
    writer.add_event(Event(step=0, summary=Summary(value=[value])))
    writer.close()
    with pytest.raises(InputError) as error:
        read_history(tmp_path)
    assert error.value.got == "giant"


@pytest.mark.adapters
def test_a_real_csv_log_of_lightning_is_read(tmp_path):
    lightning = pytest.importorskip("lightning")
    import torch
    from lightning.pytorch.loggers import CSVLogger

    class Lit(lightning.LightningModule):
        def __init__(self):
            super().__init__()
            self.layer = torch.nn.Linear(2, 1)

        def training_step(self, batch, index):
            loss = self.layer(batch).square().mean()
            self.log("train_loss", loss, on_step=False, on_epoch=True)
            return loss

        def validation_step(self, batch, index):
            self.log("val_loss", self.layer(batch).square().mean())

        def configure_optimizers(self):
            return torch.optim.SGD(self.parameters(), 0.01)

    loader = torch.utils.data.DataLoader(torch.rand(8, 2), batch_size=4)
    logger = CSVLogger(tmp_path)
    quiet = dict(enable_progress_bar=False, enable_model_summary=False, enable_checkpointing=False)
    lightning.Trainer(max_epochs=3, accelerator="cpu", logger=logger, num_sanity_val_steps=0, **quiet).fit(
        Lit(), loader, loader
    )
    columns = columns_of(logger.log_dir)
    assert columns["epoch"].tolist() == [0, 1, 2]
    assert not np.isnan(columns["train_loss"]).any()
    assert not np.isnan(columns["val_loss"]).any()


@pytest.mark.adapters
def test_a_real_history_and_csv_log_of_keras_agree(tmp_path):
    from vaeviz.model.adapters.keras_model import choose_backend

    choose_backend()
    keras = pytest.importorskip("keras")
    x = np.random.default_rng(0).random((16, 3), dtype=np.float32)
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(3)])
    model.compile("sgd", "mse")
    logger = keras.callbacks.CSVLogger(str(tmp_path / "log.csv"))
    history = model.fit(x, x, validation_data=(x, x), epochs=3, verbose=0, callbacks=[logger])
    fitted, logged = columns_of(history), columns_of(tmp_path / "log.csv")
    assert fitted["epoch"].tolist() == [1, 2, 3]
    for name in ("loss", "val_loss"):
        np.testing.assert_allclose(fitted[name], logged[name])
