"""`vaeviz encode`, and codes as data: ``--codes``."""

from __future__ import annotations

import numpy as np
import pytest

from vaeviz import Posterior, load_data
from vaeviz.data.labels import ClassLabels, check_labels, factorize_labels
from vaeviz.errors import InputError
from vaeviz.export.codes import CODE_WRITERS, load_codes, write_codes

FORMATS = [".npz", ".csv", ".h5ad", ".parquet"]


@pytest.fixture
def posterior():
    rng = np.random.default_rng(0)
    return Posterior(rng.standard_normal((6, 3)), rng.uniform(0.1, 1, (6, 3)), "normal")


@pytest.fixture(params=FORMATS)
def suffix(request, registered):
    """The ending of a file, if the library that reads and writes it is installed."""
    if request.param == ".h5ad":
        pytest.importorskip("anndata")
    if request.param == ".parquet":
        pytest.importorskip("pyarrow")
        from vaeviz_models.datasets.parquet_file import parquet

        registered.add("vaeviz.datasets", "parquet", parquet)
    return request.param


LABELS = {
    "none": None,
    "integers": np.array([3, 1, 2, 3, 1, 2]),
    "texts": np.array(["cell 10", "cell 2", "cell 2", "b", "b", "b"]),
    "numbers": np.array([0.5, 1.5, -1, 0, 2, 3]),
    "classes": ClassLabels(np.array([2, 0, 1, 2, 0, 1]), ("low", "middle", "high")),
    "missing": ClassLabels(np.array([1, 0, -1, 1, 0, 1]), ("low", "high")),
}


def names_of(labels):
    """Return the name of each label's class, empty for a missing one."""
    codes, names = factorize_labels(check_labels(labels, len(labels)))
    return [(*names, "")[code] for code in codes]


@pytest.mark.parametrize("labels", LABELS.values(), ids=LABELS)
def test_codes_read_back_as_they_were_written(suffix, labels, posterior, tmp_path):
    path = tmp_path / f"codes{suffix}"
    write_codes(path, posterior, labels)
    data, found = load_codes(str(path), prior="normal")
    np.testing.assert_array_equal(found.mean, posterior.mean)
    np.testing.assert_array_equal(found.std, posterior.std)
    np.testing.assert_array_equal(data.x, posterior.mean)
    if labels is None:
        assert data.labels is None
    else:
        assert names_of(data.named_labels()) == names_of(labels)


def test_codes_of_a_deterministic_encoder_have_no_spread(suffix, posterior, tmp_path):
    path = tmp_path / f"codes{suffix}"
    write_codes(path, Posterior(posterior.mean))
    found = load_codes(str(path))[1]
    assert (found.std, found.prior) == (None, None)
    np.testing.assert_array_equal(found.mean, posterior.mean)


def test_the_order_of_classes_survives_where_the_format_has_one(suffix, posterior, tmp_path):
    path = tmp_path / f"codes{suffix}"
    write_codes(path, posterior, LABELS["classes"])
    names = factorize_labels(load_codes(str(path))[0].named_labels())[1]
    assert names == (("high", "low", "middle") if suffix == ".csv" else ("low", "middle", "high"))


def test_every_format_has_a_writer():
    assert list(CODE_WRITERS) == FORMATS


def test_codes_of_other_programs_are_read(tmp_path):
    (tmp_path / "pca.csv").write_text("PC1,PC2,cell\n1,2,a\n3,4,b\n")
    data, posterior = load_codes(str(tmp_path / "pca.csv"), "cell")
    assert posterior.mean.tolist() == [[1, 2], [3, 4]]
    assert list(data.labels) == ["a", "b"]
    np.save(tmp_path / "maps.npy", np.zeros((5, 2, 3)))
    assert load_codes(str(tmp_path / "maps.npy"))[1].code_shape == (2, 3)


def test_a_missing_standard_deviation_is_an_error(tmp_path):
    (tmp_path / "codes.csv").write_text("z1,z2,std1\n1,2,3\n3,4,5\n")
    with pytest.raises(InputError) as caught:
        load_codes(str(tmp_path / "codes.csv"))
    assert caught.value.got == "(2, 1)"


def test_a_run_is_encoded_and_its_codes_are_drawn_without_it(run, run_main, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = run_main("encode", run, "--out", "codes.csv")
    assert done.code == 0, done.err
    from vaeviz import encode

    data = load_data("digits")
    expected = encode(run, data.x)
    found = load_codes("codes.csv")
    np.testing.assert_allclose(found[1].mean, expected.mean, rtol=1e-6)
    np.testing.assert_allclose(found[1].std, expected.std, rtol=1e-6)
    np.testing.assert_array_equal(found[0].labels, data.labels)
    done = run_main("plot", "latent_scatter", "--data", "codes.csv", "--codes", "--prior", "normal", "--out", "c.png")
    assert done.code == 0, done.err
    done = run_main("analyze", "--data", "codes.csv", "--codes", "--prior", "normal", "--checks", "collapsed,neighbors")
    assert "collapsed" in done.out


@pytest.mark.parametrize(
    ("args", "token"),
    [
        (["encode", "--data", "digits", "--out", "c.csv"], "--encoder"),
        (["encode", "--out", "c.txt"], ".npz"),
        (["encode", "--out", "none/c.csv"], "mkdir -p none"),
        (["plot", "latent_scatter", "--codes"], "--data"),
        (["plot", "latent_scatter", "mlp", "--data", "digits", "--codes"], "mlp"),
        (["plot", "latent_scatter", "--data", "digits", "--codes", "--returns", "mean"], "--returns"),
    ],
)
def test_wrong_usage_is_one_error(run_main, tmp_path, monkeypatch, args, token):
    monkeypatch.chdir(tmp_path)
    done = run_main(*args)
    assert (done.code, done.err.count("\n"), token in done.err) == (2, 1, True), done.err
