"""ONNX files as graphs: they compute what the reference evaluator of the onnx package computes."""

from __future__ import annotations

import numpy as np
import pytest

from vaeviz.explorer.checked_codes import CheckedCodes
from vaeviz.explorer.graph import UnsupportedOperation
from vaeviz.explorer.onnx_graph import onnx_graph
from vaeviz.explorer.sample_space import SampleSpace
from vaeviz.model.decode import OutputLayout
from vaeviz.model.decoder import Decoder

onnx = pytest.importorskip("onnx")
from onnx import helper, numpy_helper  # noqa: E402
from onnx.reference import ReferenceEvaluator  # noqa: E402

FLOAT = onnx.TensorProto.FLOAT


class OnnxFile:
    """A file of nodes that each take the last value, and constants."""

    def __init__(self, size=5, rows="n", opset=18):
        self.rng = np.random.default_rng(0)
        self.size, self.rows, self.opset = size, rows, opset
        self.nodes, self.constants, self.last = [], [], "z"

    def constant(self, values, dtype=np.float32):
        name = f"constant_{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.asarray(values, dtype), name))
        return name

    def weights(self, *shape, low=-1.0, high=1.0):
        return self.constant(self.rng.uniform(low, high, shape))

    def add(self, op, *inputs, outputs=1, **attributes):
        names = [f"{op}_{len(self.nodes)}_{place}" for place in range(outputs)]
        self.nodes.append(helper.make_node(op, [self.last, *inputs], names, **attributes))
        self.last = names[0]
        return self

    def images(self, channels=4, side=6):
        self.add("Gemm", self.weights(self.size, channels * side**2), self.weights(channels * side**2))
        return self.add("Reshape", self.constant([-1, channels, side, side], np.int64))

    def save(self, path):
        first = helper.make_tensor_value_info("z", FLOAT, [self.rows, self.size])
        last = helper.make_tensor_value_info(self.last, FLOAT, None)
        graph = helper.make_graph(self.nodes, "decoder", [first], [last], self.constants)
        opsets = [helper.make_opsetid("", self.opset)]
        onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=9), str(path))
        return path


def checked_samples(z, samples, *, moves_channels=False):
    space = SampleSpace(samples.shape[1:], samples.shape[1:], None, np.array(1.0))
    return CheckedCodes(z, samples, OutputLayout(samples.shape[1:], moves_channels=moves_channels), space, (5,))


def dense(file):
    file.add("MatMul", file.weights(5, 7)).add("Add", file.weights(7)).add("Relu").add("LeakyRelu", alpha=0.3)
    file.add("Gemm", file.weights(6, 7), file.weights(6), transB=1).add("Elu").add("Softplus").add("Softmax", axis=-1)
    return file.add("HardSigmoid").add("Clip", file.constant(0.1), file.constant(0.6)).add("PRelu", file.weights(1))


def arithmetic(file):
    file.add("Mul", file.constant(2.0)).add("Sub", file.weights(5)).add("Pow", file.constant(2.0)).add("Sqrt")
    return file.add("Exp").add("Log").add("Div", file.constant(3.0)).add("Neg").add("Abs").add("Max", file.weights(5))


def convolutions(file):
    file.images().add("Conv", file.weights(6, 4, 3, 3), file.weights(6), pads=[1] * 4, strides=[2, 1])
    kinds = {"strides": [2, 2], "pads": [1, 0, 1, 0], "output_padding": [1, 0]}
    file.add("ConvTranspose", file.weights(6, 4, 3, 2), file.weights(4), **kinds)
    return file.add("ConvTranspose", file.weights(4, 3, 3, 3), file.weights(3), pads=[0, 0, 1, 2])


def norms(file):
    parts = [file.weights(4), file.weights(4), file.weights(4), file.weights(4, low=0.5)]
    file.images().add("BatchNormalization", *parts, epsilon=1e-3).add("LayerNormalization", file.weights(6))
    return file.add("InstanceNormalization", file.weights(4), file.weights(4))


def sizes(file):
    scales = file.constant([1, 1, 2, 2])
    nearest = {"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
    file.images().add("Resize", "", scales, **nearest)
    file.add("Resize", "", file.constant([1, 1, 1.5, 2]), mode="linear", coordinate_transformation_mode="half_pixel")
    file.add("DepthToSpace", blocksize=2, mode="CRD").add("Pad", file.constant([0, 0, 1, 2, 0, 0, 3, 0], np.int64))
    return file.add("Transpose", perm=[0, 2, 3, 1])


def parts(file):
    file.images().add("Slice", *(file.constant(one, np.int64) for one in ([1, -4], [4, 100], [1, 3], [2, 1])))
    file.add("ReduceMean", file.constant([2], np.int64), keepdims=1).add("Squeeze", file.constant([2], np.int64))
    return file.add("Unsqueeze", file.constant([1], np.int64)).add("Flatten")


@pytest.mark.parametrize("build", [dense, arithmetic, convolutions, norms, sizes, parts], ids=lambda one: one.__name__)
def test_files_compute_what_they_say(build, tmp_path):
    path = build(OnnxFile()).save(tmp_path / "decoder.onnx")
    z = np.random.default_rng(1).standard_normal((7, 5)).astype(np.float32)
    (expected,) = ReferenceEvaluator(str(path)).run(None, {"z": z})
    checked = checked_samples(z, expected)
    graph = onnx_graph(path, Decoder(len, latent_shape=(5,)), checked)
    np.testing.assert_allclose(graph.run(z), expected.reshape(7, -1), atol=1e-5, rtol=1e-5)


def test_logits_ranges_and_channels_follow_the_declaration(tmp_path):
    file = OnnxFile(rows=16).images(3).add("Tanh")
    path = file.save(tmp_path / "decoder.onnx")
    z = np.random.default_rng(1).standard_normal((16, 5)).astype(np.float32)
    (raw,) = ReferenceEvaluator(str(path)).run(None, {"z": z})
    decoder = Decoder(len, latent_shape=(5,), value_range=(-1, 1))
    expected = np.moveaxis((raw + 1) / 2, 1, -1)
    checked = checked_samples(z, expected, moves_channels=True)
    np.testing.assert_allclose(onnx_graph(path, decoder, checked).run(z[:3]), expected[:3].reshape(3, -1), atol=1e-6)


@pytest.mark.parametrize("op", ["Erf", "CumSum"])
def test_other_operations_are_refused(op, tmp_path):
    file = OnnxFile()
    file.add(op, *([file.constant(1, np.int64)] if op == "CumSum" else []))
    z = np.zeros((2, 5), np.float32)
    checked = checked_samples(z, z)
    with pytest.raises(UnsupportedOperation, match=op):
        onnx_graph(file.save(tmp_path / "decoder.onnx"), Decoder(len, latent_shape=(5,)), checked)


def test_a_session_runs_in_the_page(tmp_path, digits, make_encoder):
    pytest.importorskip("onnxruntime")
    import vaeviz

    file = OnnxFile(size=2).images(1, 8).add("Sigmoid")
    decoder = vaeviz.open(file.save(tmp_path / "decoder.onnx"), role="decoder")
    entry = vaeviz.explore(make_encoder(), decoder, digits.x).static_scene.document["decoder"]
    assert entry["method"] == "network", entry["note"]
