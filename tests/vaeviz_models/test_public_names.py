"""What `vaeviz_models` offers by name."""

from pathlib import Path

import vaeviz_models


def test_no_name_is_a_file_of_the_package():
    """A lazy name that is also a file means whichever was asked for first."""
    files = {path.stem for path in Path(vaeviz_models.__file__).parent.iterdir()}
    assert not files & set(vaeviz_models.__all__)


def test_names_stay_what_they_are_after_imports_from_files(python):
    code = "from vaeviz_models.models.autoencoder import Autoencoder; import vaeviz_models as v"
    assert python(f"{code}; print(v.autoencoder((4,)).latent_dim)") == "2"


def test_every_name_is_there():
    assert all(getattr(vaeviz_models, name) is not None for name in vaeviz_models.__all__)
