"""Doctored checkpoints: each kind of instruction by which a pickle runs code, and none leaves a mark."""

import copyreg
import io
import pickle
import struct
import zipfile

import pytest
import torch
from torch import nn

from vaeviz.errors import InputError
from vaeviz.model.weights.files import read_weight_file
from vaeviz.model.weights.load import load_weights

HUGE = 10**12


def text(value):
    return b"X" + struct.pack("<I", len(value)) + value.encode()


def name(module, attribute):
    return f"c{module}\n{attribute}\n".encode()


def touch(path):
    """Arguments with which ``os.system`` leaves the mark."""
    return text(f"touch {path}")


def call(function, arguments):
    return function + arguments + b"\x85R"


class Reduces:
    """An object whose pickle calls a function."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")


def saved_object(path):
    """Bytes that ``torch.load`` would unpickle without any restriction, pushed."""
    buffer = io.BytesIO()
    torch.save(Reduces(path), buffer)
    return b"B" + struct.pack("<I", len(buffer.getvalue())) + buffer.getvalue()


def storage(kind, key, size):
    """A persistent id of torch, pushed."""
    number = pickle.dumps(size, protocol=2)[2:-1]
    return b"(" + text("storage") + kind + text(key) + text("cpu") + number + b"tQ"


def tensor(pushed, sizes=b"K\x02\x85", strides=b"K\x01\x85"):
    rebuild = name("torch._utils", "_rebuild_tensor_v2")
    return (
        rebuild
        + b"("
        + pushed
        + b"K\x00"
        + sizes
        + strides
        + b"\x89"
        + call(name("collections", "OrderedDict"), b"").replace(b"\x85R", b")R")
        + b"tR"
    )


FLOATS = name("torch", "FloatStorage")


INSTRUCTIONS = {
    "REDUCE": lambda path: call(name("os", "system"), touch(path)),
    "REDUCE of posix": lambda path: call(name("posix", "system"), touch(path)),
    "REDUCE of eval": lambda path: call(name("builtins", "eval"), text(f"open({str(path)!r}, 'w')")),
    "STACK_GLOBAL": lambda path: call(text("os") + text("system") + b"\x93", touch(path)),
    "dotted name": lambda path: call(b"\x80\x04" + text("os") + text("sys.modules.get") + b"\x93", touch(path)),
    "INST": lambda path: b"(" + touch(path) + b"ios\nsystem\n",
    "OBJ": lambda path: b"(" + name("os", "system") + touch(path) + b"o",
    "NEWOBJ": lambda path: name("leaves_a_mark", "Leaves") + touch(path) + b"\x85\x81",
    "NEWOBJ_EX": lambda path: name("leaves_a_mark", "Leaves") + touch(path) + b"\x85}\x92",
    "BUILD": lambda path: name("leaves_a_mark", "Leaves") + b")\x81}" + touch(path) + b"K\x01sb",
    "BUILD of a class": lambda path: name("leaves_a_mark", "Leaves") + b"}" + touch(path) + b"K\x01sb",
    "EXT1": lambda path: b"\x82\x01" + touch(path) + b"\x85R",
    "EXT1 of a registered class": lambda path: b"\x82\x63" + touch(path) + b"\x85R",
    "giant bytearray": lambda path: b"\x80\x05\x96" + struct.pack("<Q", HUGE),
    "import": lambda path: name("leaves_a_mark", "Leaves"),
    "function returned by a function": lambda path: call(
        call(name("functools", "partial"), name("os", "system")), touch(path)
    ),
    "load inside": lambda path: call(name("torch.storage", "_load_from_bytes"), saved_object(path)),
    "rebuilt type": lambda path: (
        name("torch._tensor", "_rebuild_from_type_v2")
        + b"("
        + name("os", "system")
        + name("leaves_a_mark", "Leaves")
        + touch(path)
        + b"\x85"
        + b"NtR"
    ),
    "hidden in a persistent id": lambda path: b"(" + call(name("os", "system"), touch(path)) + b"tQ",
    "hidden in the type of a storage": lambda path: storage(call(name("os", "system"), touch(path)), "0", 4),
    "a storage that is called": lambda path: call(FLOATS, touch(path)),
    "attribute of a container": lambda path: (
        name("collections", "OrderedDict") + b")R}" + text("items") + name("os", "system") + b"sb"
    ),
    "memory index": lambda path: b"Nr\xff\xff\xff\x7f",
    "giant bytes": lambda path: b"\x8e" + struct.pack("<Q", HUGE),
    "giant text": lambda path: b"\x8d" + struct.pack("<Q", HUGE),
    "giant storage": lambda path: tensor(storage(FLOATS, "0", HUGE)),
    "a tensor beyond its storage": lambda path: tensor(storage(FLOATS, "0", 4), sizes=b"M\xff\xff\x85"),
    "negative storage": lambda path: tensor(storage(FLOATS, "0", -4)),
    "missing record": lambda path: tensor(storage(FLOATS, "../../etc/passwd", 4)),
    "itself": lambda path: b"}q\x00" + text("a") + b"h\x00s",
    "no stack": lambda path: b"R" * 8,
}
"""Instructions that put an object on the stack of an unpickler, or do harm beside it."""


def doctored(path, instructions, compression=zipfile.ZIP_STORED):
    """Write an archive like that of torch.save, whose state dict has one entry that `instructions` push."""
    pickled = b"\x80\x02}" + text("hyper_parameters") + instructions + b"s."
    with zipfile.ZipFile(path, "w", compression) as archive:
        archive.writestr("archive/data.pkl", pickled)
        archive.writestr("archive/byteorder", b"little")
        archive.writestr("archive/data/0", struct.pack("<4f", 1, 2, 3, 4))
        archive.writestr("archive/version", b"3\n")
    return path


@pytest.fixture
def mark(tmp_path, monkeypatch):
    """The file that code of a checkpoint would leave; a module on the path leaves it when it is imported or built."""
    path = tmp_path / "it_ran"
    leave = f"open({str(path)!r}, 'w')"
    source = f"{leave}\nclass Leaves:\n    def __setstate__(self, state):\n        {leave}\n"
    (tmp_path / "leaves_a_mark.py").write_text(source)
    monkeypatch.syspath_prepend(tmp_path)
    return path


@pytest.mark.parametrize("kind", INSTRUCTIONS)
def test_no_instruction_of_a_checkpoint_leaves_a_mark(kind, mark, tmp_path):
    path = doctored(tmp_path / "weights.pt", INSTRUCTIONS[kind](mark))
    with pytest.raises(InputError):
        load_weights(nn.Linear(2, 2), path)
    assert not mark.exists()


@pytest.mark.parametrize("kind", sorted(set(INSTRUCTIONS) & {"REDUCE", "NEWOBJ", "NEWOBJ_EX", "BUILD", "INST", "OBJ"}))
def test_code_beside_weights_does_not_run_and_the_weights_are_found(kind, mark, tmp_path):
    weights = text("state_dict") + b"}" + text("bias") + tensor(storage(FLOATS, "0", 4)) + b"s"
    path = doctored(tmp_path / "weights.pt", INSTRUCTIONS[kind](mark) + b"s" + weights)
    tensors = read_weight_file(path).tensors
    assert {name: value.tolist() for name, value in tensors.items()} == {"state_dict.bias": [1.0, 2.0]}
    assert not mark.exists()


@pytest.mark.parametrize("protocol", [2, 4])
def test_an_object_in_hyper_parameters_does_not_run(protocol, mark, tmp_path):
    module = nn.Linear(2, 2)
    content = {"hyper_parameters": {"a": [Reduces(mark)], Reduces(mark): 1}, "state_dict": module.state_dict()}
    torch.save(content, tmp_path / "last.ckpt", pickle_protocol=protocol)
    mark.unlink(missing_ok=True)
    assert torch.equal(load_weights(nn.Linear(2, 2), tmp_path / "last.ckpt").weight, module.weight)
    assert not mark.exists()


@pytest.mark.parametrize("wrap", [lambda content: content, lambda content: {"a": content}])
def test_old_files_with_objects_are_refused(wrap, mark, tmp_path):
    torch.save(wrap(Reduces(mark)), tmp_path / "old.pth", _use_new_zipfile_serialization=False)
    mark.unlink(missing_ok=True)
    with pytest.raises(InputError):
        load_weights(nn.Linear(2, 2), tmp_path / "old.pth")
    assert not mark.exists()


def test_bare_pickles_and_tar_files_are_refused(mark, tmp_path):
    import tarfile

    (tmp_path / "bare.pt").write_bytes(pickle.dumps(Reduces(mark)))
    with tarfile.open(tmp_path / "old.tar", "w") as archive:
        member = tarfile.TarInfo("pickle")
        data = pickle.dumps(Reduces(mark))
        member.size = len(data)
        archive.addfile(member, io.BytesIO(data))
    mark.unlink(missing_ok=True)
    for path in (tmp_path / "bare.pt", tmp_path / "old.tar"):
        with pytest.raises(InputError):
            load_weights(nn.Linear(2, 2), path)
    assert not mark.exists()


def test_extension_codes_stay_those_of_the_program(mark, tmp_path):
    copyreg.add_extension("leaves_a_mark", "Leaves", 99)
    try:
        path = doctored(tmp_path / "weights.pt", INSTRUCTIONS["EXT1 of a registered class"](mark))
        with pytest.raises(InputError):
            load_weights(nn.Linear(2, 2), path)
        assert not mark.exists()
        assert 99 not in copyreg._extension_cache
    finally:
        copyreg.remove_extension("leaves_a_mark", "Leaves", 99)


def test_functions_of_torch_are_not_changed(tmp_path):
    negative = b"}" + text("neg") + b"\x88s"
    defaults = b"N}" + text("__defaults__") + negative + b"\x85s\x86"
    path = doctored(tmp_path / "weights.pt", name("torch._utils", "_rebuild_tensor_v2") + defaults + b"b")
    with pytest.raises(InputError):
        load_weights(nn.Linear(2, 2), path)
    assert torch._utils._rebuild_tensor_v2.__defaults__ == (None,)


@pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")
def test_a_program_that_zipfile_does_not_see_is_refused(mark, tmp_path, monkeypatch):
    path = tmp_path / "program.pt"
    torch.jit.script(nn.Linear(2, 2)).save(path)
    content, end = path.read_bytes()[:-22], path.read_bytes()[-22:]
    n_bytes, start = struct.unpack("<2L", end[12:20])
    harmless = io.BytesIO()
    with zipfile.ZipFile(harmless, "w") as archive:
        archive.writestr("a", b"")
    member, entry = harmless.getvalue()[:31], bytearray(harmless.getvalue()[31:-22].ljust(n_bytes))
    struct.pack_into("<H", entry, 32, n_bytes - 47)  # length of its comment
    struct.pack_into("<L", entry, 42, start - 31)  # its place, relative to what zipfile takes as the start
    path.write_bytes(content[: start + n_bytes] + member + entry + end)
    assert zipfile.ZipFile(path).namelist() == ["a"]
    assert "constants.pkl" in torch._C.PyTorchFileReader(str(path)).get_all_records()
    monkeypatch.setattr(torch.jit, "load", lambda *_, **__: mark.touch())
    with pytest.raises(InputError):
        load_weights(nn.Linear(2, 2), path)
    assert not mark.exists()


def test_compressed_archives_are_refused(tmp_path):
    instructions = text("0" * 1_000_000)
    path = doctored(tmp_path / "bomb.pt", instructions, zipfile.ZIP_DEFLATED)
    with pytest.raises(InputError) as error:
        load_weights(nn.Linear(2, 2), path)
    assert error.value.got == "compressed"


def test_a_view_of_giant_size_takes_no_memory(tmp_path):
    sizes = pickle.dumps(HUGE, protocol=2)[2:-1] + b"\x85"
    path = doctored(tmp_path / "weights.pt", tensor(storage(FLOATS, "0", 4), sizes=sizes, strides=b"K\x00\x85"))
    with pytest.raises(InputError):
        load_weights(nn.Linear(2, 2), path)


def test_containers_that_contain_each_other_end(tmp_path):
    shared = {"weight": torch.zeros(2, 2)}
    for _ in range(60):
        shared = {"a": shared, "b": shared}
    shared["itself"] = shared
    torch.save({"x": shared, "hyper_parameters": shared}, tmp_path / "weights.pt")
    with pytest.raises(InputError):
        load_weights(nn.Linear(2, 2), tmp_path / "weights.pt")
