"""The notebook widget: the front end of the page, whose decoder is the live one in Python."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np

from vaeviz.errors import printable_text
from vaeviz.explorer.page import front_end
from vaeviz.explorer.scene import LatentView, Scene
from vaeviz.plugins.diagnostics import capture_warnings

Message = tuple[dict[str, Any], list[bytes]]


class DecodingService:
    """Answer the front end when it asks to decode codes.

    Parameters
    ----------
    view : LatentView
        The model that decodes.
    other : LatentView, optional
        The second model.

    Notes
    -----
    The front end sends ``{"type": "decode", "id", "n", "condition"}`` with the codes as float32, and ``"other": true``
    for the second model. The answer is ``{"type": "decoded", "id", "shape"}`` with the samples as float32, or
    ``{"type": "failed", "id", "message"}``.
    """

    def __init__(self, view: LatentView, other: LatentView | None = None) -> None:
        self._views = {False: view, True: other}

    def answer(self, content: dict[str, Any], buffers: Sequence[Any]) -> Message | None:
        """Decode the codes of a message.

        Parameters
        ----------
        content : dict
            The message.
        buffers : sequence of bytes-like
            The codes, shape (n, D).

        Returns
        -------
        content : dict
            The answer.
        buffers : list of bytes
            The samples, shape (n, S), in the order of the page. Instead of both, None for messages of other types.
        """
        if content.get("type") != "decode":
            return None
        reply = {"id": content.get("id")}
        try:
            samples = self._decode(content, np.frombuffer(buffers[0], "<f4"))
        except Exception as error:  # foreign decoders raise anything, and the page shows what
            return {"type": "failed", **reply, "message": printable_text(error)}, []
        return {"type": "decoded", **reply, "shape": list(samples.shape)}, [samples.tobytes()]

    def _decode(self, content: dict[str, Any], values: np.ndarray) -> np.ndarray:
        view = self._views[bool(content.get("other"))]
        if view is None or view.page_decoder is None:
            raise ValueError("There is no decoder.")
        codes = values.reshape(int(content["n"]), view.posterior.size)
        choices = np.full(len(codes), int(content.get("condition") or 0))
        with capture_warnings():  # they were given when the explorer was made
            return view.page_decoder.decode(codes, choices).astype("<f4")


@cache
def _widget_class() -> Any:
    """Return the class of the widget. anywidget is imported here, since it is optional."""
    import anywidget
    import traitlets

    class ExplorerWidget(anywidget.AnyWidget):
        """A latent space in a notebook."""

        _esm = front_end("explorer.js")
        _css = front_end("explorer.css")
        scene = traitlets.Dict().tag(sync=True)
        arrays = traitlets.Dict().tag(sync=True)
        selected_rows = traitlets.List(traitlets.Int()).tag(sync=True)
        cursor = traitlets.List(traitlets.Float()).tag(sync=True)

    return ExplorerWidget


def make_widget(scene: Scene, view: LatentView, other: LatentView | None = None) -> Any:
    """Return a notebook widget.

    Parameters
    ----------
    scene : Scene
        What the front end shows.
    view : LatentView
        The model that decodes.
    other : LatentView, optional
        The second model.

    Returns
    -------
    anywidget.AnyWidget
        A widget with the traits ``selected_rows``, the rows of x that are selected, and ``cursor``, the code under the
        cursor, which is empty while there is none.
    """
    widget = _widget_class()(scene=scene.document, arrays=dict(scene.arrays))
    service = DecodingService(view, other)

    def answer(sender: Any, content: dict[str, Any], buffers: Sequence[Any]) -> None:
        found = service.answer(content, buffers)
        if found is not None:
            sender.send(found[0], buffers=found[1])

    widget.on_msg(answer)
    return widget
