"""ONNX: an encoder with a free batch size and a decoder that takes 16 codes at a time, exported from PyTorch."""

import logging
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from torch import nn

import vaeviz

out = Path(sys.argv[1] if len(sys.argv) > 1 else "figures/examples")
out.mkdir(parents=True, exist_ok=True)
logging.disable(logging.WARNING)  # the exporter's remarks
images, y = load_digits().images.astype("float32") / 16, load_digits().target

pca = PCA(2).fit(images.reshape(len(images), -1))
encoder, decoder = nn.Sequential(nn.Flatten(), nn.Linear(64, 2)), nn.Linear(2, 64)
with torch.no_grad():
    encoder[1].weight.copy_(torch.from_numpy(pca.components_))
    encoder[1].bias.copy_(torch.from_numpy(-pca.components_ @ pca.mean_))
    decoder.weight.copy_(torch.from_numpy(np.ascontiguousarray(pca.components_.T)))
    decoder.bias.copy_(torch.from_numpy(pca.mean_))

with tempfile.TemporaryDirectory() as folder:
    rows = ({0: torch.export.Dim("rows")},)
    files = f"{folder}/encoder.onnx", f"{folder}/decoder.onnx"
    torch.onnx.export(encoder, (torch.zeros(2, 8, 8),), files[0], dynamic_shapes=rows, dynamo=True, verbose=False)
    torch.onnx.export(decoder, (torch.zeros(16, 2),), files[1], dynamo=True, verbose=False)
    ax = vaeviz.latent_scatter(files[0], images, labels=y)
    ax.figure.savefig(out / "onnx_scatter.png", dpi=150)
    ax = vaeviz.reconstruction_pairs(*files, images, labels=y)
    ax.figure.savefig(out / "onnx_pairs.png", dpi=150)
