"""Downloading, from mirrors that a server on this machine plays."""

import functools
import gzip
import hashlib
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest

from vaeviz.errors import InputError
from vaeviz_models.datasets.idx import FASHION, FILES, KUZUSHIJI, MNIST, Mirror, cache_dir, load

NAMES = [f"{name}.gz" for pair in FILES.values() for name in pair]


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture
def published(tmp_path):
    """The folder that the server shows, with the four files in its subfolder ``good``."""
    good = tmp_path / "published" / "good"
    good.mkdir(parents=True)
    for name in NAMES:
        header = b"\0\0\x08\x03" + b"".join(n.to_bytes(4, "big") for n in (2, 28, 28))
        content = header + bytes(range(196)) * 8 if "images" in name else b"\0\0\x08\x01\0\0\0\x02\x07\x01"
        (good / name).write_bytes(gzip.compress(content, mtime=0))
    return good.parent


@pytest.fixture
def server(published):
    """The address of `published`."""
    handler = functools.partial(Quiet, directory=published)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()
        thread.join()


@pytest.fixture
def source(published, server):
    """A data set that is published there by two mirrors, of which the first is broken."""
    checksums = tuple(hashlib.md5((published / "good" / name).read_bytes()).hexdigest() for name in NAMES)
    return Mirror("tiny", (f"{server}/broken/", f"{server}/good/"), checksums)


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("VAEVIZ_DATA", str(tmp_path / "cache"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    return tmp_path / "cache" / "tiny"


def test_the_next_mirror_is_tried(source, cache):
    data = load(source, "train", None)
    assert data.x.shape == (2, 28, 28)
    assert data.labels.tolist() == [7, 1]
    assert {path.name for path in cache.iterdir()} == {name for name in NAMES if name.startswith("train")}


def test_what_was_downloaded_is_kept(source, published):
    first = load(source, "all", None)
    for path in (published / "good").iterdir():
        path.unlink()
    np.testing.assert_array_equal(load(source, "all", None).x, first.x)


def test_a_wrong_checksum_fails_and_leaves_nothing(source, published, cache):
    tampered = published / "good" / NAMES[1]
    tampered.write_bytes(gzip.compress(b"\0\0\x08\x01\0\0\0\x02\x07\x02", mtime=0))
    for _ in range(2):
        with pytest.raises(InputError, match=rf"{NAMES[1]} is not in .* and could not be downloaded"):
            load(source, "train", None)
        assert not [path for path in cache.iterdir() if "labels" in path.name]


def test_a_mirror_with_other_content_does_not_hide_a_good_one(source, published):
    (published / "broken").mkdir()
    for name in NAMES:
        (published / "broken" / name).write_bytes(b"<html>moved</html>")
    assert load(source, "test", None).labels.tolist() == [7, 1]


def test_when_no_mirror_works_the_error_says_what_to_do(source, published, cache):
    for path in (published / "good").iterdir():
        path.unlink()
    with pytest.raises(InputError) as error:
        load(source, "train", None)
    message = str(error.value)
    assert message.startswith(f"tiny: {NAMES[0]} is not in {cache} and could not be downloaded. Give the folder")
    assert all(f"{mirror}: 404" in message for mirror in source.mirrors)
    assert all(name in message for name in NAMES)
    assert "as --data-dir" in message


def test_a_given_folder_is_never_filled(source, tmp_path):
    folder = tmp_path / "mine"
    folder.mkdir()
    with pytest.raises(InputError, match="leave --data-dir out"):
        load(source, "train", folder)
    assert not list(folder.iterdir())


def test_the_cache_folder_has_a_default(monkeypatch):
    monkeypatch.delenv("VAEVIZ_DATA")
    assert cache_dir().name == "vaeviz"


@pytest.mark.parametrize("published_set", [MNIST, FASHION, KUZUSHIJI], ids=lambda source: source.name)
def test_published_sets_name_their_files_completely(published_set):
    assert len(set(published_set.md5)) == 4
    assert all(len(checksum) == 32 for checksum in published_set.md5)
    assert all(mirror.endswith("/") for mirror in published_set.mirrors)
