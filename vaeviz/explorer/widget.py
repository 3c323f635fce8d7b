"""The notebook widget: the front end of the page, whose decoder is the live one in Python."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import anywidget
import numpy as np
import traitlets

from vaeviz.errors import printable_text
from vaeviz.explorer.page import front_end
from vaeviz.explorer.scene import LatentView, Scene
from vaeviz.plugins.diagnostics import capture_warnings

if TYPE_CHECKING:
    from collections.abc import Sequence


class ExplorerWidget(anywidget.AnyWidget):
    """A latent space in a notebook.

    Parameters
    ----------
    scene : Scene
        What the front end shows.
    view : LatentView
        The model that decodes.
    other : LatentView, optional
        The second model.

    Attributes
    ----------
    selected_rows : list of int
        The rows of x that are selected.
    cursor : list of float
        The code under the cursor, of length D; empty while there is none.

    Notes
    -----
    The front end sends ``{"type": "decode", "id", "n", "condition"}`` with the codes as float32, and ``"other": true``
    for the second model. The answer is ``{"type": "decoded", "id", "shape"}`` with the samples as float32, or
    ``{"type": "failed", "id", "message"}``.
    """

    _esm = front_end("explorer.js")
    _css = front_end("explorer.css")
    scene = traitlets.Dict().tag(sync=True)
    arrays = traitlets.Dict().tag(sync=True)
    selected_rows = traitlets.List(traitlets.Int()).tag(sync=True)
    cursor = traitlets.List(traitlets.Float()).tag(sync=True)

    def __init__(self, scene: Scene, view: LatentView, other: LatentView | None = None) -> None:
        super().__init__(scene=scene.document, arrays=dict(scene.arrays))
        self._views = {False: view, True: other}
        self.on_msg(self._answer)

    def _answer(self, _: Any, content: dict[str, Any], buffers: Sequence[Any]) -> None:
        """Decode codes that the front end sent, and send the samples back."""
        if content.get("type") != "decode":
            return
        reply = {"id": content.get("id")}
        try:
            samples = self._decode(content, np.frombuffer(buffers[0], "<f4"))
        except Exception as error:  # foreign decoders raise anything, and the page shows what
            self.send({"type": "failed", **reply, "message": printable_text(error)})
            return
        self.send({"type": "decoded", **reply, "shape": list(samples.shape)}, buffers=[samples.tobytes()])

    def _decode(self, content: dict[str, Any], values: np.ndarray) -> np.ndarray:
        """Return the values of the samples of codes, float32, in the order of the page."""
        view = self._views[bool(content.get("other"))]
        if view is None or view.page_decoder is None:
            raise ValueError("There is no decoder.")
        codes = values.reshape(int(content["n"]), view.posterior.size)
        choices = np.full(len(codes), int(content.get("condition") or 0))
        with capture_warnings():  # they were given when the explorer was made
            return view.page_decoder.decode(codes, choices).astype("<f4")
