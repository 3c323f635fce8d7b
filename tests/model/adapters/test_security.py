"""Doctored files: each would leave a mark if the code in it ran."""

import contextlib
import io
import json
import pickle
import zipfile

import numpy as np
import pytest

import vaeviz
from vaeviz.errors import InputError

torch = pytest.importorskip("torch")
from torch import nn  # noqa: E402


def rewritten(source, target, change):
    """A copy of a zip file in which `change(name, data)` gives each member's new bytes."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            new.writestr(name, change(name, old.read(name)))
    return target


@pytest.fixture
def program(tmp_path):
    """A sound .pt2 file of a decoder with a free batch size."""
    exported = torch.export.export(nn.Linear(2, 64), (torch.zeros(4, 2),), dynamic_shapes=({0: torch.export.Dim("n")},))
    torch.export.save(exported, tmp_path / "model.pt2")
    return tmp_path / "model.pt2"


def torch_pickle(thing):
    buffer = io.BytesIO()
    torch.save(thing, buffer)
    return buffer.getvalue()


def edited_json(data, change):
    parsed = json.loads(data)
    change(parsed)
    return json.dumps(parsed)


def as_pickled(config):
    for payload in config["config"].values():
        payload["use_pickle"] = True


def opaque_constant(config):
    config["config"]["c"] = {"path_name": "opaque_obj_0", "is_param": False, "use_pickle": True, "tensor_meta": None}


def runs(path):
    return f"__import__('builtins').open({str(path)!r}, 'w')"


@pytest.mark.parametrize("member", ["data/sample_inputs/model.pt", "data/weights/weight_0"])
def test_a_pt2_file_with_a_pickled_member_that_runs_code(member, program, mark, tmp_path):
    path, leaves = mark

    def change(name, data):
        if name.endswith(member):
            return torch_pickle(leaves)
        pickled = member.startswith("data/weights") and name.endswith("model_weights_config.json")
        return edited_json(data, as_pickled) if pickled else data

    bad = rewritten(program, tmp_path / "bad.pt2", change)
    with pytest.raises(InputError, match=rf"refused, its member {member} does not load with weights_only=True"):
        vaeviz.open(bad)
    assert not path.exists()


def test_the_loader_itself_would_have_run_it(program, mark, tmp_path):
    """Why the check is there: remove it once torch refuses such a file by itself."""
    path, leaves = mark
    member = "sample_inputs/model.pt"
    bad = rewritten(program, tmp_path / "bad.pt2", lambda name, data: torch_pickle(leaves) if member in name else data)
    with contextlib.suppress(Exception):
        torch.export.load(bad)
    assert path.exists()


def test_a_pt2_file_with_an_opaque_object(program, mark, tmp_path):
    path, leaves = mark
    change = lambda name, data: edited_json(data, opaque_constant) if "constants_config" in name else data  # noqa: E731
    bad = rewritten(program, tmp_path / "bad.pt2", change)
    with zipfile.ZipFile(bad, "a") as archive:
        archive.writestr("model/data/constants/opaque_obj_0", pickle.dumps(leaves))
    with pytest.raises(InputError, match=r"refused, .*opaque_obj_0"):
        vaeviz.open(bad)
    assert not path.exists()


@pytest.mark.parametrize("key", ["expr_str", "target", "name", "parameter_name"])
def test_a_pt2_file_whose_graph_holds_code(key, program, mark, tmp_path):
    path, _ = mark

    def poisoned(value):
        if isinstance(value, list):
            return [poisoned(part) for part in value]
        if isinstance(value, dict):
            return {k: runs(path) if k == key and isinstance(v, str) else poisoned(v) for k, v in value.items()}
        return value

    def change(name, data):
        return json.dumps(poisoned(json.loads(data))) if name.endswith("models/model.json") else data

    with pytest.raises(InputError, match=rf"refused, models/model\.json holds {key} .*may run code"):
        vaeviz.open(rewritten(program, tmp_path / "bad.pt2", change))
    assert not path.exists()


def test_guards_in_a_pt2_file_are_not_compiled(program, mark, tmp_path):
    path, _ = mark

    def change(name, data):
        guards = lambda parsed: parsed.update(guards_code=[runs(path) + " is not None"])  # noqa: E731
        return edited_json(data, guards) if name.endswith("models/model.json") else data

    decoder = vaeviz.Decoder(rewritten(program, tmp_path / "bad.pt2", change), output="values")
    assert vaeviz.decode(decoder, np.zeros((3, 2))).shape == (3, 64)
    assert not path.exists()


def test_a_pt2_file_with_two_members_of_one_name(program, tmp_path):
    with pytest.warns(UserWarning, match="Duplicate name"), zipfile.ZipFile(program, "a") as archive:
        archive.writestr("model/data/sample_inputs/model.pt", b"")
    with pytest.raises(InputError, match="refused, it holds two files of one name"):
        vaeviz.open(program)


def test_a_pt2_file_in_the_older_form(mark, tmp_path):
    path, leaves = mark
    with zipfile.ZipFile(tmp_path / "old.pt2", "w") as archive:
        archive.writestr("version", "8.8")
        archive.writestr("serialized_exported_program.json", "{}")
        archive.writestr("serialized_state_dict.pt", torch_pickle(leaves))
    with pytest.raises(InputError, match=r"refused, its member serialized_state_dict\.pt"):
        vaeviz.open(tmp_path / "old.pt2")
    assert not path.exists()


@pytest.mark.parametrize("plain", [False, True], ids=["torch.save", "pickle"])
def test_a_pt_file_that_is_a_pickle(plain, mark, tmp_path):
    path, leaves = mark
    (tmp_path / "model.pt").write_bytes(pickle.dumps(leaves) if plain else torch_pickle(leaves))
    with pytest.raises(InputError, match=r"no TorchScript file.*--model package\.module:Class --weights model\.pt"):
        vaeviz.open(tmp_path / "model.pt")
    assert not path.exists()


class Writes(nn.Module):
    def __init__(self, path: str):
        super().__init__()
        self.path = path

    def forward(self, x):
        torch.save(x, self.path)
        return x


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_torchscript_that_writes_files(mark, tmp_path):
    path, _ = mark
    torch.jit.script(Writes(str(path))).save(tmp_path / "model.pt")
    with pytest.raises(InputError, match=r"refused, its code .* would call"):
        vaeviz.encode(tmp_path / "model.pt", np.zeros((2, 2)))
    assert not path.exists()


@pytest.fixture
def script(tmp_path):
    """A sound TorchScript file of an encoder."""
    torch.jit.script(nn.Sequential(nn.Flatten(), nn.Linear(4, 2))).save(tmp_path / "model.pt")
    return tmp_path / "model.pt"


def rerecorded(source, target, change):
    """A copy of a TorchScript file, as torch writes it, in which `change(name, data)` gives each member's bytes."""
    writer = torch._C.PyTorchFileWriter(str(target))
    with zipfile.ZipFile(source) as archive:
        for name in archive.namelist():
            inner = name.partition("/")[2]
            if inner not in ("version", "byteorder", ".data/serialization_id") and not inner.endswith(".debug_pkl"):
                data = change(inner, archive.read(name))
                writer.write_record(inner, data, len(data))
    writer.write_end_of_file()
    return target


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize(
    "call",
    [
        "torch.save(input, {path!r})",
        "(torch.  # a comment\n save)(input, {path!r})",
        "torch \\\n .save(input, {path!r})",
        'getattr(torch, "save")(input, {path!r})',
        "torch.autograd.save(input, {path!r})",
        "ops.aten.save(input, {path!r})",
        'getattr(ops.aten, "save")(input, {path!r})',
        'getattr(ops, "aten").save(input, {path!r})',
        "(lambda: 0, torch)[1].save(input, {path!r})",
        "__torch__.torch.classes.dist_c10d.FileStore({path!r}, 1)",
    ],
)
def test_torchscript_whose_code_is_doctored(call, script, mark, tmp_path):
    path, _ = mark

    def change(name, data):
        if not name.endswith("container.py"):
            return data
        return data.replace(b"    return ", f"    _9 = {call.format(path=str(path))}\n    return ".encode(), 1)

    bad = rerecorded(script, tmp_path / "bad.pt", change)
    with pytest.raises(
        InputError, match=r"refused, its code \(code/.*container\.py\) would call '(torch|ops|__torch__)"
    ):
        vaeviz.encode(bad, np.zeros((2, 4)))
    assert not path.exists()


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_an_alias_of_torch_would_have_written_the_file(script, mark, tmp_path):
    """Why every mention of torch is looked at, and not the words `torch.save` alone."""
    path, _ = mark
    call = f"    t = torch\n    _9 = t.save(input, {str(path)!r})\n    return ".encode()
    change = lambda name, data: data.replace(b"    return ", call, 1) if name.endswith("container.py") else data  # noqa: E731
    bad = rerecorded(script, tmp_path / "bad.pt", change)
    torch.jit.load(bad)(torch.zeros(2, 4))
    assert path.exists()
    path.unlink()
    with pytest.raises(InputError, match="would call 'torch'"):
        vaeviz.encode(bad, np.zeros((2, 4)))
    assert not path.exists()


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("member", ["data.pkl", "constants.pkl", "traced_inputs.pkl", "code/more.py.debug_pkl"])
@pytest.mark.parametrize("protocol", [2, 4])
def test_a_torchscript_file_with_a_pickled_member_that_runs_code(member, protocol, script, mark, tmp_path):
    path, leaves = mark
    bad = rewritten(script, tmp_path / "bad.pt", lambda name, data: data)
    doctored = pickle.dumps(leaves, protocol=protocol)
    if any(name.endswith(f"/{member}") for name in zipfile.ZipFile(script).namelist()):
        bad = rewritten(script, bad, lambda name, data: doctored if name.endswith(f"/{member}") else data)
    else:
        with zipfile.ZipFile(bad, "a") as archive:
            archive.writestr(f"model/{member}", doctored)
    with pytest.raises(InputError, match=rf"refused, its member {member} would look up "):
        vaeviz.open(bad)
    assert not path.exists()


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_torchscript_file_with_a_member_of_another_kind(script, mark):
    _, leaves = mark
    with zipfile.ZipFile(script, "a") as archive:
        archive.writestr("model/libs/leaves_a_mark.bin", pickle.dumps(leaves))
    with pytest.raises(InputError, match=r"refused, it holds libs/leaves_a_mark\.bin"):
        vaeviz.open(script)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_torchscript_file_with_two_members_of_one_name(script):
    with pytest.warns(UserWarning, match="Duplicate name"), zipfile.ZipFile(script, "a") as archive:
        archive.writestr("model/data.pkl", b"")
    with pytest.raises(InputError, match="refused, it holds two files of one name"):
        vaeviz.open(script)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_sound_torchscript_files_are_opened_however_they_were_made(tmp_path):
    net = nn.Sequential(nn.Flatten(), nn.Linear(4, 2), nn.BatchNorm1d(2)).eval()
    scripted, traced = torch.jit.script(net), torch.jit.trace(net, torch.zeros(2, 4))
    x = np.random.default_rng(0).random((5, 4), dtype=np.float32)
    for made in (
        scripted,
        traced,
        torch.jit.freeze(scripted),
        torch.jit.optimize_for_inference(torch.jit.freeze(traced)),
    ):
        torch.jit.save(made, str(tmp_path / "model.pt"), _extra_files={"notes/read.me": b"by hand"})
        np.testing.assert_allclose(
            vaeviz.encode(tmp_path / "model.pt", x).mean, net(torch.from_numpy(x)).detach(), atol=1e-5
        )


