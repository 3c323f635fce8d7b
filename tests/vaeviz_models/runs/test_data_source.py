"""The name of a data set in a run is found from any folder."""

import numpy as np

from vaeviz_models.runs.data_source import DataSource


def test_paths_become_absolute_and_words_do_not(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.save("mine.npy", np.zeros((3, 2)))
    for word in ("letters", "full", "digits"):
        (tmp_path / word).mkdir()
    names = ["npy:mine.npy", "glyphs:letters", "binarized:glyphs:letters", "shapes:full", "binarized:digits", "digits"]
    stored = [DataSource(name).to_config()["name"] for name in names]
    assert stored == [f"npy:{tmp_path / 'mine.npy'}", *names[1:]]
