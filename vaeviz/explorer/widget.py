"""The notebook widget: the front end of the page, whose decoder is the live one in Python."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np

from vaeviz.errors import InputError, printable_text
from vaeviz.explorer.page import front_end
from vaeviz.explorer.scene import LatentView, Scene
from vaeviz.plugins.diagnostics import capture_warnings

Message = tuple[dict[str, Any], list[bytes]]

MAX_SHOWN = 60  # characters of a wrong value in a message


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


def check_rows(rows: Any, n_samples: int) -> list[int]:
    """Return the rows of a selection as a list.

    Parameters
    ----------
    rows : array_like of int, shape (K,), or of bool, shape (N,)
        Row numbers, or a mask of all samples.
    n_samples : int
        Number of samples, N.

    Returns
    -------
    list of int
        The row numbers, in their order.

    Raises
    ------
    InputError
        If they are not row numbers of the samples, or one is repeated.

    Examples
    --------
    >>> check_rows(np.array([2, 0]), 3), check_rows([False, True, True], 3)
    ([2, 0], [1, 2])
    """
    given = _as_vector(rows, "iub")
    if given is None or (given.dtype.kind == "b" and len(given) != n_samples):
        got = repr(rows) if given is None else f"a mask of {len(given)} sample{'s' * (len(given) != 1)}"
        message = f"selected_rows is {_shorten(got)}, expected row numbers, or a mask of {n_samples} samples."
        fix = "Pass a list or an array of integers; [] selects nothing."
        raise InputError(message, got=got, expected="row numbers", fix=fix)
    if given.dtype.kind == "b":
        given = np.flatnonzero(given)
    outside = given[(given < 0) | (given >= n_samples)]
    if len(outside):
        raise InputError(
            f"selected_rows contains row {outside[0]}, but the data have rows 0 to {n_samples - 1}.",
            got=str(outside[0]),
            expected=f"0 to {n_samples - 1}",
            fix=f"Remove row {outside[0]}.",
        )
    values, counts = np.unique(given, return_counts=True)
    if (counts > 1).any():
        repeated = values[counts > 1][0]
        message = f"selected_rows repeats row {repeated}."
        raise InputError(message, got=str(repeated), expected="each row once", fix="Pass numpy.unique(rows).")
    return [int(row) for row in given]


def check_cursor(code: Any, n_dims: int) -> list[float]:
    """Return the code under a cursor as a list.

    Parameters
    ----------
    code : array_like, shape (D,)
        The code; empty for no cursor.
    n_dims : int
        Number of latent dimensions, D.

    Returns
    -------
    list of float
        Its values.

    Raises
    ------
    InputError
        If they are not D finite numbers.
    """
    given = _as_vector(code, "iuf")
    if given is None or len(given) not in (0, n_dims) or not np.isfinite(given).all():
        got = repr(code) if given is None or len(given) in (0, n_dims) else f"{len(given)} values"
        expected = f"{n_dims} finite number{'s' * (n_dims != 1)}"
        message = f"cursor is {_shorten(got)}, expected a code of {expected}."
        raise InputError(message, got=got, expected=expected, fix="Pass a code, such as encode(encoder, x).mean[0].")
    return [float(value) for value in given]


def _as_vector(values: Any, kinds: str) -> np.ndarray | None:
    """Return values as an array of one dimension; None if it is not of one of these NumPy kinds."""
    try:
        array = np.asarray(values)
    except ValueError:  # rows of different lengths
        return None
    return array if array.ndim == 1 and (array.size == 0 or array.dtype.kind in kinds) else None


def _shorten(text: str) -> str:
    return text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}…"


@cache
def _widget_class() -> Any:
    """Return the class of the widget. anywidget is imported here, since it is optional."""
    import anywidget
    import traitlets

    class Rows(traitlets.List[int]):
        """Rows of the samples."""

        def validate(self, obj: Any, value: Any) -> list[int]:
            return check_rows(value, obj.scene.get("n_samples", 0))

    class Code(traitlets.List[float]):
        """A code, or nothing."""

        def validate(self, obj: Any, value: Any) -> list[float]:
            return check_cursor(value, obj.scene.get("latent_dim", 0))

    class ExplorerWidget(anywidget.AnyWidget):
        """A latent space in a notebook.

        Parameters
        ----------
        service : DecodingService
            Service that answers messages of the front end.
        **traits
            The scene and its arrays.
        """

        _esm = front_end("explorer.js")
        _css = front_end("explorer.css")
        scene = traitlets.Dict().tag(sync=True)
        arrays = traitlets.Dict().tag(sync=True)
        selected_rows = Rows().tag(sync=True)
        cursor = Code().tag(sync=True)

        def __init__(self, service: DecodingService, **traits: Any) -> None:
            super().__init__(**traits)
            self._service = service
            self.on_msg(self._answer)

        def _answer(self, sender: Any, content: dict[str, Any], buffers: Sequence[Any]) -> None:
            found = self._service.answer(content, buffers)
            if found is not None:
                self.send(found[0], buffers=found[1])

        def close(self) -> None:
            """Remove the widget from the notebook, and all observers of its traits."""
            self.on_msg(self._answer, remove=True)
            self.unobserve_all()
            super().close()

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
        cursor in the first model, which is empty while there is none. Both can be set as well.
    """
    return _widget_class()(DecodingService(view, other), scene=scene.document, arrays=dict(scene.arrays))
