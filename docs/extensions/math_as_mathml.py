"""Write formulas as MathML, which browsers show without a script or a network."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from docutils import nodes
from latex2mathml.converter import convert

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.writers.html5 import HTML5Translator

FUNCTION = re.compile(r"\\ln(?=\s+[^\s\[(])")  # of an argument without brackets, from which TeX keeps a distance


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the renderer with Sphinx."""
    app.add_html_math_renderer("mathml", (write_inline, None), (write_block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def write_inline(writer: HTML5Translator, node: nodes.math) -> None:
    """Write a formula within a sentence."""
    writer.body.append(to_mathml(node))
    raise nodes.SkipNode


def write_block(writer: HTML5Translator, node: nodes.math_block) -> None:
    """Write a formula on a line of its own."""
    writer.body.append(f'<div class="formula">{to_mathml(node, display="block")}</div>')
    raise nodes.SkipNode


def to_mathml(node: nodes.math | nodes.math_block, display: str = "inline") -> str:
    """Return the MathML of a formula."""
    return convert(FUNCTION.sub(r"\\ln\\,", node.astext()), display=display)
