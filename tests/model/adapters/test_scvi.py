import sys
from types import SimpleNamespace

import numpy as np
import pytest
from click.testing import CliRunner

import vaeviz
from vaeviz.cli.main import cli
from vaeviz.data.out_of_core import as_samples
from vaeviz.errors import InputError, NotApplicable
from vaeviz.model.collect_inputs import collect_inputs, with_cached_codes

scvi = pytest.importorskip("scvi")
anndata = pytest.importorskip("anndata")

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture(scope="module")
def cells():
    rng = np.random.default_rng(0)
    cells = anndata.AnnData(rng.poisson(rng.gamma(1, 2, (120, 30))).astype(np.float32))
    cells.obs["batch"] = np.array(["one", "two"])[np.arange(120) % 2]
    cells.obs["donor"] = np.array(["a", "b", "c"])[np.arange(120) % 3]
    cells.obs["age"] = rng.random(120)
    cells.layers["counts"] = cells.X.copy()
    return cells


def trained(cells, *, encode_covariates=False, **setup):
    cells = cells.copy()
    scvi.model.SCVI.setup_anndata(cells, **setup)
    model = scvi.model.SCVI(cells, n_hidden=8, n_latent=3, encode_covariates=encode_covariates, gene_likelihood="nb")
    model.train(max_epochs=1, accelerator="cpu", enable_progress_bar=False)
    return model


@pytest.mark.parametrize("setup", [{}, {"layer": "counts"}], ids=["X", "a layer"])
def test_the_codes_are_its_latent_representation(setup, cells, tmp_path, check_declaration):
    model = trained(cells, **setup)
    posterior = vaeviz.encode(model, np.asarray(cells.X))
    mean, variance = model.get_latent_representation(return_dist=True)
    np.testing.assert_allclose(posterior.mean, mean, atol=1e-4)
    np.testing.assert_allclose(posterior.std**2, variance, rtol=1e-3)
    check_declaration(model, np.asarray(cells.X))
    records = vaeviz.export_figures(tmp_path, model=model, plots=["latent_scatter", "samples"])
    assert [record.status for record in records] == ["drawn", "drawn"]


def test_the_batch_of_each_cell_is_the_condition(cells):
    model = trained(cells, batch_key="batch")
    encoder, opened = vaeviz.open(model).encoder, vaeviz.open(model)
    np.testing.assert_allclose(
        vaeviz.encode(encoder, opened.inputs["x"], opened.inputs["condition"]).mean,
        model.get_latent_representation(),
        atol=1e-4,
    )
    with pytest.raises(NotApplicable, match="one, two"):
        vaeviz.encode(encoder, opened.inputs["x"])


@pytest.mark.parametrize(
    "setup",
    [
        {"categorical_covariate_keys": ["donor"]},
        {"continuous_covariate_keys": ["age"]},
        {"batch_key": "batch", "categorical_covariate_keys": ["donor"], "continuous_covariate_keys": ["age"]},
    ],
    ids=["categorical", "continuous", "all"],
)
def test_each_cell_is_encoded_and_decoded_with_its_own_covariates(setup, cells):
    model = trained(cells, encode_covariates=True, **setup)
    others = cells[::-2].copy()
    posterior = vaeviz.encode(model, others)
    own = model.get_latent_representation(others)
    assert np.abs(own - vaeviz.encode(model, cells[:60].copy()).mean).max() > 0.01
    np.testing.assert_allclose(posterior.mean, own, atol=1e-4)

    decoded = vaeviz.decode(model, posterior)
    np.testing.assert_allclose(decoded.sum(axis=1), np.median(cells.X.sum(axis=1)), rtol=1e-3)
    same_codes = vaeviz.Posterior(np.zeros_like(posterior.mean), condition=posterior.condition)
    assert np.ptp(vaeviz.decode(model, same_codes), axis=0).max() > 1e-3


