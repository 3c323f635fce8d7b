"""The public names of `vaeviz_models`."""

from pathlib import Path

import vaeviz_models


def test_no_public_name_is_a_module():
    """A lazy name that is also a module would depend on the order of imports."""
    files = {path.stem for path in Path(vaeviz_models.__file__).parent.iterdir()}
    assert not files & set(vaeviz_models.__all__)


def test_imports_of_modules_do_not_replace_names(python):
    code = "from vaeviz_models.models.autoencoder import Autoencoder; import vaeviz_models as v"
    assert python(f"{code}; print(v.autoencoder((4,)).latent_dim)") == "2"


def test_every_public_name_exists():
    assert all(getattr(vaeviz_models, name) is not None for name in vaeviz_models.__all__)
