"""Alignment of codes: closed forms, and what must not change."""

import numpy as np
import pytest

from vaeviz.analysis.procrustes import align_codes, procrustes_rotation
from vaeviz.errors import InputError


@pytest.fixture
def codes():
    return np.random.default_rng(0).standard_normal((50, 3))


def random_rotation(seed):
    return np.linalg.qr(np.random.default_rng(seed).standard_normal((3, 3)))[0]


def test_a_rotation_is_undone(codes):
    rotation = random_rotation(1)
    np.testing.assert_allclose(procrustes_rotation(codes @ rotation, codes), rotation.T, atol=1e-12)


def test_no_other_rotation_is_closer(codes):
    target = codes + np.random.default_rng(2).standard_normal(codes.shape)
    best = np.linalg.norm(codes @ procrustes_rotation(codes, target) - target)
    assert all(np.linalg.norm(codes @ random_rotation(seed) - target) > best for seed in range(20))


def test_a_chain_of_rotations_is_undone_and_the_last_codes_stay(codes):
    rotated = [codes @ random_rotation(seed) for seed in range(4)]
    aligned = align_codes(rotated)
    assert aligned[-1] is rotated[-1]
    for one in aligned:
        np.testing.assert_allclose(one, rotated[-1], atol=1e-12)


def test_distances_and_norms_stay(codes):
    other = codes**2
    first, _ = align_codes([other, codes])
    np.testing.assert_allclose(np.linalg.norm(first, axis=1), np.linalg.norm(other, axis=1))


def test_codes_of_different_sizes_are_an_error(codes):
    with pytest.raises(InputError) as error:
        align_codes([codes, codes[:, :2]])
    assert "align=False" in error.value.fix.python
