"""What a user may rely on about the arrays of a cache: written by rows, checked when read."""

import zlib

import numpy as np
import pytest
from helpers import assert_one_line, train, write_cache, write_manifest

from genre_features.arrays import write_array
from genre_features.frame import N_FEATURES


def test_rows_are_written_as_numpy_would_write_them_at_once(tmp_path):
    array = np.random.default_rng(0).standard_normal((3, 5, 2)).astype(np.float32)
    np.save(tmp_path / "at once.npy", array)
    assert write_array(tmp_path / "rows.npy", iter(array), array.shape) == zlib.crc32(array)
    assert (tmp_path / "rows.npy").read_bytes() == (tmp_path / "at once.npy").read_bytes()


DEEP = b"(" * 5000  # a header on which Python's own parser fails


@pytest.mark.parametrize(
    ("name", "content", "word"),
    [
        ("data_validation_input.npy", np.full((4, 8, N_FEATURES), np.nan), "NaN"),
        ("data_train_input.npy", np.zeros((4, 8, N_FEATURES - 1)), N_FEATURES),
        ("data_train_target.npy", np.eye(6)[:3], "(3, 6)"),
        ("data_test_target.npy", np.ones((4, 6)), "one-hot"),
        ("data_test_target.npy", np.ones((4, 0)), "(4, 0)"),
        ("data_test_input.npy", np.array([{}], dtype=object), "isn't an array"),  # a pickle
        ("data_test_input.npy", b"\x93NUMPY\x01\x00\x88\x13" + DEEP, "isn't an array"),
        ("data_test_input.npy", b"PK\x03\x04", "isn't an array"),  # an archive
        ("data_train_target.npy", None, "GenreFeatureData.py"),
    ],
)
def test_arrays_that_cannot_be_trained_on_print_one_line_error(tmp_path, name, content, word):
    write_cache(tmp_path, dtype=np.float32)
    write_manifest(tmp_path, list("abcdef"))
    (tmp_path / name).unlink()
    if isinstance(content, bytes):
        (tmp_path / name).write_bytes(content)
    elif content is not None:
        np.save(tmp_path / name, content)
    _, stderr = train(tmp_path, tmp_path, status=2)
    assert_one_line(stderr, name.removesuffix(".npy"), word)
    assert not (tmp_path / "weights").exists()