def test_weights_that_run_code(mark, tmp_path):
    from vaeviz.model.weights import load_weights

    path, leaves = mark
    (tmp_path / "weights.pt").write_bytes(torch_pickle({"weight": leaves}))
    with pytest.raises(InputError, match="refused, it does not load with weights_only=True"):
        load_weights(nn.Linear(2, 2), tmp_path / "weights.pt")
    assert not path.exists()


@pytest.fixture
def pythae_folder(tmp_path):
    models = pytest.importorskip("pythae.models")
    models.VAE(models.VAEConfig(input_dim=(1, 8, 8), latent_dim=2)).save(str(tmp_path / "pythae"))
    return tmp_path / "pythae"


@pytest.mark.parametrize("name", ["encoder.pkl", "decoder.pkl"])
def test_a_pythae_folder_with_pickled_parts(name, pythae_folder, mark):
    path, leaves = mark
    (pythae_folder / name).write_bytes(pickle.dumps(leaves))
    config = json.loads((pythae_folder / "model_config.json").read_text())
    config[f"uses_default_{name.removesuffix('.pkl')}"] = False
    (pythae_folder / "model_config.json").write_text(json.dumps(config))
    with pytest.raises(InputError, match=rf"refused, it holds {name}.*load it yourself with pythae's AutoModel"):
        vaeviz.open(pythae_folder)
    assert not path.exists()


