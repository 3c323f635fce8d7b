"""Callbacks of other libraries: real trainings, whose event files are read back."""

import numpy as np
import pytest
import torch

import vaeviz

pytestmark = [pytest.mark.adapters, pytest.mark.filterwarnings("ignore:.*:DeprecationWarning")]


@pytest.fixture
def watch_into(x, labels, tmp_path):
    """Return a function that makes a watch, which writes to TensorBoard in `tmp_path`."""
    pytest.importorskip("tensorboard")

    def make(plots=("latent_scatter", "reconstruction_pairs"), **settings):
        return vaeviz.watch(
            plots, x, labels, to=f"tensorboard:{tmp_path / 'logs'}", max_fraction=None, dpi=50, **settings
        )

    return make


def train_with_lightning(tiny_vae, x, tmp_path, callbacks=(), **settings):
    lightning = pytest.importorskip("lightning.pytorch")

    class Module(lightning.LightningModule):
        def __init__(self):
            super().__init__()
            self.vae = tiny_vae
            self.encode, self.decode = tiny_vae.encode, tiny_vae.decode

        def training_step(self, batch, _):
            loss = self.vae.loss(batch[0])
            self.log("loss", loss)
            return loss

        def configure_optimizers(self):
            return torch.optim.Adam(self.parameters())

    torch.manual_seed(0)
    loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(torch.from_numpy(x)), batch_size=16)
    trainer = lightning.Trainer(
        max_epochs=3,
        callbacks=list(callbacks),
        default_root_dir=tmp_path,
        accelerator="cpu",
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        **settings,
    )
    trainer.fit(Module(), loader)
    return torch.cat([value.flatten().double() for value in tiny_vae.state_dict().values()])


def test_lightning(tiny_vae, x, tmp_path, watch_into, read_events):
    from copy import deepcopy

    pytest.importorskip("lightning")
    from vaeviz.callbacks.lightning import LightningWatch

    alone = train_with_lightning(deepcopy(tiny_vae), x, tmp_path)
    callback = LightningWatch(watch_into())
    watched = train_with_lightning(tiny_vae, x, tmp_path, [callback])
    scalars, images = read_events(tmp_path / "logs")
    assert images == {"latent_scatter": [1, 2, 3], "reconstruction_pairs": [1, 2, 3]}
    assert set(scalars["loss"]) == {1, 2, 3}
    assert torch.equal(alone, watched)


def test_lightning_per_step(tiny_vae, x, tmp_path, watch_into, read_events):
    pytest.importorskip("lightning")
    from vaeviz.callbacks.lightning import LightningWatch

    watch = watch_into("latent_scatter", every=5)
    callback = LightningWatch(watch, per="step", parts=lambda module: (module.vae.encode, module.vae.decode))
    train_with_lightning(tiny_vae, x, tmp_path, [callback])
    assert read_events(tmp_path / "logs")[1] == {"latent_scatter": [5, 10]}


