"""Read the summary, inputs and options of a registered function from its source file, without importing it."""

from __future__ import annotations

import ast
import functools
import importlib.util
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, Optional, Union

from vaeviz.errors import InputError
from vaeviz.plugins.options import PLACES, Option
from vaeviz.plugins.plot_place import ADDED_PARAMETERS
from vaeviz.plugins.registry import OWN_DISTRIBUTION, Entry, RuntimeEntry, package_folders
from vaeviz.plugins.signature import InputSignature

STATEMENT_START = re.compile(r"^(?=[^\s#)\]}])", re.MULTILINE)
DEFINITION_START = re.compile(r"(?:async\s+)?(?:def|class)\s+(\w+)")
MAX_REEXPORTS = 10  # an import that leads further is a cycle
TYPES: dict[str, Any] = {kind.__name__: kind for kind in (bool, int, float, str, dict, tuple, list, Path)} | {
    "Any": Any,
    "Literal": Literal,
    "Optional": Optional,
    "Union": Union,
}
"""Types by their name in annotations."""


@dataclass(frozen=True)
class FunctionOutline:
    """What can be read about a function without importing it.

    Parameters
    ----------
    summary : str
        First line of the docstring.
    required, optional : tuple of str
        Names of its inputs.
    options : dict of str to Option
        Its options. A type that cannot be read is represented by an empty class of that name.
    """

    summary: str = ""
    required: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    options: dict[str, Option] = field(default_factory=dict)


def outline(entry: Entry) -> FunctionOutline | InputSignature:
    """Read the outline of a registered object.

    Parameters
    ----------
    entry : Entry
        Where it is defined. An object that was registered at run time is inspected itself.

    Returns
    -------
    FunctionOutline or InputSignature
        Its summary, inputs and options; empty for an object that is not defined by ``def`` or ``class``.

    Raises
    ------
    InputError
        If its module or its name does not exist, its file is not valid Python, or it is a constant where a function
        is needed.
    """
    if isinstance(entry, RuntimeEntry):
        return InputSignature(entry.target, entry.name)
    try:
        if entry.distribution != OWN_DISTRIBUTION:
            _check_syntax(entry.module)
        found = _find_definition(entry.module, entry.attribute.partition(".")[0])
    except (LookupError, SyntaxError, UnicodeDecodeError, OSError) as error:
        raise InputError(
            f"The {entry.kind} {entry.name!r} of {entry.distribution} cannot be read: {error}.",
            fix=f"See where with: python -c 'import {entry.module}'",
        ) from error
    if found is None:
        return FunctionOutline()
    module, node = found
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
        found_outline = _function_outline(node, module)
        return _with_added_options(found_outline) if entry.group == "vaeviz.plots" else found_outline
    if isinstance(node, ast.ClassDef):
        return FunctionOutline(_first_line(node))
    constant = node.value if isinstance(node, (ast.Assign, ast.AnnAssign)) else None
    if isinstance(constant, ast.Constant) and entry.group != "vaeviz.models":
        raise entry.wrong_type(type(constant.value).__name__, "a function")
    return FunctionOutline()


def _with_added_options(function: FunctionOutline) -> FunctionOutline:
    """Return the outline of a plot with the options that `register_plot` adds."""
    added = {name: Option(name, annotation, True) for name, annotation in ADDED_PARAMETERS.items()}
    return replace(function, options=function.options | added)


def _function_outline(node: ast.FunctionDef | ast.AsyncFunctionDef, module: str) -> FunctionOutline:
    positional = [argument.arg for argument in (*node.args.posonlyargs, *node.args.args)]
    n_required = len(positional) - len(node.args.defaults)
    options = [
        Option(argument.arg, _annotation(argument.annotation, module), _default(default, module))
        for argument, default in zip(node.args.kwonlyargs, node.args.kw_defaults)
        if argument.arg not in PLACES
    ]
    return FunctionOutline(
        _first_line(node),
        tuple(positional[:n_required]),
        tuple(positional[n_required:]),
        {option.name: option for option in options},
    )


