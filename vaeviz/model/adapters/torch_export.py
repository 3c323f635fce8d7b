"""torch.export: programs, and the ``.pt2`` files that hold one."""

from __future__ import annotations

import io
import logging
from pathlib import Path
from typing import Any

from vaeviz.errors import InputError
from vaeviz.model.adapters._detect import defined_in, existing_file, require_library
from vaeviz.model.adapters._pt2_checks import check_pt2
from vaeviz.model.adapters._signatures import from_signature
from vaeviz.model.opening import Model

MANY = 1 << 20
"""An upper bound of a batch from which on it is none."""


def torch_export(model: Any) -> Model | None:
    """An exported program or its file, with the shapes and the batch size that were exported.

    A program has no other mode than the one it was exported in: export it in eval mode.
    """
    if defined_in(model, "torch.export.exported_program"):
        return _opened(model, type(model).__name__)
    path = existing_file(model, ".pt2")
    return None if path is None else _opened(_loaded(path), path.name)


def _opened(program: Any, name: str) -> Model:
    shapes = {node.name: tuple(node.meta["val"].shape) for node in program.graph.nodes if _is_tensor(node)}
    takes, *_ = (shapes.get(given) for given in program.graph_signature.user_inputs)
    takes = takes and (_most_rows(program, takes[0]), *takes[1:])
    gives = [shapes.get(returned) for returned in program.graph_signature.user_outputs]
    return from_signature(_callable(program), takes, gives, name)


def _most_rows(program: Any, rows: Any) -> Any:
    """The number of rows that a program takes, its upper bound where that is declared, else as it was."""
    symbol = getattr(getattr(rows, "node", None), "expr", None)
    bounds = program.range_constraints.get(symbol)
    upper = str(bounds.upper) if bounds is not None else ""
    return int(upper) if upper.isdecimal() and int(upper) < MANY else rows


def _is_tensor(node: Any) -> bool:
    return hasattr(node.meta.get("val"), "shape")


def _callable(program: Any) -> Any:
    """The program as a module. Its guards are left out: they would be compiled from text that the file supplies."""
    program._guards_code = []
    try:
        return program.module(check_guards=False)
    except TypeError:  # before torch 2.9
        return program.module()


def _loaded(path: Path) -> Any:
    torch = require_library("torch", "torch", path)
    content = path.read_bytes()
    check_pt2(path, content)
    logger = logging.getLogger("torch.export")
    level, logger.level = logger.level, logging.ERROR
    try:
        return torch.export.load(io.BytesIO(content))
    except Exception as error:
        reason = " ".join(str(error).split())[:200]
        raise InputError(f"{path}: is damaged, or written by another version of torch ({reason})") from None
    finally:
        logger.level = level
