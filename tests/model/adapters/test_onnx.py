import numpy as np
import pytest

import vaeviz
from vaeviz.errors import InputError

onnxruntime = pytest.importorskip("onnxruntime")
onnx = pytest.importorskip("onnx")
from onnx import helper, numpy_helper  # noqa: E402

RNG = np.random.default_rng(0)


def linear(path, takes, gives, *, rows="n", dtype=np.float32, second=False):
    """An ONNX file of z = flatten(x) W, with a second output −z² if `second` is True."""
    kind = helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
    weights = RNG.standard_normal((int(np.prod(takes)), int(np.prod(gives)))).astype(dtype)
    nodes = [
        helper.make_node("Flatten", ["x"], ["flat"]),
        helper.make_node("MatMul", ["flat", "w"], ["z"]),
        helper.make_node("Reshape", ["z", "shape"], ["out"]),
    ]
    outputs = [helper.make_tensor_value_info("out", kind, [rows, *gives])]
    if second:
        nodes += [helper.make_node("Mul", ["out", "out"], ["square"]), helper.make_node("Neg", ["square"], ["spread"])]
        outputs.append(helper.make_tensor_value_info("spread", kind, [rows, *gives]))
    graph = helper.make_graph(
        nodes,
        "linear",
        [helper.make_tensor_value_info("x", kind, [rows, *takes])],
        outputs,
        [numpy_helper.from_array(weights, "w"), numpy_helper.from_array(np.array([-1, *gives]), "shape")],
    )
    opset = [helper.make_opsetid("", 17)]
    onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=8), str(path))
    return weights.astype(np.float32)


@pytest.mark.parametrize("rows", ["n", 16, 1])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_an_encoder_of_free_or_fixed_batch_size(rows, dtype, images, tmp_path, check_declaration):
    weights = linear(tmp_path / "encoder.onnx", (1, 8, 8), (3,), rows=rows, dtype=dtype, second=True)
    encoder, decoder = vaeviz.open(tmp_path / "encoder.onnx")
    assert decoder is None
    assert encoder.batch_size == (None if rows == "n" else rows)
    images = images / 4  # so that no spread is extreme
    posterior = vaeviz.encode(encoder, images)
    mean = images.reshape(40, -1) @ weights
    np.testing.assert_allclose(posterior.mean, mean, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(posterior.std, np.exp(-(mean**2) / 2), rtol=1e-3, atol=1e-5)
    check_declaration(encoder=tmp_path / "encoder.onnx", x=images)


def test_a_decoder_knows_its_latent_size(tmp_path):
    linear(tmp_path / "decoder.onnx", (2,), (3, 8, 6), rows=7)
    model = vaeviz.open(tmp_path / "decoder.onnx")
    assert model.encoder is None
    assert model.decoder.latent_shape == (2,)
    assert vaeviz.decode(model.decoder, np.ones((10, 2))).shape == (10, 8, 6, 3)
    vaeviz.manifold_grid(str(tmp_path / "decoder.onnx"), n_grid=3)


def test_a_role_overrules_the_sizes(tmp_path):
    linear(tmp_path / "wide.onnx", (2,), (5,))
    assert vaeviz.open(tmp_path / "wide.onnx").encoder is None
    assert vaeviz.encode(vaeviz.Encoder(tmp_path / "wide.onnx"), np.ones((4, 2))).size == 5
    linear(tmp_path / "square.onnx", (2,), (2,))
    with pytest.raises(InputError) as caught:
        vaeviz.open(tmp_path / "square.onnx")
    assert 'role="encoder"' in caught.value.fix.python
    assert vaeviz.open(tmp_path / "square.onnx", role="decoder").encoder is None


def test_an_open_session(images, tmp_path):
    weights = linear(tmp_path / "encoder.onnx", (64,), (2,))
    session = onnxruntime.InferenceSession(str(tmp_path / "encoder.onnx"), providers=["CPUExecutionProvider"])
    np.testing.assert_allclose(vaeviz.encode(session, images).mean, images.reshape(40, -1) @ weights, atol=1e-4)


def test_wrong_samples_are_an_error_with_both_shapes(tmp_path):
    linear(tmp_path / "encoder.onnx", (64,), (2,))
    with pytest.raises(InputError, match=r"encoder\.onnx.*\(64,\).*\(5,\)"):
        vaeviz.encode(tmp_path / "encoder.onnx", np.ones((4, 5)))


def test_a_file_that_torch_exports(images, tmp_path):
    torch = pytest.importorskip("torch")
    pytest.importorskip("onnxscript")
    layer = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(64, 2)).eval()
    torch.onnx.export(layer, (torch.zeros(4, 8, 8),), str(tmp_path / "encoder.onnx"), dynamo=True)
    expected = layer(torch.from_numpy(images)).detach()
    np.testing.assert_allclose(vaeviz.encode(tmp_path / "encoder.onnx", images).mean, expected, atol=1e-5)


def test_a_second_input_is_a_condition(tmp_path):
    kind = onnx.TensorProto.FLOAT
    takes = [helper.make_tensor_value_info(name, kind, ["n", 2]) for name in ("z", "y")]
    nodes = [helper.make_node("Add", ["z", "y"], ["out"])]
    graph = helper.make_graph(nodes, "sum", takes, [helper.make_tensor_value_info("out", kind, ["n", 2])])
    opset = [helper.make_opsetid("", 17)]
    onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=8), str(tmp_path / "sum.onnx"))
    decoder = vaeviz.Decoder(tmp_path / "sum.onnx", conditions={"low": [0.0, 0.0], "high": [5.0, 5.0]})
    assert vaeviz.model.opening.as_decoder(tmp_path / "sum.onnx").is_conditional
    np.testing.assert_array_equal(vaeviz.decode(decoder, np.ones((2, 2)), ["low", "high"])[:, 0], [1, 6])
    with pytest.raises(vaeviz.NotApplicable, match="condition"):
        vaeviz.decode(tmp_path / "sum.onnx", np.ones((2, 2)))
