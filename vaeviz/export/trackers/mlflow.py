"""MLflow: a run of a tracking server, a database or a folder."""

from __future__ import annotations

import io
import socket
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from vaeviz.plugins.optional_libraries import import_library

TIMEOUT = 5  # seconds; the library itself tries for minutes to reach a server


class MLflowTracker:
    """Figures and captions as artifacts in the folder ``figures``, and numbers as metrics.

    Parameters
    ----------
    run : str or mlflow.entities.Run
        A tracking URI, where a run is started; or a run, such as ``mlflow.active_run()``, which stays open.
    """

    def __init__(self, run: Any) -> None:
        mlflow: Any = import_library("mlflow", extra="mlflow", needed_by="MLflowTracker")
        self.owns_run = isinstance(run, str)
        if self.owns_run:
            _check_reachable(run)
            self.client: Any = mlflow.MlflowClient(tracking_uri=run)
            experiment = self.client.get_experiment_by_name("vaeviz")
            experiment_id = experiment.experiment_id if experiment else self.client.create_experiment("vaeviz")
            run = self.client.create_run(experiment_id)
        else:
            self.client = mlflow.MlflowClient()
        self.run_id: str = run.info.run_id

    def log_figure(self, name: str, png: bytes, *, caption: str, step: int) -> None:
        """Write an image and its caption.

        Parameters
        ----------
        name : str
            Name of the figure.
        png : bytes
            Content of a PNG file.
        caption : str
            What the figure shows.
        step : int
            Epoch or step of the training.
        """
        from PIL import Image

        file = f"figures/{name}/{step:06d}"
        self.client.log_image(self.run_id, Image.open(io.BytesIO(png)), artifact_file=f"{file}.png")
        self.client.log_text(self.run_id, caption, f"{file}.txt")

    def log_scalars(self, scalars: Mapping[str, float], *, step: int) -> None:
        """Write numbers.

        Parameters
        ----------
        scalars : mapping of str to float
            Numbers by name.
        step : int
            Epoch or step of the training.
        """
        for name, value in scalars.items():
            self.client.log_metric(self.run_id, name, value, step=step)

    def close(self) -> None:
        """End the run if the tracker started it."""
        if self.owns_run:
            self.client.set_terminated(self.run_id)


def _check_reachable(uri: str) -> None:
    """Raise OSError at once if nothing answers at the address of a server that is not behind a proxy."""
    parts = urlsplit(uri)
    has_proxy = parts.scheme in getproxies() and not proxy_bypass(parts.hostname or "")
    if parts.scheme in ("http", "https") and not has_proxy:
        port = parts.port or (443 if parts.scheme == "https" else 80)
        socket.create_connection((parts.hostname or "", port), timeout=TIMEOUT).close()