def test_a_pythae_folder_with_doctored_weights(pythae_folder, mark):
    path, leaves = mark
    (pythae_folder / "model.pt").write_bytes(torch_pickle({"model_state_dict": leaves}))
    with pytest.raises(InputError, match=r"model\.pt: refused, it does not load with weights_only=True"):
        vaeviz.open(pythae_folder)
    assert not path.exists()


def test_a_diffusers_folder_with_pickled_weights(mark, tmp_path):
    pytest.importorskip("diffusers")
    path, leaves = mark
    (tmp_path / "config.json").write_text(json.dumps({"_class_name": "AutoencoderKL"}))
    (tmp_path / "diffusion_pytorch_model.bin").write_bytes(torch_pickle(leaves))
    with pytest.raises(InputError, match=r"holds no \.safetensors file"):
        vaeviz.open(tmp_path)
    assert not path.exists()


@pytest.fixture
def keras():
    pytest.importorskip("keras")
    from vaeviz.model.adapters.keras_model import choose_backend

    choose_backend()
    import keras

    return keras


def test_a_keras_file_with_a_lambda(keras, mark, tmp_path):
    path, _ = mark
    x = keras.Input((2,))
    code = eval(f"lambda t: (open({str(path)!r}, 'w'), t)[1]")
    keras.Model(x, keras.layers.Lambda(code, output_shape=(2,))(x)).save(tmp_path / "model.keras")
    path.unlink(missing_ok=True)
    with pytest.raises(InputError, match=r"refused, its Lambda holds Python code.*pass the model"):
        vaeviz.open(tmp_path / "model.keras")
    assert not path.exists()