def test_keras(x, tmp_path, watch_into, read_events, monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    keras = pytest.importorskip("keras")
    from vaeviz.callbacks.keras import KerasWatch

    def train(callbacks):
        keras.utils.set_random_seed(0)

        class Sampling(keras.layers.Layer):
            def __init__(self):
                super().__init__()
                self.seeds = keras.random.SeedGenerator(1)

            def call(self, inputs):
                mean, log_var = inputs
                return mean + keras.ops.exp(0.5 * log_var) * keras.random.normal(keras.ops.shape(mean), seed=self.seeds)

        inputs = keras.Input((6,))
        mean, log_var = keras.layers.Dense(2, name="z_mean")(inputs), keras.layers.Dense(2, name="z_log_var")(inputs)
        encoder = keras.Model(inputs, [mean, log_var, Sampling()([mean, log_var])])
        decoder = keras.Sequential([keras.Input((2,)), keras.layers.Dense(6)])

        class VAE(keras.Model):
            def __init__(self):
                super().__init__()
                self.encoder, self.decoder = encoder, decoder

            def call(self, x):
                return self.decoder(self.encoder(x)[2])

        model = VAE()
        model.compile("adam", "mse")
        model.fit(x, x, epochs=3, batch_size=16, verbose=0, callbacks=callbacks)
        return [np.array(weights) for weights in model.get_weights()]

    def declared(model):
        return vaeviz.Encoder(model.encoder, returns="mean,log_var,sample"), model.decoder

    watched = train([KerasWatch(watch_into(), parts=declared)])
    scalars, images = read_events(tmp_path / "logs")
    assert images == {"latent_scatter": [1, 2, 3], "reconstruction_pairs": [1, 2, 3]}
    assert set(scalars["loss"]) == {1, 2, 3}
    assert all(np.array_equal(one, other) for one, other in zip(watched, train([]), strict=True))


def test_pythae(x, tmp_path, watch_into, read_events):
    pytest.importorskip("pythae")
    from pythae.models import VAE, VAEConfig
    from pythae.pipelines import TrainingPipeline
    from pythae.trainers import BaseTrainerConfig

    from vaeviz.callbacks.pythae import PythaeWatch

    def train(callbacks):
        torch.manual_seed(0)
        model = VAE(VAEConfig(input_dim=(6,), latent_dim=2))
        settings = BaseTrainerConfig(
            output_dir=str(tmp_path / "pythae"), num_epochs=2, per_device_train_batch_size=16, no_cuda=True
        )
        TrainingPipeline(model=model, training_config=settings)(train_data=x, callbacks=callbacks)
        return torch.cat([value.flatten().double() for value in model.state_dict().values()])

    watched = train([PythaeWatch(watch_into())])
    scalars, images = read_events(tmp_path / "logs")
    assert images == {"latent_scatter": [1, 2], "reconstruction_pairs": [1, 2]}
    assert set(scalars["train_epoch_loss"]) == {1, 2}
    assert torch.equal(watched, train([]))


def test_transformers(tiny_vae, x, tmp_path, watch_into, read_events):
    from copy import deepcopy

    transformers = pytest.importorskip("transformers")
    pytest.importorskip("accelerate")
    from vaeviz.callbacks.transformers import TrainerWatch

    class Model(torch.nn.Module):
        def __init__(self, vae):
            super().__init__()
            self.vae = vae
            self.encode, self.decode = vae.encode, vae.decode

        def forward(self, x):
            return {"loss": self.vae.loss(x)}

    def train(vae, callbacks, **settings):
        arguments = transformers.TrainingArguments(
            str(tmp_path / "trainer"),
            num_train_epochs=2,
            per_device_train_batch_size=16,
            report_to=[],
            use_cpu=True,
            disable_tqdm=True,
            save_strategy="no",
            remove_unused_columns=False,
            **settings,
        )
        data = [{"x": row} for row in torch.from_numpy(x)]
        transformers.Trainer(Model(vae), arguments, train_dataset=data, callbacks=callbacks).train()
        return torch.cat([value.flatten().double() for value in vae.state_dict().values()])

    alone = train(deepcopy(tiny_vae), [], logging_strategy="epoch")
    watched = train(tiny_vae, [TrainerWatch(watch_into())], logging_strategy="epoch")
    scalars, images = read_events(tmp_path / "logs")
    assert images == {"latent_scatter": [1, 2], "reconstruction_pairs": [1, 2]}
    assert set(scalars["loss"]) == {1, 2}
    assert torch.equal(alone, watched)


def test_an_open_summary_writer_stays_open(x, labels, tmp_path, read_events):
    pytest.importorskip("tensorboard")
    from torch.utils.tensorboard import SummaryWriter

    writer = SummaryWriter(tmp_path)
    with vaeviz.watch("latent_scatter", x, labels, to=writer, dpi=50) as watch:
        watch(1, lambda x: x[:, :2], loss=2.0)
    writer.add_scalar("later", 1.0, 2)
    writer.close()
    scalars, images = read_events(tmp_path)
    assert scalars == {"loss": {1: 2.0}, "later": {2: 1.0}}
    assert images == {"latent_scatter": [1]}


def test_mlflow(x, tmp_path, monkeypatch):
    mlflow = pytest.importorskip("mlflow")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    uri = (tmp_path / "mlruns").as_uri()
    with vaeviz.watch("latent_scatter", x, to=f"mlflow:{uri}", max_fraction=None, dpi=50) as watch:
        for epoch in (1, 2):
            watch(epoch, lambda x: x[:, :2], loss=2.0 / epoch)
    client = mlflow.MlflowClient(tracking_uri=uri)
    (run,) = client.search_runs([client.get_experiment_by_name("vaeviz").experiment_id])
    assert [metric.value for metric in client.get_metric_history(run.info.run_id, "loss")] == [2.0, 1.0]
    assert run.info.status == "FINISHED"
    assert len(client.list_artifacts(run.info.run_id, "figures/latent_scatter")) == 4


def test_an_mlflow_server_that_does_not_answer_does_not_stop_the_training(x):
    pytest.importorskip("mlflow")
    watch = vaeviz.watch("latent_scatter", x, to="mlflow:http://127.0.0.1:9", max_fraction=None, dpi=50)
    with pytest.warns(UserWarning, match="127.0.0.1") as caught:
        for epoch in (1, 2):
            watch(epoch, lambda x: x[:, :2], loss=1.0)
        watch.close()
    assert len(caught) == 1
