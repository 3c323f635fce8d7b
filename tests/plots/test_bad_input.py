"""Unusual models and data: every built-in plot and the report draw something correct, or explain what is wrong."""

import re
import warnings
from typing import ClassVar

import numpy as np
import pytest
from matplotlib.text import Text

import vaeviz
from vaeviz import Encoder, InputError, NotApplicable, encode
from vaeviz.plugins.plot_spec import get_plot, plot_names

torch = pytest.importorskip("torch")
from torch.distributions import Categorical, Distribution, constraints  # noqa: E402


class VonMisesFisher(Distribution):
    """As hyperspherical VAEs define it: a mean inside the ball, and a concentration named `stddev`."""

    arg_constraints: ClassVar = {"loc": constraints.real_vector}

    def __init__(self, loc, scale):
        self.loc, self.scale = loc, scale
        super().__init__(loc.shape[:-1], loc.shape[-1:], validate_args=False)

    @property
    def mean(self):
        return self.loc * (1 / torch.tanh(self.scale) - 1 / self.scale)

    @property
    def stddev(self):
        return self.scale


def from_mean(encoder, build):
    """An encoder that returns what `build` makes of the means, as tensors."""
    return lambda x: build(torch.as_tensor(encode(encoder, x.detach().numpy()).mean))


def replaced(encoder, *, mean=None, std=None):
    """An encoder with the means or standard deviations changed."""

    def changed(x):
        posterior = encode(encoder, x)
        means, stds = posterior.mean.copy(), posterior.std.copy()
        return (means if mean is None else mean(means)), (stds if std is None else std(stds))

    return Encoder(changed, returns="mean,std")


def with_column(value, dim=0):
    def change(array):
        array[:, dim] = value
        return array

    return change


ENCODERS = {
    "von Mises-Fisher": lambda e: from_mean(
        e, lambda m: VonMisesFisher(m / m.norm(dim=1, keepdim=True), 30 * torch.ones(len(m), 1))
    ),
    "categorical": lambda e: from_mean(e, lambda m: Categorical(logits=m)),
    "code book": lambda e: from_mean(e, lambda m: m.argmax(dim=1)),
    "constant dimension": lambda e: replaced(e, mean=with_column(0.0), std=with_column(1.0)),
    "collapsed": lambda e: replaced(e, mean=np.zeros_like, std=np.ones_like),
    "collapsed deterministic": lambda e: Encoder(lambda x: np.ones((len(x), 3)), returns="mean"),
    "infinite KL": lambda e: replaced(e, std=with_column(0.0, dim=1)),
    "nearly infinite KL": lambda e: replaced(e, std=with_column(1e-30, dim=1)),
    "one dimension": lambda e: Encoder(
        lambda x: tuple(part[:, :1] for part in (encode(e, x).mean, encode(e, x).std)), returns="mean,std"
    ),
}

