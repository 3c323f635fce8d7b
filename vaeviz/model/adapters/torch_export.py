"""torch.export: programs, and the ``.pt2`` files that hold one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from vaeviz.model.adapters._detect import defined_in, existing_file, require_trust, unreadable
from vaeviz.model.adapters._signatures import model_from_signature
from vaeviz.model.opening import Model
from vaeviz.plugins.optional_libraries import import_library, quiet_logger

MAX_BATCH_SIZE = 1 << 20  # torch.export writes larger upper bounds where a batch has none


def torch_export(model: Any, *, trust: bool = False) -> Model | None:
    """Open an exported program or its file, with the shapes and the batch size that were exported.

    A program runs in the mode in which it was exported. Export it in eval mode.

    Parameters
    ----------
    model : object
        An ``ExportedProgram``, or the path of a ``.pt2`` file.
    trust : bool, default False
        Load files. Loading a ``.pt2`` file unpickles objects and evaluates expressions of the file.

    Returns
    -------
    Model or None
        None for anything else.
    """
    if defined_in(model, "torch.export.exported_program"):
        return _model_of_program(model, type(model).__name__)
    path = existing_file(model, ".pt2")
    if path is None:
        return None
    require_trust(path, "can run any code when torch loads it", trust=trust)
    return _model_of_program(_load_program(path), path.name)


def _model_of_program(program: Any, name: str) -> Model:
    shapes = {node.name: tuple(node.meta["val"].shape) for node in program.graph.nodes if _is_tensor(node)}
    input_shape, *_ = (shapes.get(given) for given in program.graph_signature.user_inputs)
    if input_shape:
        input_shape = (_batch_size(program, input_shape[0]), *input_shape[1:])
    output_shapes = [shapes.get(returned) for returned in program.graph_signature.user_outputs]
    return model_from_signature(_as_module(program), input_shape, output_shapes, name)


def _batch_size(program: Any, rows: Any) -> Any:
    """Return the upper bound of a free batch axis if it is declared, else the axis as it is."""
    symbol = getattr(getattr(rows, "node", None), "expr", None)
    bounds = program.range_constraints.get(symbol)
    upper = str(bounds.upper) if bounds is not None else ""
    return int(upper) if upper.isdecimal() and int(upper) < MAX_BATCH_SIZE else rows


def _is_tensor(node: Any) -> bool:
    return hasattr(node.meta.get("val"), "shape")


def _as_module(program: Any) -> Callable[..., Any]:
    """Return the program as a module, without guards: they reject other batch sizes than the exported one."""
    module: Callable[..., Any]
    try:
        module = program.module(check_guards=False)
    except TypeError:  # before torch 2.9
        module = program.module()
    return module


def _load_program(path: Path) -> Any:
    torch = import_library("torch", extra="torch", needed_by=str(path))
    with quiet_logger("torch.export"):
        try:
            return torch.export.load(path)
        except Exception as error:
            raise unreadable(path, "torch.export", error) from error
