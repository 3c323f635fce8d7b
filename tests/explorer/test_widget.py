"""The notebook widget: its traits, and the messages with which it decodes."""

from __future__ import annotations

import numpy as np
import pytest

import vaeviz
from vaeviz.errors import InputError

pytest.importorskip("anywidget")


@pytest.fixture
def open_widget(monkeypatch):
    """Make the widget of an explorer, and list what it sends."""

    def make(explorer):
        widget, sent = explorer.widget(), []
        monkeypatch.setattr(widget, "send", lambda content, buffers=None: sent.append((content, buffers)))
        return widget, sent

    return make


def ask(widget, codes, **content):
    message = {"type": "decode", "id": 7, "n": len(codes), "condition": None, **content}
    widget._handle_custom_msg(message, [memoryview(np.asarray(codes, "<f4").tobytes())])


def test_codes_are_decoded_by_the_live_decoder(digits, make_encoder, make_decoder, open_widget):
    widget, sent = open_widget(vaeviz.explore(make_encoder(), make_decoder(), digits.x))
    assert widget.scene["decoder"]["method"] == "live"
    codes = np.random.default_rng(0).standard_normal((3, 2)).astype(np.float32)
    ask(widget, codes)
    ((content, (buffer,)),) = sent
    assert content == {"type": "decoded", "id": 7, "shape": [3, 64]}
    found = np.frombuffer(buffer, "<f4").reshape(3, 8, 8)
    np.testing.assert_array_equal(found, vaeviz.decode(make_decoder(), codes, reference=digits.x))


def test_a_decoder_that_fails_sends_its_message(digits, make_encoder, open_widget):
    def fails_far_out(z):
        if np.abs(z).max() > 50:
            raise ValueError("too far out")
        return np.zeros((len(z), 8, 8), np.float32)

    widget, sent = open_widget(vaeviz.explore(make_encoder(), fails_far_out, digits.x))
    ask(widget, [[99.0, 0.0]])
    ask(widget, [[1.0, 0.0, 5.0]])
    assert [content["type"] for content, _ in sent] == ["failed", "failed"]
    assert "too far out" in sent[0][0]["message"]


def test_the_condition_is_sent_by_its_index(linear, linear_parts, open_widget):
    explorer = vaeviz.explore(linear_parts["encoder"], linear_parts["decoder"], linear.x, linear.names)
    widget, sent = open_widget(explorer)
    codes = np.zeros((2, 2), np.float32)
    for index in range(3):
        ask(widget, codes, condition=index)
    found = [np.frombuffer(buffer, "<f4").reshape(2, -1)[0] for _, (buffer,) in sent]
    np.testing.assert_allclose(found, linear.offsets, rtol=1e-5)


def test_the_second_model_decodes_too(digits, make_encoder, make_decoder, open_widget):
    other = vaeviz.open((make_encoder(3), make_decoder(3)))
    widget, sent = open_widget(vaeviz.explore(make_encoder(), make_decoder(), digits.x, other=other))
    ask(widget, [[0.0, 1.0, 2.0]], other=True)
    assert sent[0][0]["shape"] == [1, 64]


def test_selection_and_cursor_are_traits(digits, make_encoder):
    explorer = vaeviz.explore(make_encoder(), x=digits.x)
    seen = []
    explorer.widget().observe(lambda change: seen.append(change["new"]), "selected_rows")
    explorer.widget().set_state({"selected_rows": [3, 5], "cursor": [0.5, -1.0]})
    assert explorer.widget().selected_rows == [3, 5]
    assert explorer.widget().cursor == [0.5, -1.0]
    assert seen == [[3, 5]]


def test_a_notebook_shows_the_widget_or_the_page(digits, make_encoder, monkeypatch):
    explorer = vaeviz.explore(make_encoder(), x=digits.x, title='a "title" & more')
    bundle = explorer._repr_mimebundle_()
    bundle = bundle[0] if isinstance(bundle, tuple) else bundle
    assert "application/vnd.jupyter.widget-view+json" in bundle

    def not_installed(*args, **kwargs):
        raise InputError("anywidget is not installed.")

    monkeypatch.setattr("vaeviz.explorer.explorer.import_library", not_installed)
    html = vaeviz.explore(make_encoder(), x=digits.x)._repr_mimebundle_()["text/html"]
    assert html.startswith('<iframe srcdoc="&lt;!doctype html&gt;')
    with pytest.raises(InputError):
        vaeviz.explore(make_encoder(), x=digits.x).widget()


@pytest.mark.parametrize(
    ("rows", "got"),
    [
        ([1, 60], "60"),
        (np.array([-1]), "-1"),
        ([4, 4, 5], "4"),
        ([0.5], "[0.5]"),
        (None, "None"),
        ("12", "['12']"),
        ([[1, 2]], "[[1, 2]]"),
        ([[1], [2, 3]], "[[1], [2, 3]]"),
        ([True, False], "a mask of 2 samples"),
    ],
)
def test_only_rows_of_the_data_can_be_selected(digits, make_encoder, rows, got):
    widget = vaeviz.explore(make_encoder(), x=digits.x).widget()
    widget.selected_rows = [3]
    with pytest.raises(InputError) as info:
        widget.selected_rows = rows
    assert info.value.got == got
    assert info.value.fix.python
    assert widget.selected_rows == [3]


def test_rows_are_selected_by_arrays_and_masks(digits, make_encoder):
    widget = vaeviz.explore(make_encoder(), x=digits.x).widget()
    widget.selected_rows = np.array([5, 2])
    assert widget.selected_rows == [5, 2]
    widget.selected_rows = digits.labels == 3
    assert widget.selected_rows == np.flatnonzero(digits.labels == 3).tolist()
    widget.selected_rows = []
    assert widget.selected_rows == []


@pytest.mark.parametrize("code", [[1.0], [0.0, np.nan], ["a", "b"], [[0.0, 1.0]], None])
def test_a_cursor_is_a_code(digits, make_encoder, code):
    widget = vaeviz.explore(make_encoder(), x=digits.x).widget()
    with pytest.raises(InputError) as info:
        widget.cursor = code
    assert info.value.expected == "2 finite numbers"
    widget.cursor = np.array([0.5, 1.0], np.float32)
    assert widget.cursor == [0.5, 1.0]
    widget.cursor = []
    assert widget.cursor == []


def test_a_closed_widget_answers_nothing_and_is_made_anew(digits, make_encoder, make_decoder, open_widget):
    explorer = vaeviz.explore(make_encoder(), make_decoder(), digits.x)
    widget, sent = open_widget(explorer)
    seen = []
    widget.observe(lambda change: seen.append(change["new"]), "selected_rows")
    widget.close()
    ask(widget, [[0.0, 1.0]])
    widget.selected_rows = [1]
    assert (sent, seen) == ([], [])
    assert explorer.widget() is not widget
    assert explorer.widget() is explorer.widget()
    assert explorer._repr_mimebundle_()
