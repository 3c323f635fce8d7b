"""ONNX files as graphs, through the onnx package where it is installed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from vaeviz.explorer.checked_codes import CheckedCodes
from vaeviz.explorer.graph import Graph, UnsupportedOperation
from vaeviz.model.decoder import Decoder


def find_onnx_path(function: Any) -> Path | None:
    return None


def onnx_graph(path: Path, decoder: Decoder, checked: CheckedCodes) -> Graph:
    raise UnsupportedOperation("ONNX")
