"""The bundle that the package carries is built from the sources beside it."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = ROOT / "explorer"
STATIC = ROOT / "vaeviz/explorer/static"


def source_hash() -> str:
    """Return the hash of the sources, as explorer/build.js computes it."""
    files = [path for path in (SOURCES / "src").rglob("*") if path.is_file()] + [SOURCES / "package-lock.json"]
    digest = hashlib.sha256()
    for name in sorted(path.relative_to(SOURCES).as_posix() for path in files):
        digest.update(f"{name}\n".encode())
        digest.update((SOURCES / name).read_bytes())
    return digest.hexdigest()


@pytest.mark.skipif(not SOURCES.is_dir(), reason="a checkout has the sources; an installed package does not")
@pytest.mark.parametrize("name", ["explorer.js", "explorer.css"])
def test_bundle_is_built_from_the_sources(name: str) -> None:
    bundle = (STATIC / name).read_text("utf-8")
    found = re.search(r"Source hash: ([0-9a-f]{64})", bundle)
    assert found, f"{name} has no source hash"
    assert found[1] == source_hash(), "The sources of the explorer changed. Build its bundle with: make explorer"


def test_bundle_can_stand_inside_a_script_element() -> None:
    bundle = (STATIC / "explorer.js").read_text("utf-8")
    assert "</script" not in bundle.lower()
    assert "<!--" not in bundle


def test_bundle_fetches_nothing() -> None:
    bundle = (STATIC / "explorer.js").read_text("utf-8")
    addresses = set(re.findall(r"https?://[^\"'`\s)]+", bundle))
    assert addresses <= {"http://www.w3.org/2000/svg"}


def test_licenses_of_the_bundled_packages_are_carried() -> None:
    notice = (STATIC / "NOTICE").read_text("utf-8")
    for package in ("d3-array", "d3-contour", "kdbush", "internmap"):
        assert f"== {package} " in notice