def test_the_labels_of_a_conditional_model_are_its_condition(cells):
    cells = cells.copy()
    scvi.model.CondSCVI.setup_anndata(cells, labels_key="donor")
    model = scvi.model.CondSCVI(cells, n_hidden=8, n_latent=3)
    model.train(max_epochs=1, accelerator="cpu", enable_progress_bar=False)
    np.testing.assert_allclose(vaeviz.encode(model, cells).mean, model.get_latent_representation(cells), atol=1e-4)


def test_an_anndata_is_taken_as_x(cells, tmp_path):
    model = trained(cells, layer="counts", batch_key="batch")
    others = cells[::-3].copy()
    others.X = np.zeros_like(others.X)  # the layer counts, as it did in training
    expected = model.get_latent_representation(others)
    np.testing.assert_allclose(vaeviz.encode(model, others).mean, expected, atol=1e-4)
    ax = vaeviz.latent_scatter(model, others, labels=others.obs["batch"])
    assert f"{len(others)}" in ax.get_title()
    assert {"one", "two"} < {text.get_text() for text in ax.get_legend().get_texts()}

    plots = ["latent_neighbors", "latent_scatter", "aggregate_posterior"]
    records = vaeviz.export_figures(tmp_path, model=model, x=others, labels=others.obs["batch"], plots=plots)
    assert {record.status for record in records} == {"drawn"}


@pytest.mark.parametrize("spelled", ["my_cells:others", "others.h5ad"])
def test_the_command_line_reads_layer_and_batches_of_the_cells(spelled, cells, tmp_path, monkeypatch):
    model = trained(cells, layer="counts", batch_key="batch")
    others = cells[::-3].copy()
    others.X = np.zeros_like(others.X)
    others.write_h5ad(tmp_path / "others.h5ad")
    monkeypatch.setitem(sys.modules, "my_cells", SimpleNamespace(model=model, others=others))
    monkeypatch.chdir(tmp_path)
    args = ["--model", "my_cells:model", "--data", spelled, "--labels", "batch"]

    given = with_cached_codes(collect_inputs(model, vaeviz.load_data(spelled, labels="batch"), {}))
    expected = model.get_latent_representation(others)
    np.testing.assert_allclose(vaeviz.encode(given["encoder"], given["x"]).mean, expected, atol=1e-4)
    for command in (["plot", "latent-scatter", "--out", "scatter.png"], ["explain"]):
        result = CliRunner().invoke(cli, [*command, *args])
        assert result.exit_code == 0, result.output
        assert "problem" not in result.output


def test_a_single_plot_reads_the_covariates_of_the_cells(cells):
    model = trained(cells, batch_key="batch")
    assert vaeviz.reconstruction_pairs(model, model, cells, n_samples=3).has_data()
    np.testing.assert_array_equal(vaeviz.encode(model, as_samples(cells, "x")).mean, vaeviz.encode(model, cells).mean)


def test_genes_are_found_by_name(cells):
    model = trained(cells)
    more = anndata.concat([cells[:, ::-1], cells[:, :2].copy()[:, :0]], axis=1)
    np.testing.assert_allclose(vaeviz.encode(model, more).mean, model.get_latent_representation(), atol=1e-4)
    with pytest.raises(InputError, match="1 of the 30 genes"):
        vaeviz.encode(model, cells[:, :-1])


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda cells: cells.layers.clear(), "'counts'"),
        (lambda cells: cells.obs.drop(columns="batch", inplace=True), "'batch'"),
        (lambda cells: cells.obs.__setitem__("batch", "three"), r"'three'"),
    ],
    ids=["layer", "column", "batch"],
)
def test_an_anndata_unlike_the_models_own_is_an_error(change, named, cells):
    model = trained(cells, layer="counts", batch_key="batch")
    others = cells.copy()
    change(others)
    with pytest.raises(InputError, match=named):
        vaeviz.encode(model, others)


def test_any_encoder_takes_the_matrix_of_an_anndata(cells):
    np.testing.assert_array_equal(vaeviz.encode(lambda x: x[:, :2], cells).mean, cells.X[:, :2])
