"""Write the explorer of an example into the site, for the gallery to link."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from example_runs import open_example

import vaeviz

if TYPE_CHECKING:
    from sphinx.application import Sphinx


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the writer with Sphinx."""
    app.connect("build-finished", write_explorer)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def write_explorer(app: Sphinx, error: Exception | None) -> None:
    """Write ``gallery/explorer.html``: ten latent dimensions of printed digits."""
    if error is not None or app.builder.format != "html":
        return
    vae, data = open_example("10d")
    explorer = vaeviz.explore(vae, x=data, title="10 latent dimensions of glyphs", max_points=500)
    explorer.save(Path(app.outdir) / "gallery" / "explorer.html")
