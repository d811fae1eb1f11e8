"""The same numbers in another shape; copied or not."""

import pytest
import torch
from torch import nn


def shares_memory(a, b):
    return a.data_ptr() == b.data_ptr()


def test_shape_lists_the_size_of_each_dimension():
    x = torch.zeros(2, 3)
    assert x.shape == (2, 3)
    assert (x.ndim, x.numel(), len(x)) == (2, 6, 2)


def test_a_table_is_a_matrix_and_images_have_four_dimensions():
    rows, images = torch.zeros(32, 7), torch.zeros(32, 1, 8, 8)
    assert nn.Linear(7, 3)(rows).shape == (32, 3)
    # (batch, channels, height, width) -> (batch, filters, height, width)
    assert nn.Conv2d(1, 5, kernel_size=3, padding=1)(images).shape == (32, 5, 8, 8)


def test_view_shows_the_same_memory_in_another_shape():
    x = torch.arange(6)
    grid = x.view(2, 3)
    grid[0, 0] = 9
    assert x.tolist() == [9, 1, 2, 3, 4, 5]
    assert x.view(-1, 2).shape == (3, 2)  # -1: whatever is left over


def test_view_refuses_a_layout_that_is_not_contiguous():
    x = torch.arange(6).view(2, 3).transpose(0, 1)
    assert not x.is_contiguous()
    with pytest.raises(RuntimeError, match=r"Use \.reshape"):
        x.view(6)
    assert x.contiguous().view(6).tolist() == [0, 3, 1, 4, 2, 5]


def test_reshape_copies_only_when_it_must():
    x = torch.arange(6).view(2, 3)
    assert shares_memory(x.reshape(3, 2), x)
    assert not shares_memory(x.transpose(0, 1).reshape(6), x)
    assert x.transpose(0, 1).reshape(6).tolist() == [0, 3, 1, 4, 2, 5]


def test_flatten_keeps_the_batch_and_joins_the_rest():
    images = torch.arange(2 * 3 * 4 * 4).view(2, 3, 4, 4)
    assert images.flatten(1).shape == (2, 48)
    assert torch.equal(images.flatten(1), images.reshape(2, -1))


def test_unsqueeze_adds_a_dimension_and_squeeze_takes_it_away():
    x = torch.zeros(4, 5)
    assert x.unsqueeze(0).shape == (1, 4, 5)
    assert x.unsqueeze(-1).shape == (4, 5, 1)
    assert x.unsqueeze(0).squeeze(0).shape == (4, 5)
    assert x.squeeze(0).shape == (4, 5)  # a size that is not 1 stays


def test_squeeze_without_a_dimension_takes_the_batch_of_one_too():
    outputs = torch.zeros(1, 1)  # one row, one value
    assert outputs.squeeze(1).shape == (1,)
    assert outputs.squeeze().shape == ()


def test_a_grey_image_becomes_a_batch_of_one_for_a_convolution():
    image = torch.zeros(8, 8)  # (H, W)
    convolution = nn.Conv2d(1, 5, kernel_size=3, padding=1)
    with pytest.raises(RuntimeError, match=r"Expected 3D .* or 4D"):
        convolution(image)
    batch = image.unsqueeze(0).unsqueeze(0)  # (H, W) -> (1, 1, H, W)
    assert convolution(batch).shape == (1, 5, 8, 8)


def test_transpose_swaps_two_dimensions():
    x = torch.arange(6).view(2, 3)
    assert x.transpose(0, 1).tolist() == [[0, 3], [1, 4], [2, 5]]
    assert torch.equal(x.T, x.transpose(0, 1))
    assert shares_memory(x.transpose(0, 1), x)


def test_permute_orders_all_dimensions_and_reshape_only_cuts_anew():
    photo = torch.arange(4 * 6 * 3).view(4, 6, 3)  # (H, W, channels), as a file holds it
    channels_first = photo.permute(2, 0, 1)
    assert channels_first.shape == (3, 4, 6)
    assert torch.equal(channels_first[0], photo[:, :, 0])
    assert not torch.equal(photo.reshape(3, 4, 6)[0], photo[:, :, 0])  # scrambled
