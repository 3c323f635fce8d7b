import inspect
import warnings

import numpy as np
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA, FactorAnalysis, KernelPCA
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import vaeviz
from vaeviz.errors import InputError
from vaeviz.plugins.plot_spec import get_plot, plot_names


@pytest.fixture
def flat(images):
    return images.reshape(len(images), -1)


@pytest.mark.usefixtures("strict")
@pytest.mark.parametrize(
    ("estimator", "size"),
    [
        (PCA(3), 3),
        (PCA(0.5), None),
        (KernelPCA(4, kernel="rbf", fit_inverse_transform=True), 4),
        (make_pipeline(StandardScaler(), PCA(2)), 2),
        (make_pipeline(StandardScaler(), KernelPCA(2, fit_inverse_transform=True)), 2),
    ],
    ids=str,
)
def test_estimators_with_an_inverse_are_encoder_and_decoder(estimator, size, images, flat, draws):
    estimator.fit(flat)
    codes = estimator.transform(flat)
    posterior, decoded = draws(estimator, images, size=size or codes.shape[1])
    np.testing.assert_allclose(posterior.mean, codes, atol=1e-4)
    np.testing.assert_allclose(decoded.reshape(40, -1), estimator.inverse_transform(codes), atol=1e-3)
    assert vaeviz.open(estimator).decoder.latent_size == codes.shape[1]


@pytest.mark.parametrize(
    "estimator",
    [KernelPCA(2), FactorAnalysis(2), make_pipeline(StandardScaler(), KernelPCA(2)), make_pipeline(FactorAnalysis(2))],
    ids=str,
)
def test_estimators_without_one_have_no_decoder(estimator, images, flat, tmp_path):
    estimator.fit(flat)
    assert vaeviz.open(estimator).decoder is None
    records = vaeviz.export_figures(tmp_path, model=estimator, x=images, dpi=30)
    status = {record.plot: (record.status, record.reason) for record in records}
    assert status["latent_scatter"] == ("drawn", "")
    assert status["samples"] == ("skipped", "needs decoder")


def test_a_model_without_an_inverse_is_opened_by_its_encoder_and_decoder():
    """As those of deeptime, whose `transform` draws codes."""
    from sklearn.base import BaseEstimator

    class Model(BaseEstimator):
        def transform(self, x):
            return x + np.random.default_rng().random(x.shape)

        def encoder(self, x):
            return {"mean": x[:, :2], "log_var": x[:, 2:]}

        def decoder(self, z):
            return np.hstack([z, z])

    x = np.random.default_rng(0).random((20, 4), dtype=np.float32)
    posterior = vaeviz.encode(Model(), x)
    np.testing.assert_allclose(posterior.mean, x[:, :2])
    assert posterior.std is not None
    np.testing.assert_allclose(vaeviz.decode(Model(), posterior), x[:, [0, 1, 0, 1]])


def test_series_of_several_variables_keep_their_shape():
    """As estimators of tslearn take them: (N, times, variables)."""
    from sklearn.base import BaseEstimator

    class Segments(BaseEstimator):
        __module__ = "tslearn.piecewise"

        def transform(self, x):
            return x.reshape(len(x), 3, 2, x.shape[2]).mean(axis=2)

    series = np.random.default_rng(0).random((20, 6, 2), dtype=np.float32)
    expected = Segments().transform(series).reshape(20, -1)
    np.testing.assert_allclose(vaeviz.encode(Segments(), series).mean, expected, atol=1e-6)


def test_columns_of_a_frame_must_be_those_of_the_fit():
    """Columns in another order would be taken for others, and reconstructions are compared with x."""
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame(np.random.default_rng(0).random((30, 5)), columns=list("abcde"))
    model = make_pipeline(ColumnTransformer([("scaled", StandardScaler(), ["b", "d", "e"])]), PCA(2)).fit(frame)
    expected = model.transform(frame)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for given in (frame, frame.to_numpy()):
            np.testing.assert_allclose(vaeviz.encode(model, given).mean, expected, atol=1e-5)
    for given in (frame[list("edcba")], frame.assign(other=1.0)):
        with pytest.raises(InputError) as raised:
            vaeviz.encode(model, given)
        assert "x[list(model.feature_names_in_)]" in raised.value.fix.python
        np.testing.assert_allclose(vaeviz.encode(model, given[list(model.feature_names_in_)]).mean, expected, atol=1e-5)
    with pytest.raises(InputError) as raised:
        vaeviz.encode(model, frame.rename(columns={"b": "x"}))
    assert "x.to_numpy()" in raised.value.fix.python


def takes_samples(name):
    return {"encoder", "x"}.issubset(inspect.signature(get_plot(name).function).parameters)


@pytest.mark.parametrize("name", [*filter(takes_samples, plot_names())])
def test_plots_refuse_other_columns(name):
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame(np.random.default_rng(0).random((30, 5)), columns=list("abcde"))
    model = PCA(2).fit(frame)
    plot = get_plot(name)
    others = {
        "likelihood": "gaussian",
        "labels": np.arange(30) % 3,
        "other_encoder": model,
        "factors": np.arange(60).reshape(30, 2),
    }
    inputs = {key: value for key, value in others.items() if key in plot.required}
    inputs |= {key: model for key in ("encoder", "decoder") if key in inspect.signature(plot.function).parameters}
    for x in (frame[list("edcba")], vaeviz.Dataset(frame[list("edcba")])):
        with pytest.raises(InputError) as raised:
            plot.function(**inputs, x=x)
        assert "feature_names_in_" in raised.value.fix.python
