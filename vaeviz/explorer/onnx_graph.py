"""ONNX files as graphs, through the onnx package where it is installed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from vaeviz.explorer.graph import Graph, UnsupportedOperation
from vaeviz.model.decoder import Decoder

if TYPE_CHECKING:
    from vaeviz.explorer.network_export import CheckedCodes


def find_onnx_path(function: Any) -> Path | None:
    return None


def onnx_graph(path: Path, decoder: Decoder, checked: CheckedCodes) -> Graph:
    raise UnsupportedOperation("ONNX")
