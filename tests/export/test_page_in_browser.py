"""The page of a figure set, in a real browser."""

from __future__ import annotations

import shutil
import subprocess

import numpy as np
import pytest
from PIL import Image

import vaeviz

CHROMIUM = shutil.which("chromium")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="needs chromium (Debian's package of that name)"),
]
QUIET = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
]


def test_page_shows_its_figures(encoder, decoder, digits, tmp_path):
    out = tmp_path / "a set"
    plots = ["latent_scatter", "reconstruction_pairs"]
    vaeviz.export_figures(out, encoder=encoder, decoder=decoder, x=digits.x, labels=digits.labels, plots=plots)
    shown = screenshot(out / "index.html", tmp_path)
    (out / "latent_scatter.png").unlink()
    without = screenshot(out / "index.html", tmp_path)
    blue = (63, 144, 218)  # the first class
    assert count(shown, blue) > 20
    assert count(without, blue) == 0


def screenshot(page, folder):
    """(H, W, 3) pixels of a page as Chromium draws it."""
    picture = folder / "screenshot.png"
    subprocess.run(
        [CHROMIUM, *QUIET, f"--user-data-dir={folder / 'profile'}", "--window-size=1100,1400",
         f"--screenshot={picture}", page.as_uri()],
        check=True, capture_output=True, timeout=120,
    )  # fmt: skip
    return np.asarray(Image.open(picture).convert("RGB"), dtype=int)


def count(pixels, color):
    return int((np.abs(pixels - color).max(axis=-1) <= 12).sum())


def test_click_enlarges_a_figure_and_an_arrow_key_the_next(encoder, digits, tmp_path):
    plots = ["latent_scatter", "posterior_ellipses"]
    vaeviz.export_figures(tmp_path, encoder=encoder, x=digits.x, plots=plots, dpi=40, single_file=True)
    page = tmp_path / "index.html"
    actions = """<script>
      document.querySelector("a.enlarge").click();
      document.querySelector("dialog").dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowRight" }));
    </script>"""
    page.write_text(page.read_text().replace("</html>", actions))
    dialog = dump_dom(page, tmp_path).partition("<dialog")[2]
    assert dialog.partition(">")[0].endswith('open=""')
    assert vaeviz.get_plot("posterior_ellipses").summary in dialog.partition("</dialog>")[0]


def dump_dom(page, folder):
    """The document of a page after its scripts have run."""
    done = subprocess.run(
        [CHROMIUM, *QUIET, f"--user-data-dir={folder / 'profile'}", "--dump-dom", page.as_uri()],
        check=True, capture_output=True, timeout=120, text=True,
    )  # fmt: skip
    return done.stdout
