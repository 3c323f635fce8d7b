"""Configuration of the site that ``make docs`` builds into ``docs/_build/html``.

The scripts in ``scripts/`` are executed while the site is built. They become the folders ``gallery`` and ``tutorials``,
which git ignores, as it does ``reference/api``.
"""

from __future__ import annotations

import sys
from pathlib import Path

import vaeviz

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE / "scripts"))  # example_runs, which the scripts import
sys.path.insert(0, str(HERE / "extensions"))

project = "vaeviz"
author = "The vaeviz authors"
release = version = vaeviz.__version__
html_title = f"vaeviz {version}"
html_show_copyright = False
html_math_renderer = "mathml"

extensions = [
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.intersphinx",
    "sphinx_click",
    "sphinx_copybutton",
    "sphinx_design",
    "sphinx_gallery.gen_gallery",
    "explorer_page",
    "math_as_mathml",
    "repository_pages",
]
exclude_patterns = ["_build", "scripts", "sg_execution_times.rst", "**/sg_execution_times.rst"]
templates_path = ["_templates"]

# Pages. Headings get the same anchors as on GitHub, so that links work in both places.
myst_enable_extensions = ["colon_fence", "dollarmath"]
myst_heading_anchors = 4
smartquotes = False  # two dashes start an option
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True

# Reference. Types are in the docstrings.
autodoc_typehints = "none"
autosummary_generate = True
numpydoc_show_class_members = False
numpydoc_xref_param_type = False

# Links to other libraries need the network, so they are made on request: sphinx-build -t intersphinx.
intersphinx_mapping = {}
if tags.has("intersphinx"):  # noqa: F821  # Sphinx defines tags
    intersphinx_mapping = {
        "python": ("https://docs.python.org/3", None),
        "numpy": ("https://numpy.org/doc/stable", None),
        "matplotlib": ("https://matplotlib.org/stable", None),
        "sklearn": ("https://scikit-learn.org/stable", None),
        "torch": ("https://pytorch.org/docs/stable", None),
    }

QUESTIONS = ("classes", "dimensions", "sampling", "reconstruction", "bound", "maps", "runs")

# Gallery and tutorials: every script runs, and an error ends the build.
sphinx_gallery_conf = {
    "examples_dirs": ["scripts/gallery", "scripts/tutorials"],
    "gallery_dirs": ["gallery", "tutorials"],
    "filename_pattern": r"\.py$",
    "within_subsection_order": "FileNameSortKey",
    "subsection_order": [f"scripts/gallery/{question}" for question in QUESTIONS],
    "abort_on_example_error": True,
    "capture_repr": ("_repr_html_", "__repr__"),
    "ignore_repr_types": r"matplotlib|numpy\.ndarray",
    "image_srcset": ["2x"],
    "backreferences_dir": "reference/api/examples",
    "doc_module": ("vaeviz", "vaeviz_models"),
    "remove_config_comments": True,
    "show_memory": False,
    "show_signature": False,
    "min_reported_time": 3,
    "write_computation_times": False,
}

# Theme.
html_theme = "pydata_sphinx_theme"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_theme_options = {
    "navbar_align": "left",
    "header_links_before_dropdown": 8,
    "show_prev_next": False,
    "show_toc_level": 2,
    "secondary_sidebar_items": ["page-toc", "sg_download_links"],
    "footer_start": [],
    "footer_end": ["sphinx-version"],
    "back_to_top_button": False,
}
