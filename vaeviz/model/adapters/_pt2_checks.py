"""What a ``.pt2`` file may hold. Its loader unpickles without limits and evaluates text, so all is checked before.

Every pickled member must load with ``weights_only=True``; size expressions may hold arithmetic only; names in the
graph must be names; operators must be torch's own.
"""

from __future__ import annotations

import ast
import io
import json
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from vaeviz.errors import InputError
from vaeviz.model.adapters._archives import members_of

IN_MEMORY = "if you trust it, load it yourself with torch.export.load and pass the program: --model package.module:name"
PLAIN = re.compile(r"(archive_format|archive_version|version|byteorder|\.data/\w+|\.format_version|.*\.json)")
RAW = re.compile(r"data/(?:weights/weight|constants/tensor)_\d+")
PICKLED = re.compile(
    r"(?:data/(?:weights|constants|sample_inputs)/[\w.]+|serialized_(?:state_dict|constants|example_inputs)\.pt)"
)
NAME = re.compile(r"[\w.]*")
WITHOUT_CODE = re.compile(r"[^\"'()\[\]{}\\;=\n\r]*")  # such text ends up in the source that torch generates
FREE_TEXT = {"in_spec", "out_spec", "as_string", "guards_code"}  # parsed as JSON, quoted by torch, and left out
OPERATOR = re.compile(
    r"torch\.ops\.(?:aten|prims?|higher_order)\.\w+(?:\.\w+)?|_operator\.\w+|math\.\w+|torch\.sym_\w+"
)
SYMPY = frozenset(
    [
        "Symbol",
        "Integer",
        "Rational",
        "Float",
        "Add",
        "Mul",
        "Pow",
        "Max",
        "Min",
        "Mod",
        "Eq",
        "Ne",
        "And",
        "Or",
        "Not",
        "Ge",
        "Gt",
        "Le",
        "Lt",
        "GreaterThan",
        "LessThan",
        "StrictGreaterThan",
        "StrictLessThan",
        "Equality",
        "FloorDiv",
        "CleanDiv",
        "CeilDiv",
        "PythonMod",
        "ModularIndexing",
        "PowByNatural",
        "IntTrueDiv",
        "ToFloat",
    ]
)
ARITHMETIC = (
    ast.Expression,
    ast.BinOp,
    ast.UnaryOp,
    ast.operator,
    ast.unaryop,
    ast.Load,
    ast.keyword,
    ast.Compare,
    ast.cmpop,
)


def check_pt2(path: Path, content: bytes) -> None:
    """`InputError` unless loading this file can run nothing but torch's own operators."""
    if not zipfile.is_zipfile(io.BytesIO(content)):
        raise InputError(f"{path}: is truncated, or no .pt2 file")
    members = _members(path, content)
    raw = _said_to_be_raw(path, members)
    for name, data in members.items():
        if PLAIN.fullmatch(name):
            if name.endswith(".json"):
                _check_json(path, name, data)
        elif PICKLED.fullmatch(name) and not (RAW.fullmatch(name) and name in raw):
            _check_pickle(path, name, data)
        elif name not in raw:
            raise InputError(f"{path}: refused, it holds {name}, which may run code; {IN_MEMORY}")


def _members(path: Path, content: bytes) -> dict[str, bytes]:
    """The files of the archive, below its top folder; before torch 2.8 there was none, and it was a plain zip."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        names = archive.namelist()
        if "archive_format" not in {name.partition("/")[2] for name in names} and len(set(names)) == len(names):
            return {name: archive.read(name) for name in names}
    return members_of(path, content)


def _said_to_be_raw(path: Path, members: dict[str, bytes]) -> set[str]:
    """The members that the configs of weights and constants call plain numbers, and that no config calls pickled."""
    raw, pickled = set(), set()
    for name, data in members.items():
        folder, _, file = name.rpartition("/")
        if folder in ("data/weights", "data/constants") and file.endswith("_config.json"):
            for payload in _parsed(path, name, data).get("config", {}).values():
                (pickled if payload.get("use_pickle") else raw).add(f"{folder}/{payload.get('path_name')}")
    return {name for name in raw - pickled if RAW.fullmatch(name)}


def _check_pickle(path: Path, name: str, data: bytes) -> None:
    import torch

    if not data:
        return
    try:
        torch.load(io.BytesIO(data), weights_only=True, map_location="cpu")
    except Exception:
        raise InputError(
            f"{path}: refused, its member {name} does not load with weights_only=True, so it may run code; {IN_MEMORY}"
        ) from None


def _check_json(path: Path, name: str, data: bytes) -> None:
    for key, text in _texts(_parsed(path, name, data)):
        if key == "expr_str":
            fits = _is_arithmetic(text)
        elif key == "target":
            fits = OPERATOR.fullmatch(text)
        elif key in ("name", "graph_name", "class_fqn"):
            fits = NAME.fullmatch(text)
        else:
            fits = key in FREE_TEXT or WITHOUT_CODE.fullmatch(text)
        if not fits:
            raise InputError(f"{path}: refused, {name} holds {key} {text[:60]!r}, which may run code; {IN_MEMORY}")


def _parsed(path: Path, name: str, data: bytes) -> Any:
    try:
        return json.loads(data)
    except ValueError as error:
        raise InputError(f"{path}: is damaged, {name} cannot be read ({error})") from None


def _texts(value: Any, key: str = "") -> Iterator[tuple[str, str]]:
    """(key, text) of every text in a parsed JSON file, the stack traces in `metadata` left out."""
    if isinstance(value, dict):
        for inner, part in value.items():
            if inner != "metadata":
                yield from _texts(part, inner)
    elif isinstance(value, list):
        for part in value:
            yield from _texts(part, key)
    elif isinstance(value, str):
        yield key, value


def _is_arithmetic(text: str) -> bool:
    """Whether an expression holds but numbers, symbols, operators and calls of sympy's constructors."""
    try:
        tree = ast.parse(text, mode="eval")
    except (SyntaxError, ValueError, RecursionError):
        return False
    called = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    return all(_is_harmless(node, id(node) in called) for node in ast.walk(tree))


def _is_harmless(node: ast.AST, called: bool) -> bool:
    if isinstance(node, ast.Name):
        return node.id in SYMPY if called else re.fullmatch(r"[a-z]+\d+|oo|int_oo", node.id) is not None
    if isinstance(node, ast.Call):
        return isinstance(node.func, ast.Name)
    if isinstance(node, ast.Constant):
        return not isinstance(node.value, (str, bytes)) or re.fullmatch(r"\w+", str(node.value)) is not None
    return isinstance(node, ARITHMETIC)
