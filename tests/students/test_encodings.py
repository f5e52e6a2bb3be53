"""Encodings: raw inputs to what a model computes with, the same everywhere."""

import numpy as np
import pytest
import torch
from worlds import pictures

from limbeck import Examples
from limbeck.errors import InputError
from limbeck.students import IDENTITY, Affine
from limbeck.students.encodings import standard


def test_a_standard_encoding_gives_each_channel_mean_0_and_deviation_1():
    drawn = np.random.default_rng(0)
    inputs = (drawn.normal(size=(5000, 3, 4, 4)) * [[[[1]], [[10]], [[100]]]]).astype(np.float32)
    encode = standard(Examples.of(inputs + 7)).build()
    encoded = encode(torch.from_numpy(inputs + 7)).double()
    torch.testing.assert_close(
        encoded.mean(dim=(0, 2, 3)), torch.zeros(3).double(), atol=1e-4, rtol=0
    )
    torch.testing.assert_close(
        encoded.std(dim=(0, 2, 3), correction=0), torch.ones(3).double(), atol=1e-4, rtol=0
    )


def test_a_constant_column_is_only_centred():
    encoding = standard(Examples.of(np.array([[1.0, 5.0], [3.0, 5.0]])))
    assert encoding == Affine((2.0, 5.0), (1.0, 1.0))


def test_bytes_are_widened_before_anything_is_subtracted():
    images = pictures(4)
    encoded = Affine((200.0,), (2.0,)).build()(torch.from_numpy(images.inputs))
    np.testing.assert_allclose(encoded, (images.inputs.astype(np.float32) - 200) / 2)


def test_an_encoding_reads_its_own_json_and_differs_by_fingerprint():
    encoding = Affine((0.5, 1.0), (2.0, 4.0))
    assert Affine.from_json(encoding.to_json()) == encoding
    assert encoding.fingerprint != IDENTITY.fingerprint


def test_a_deviation_of_0_is_refused():
    with pytest.raises(InputError, match="as many means as deviations, none of them 0"):
        Affine((0.0,), (0.0,))
