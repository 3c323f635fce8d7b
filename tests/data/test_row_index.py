"""Frames whose rows are in another order than the samples are refused."""

import numpy as np
import pytest

import vaeviz
from vaeviz.data.row_index import check_row_index
from vaeviz.drawing.sample_style import sample_style
from vaeviz.errors import InputError
from vaeviz.model.collect_inputs import collect_inputs

pd = pytest.importorskip("pandas")

X = pd.DataFrame({"a": [0.0, 1.0, 2.0], "b": [3.0, 4.0, 5.0]}, index=["r", "s", "t"])


@pytest.mark.parametrize(
    "labels", [["u", "v", "w"], np.arange(3), pd.Series([1, 2, 3], index=X.index), pd.Series([1, 2, 3])]
)
def test_the_same_index_and_no_index_are_in_order(labels):
    check_row_index(labels, "labels", X)
    check_row_index(labels, "labels", X.to_numpy())


def test_another_order_is_an_error_whose_lines_work():
    labels = pd.Series([2, 1, 0], index=["t", "s", "r"])
    with pytest.raises(InputError) as caught:
        vaeviz.Dataset(X, labels)
    assert "labels.loc[x.index]" in caught.value.fix.python
    assert "labels.to_numpy()" in caught.value.fix.python
    np.testing.assert_array_equal(vaeviz.Dataset(X, labels.loc[X.index]).labels, [0, 1, 2])
    np.testing.assert_array_equal(vaeviz.Dataset(X, labels.to_numpy()).labels, [2, 1, 0])


def test_a_shuffled_default_index_is_an_error():
    x = pd.DataFrame({"a": [0.0, 1.0], "b": [1.0, 2.0]}, index=[1, 0])
    with pytest.raises(InputError, match="another order"):
        vaeviz.Dataset(x, pd.Series([0, 1]))
    vaeviz.Dataset(x.rename(index={0: 7}), pd.Series([0, 1]))  # a default index names no rows


@pytest.mark.parametrize("name", ["labels", "factors", "condition"])
def test_rows_of_other_samples_are_an_error(name):
    with pytest.raises(InputError, match=name) as raised:
        collect_inputs(None, None, {"x": X, name: pd.Series([0, 1, 2], index=["r", "s", "u"])})
    assert "'r'" in raised.value.got


def test_plots_take_labels_in_the_order_of_the_samples():
    shuffled = pd.Series([0, 1, 2], index=["t", "s", "r"])
    with pytest.raises(InputError, match="another order"):
        vaeviz.latent_scatter(lambda x: x, X, shuffled)
    with pytest.raises(InputError, match="another order"):
        vaeviz.reconstruction_pairs(lambda x: x, lambda z: z, X, shuffled)
    with pytest.raises(InputError, match="condition"):
        vaeviz.encode(lambda x, y: x, X, shuffled)


def test_plots_take_labels_names_and_kind_of_a_data_set():
    data = vaeviz.Dataset(X, ["p", "q", "p"])
    ax = vaeviz.latent_scatter(lambda x: x, data)
    assert {"p", "q"} <= {text.get_text() for text in ax.get_legend().get_texts()}
    spectrogram = vaeviz.Dataset(np.random.default_rng(0).random((5, 8, 8)), kind="spectrogram")
    assert sample_style(spectrogram).kind == "spectrogram"
    assert sample_style(data).names == ("a", "b")
