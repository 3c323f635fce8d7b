"""The name of a data set in a run is found from any folder."""

import numpy as np

from vaeviz_models.runs.data_source import DataSource


def test_paths_become_absolute_and_words_do_not(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.save("mine.npy", np.zeros((3, 2)))
    np.save("a:0.3:mine.npy", np.zeros((3, 2)))
    for word in ("letters", "full", "digits"):
        (tmp_path / word).mkdir()
    names = ["npy:mine.npy", "glyphs:letters", "binarized:glyphs:letters", "shapes:full", "binarized:digits", "digits"]
    stored = [DataSource(name).to_config()["name"] for name in names]
    assert stored == [f"npy:{tmp_path / 'mine.npy'}", *names[1:]]
    before = ["a:0.3:mine.npy", "npy:a:0.3:mine.npy", "standardized:0.3:npy:a:0.3:mine.npy"]
    for name in before:
        path = str(tmp_path / "a:0.3:mine.npy")
        assert DataSource(name).to_config()["name"] == name.replace("a:0.3:mine.npy", path)