def _first_line(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> str:
    return (ast.get_docstring(node) or "").partition("\n")[0]


def _check_syntax(module: str) -> None:
    file = _source_file(module)
    if file is not None:
        _parse(file)


def _find_definition(module: str, name: str, depth: int = 0) -> tuple[str, ast.stmt] | None:
    """Return the first statement that defines a name and its module, or None if it cannot be read.

    Raises LookupError if the module or the name does not exist.
    """
    file = _source_file(module)
    if file is None or depth > MAX_REEXPORTS:
        return None
    for statement in _statements(_statements_with(file, name)):
        if isinstance(statement, ast.ImportFrom):
            source = _imported_from(statement, module, file)
            for alias in statement.names:
                if (alias.asname or alias.name) == name:
                    return _find_imported(source, alias.name, depth + 1)
        elif name in _names_defined(statement):
            return module, statement
    if not _has_dynamic_names(file):
        raise LookupError(f"module {module!r} has no attribute {name!r}")
    return None


def _find_imported(module: str, name: str, depth: int) -> tuple[str, ast.stmt] | None:
    """Follow an import of a name. A name that cannot be found there may be a submodule, or a compiled object."""
    try:
        return _find_definition(module, name, depth)
    except LookupError:
        return None


def _imported_from(statement: ast.ImportFrom, module: str, file: Path) -> str:
    """Return the full name of the module that an import statement names."""
    if not statement.level:
        return statement.module or ""
    package = module.split(".") if file.stem == "__init__" else module.split(".")[:-1]
    package = package[: len(package) - statement.level + 1]
    return ".".join([*package, statement.module] if statement.module else package)


def _statements(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Yield the statements that run when a module is imported, those inside if, try and with included."""
    for statement in body:
        yield statement
        if isinstance(statement, (ast.If, ast.Try, ast.With)):
            blocks = [getattr(statement, part, []) for part in ("body", "orelse", "finalbody")]
            blocks += [handler.body for handler in getattr(statement, "handlers", [])]
            for block in blocks:
                yield from _statements(block)


def _names_defined(statement: ast.stmt) -> set[str]:
    if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        return {statement.name}
    if isinstance(statement, ast.Import):
        return {(alias.asname or alias.name).partition(".")[0] for alias in statement.names}
    targets = statement.targets if isinstance(statement, ast.Assign) else [getattr(statement, "target", None)]
    return {node.id for target in targets if target for node in ast.walk(target) if isinstance(node, ast.Name)}


@functools.cache
def _source_file(module: str) -> Path | None:
    """Return the file of a module, or None if it is not Python source. Raise LookupError if it does not exist."""
    package, _, name = module.rpartition(".")
    folders = package_folders(package) if package else []
    for folder in folders:
        for file in (folder / name / "__init__.py", folder / f"{name}.py"):
            if file.is_file():
                return file
        if (folder / name).is_dir() or any(folder.glob(f"{name}.*")):  # a namespace package, or compiled
            return None
    spec = None
    if not package:
        try:
            spec = importlib.util.find_spec(module)
        except (ImportError, ValueError):
            spec = None
    if spec is None:
        raise LookupError(f"No module named {module!r}")
    return Path(spec.origin) if spec.origin and spec.origin.endswith(".py") else None


def _has_dynamic_names(file: Path) -> bool:
    """Return True if a module may have names that no statement shows: by ``import *`` or ``__getattr__``."""
    statements = [*_statements(_parse(file).body)]
    imports = [statement for statement in statements if isinstance(statement, ast.ImportFrom)]
    return any(statement.names[0].name == "*" for statement in imports) or any(
        "__getattr__" in _names_defined(statement) for statement in statements
    )


def _statements_with(file: Path, name: str) -> list[ast.stmt]:
    """Parse the top-level statements that contain a name; parsing whole files would take most of the time."""
    blocks = STATEMENT_START.split(importlib.util.decode_source(file.read_bytes()))
    found = [block for block in blocks if name in block and not _defines_other(block, name)]
    try:
        return [part for block in found for part in _parse_block(block)]
    except SyntaxError:  # such as a line of a long string
        return _parse(file).body


def _defines_other(block: str, name: str) -> bool:
    """Return True if a statement is a decorator line, or a function or class of another name."""
    definition = DEFINITION_START.match(block)
    return block[0] == "@" or (definition is not None and definition[1] != name)


@functools.cache
def _parse_block(source: str) -> list[ast.stmt]:
    return ast.parse(source).body


@functools.cache
def _parse(file: Path) -> ast.Module:
    """Parse a whole file. Raise SyntaxError with a message that names it."""
    try:
        return ast.parse(file.read_bytes())
    except SyntaxError as error:
        raise SyntaxError(f"SyntaxError: {error.msg} ({file.name}, line {error.lineno})") from None


def _annotation(node: ast.expr | None, module: str) -> Any:
    """Return the type that an annotation names; an empty class of its name if it is not one of `TYPES`."""
    if node is None:
        return Any
    try:
        return _evaluate(node, module)
    except (TypeError, ValueError, LookupError, SyntaxError):
        return type(ast.unparse(node), (), {})


def _evaluate(node: ast.expr, module: str) -> Any:
    if isinstance(node, ast.Constant):
        quoted = isinstance(node.value, str)
        return _evaluate(ast.parse(str(node.value), mode="eval").body, module) if quoted else node.value
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        return _evaluate(node.left, module) | _evaluate(node.right, module)
    if isinstance(node, ast.Subscript):
        outer = _evaluate(node.value, module)
        if outer is Literal:
            return Literal[ast.literal_eval(node.slice)]
        parts = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        return outer[tuple(_evaluate(part, module) for part in parts)]
    if isinstance(node, ast.Attribute):
        return TYPES[node.attr]
    if isinstance(node, ast.Name) and node.id not in TYPES:
        place, value = _assigned(node.id, module)
        return _evaluate(value, place)
    return TYPES[ast.unparse(node)]


def _default(node: ast.expr | None, module: str) -> Any:
    """Return the default of an option, or its source text if it is neither a literal nor the name of one."""
    if node is None:
        return None
    try:
        value = _assigned(node.id, module)[1] if isinstance(node, ast.Name) else node
        return ast.literal_eval(value)
    except (ValueError, LookupError):
        return ast.unparse(node)


def _assigned(name: str, module: str) -> tuple[str, ast.expr]:
    """Return the expression that is assigned to a name, and its module. Raise LookupError if there is none."""
    place, node = _find_definition(module, name) or (module, None)
    value = node.value if isinstance(node, (ast.Assign, ast.AnnAssign)) else None
    if value is None:
        raise LookupError(name)
    return place, value
