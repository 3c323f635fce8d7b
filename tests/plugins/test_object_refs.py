"""Objects that are named as ``package.module:attribute``."""

import sys

import pytest

from vaeviz.errors import InputError
from vaeviz.plugins.object_refs import folder_on_path, import_object, is_object_ref, needs_training, resolve_model


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The current folder, which is not on the path, with a module `shapes`."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [entry for entry in sys.path if entry not in ("", str(tmp_path))])
    (tmp_path / "shapes.py").write_text("import sys\npath = list(sys.path)\nclass corner:\n    angle = 90\n")
    yield tmp_path
    sys.modules.pop("shapes", None)


def test_an_object_is_imported_from_the_current_folder(folder):
    assert import_object("shapes:corner.angle") == 90


def test_the_current_folder_is_on_the_path_during_the_import_only(folder):
    before = list(sys.path)
    assert str(folder) in import_object("shapes:path")
    assert sys.path == before


def test_the_path_is_restored_after_an_import_that_fails(folder):
    (folder / "shapes.py").write_text("import no_such_module")
    before = list(sys.path)
    with pytest.raises(InputError, match="no_such_module"):
        import_object("shapes:path")
    assert sys.path == before


@pytest.mark.parametrize("text", ["shapes:absent", "absent:thing", "shapes", "shapes:", "a b:c"])
def test_an_object_that_does_not_exist_is_an_input_error(folder, text):
    with pytest.raises(InputError) as caught:
        import_object(text)
    assert (caught.value.got, caught.value.expected) == (text, "package.module:attribute")


def test_a_folder_that_is_on_the_path_already_stays_there(folder, monkeypatch):
    monkeypatch.syspath_prepend(folder)
    before = list(sys.path)
    with folder_on_path(folder):
        assert sys.path == before
    assert sys.path == before


def test_an_existing_path_is_not_an_object(folder):
    (folder / "a:b").write_text("")
    assert not is_object_ref("a:b")
    assert is_object_ref("a.b:c.d")


def test_a_model_is_a_path_an_object_or_a_registered_name(folder, registered):
    class Ready:
        pass

    registered.add("vaeviz.models", "ready-made", Ready)
    assert resolve_model(str(folder)) == str(folder)
    assert resolve_model("shapes:corner").angle == 90
    assert isinstance(resolve_model("ready_made"), Ready)
    assert resolve_model("unknown") == "unknown"


def test_an_untrained_network_is_an_input_error_with_the_command_that_trains_it():
    with pytest.raises(InputError) as caught:
        resolve_model("mlp")
    assert "vaeviz train mlp" in caught.value.fix.python


def test_builders_need_training_and_models_do_not():
    assert needs_training(lambda shape: shape)
    assert not needs_training(lambda shape=(2,): shape)
    assert not needs_training(object())
