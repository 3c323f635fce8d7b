"""Show pages of the repository that are outside of ``docs``, and links that work in both places."""

from __future__ import annotations

import os.path
import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sphinx.application import Sphinx

ROOT = Path(__file__).parents[2]
PAGES = {
    "benchmarks": "benchmarks/RESULTS.md",
    "changelog": "CHANGELOG.md",
    "contributing": "CONTRIBUTING.md",
    "how-to/plug-in": "examples/plugin/README.md",
}
BUILT = ("gallery", "tutorials")  # folders that sphinx-gallery makes of those in scripts
LINK = re.compile(r"\]\((?!https?:|#)([^)#\s]+)")


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the reader with Sphinx."""
    app.connect("source-read", read_page)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def read_page(app: Sphinx, page: str, source: list[str]) -> None:
    """Replace a page of `PAGES` by its file, and let links to files of `PAGES` lead to their pages."""
    file = ROOT / PAGES[page] if page in PAGES else Path(app.env.doc2path(page))
    if file.suffix != ".md":
        return
    if page in PAGES:
        app.env.note_dependency(file)
        source[0] = file.read_text(encoding="utf-8")
    here = (ROOT / "docs" / page).parent
    source[0] = LINK.sub(lambda link: f"]({site_path(file.parent / link[1], here)}", source[0])


def site_path(target: Path, here: Path) -> str:
    """Return the path of a linked file, relative to the folder of a page."""
    docs = ROOT / "docs"
    pages = {ROOT / file: docs / f"{page}.md" for page, file in PAGES.items()}
    for folder in BUILT:
        scripts = docs / "scripts" / folder
        pages[scripts / "README.rst"] = docs / folder / "index.rst"
        pages |= {file: docs / folder / file.relative_to(scripts).with_suffix(".rst") for file in scripts.rglob("*.py")}
    target = target.resolve()
    if target.is_dir():
        target /= "README.md"
    return os.path.relpath(pages.get(target, target), here)
