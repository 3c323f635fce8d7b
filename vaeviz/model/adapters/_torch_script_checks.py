"""What a TorchScript file may hold: code of torch's own operators on numbers, and pickles of numbers.

Its loader runs no Python, but its code may write files, map them, or call operators that other libraries have added.
Nothing is unpickled here: the pickles are read opcode by opcode, for the names that they would look up.
"""

from __future__ import annotations

import ast
import io
import pickletools
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

from vaeviz.errors import InputError
from vaeviz.model.adapters._archives import members_of

IN_MEMORY = "if you trust it, load it yourself with torch.jit.load and pass the module: --model package.module:name"
PLAIN = re.compile(r"version|byteorder|\.data/\w+|\.format_version|\.storage_alignment")
RAW = re.compile(r"(?:data|constants|traced_inputs)/\d+|extra/.*")
PICKLED = re.compile(r"\w+\.pkl|code/[\w./]+\.debug_pkl")
CODE = re.compile(r"code/[\w./]+\.py")

GLOBAL = re.compile(
    r"__torch__(?:\.\w+)* \w+|collections OrderedDict|torch (?:\w+Storage|device|per_(?:tensor|channel)_affine\w*)"
    r"|torch\._utils _rebuild_(?:tensor_v2|qtensor|sparse_tensor|parameter)"
    r"|torch\.jit\._pickle (?:build_(?:int|tensor|double|bool)list|build_tensor_from_id|restore_type_tag)"
)
OTHER_WAYS = {"INST", "OBJ", "STACK_GLOBAL", "NEWOBJ_EX", "EXT1", "EXT2", "EXT4", "PERSID"}
"""Opcodes that look a name up or make an object, and that torch never writes."""

CLASSES = re.compile(r"__torch__\.torch\.classes\.(?!(?:quantized|rnn)\b)")
OPERATOR = re.compile(r"torch\.\w+|ops\.(?:aten|prim|prims|quantized)\.\w+")
REACHES_OUT = re.compile(r"(?:torch|ops\.\w+)\.(?:save|from_file|rpc_\w+)")
ROOTS = ("torch", "ops", "__torch__")


def check_torch_script(path: Path, content: bytes) -> None:
    """`InputError` unless loading and calling this file can do nothing but compute."""
    if not zipfile.is_zipfile(io.BytesIO(content)):
        raise InputError(f"{path}: is truncated, or no TorchScript file. {_as_weights(path)}")
    members = members_of(path, content, unread=lambda name: RAW.fullmatch(name) is not None)
    if not any(map(CODE.fullmatch, members)):
        raise InputError(f"{path}: is no TorchScript file but a pickle, which is not loaded. {_as_weights(path)}")
    for name, data in members.items():
        if CODE.fullmatch(name):
            _check_code(path, name, data)
        elif PICKLED.fullmatch(name):
            _check_pickle(path, name, data)
        elif not PLAIN.fullmatch(name):
            raise InputError(f"{path}: refused, it holds {name}, which TorchScript files do not; {IN_MEMORY}")


def _as_weights(path: Path) -> str:
    return f"For a state dict name its class as well: --model package.module:Class --weights {path.name}"


def _check_pickle(path: Path, name: str, data: bytes) -> None:
    try:
        for opcode, argument, _ in pickletools.genops(data):
            is_name = opcode.name == "GLOBAL"
            if opcode.name in OTHER_WAYS or (is_name and not _is_needed(argument)):
                told = argument.replace(" ", ".") if is_name else f"something by {opcode.name}"
                raise InputError(f"{path}: refused, its member {name} would look up {told}; {IN_MEMORY}")
    except ValueError as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{path}: is damaged, {name} cannot be read ({error})") from None


def _is_needed(name: str) -> bool:
    return GLOBAL.fullmatch(name) is not None and not CLASSES.match(name.replace(" ", "."))


def _check_code(path: Path, name: str, data: bytes) -> None:
    """The code is Python's grammar: every mention of torch and its operators is looked at, wherever it stands."""
    try:
        tree = ast.parse(data.decode("utf-8"))
    except (SyntaxError, ValueError, RecursionError):
        raise InputError(f"{path}: refused, its code ({name}) cannot be read; {IN_MEMORY}") from None
    for mention in _mentions(tree):
        if not _computes(mention):
            raise InputError(f"{path}: refused, its code ({name}) would call {mention!r}; {IN_MEMORY}")


def _mentions(tree: ast.AST) -> Iterator[str]:
    """Each dotted name that begins with a root, as long as it goes: an alias or `getattr` of one has no end."""
    inner = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    for node in ast.walk(tree):
        if isinstance(node, (ast.Attribute, ast.Name)) and id(node) not in inner:
            root = node
            while isinstance(root, ast.Attribute):
                root = root.value
            if isinstance(root, ast.Name) and root.id in ROOTS:
                yield ast.unparse(node)


def _computes(mention: str) -> bool:
    if mention.startswith("__torch__"):
        return mention not in ("__torch__", "__torch__.torch", "__torch__.torch.classes") and not CLASSES.match(mention)
    return OPERATOR.fullmatch(mention) is not None and not REACHES_OUT.match(mention)