DATA = {
    "one class": {"labels": lambda given: np.zeros(len(given["x"]), int)},
    "as many classes as samples": {"labels": lambda given: np.arange(len(given["x"]))},
    "missing labels": {"labels": lambda given: np.full(len(given["x"]), np.nan)},
    "no label but one": {"labels": lambda given: np.where(np.arange(len(given["x"])) == 3, 1.0, np.nan)},
    "text": {"labels": lambda given: np.array(["b", "a", ""] * (len(given["x"]) // 3))},
    "a constant factor": {"factors": lambda given: np.ones((len(given["x"]), 2))},
    "factors of another length": {"factors": lambda given: given["factors"][:5]},
    "labels of another length": {"labels": lambda given: given["labels"][:5]},
    "the same sample again and again": {"x": lambda given: np.repeat(given["x"][:1], len(given["x"]), axis=0)},
    "blank samples": {"x": lambda given: np.zeros_like(given["x"])},
    "no data": {"x": None},
    "NaN in the data": {"x": lambda given: np.where(np.arange(8) == 3, np.nan, given["x"])},
    "a likelihood of NaN": {"likelihood": lambda given: lambda x, z: np.full(len(x), np.nan)},
    "other data of another shape": {"other_x": lambda given: np.zeros((5, 3, 3), np.float32)},
    "no runs": {"runs": lambda given: []},
    "an empty history": {"history": lambda given: {}},
}
FEW = (1, pytest.param(2, marks=pytest.mark.slow))
SLOW = ("nearly infinite KL", "collapsed", "blank samples", "text")  # much like another case


def mark_slow(cases):
    """Return (plot, case) pairs as parameters, those of slow cases marked."""
    marks = {True: [pytest.mark.slow], False: []}
    return [pytest.param(name, case, marks=marks[case in SLOW]) for name, case in cases]


@pytest.fixture
def given(numpy_inputs):
    return {name: value for name, value in numpy_inputs.items() if name not in ("feature_names", "factor_names")}


pytestmark = [pytest.mark.no_cover, pytest.mark.usefixtures("few_trees")]


@pytest.fixture
def outcome(call_plot, still_figure):
    """Return the figure, or the message of our own errors. Any other exception or NumPy warning is a failure."""

    def draw(name, inputs):
        spec, figure = get_plot(name), still_figure()
        place = {"figure": figure} if spec.place == "figure" else {"ax": figure.subplots()}
        with warnings.catch_warnings():
            warnings.simplefilter("error", RuntimeWarning)
            try:
                call_plot(spec, inputs, **place)
            except (InputError, NotApplicable) as reason:
                return str(reason)
            figure.draw_without_rendering()
        return figure

    return draw


def check(found):
    """Assert that a message is readable, or that a figure holds no NaN."""
    if isinstance(found, str):
        assert 10 <= len(found) < 500
        assert " " in found and "Traceback" not in found
        return
    texts = [text.get_text() for text in found.findobj(Text)]
    wrong = [text for text in texts if re.search(r"\b(nan|inf|None)\b", text)]
    assert not wrong
    for ax in found.axes:
        assert np.isfinite([*ax.get_xlim(), *ax.get_ylim()]).all()
        for line in ax.lines:
            drawn = np.asarray(line.get_ydata(), dtype=float)
            assert not drawn.size or np.isfinite(drawn).any()
        for image in ax.images:
            assert np.isfinite(np.ma.filled(image.get_array().astype(float), 0)).any()


def taking(inputs):
    """Return the plots that take one of these inputs."""
    specs = (get_plot(name) for name in plot_names())
    return [spec.name for spec in specs if set(inputs) & {*spec.required, *spec.optional}]


@pytest.mark.parametrize("name, case", mark_slow((name, case) for case in ENCODERS for name in taking(["encoder"])))
def test_plots_of_unusual_encoders(name, case, given, outcome):
    check(outcome(name, given | {"encoder": ENCODERS[case](given["encoder"])}))


@pytest.mark.parametrize("name, case", mark_slow((name, case) for case in DATA for name in taking(DATA[case])))
def test_plots_of_unusual_data(name, case, given, outcome):
    changed = {key: change and change(given) for key, change in DATA[case].items()}
    check(outcome(name, given | changed))


@pytest.mark.parametrize("count", FEW)
@pytest.mark.parametrize("name", taking(["x"]))
def test_plots_of_few_samples(name, count, given, outcome):
    few = {key: given[key][:count] for key in ("x", "labels", "factors", "other_x")}
    check(outcome(name, given | few))


def check_report(inputs):
    """Assert that every check of a report has a finite result or a readable reason."""
    asked = {"encoder", "decoder", "x", "labels", "likelihood"}
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        try:
            report = vaeviz.analyze(**{name: inputs[name] for name in asked if inputs[name] is not None})
        except (InputError, NotApplicable) as reason:
            return check(str(reason))
    for finding in report.checks:
        assert not re.search(r"\b(nan|inf|None)\b", finding.sentence), finding.name
        assert not re.match(r"\w+(Error|Warning): ", finding.sentence), finding.sentence
        assert finding.value is None or np.isfinite([finding.value, finding.threshold]).all()


@pytest.mark.parametrize("case", ENCODERS)
def test_reports_on_encoders(case, given):
    check_report(given | {"encoder": ENCODERS[case](given["encoder"])})


@pytest.mark.parametrize("case", [case for case, changed in DATA.items() if {*changed} & {"x", "labels", "likelihood"}])
def test_reports_on_data(case, given):
    check_report(given | {key: change and change(given) for key, change in DATA[case].items()})


@pytest.mark.parametrize("count", FEW)
def test_reports_on_few_samples(count, given):
    check_report(given | {key: given[key][:count] for key in ("x", "labels")})
