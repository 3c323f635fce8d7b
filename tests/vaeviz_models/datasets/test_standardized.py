"""Tables whose features are divided by their spread, with a part set aside as test data."""

from __future__ import annotations

import numpy as np
import pytest

from vaeviz.data.loading import load_data
from vaeviz.errors import GuessWarning, InputError

N = 25


@pytest.fixture
def table(tmp_path):
    """A file that is sorted by class, with features of different scales, one of them constant."""
    rng = np.random.default_rng(0)
    rows = np.column_stack([rng.normal(5, 1000, N), rng.normal(-3, 0.01, N), np.full(N, 7.0)])
    lines = [",".join(map(repr, map(float, row))) + f",{'ab'[k * 2 // N]}" for k, row in enumerate(rows)]
    (tmp_path / "own.csv").write_text("\n".join(["mass,width,constant,kind", *lines]))
    return f"csv:{tmp_path / 'own.csv'}", rows


def test_features_have_the_mean_and_spread_of_the_training_rows(table):
    name, rows = table
    splits = ("train", "test", "all")
    train, test, whole = (load_data(f"standardized:{name}", split=split, labels="kind") for split in splits)
    is_test = np.arange(1, N + 1) % 5 == 0
    np.testing.assert_allclose(train.x.mean(axis=0), 0, atol=1e-5)
    np.testing.assert_allclose(train.x.std(axis=0), [1, 1, 0], atol=1e-5)
    expected = (rows[is_test, :2] - rows[~is_test, :2].mean(axis=0)) / rows[~is_test, :2].std(axis=0)
    np.testing.assert_allclose(test.x[:, :2], expected, atol=1e-3)
    np.testing.assert_array_equal(whole.x[is_test], test.x)
    assert set(test.named_labels()) == {"a", "b"}
    assert test.feature_names == ("mass", "width", "constant")
    assert test.kind == "table"


@pytest.mark.parametrize(("share", "count"), [("0.2", 5), (".4", 10), ("0.04", 1)])
def test_the_share_of_test_rows_stands_before_the_name(table, share, count):
    assert len(load_data(f"standardized:{share}:{table[0]}", split="test", labels="kind").x) == count


def test_a_table_with_splits_keeps_them(tmp_path):
    rng = np.random.default_rng(0)
    np.savez(tmp_path / "own.npz", x_train=rng.normal(4, 2, (30, 3)), x_test=rng.normal(4, 2, (7, 3)))
    name = f"npz:{tmp_path / 'own.npz'}"
    assert len(load_data(f"standardized:{name}", split="test").x) == 7
    assert len(load_data(f"standardized:0.5:{name}", split="test").x) == 18


def test_images_and_parts_without_rows_are_errors(table):
    with pytest.raises(InputError) as raised:
        load_data("standardized:digits")
    assert raised.value.expected == "(N, D)"
    with pytest.raises(InputError) as raised:
        load_data(f"standardized:0.01:{table[0]}", labels="kind")
    assert raised.value.got == "a share of 0.01"


@pytest.mark.parametrize("share", ["1", "1.5", "1.2.3", "0", "-0.2", "20%", "0,3", "nan"])
def test_a_share_that_is_not_between_0_and_1_is_an_error(share):
    with pytest.raises(InputError) as raised:
        load_data(f"standardized:{share}:wine")
    assert raised.value.got == share
    assert "standardized:0.2:wine" in raised.value.fix.command_line


def test_a_single_training_row_has_no_spread(table):
    with pytest.raises(InputError) as raised:
        load_data(f"standardized:0.97:{table[0]}", labels="kind")
    assert "standardized:0.5:" in raised.value.fix.python


def test_constant_numbers_become_0_however_their_mean_is_rounded(tmp_path):
    varied = np.random.default_rng(0).normal(size=(178, 1))
    np.save(tmp_path / "own.npy", np.hstack([varied, np.full((178, 3), [0.1, 0.7, 2.3])]))  # float64
    assert not load_data(f"standardized:{tmp_path / 'own.npy'}", split="all").x[:, 1:].any()


def test_a_feature_that_is_constant_in_the_training_rows_alone_raises_a_warning(tmp_path):
    rows = np.random.default_rng(0).normal(size=(25, 3))
    rows[:, 1] = np.arange(1, 26) % 5 == 0
    np.save(tmp_path / "own.npy", rows)
    with pytest.warns(GuessWarning, match="feature 1"):
        load_data(f"standardized:{tmp_path / 'own.npy'}", split="test")


def test_a_run_is_scored_on_the_test_rows_and_drawn_from_them(table, vaeviz, tmp_path):
    run = tmp_path / "run"
    done = vaeviz("train", "mlp", "--data", f"standardized:{table[0]}", "--labels", "kind", "--likelihood", "gaussian",
                  "--hidden", 4, "--epochs", 1, "--out", run)  # fmt: skip
    assert done.code == 0, done.err
    assert "test ELBO" in done.out
    assert vaeviz("encode", run, "--out", tmp_path / "codes.csv").code == 0
    assert len((tmp_path / "codes.csv").read_text().splitlines()) == 1 + N // 5
