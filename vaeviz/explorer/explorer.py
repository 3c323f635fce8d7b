"""``explore``: look at a latent space in a page or in a notebook."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vaeviz.data.atomic_files import atomic_path, report_write_errors
from vaeviz.data.labels import labels_for
from vaeviz.data.out_of_core import is_dataset
from vaeviz.data.sample_kind import SampleKind
from vaeviz.drawing.colors import ClassNames, Palette
from vaeviz.drawing.sample_style import SampleStyle, sample_style
from vaeviz.errors import Fix, InputError, each_advice_once, list_words
from vaeviz.explorer.page import explorer_page
from vaeviz.explorer.scene import LatentView, SampleTable, Scene, latent_scene
from vaeviz.explorer.widget import make_widget
from vaeviz.model.collect_inputs import collect_inputs, with_cached_codes
from vaeviz.model.decoder_likelihood import find_decoder
from vaeviz.model.encode import encode
from vaeviz.model.opening import open_with_adapter
from vaeviz.model.posterior import Posterior
from vaeviz.plugins.inputs import describe_missing
from vaeviz.plugins.optional_libraries import import_library
from vaeviz.plugins.options import check_arguments

if TYPE_CHECKING:
    import pandas as pd

MAX_SAMPLE_BYTES = 3_000_000  # with the network, codes and columns, a page of 10,000 digits takes less than 6 MB
FRAME_HEIGHT = 760  # pixels of a page in a notebook
LIVE_DECODER = {"method": "live", "note": "The decoder in Python answers, for any code."}
OTHER_PREFIX = "other-"


def explore(
    encoder: Any,
    decoder: Any = None,
    x: Any = None,
    labels: Any = None,
    condition: Any = None,
    *,
    factors: Any = None,
    factor_names: Any = None,
    feature_names: Any = None,
    row_ids: Any = None,
    other: Any = None,
    palette: Palette | None = None,
    class_names: ClassNames | None = None,
    kind: SampleKind | None = None,
    max_points: int | None = 5000,
    max_sample_bytes: int = MAX_SAMPLE_BYTES,
    title: str = "",
    seed: int = 0,
) -> Explorer:
    """Explore a latent space in a page or a notebook: decode under the cursor, and select and export samples.

    Parameters
    ----------
    encoder : callable, model or Posterior
        Encoder of `x`. A whole model supplies the decoder as well.
    decoder : callable or model, optional
        Decoder of the codes. By default that of the model, if `encoder` is one. Without one, nothing is decoded.
    x : array_like, shape (N, ...)
        Samples, or a `Dataset` with labels and factors.
    labels : array_like, shape (N,), optional
        One label per sample: integers, texts and categories are classes, floats and dates lie on a scale.
    condition : array_like, shape (N, ...), optional
        Condition of each sample. By default, the labels, if the model is conditional.
    factors : array_like or DataFrame, shape (N, K), optional
        Known factors, by which points can be colored.
    factor_names : sequence of str, optional
        Names of the factors.
    feature_names : sequence of str, optional
        Names of the values of a sample.
    row_ids : sequence, shape (N,), optional
        Names of the samples, for search and export. By default, their row numbers, from 0.
    other : callable or model, optional
        A second model of the same samples, shown beside the first with the selection linked.
    palette : str, tuple or dict, optional
        Colors of the labels, as in `latent_scatter`.
    class_names : tuple or dict, optional
        Names of the labels, as in `latent_scatter`.
    kind : {"image", "spectrogram", "signal", "point", "table"}, optional
        How to draw a sample. By default, its shape decides.
    max_points : int or None, default=5000
        Largest number of codes on the t-SNE map. More are subsampled at random; None keeps all.
    max_sample_bytes : int, default=3000000
        Bytes that pictures or values of samples may take. Pictures are compressed more for it, and then fewer are
        shown; the page says so.
    title : str, default=""
        Title of the page; by default, the names of the model and of the data set.
    seed : int, default=0
        Seed of all random choices.

    Returns
    -------
    Explorer
        ``save(path)`` writes one HTML file, ``widget()`` makes a notebook widget.

    Raises
    ------
    InputError
        If an input is missing or cannot be used.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.random.default_rng(0).random((50, 4))
    >>> explorer = explore(lambda x: x[:, :2], lambda z: np.repeat(z, 2, axis=1), x)
    >>> explorer.to_frame().columns.tolist()
    ['z1', 'z2', 'reconstruction error']
    """
    check_arguments(explore, locals())
    given = {"x": x, "labels": labels, "condition": condition, "factors": factors}
    given |= {"factor_names": factor_names, "feature_names": feature_names}
    missing = [name for name, value in {"encoder": encoder, "x": x}.items() if value is None]
    if missing:
        names = list_words(missing)
        calls = Fix("Write explore(encoder, decoder, x), or explore(model, x=x) with a whole model.")
        fix = describe_missing(missing) if decoder is None else calls
        raise InputError(f"explore needs {names}.", got="None", expected=names, fix=fix)
    if other is not None and other is encoder:
        raise InputError(
            "other is the same model as encoder.",
            got="the same model",
            expected="a second model",
            fix="Pass a second model of the same samples, or None.",
        )
    with each_advice_once():
        style = sample_style(x, feature_names, kind=kind)
        found = _collect(encoder, decoder, given)
        view = _view(found, style, title or _default_title(encoder, x), seed)
        table = SampleTable(
            labels=labels_for(x, found.get("labels")),
            factors=found.get("factors"),
            factor_names=tuple(found.get("factor_names") or ()),
            row_ids=_check_row_ids(row_ids, len(view.posterior)),
            palette=palette,
            class_names=class_names,
        )
        scene = latent_scene(view, table, max_points=max_points, max_sample_bytes=max_sample_bytes)
        if other is None:
            return Explorer(view, scene)
        beside = _view(_collect(other, None, given), style, _default_title(other, x), seed, prefix=OTHER_PREFIX)
        other_scene = latent_scene(beside, table, max_points=max_points, max_sample_bytes=None)
        return Explorer(view, scene, beside, other_scene)


def _collect(encoder: Any, decoder: Any, given: dict[str, Any]) -> dict[str, Any]:
    """Return the checked inputs of one model, with the decoder of a whole model."""
    if decoder is None:
        decoder = find_decoder(encoder)
    return with_cached_codes(collect_inputs(None, None, {"encoder": encoder, "decoder": decoder, **given}))


def _view(found: dict[str, Any], style: SampleStyle, title: str, seed: int, prefix: str = "") -> LatentView:
    posterior = encode(found["encoder"], found["x"], found.get("condition"))
    return LatentView(posterior, found.get("decoder"), found["x"], style, title, seed, prefix)


def _default_title(model: Any, x: Any = None) -> str:
    """Return the names of a model and of a data set, where they have one."""
    opened = None if isinstance(model, Posterior) else open_with_adapter(model)[1]
    name = "" if opened is None else opened.name.removesuffix(".encoder")
    names = ["Latent space" if not name or "<" in name else name, *([x.name] if is_dataset(x) else [])]
    return " · ".join(names)


def _check_row_ids(row_ids: Any, n_samples: int) -> tuple[str, ...]:
    if row_ids is None:
        return ()
    if isinstance(row_ids, str) or not isinstance(row_ids, Iterable):
        raise InputError(
            f"row_ids is {row_ids!r}, expected one name per sample.",
            got=type(row_ids).__name__,
            expected="a sequence",
            fix="Pass one row id per sample, or None.",
        )
    names = tuple(map(str, row_ids))
    if len(names) != n_samples:
        raise InputError(
            f"row_ids has {len(names)} entries but x has {n_samples} samples.",
            got=str(len(names)),
            expected=str(n_samples),
            fix="Pass one row id per sample, or None.",
        )
    return names


def describe_size(document: dict[str, Any]) -> str:
    """Return the number of codes and of their dimensions, in words.

    Parameters
    ----------
    document : dict
        The document of a scene.

    Returns
    -------
    str
        The words.

    Examples
    --------
    >>> describe_size({"n_samples": 1000, "latent_dim": 1})
    '1,000 codes of 1 dimension'
    """
    n_codes, n_dims = document["n_samples"], document["latent_dim"]
    return f"{n_codes:,} code{'s' * (n_codes != 1)} of {n_dims} dimension{'s' * (n_dims != 1)}"


@dataclass(frozen=True, eq=False)
class Explorer:
    """The interactive view of a latent space that `vaeviz.explore` makes. A notebook displays it; `save` writes a page.

    Parameters
    ----------
    view : LatentView
        The model and its samples.
    scene : Scene
        What the front end shows, without a decoder.
    other : LatentView, optional
        A second model.
    other_scene : Scene, optional
        What the front end shows of it.
    """

    view: LatentView
    scene: Scene
    other: LatentView | None = None
    other_scene: Scene | None = None

    @cached_property
    def static_scene(self) -> Scene:
        """The scene of a page, which decodes without Python: by the network, or by a grid of decoded samples."""
        scene = self.scene.with_decoder(*self.view.static_decoder())
        if self.other is None or self.other_scene is None:
            return scene
        return scene.with_other(self.other_scene.with_decoder(*self.other.static_decoder()))

    @cached_property
    def live_scene(self) -> Scene:
        """The scene of a widget, whose decoder is in Python."""

        def with_live_decoder(view: LatentView, scene: Scene) -> Scene:
            return scene if view.decoder is None else scene.with_decoder(LIVE_DECODER, {})

        scene = with_live_decoder(self.view, self.scene)
        if self.other is None or self.other_scene is None:
            return scene
        return scene.with_other(with_live_decoder(self.other, self.other_scene))

    def save(self, path: str | Path) -> Path:
        """Write the page: one HTML file that needs no network and no Python.

        Parameters
        ----------
        path : str or Path
            The file. It appears when it is whole.

        Returns
        -------
        Path
            The file.

        Raises
        ------
        OutputError
            If it cannot be written.
        """
        path, page = Path(path), explorer_page(self.static_scene)
        with report_write_errors(path), atomic_path(path) as temporary:
            temporary.write_text(page, encoding="utf-8", newline="\n")
        return path

    def widget(self) -> Any:
        """Return the notebook widget, the same one at each call until it is closed.

        Returns
        -------
        anywidget.AnyWidget
            A widget whose ``selected_rows`` and ``cursor`` can be read, set, and observed as traits.

        Raises
        ------
        InputError
            If anywidget is not installed.
        """
        if self._widget.comm is None:  # closed, so it cannot be shown again
            del self.__dict__["_widget"]
        return self._widget

    @cached_property
    def _widget(self) -> Any:
        import_library("anywidget", extra="widget", needed_by="Explorer.widget()")
        return make_widget(self.live_scene, self.view, self.other)

    def to_frame(self) -> pd.DataFrame:
        """Return what the explorer shows of each sample as a table.

        Returns
        -------
        pandas.DataFrame
            Columns ``z1`` … ``zD``, then the labels, the factors, and the numbers that the model gives each sample.
            The index is `row_ids`, or row numbers. Dates are in days since 1970, and a name that is taken has a number,
            such as ``label (2)``.
        """
        import pandas as pd

        frame = self.view.posterior.to_frame()
        for column in self.scene.document["columns"]:
            values: Any = self.scene.read_array(column["values"])
            if column["kind"] == "classes":
                values = pd.Categorical.from_codes(values, column["classes"])
            frame[column["name"]] = values
        row_ids = self.scene.document["row_ids"]
        return frame if row_ids is None else frame.set_axis(row_ids, axis=0)

    def _repr_mimebundle_(self, **options: Any) -> Any:
        """Show the widget, or the page in a frame where anywidget is not installed."""
        try:
            return self.widget()._repr_mimebundle_(**options)
        except InputError:
            page = escape(explorer_page(self.static_scene), quote=True)
            frame = f'<iframe srcdoc="{page}" style="width: 100%; height: {FRAME_HEIGHT}px; border: 0"></iframe>'
            return {"text/plain": repr(self), "text/html": frame}

    def __repr__(self) -> str:
        shown = self.scene.document
        return f"Explorer({shown['title']!r}, {describe_size(shown)})"