def test_a_keras_file_that_names_a_foreign_module(keras, mark, tmp_path):
    path, _ = mark
    x = keras.Input((2,))
    keras.Model(x, keras.layers.Dense(2)(x)).save(tmp_path / "sound.keras")
    (tmp_path / "leaves_a_mark.py").write_text(f"open({str(path)!r}, 'w')\nclass Dense: pass\n")

    def change(name, data):
        return (
            data.replace(
                b'"module": "keras.layers", "class_name": "Dense"', b'"module": "leaves_a_mark", "class_name": "Dense"'
            )
            if name == "config.json"
            else data
        )

    bad = rewritten(tmp_path / "sound.keras", tmp_path / "bad.keras", change)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(tmp_path)
        with pytest.raises(InputError, match=r"refused, loading would import leaves_a_mark\.Dense"):
            vaeviz.open(bad)
    assert not path.exists()


def test_a_keras_file_with_an_unknown_class(keras, tmp_path):
    x = keras.Input((2,))

    @keras.saving.register_keras_serializable(package="gone")
    class Known(keras.layers.Layer):
        def call(self, inputs):
            return inputs

    keras.Model(x, Known()(x)).save(tmp_path / "model.keras")
    keras.saving.get_custom_objects().pop("gone>Known")
    with pytest.raises(InputError, match=r"holds gone>Known, which is not of Keras; import its class first"):
        vaeviz.open(tmp_path / "model.keras")


@pytest.mark.parametrize("ending", [".npy", ".npz"])
def test_arrays_of_objects(ending, mark, tmp_path):
    path, leaves = mark
    array = np.array([leaves, leaves], dtype=object)
    if ending == ".npy":
        np.save(tmp_path / "data.npy", array, allow_pickle=True)
    else:
        np.savez(tmp_path / "data.npz", x=array)
    path.unlink(missing_ok=True)
    with pytest.raises(InputError, match=f"data{ending}.*plain"):
        vaeviz.load_data(str(tmp_path / f"data{ending}"))
    assert not path.exists()
