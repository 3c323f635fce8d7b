"""HDF5 files whose arrays are in other files are refused."""

import numpy as np
import pytest

from vaeviz import load_data
from vaeviz.data.hdf5_storage import check_self_contained
from vaeviz.errors import InputError

h5py = pytest.importorskip("h5py")

SHAPE = (3, 4)


def external_storage(file, folder):
    (folder / "secret").write_bytes(b"root:x:0:0:this is not yours to read here..........")
    file.create_dataset("group/X", SHAPE, np.uint8, external=[(str(folder / "secret"), 0, 12)])


def external_link(file, folder):
    with h5py.File(folder / "secret", "w") as other:
        other["X"] = np.ones(SHAPE)
    file["group/X"] = h5py.ExternalLink(str(folder / "secret"), "X")


def virtual_array(file, folder):
    layout = h5py.VirtualLayout(SHAPE, np.float32)
    layout[:] = h5py.VirtualSource(str(folder / "secret"), "X", SHAPE)
    file.create_virtual_dataset("group/X", layout)


@pytest.mark.parametrize("store", [external_storage, external_link, virtual_array])
def test_arrays_in_other_files_are_an_error(store, tmp_path):
    with h5py.File(tmp_path / "cells.h5ad", "w") as file:
        store(file, tmp_path)
    with pytest.raises(InputError) as caught:
        check_self_contained(tmp_path / "cells.h5ad")
    assert caught.value.got == str(tmp_path / "secret")


def test_links_within_a_file_are_not_followed_forever(tmp_path):
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file["group/x"] = np.ones(SHAPE)
        file["group/self"] = file["group"]
        file["soft"] = h5py.SoftLink("/group/x")
    check_self_contained(tmp_path / "x.h5")


def test_an_h5ad_file_that_reads_another_file_is_not_loaded(tmp_path):
    anndata = pytest.importorskip("anndata")
    anndata.AnnData(np.ones(SHAPE, np.float32)).write_h5ad(tmp_path / "cells.h5ad")
    assert load_data(str(tmp_path / "cells.h5ad")).x.shape == SHAPE
    with h5py.File(tmp_path / "cells.h5ad", "r+") as file:
        external_storage(file, tmp_path)
    with pytest.raises(InputError, match="secret"):
        load_data(str(tmp_path / "cells.h5ad"))
