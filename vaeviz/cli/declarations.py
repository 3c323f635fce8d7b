"""What is declared of a model, as messages say it: ``Encoder(fn, returns="mean,std")``, or ``--returns mean,std``."""

from __future__ import annotations

import ast
import re

DECLARATION = re.compile(r"(?:Encoder|Decoder)\(fn, (?:[^()]|\([^()]*\))*\)")


def as_flags(message: str) -> str:
    """The message with each declaration in it written as a command line has it."""
    return DECLARATION.sub(lambda found: _options(found[0]), message)


def _options(declaration: str) -> str:
    try:
        call = ast.parse(declaration, mode="eval").body
    except SyntaxError:
        return declaration
    return " ".join(_option(keyword) for keyword in call.keywords) or declaration


def _option(keyword: ast.keyword) -> str:
    flag = f"--{keyword.arg}".replace("_", "-")
    return flag if ast.unparse(keyword.value) == "True" else f"{flag} {_value(keyword.value)}"


def _value(node: ast.expr) -> str:
    if isinstance(node, ast.Tuple):
        return ",".join(map(_value, node.elts))
    if isinstance(node, ast.Constant):
        return "N,..." if node.value is ... else str(node.value)
    return ast.unparse(node)
