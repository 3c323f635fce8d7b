"""Files are downloaded from mirrors, which a server on this machine imitates."""

import functools
import gzip
import hashlib
import threading
from dataclasses import replace
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest

from vaeviz.errors import InputError
from vaeviz_models.datasets.idx import FASHION, FILES, KUZUSHIJI, MNIST, Mirror, load_idx

NAMES = [f"{name}.gz" for pair in FILES.values() for name in pair]


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture
def published(tmp_path):
    """Return the folder of the server, with the four files in its subfolder ``good``."""
    good = tmp_path / "published" / "good"
    good.mkdir(parents=True)
    for name in NAMES:
        header = b"\0\0\x08\x03" + b"".join(n.to_bytes(4, "big") for n in (2, 28, 28))
        content = header + bytes(range(196)) * 8 if "images" in name else b"\0\0\x08\x01\0\0\0\x02\x07\x01"
        (good / name).write_bytes(gzip.compress(content, mtime=0))
    return good.parent


@pytest.fixture
def server(published):
    """Serve `published` and return its address."""
    handler = functools.partial(Quiet, directory=published)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()
        thread.join()


@pytest.fixture
def source(published, server):
    """Return a data set with two mirrors, the first of which is broken."""
    checksums = tuple(hashlib.md5((published / "good" / name).read_bytes()).hexdigest() for name in NAMES)
    return Mirror("tiny", (f"{server}/broken/", f"{server}/good/"), checksums)


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("VAEVIZ_DATA", str(tmp_path / "cache"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    return tmp_path / "cache" / "tiny"


def test_the_next_mirror_is_tried(source, cache):
    data = load_idx(source, "train", None)
    assert data.x.shape == (2, 28, 28)
    assert data.labels.tolist() == [7, 1]
    assert {path.name for path in cache.iterdir()} == {name for name in NAMES if name.startswith("train")}


def test_downloaded_files_are_kept(source, published):
    first = load_idx(source, "all", None)
    for path in (published / "good").iterdir():
        path.unlink()
    np.testing.assert_array_equal(load_idx(source, "all", None).x, first.x)


def test_a_wrong_checksum_is_an_error_and_leaves_no_file(source, published, cache):
    tampered = published / "good" / NAMES[1]
    tampered.write_bytes(gzip.compress(b"\0\0\x08\x01\0\0\0\x02\x07\x02", mtime=0))
    for _ in range(2):
        with pytest.raises(InputError) as raised:
            load_idx(source, "train", None)
        assert raised.value.expected == NAMES[1]
        assert not [path for path in cache.iterdir() if "labels" in path.name]


def test_a_mirror_with_other_content_does_not_hide_a_good_one(source, published):
    (published / "broken").mkdir()
    for name in NAMES:
        (published / "broken" / name).write_bytes(b"<html>moved</html>")
    assert load_idx(source, "test", None).labels.tolist() == [7, 1]


def test_the_error_names_the_reason_of_every_mirror(source, published, cache):
    for path in (published / "good").iterdir():
        path.unlink()
    with pytest.raises(InputError) as raised:
        load_idx(source, "train", None)
    assert raised.value.expected == NAMES[0]
    assert all(f"{mirror} answers 404" in raised.value.got for mirror in source.mirrors)
    assert all(name in raised.value.fix.python for name in NAMES)
    assert "data_dir" in raised.value.fix.python
    assert "--data-dir" in raised.value.fix.command_line


def test_a_server_that_cannot_be_reached_is_said_in_plain_words(source, cache):
    closed = "http://127.0.0.1:9/"
    with pytest.raises(InputError) as raised:
        load_idx(replace(source, mirrors=(closed,)), "train", None)
    assert raised.value.got == f"{closed} cannot be reached"


def test_nothing_is_downloaded_into_a_given_folder(source, tmp_path):
    folder = tmp_path / "mine"
    folder.mkdir()
    with pytest.raises(InputError) as raised:
        load_idx(source, "train", folder)
    assert raised.value.got == str(folder)
    assert not list(folder.iterdir())


@pytest.mark.parametrize("published_set", [MNIST, FASHION, KUZUSHIJI], ids=lambda source: source.name)
def test_published_data_sets_have_a_checksum_for_every_file(published_set):
    assert len(set(published_set.md5)) == 4
    assert all(len(checksum) == 32 for checksum in published_set.md5)
    assert all(mirror.endswith("/") for mirror in published_set.mirrors)
