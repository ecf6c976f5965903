"""What a user may rely on about the random changes of the training examples."""

import torch
from helpers import make_features, make_model

from genre_features.frame import COLUMNS
from genre_lstm.augmentation import augment, mask_inputs, mix, random_crops, transpose_chroma


def test_transposition_rotates_the_chroma_and_leaves_the_rest():
    features = make_features(n_tracks=20)
    columns = COLUMNS["chroma"]
    torch.manual_seed(0)
    rotated = transpose_chroma(features)
    shifts = set()
    for before, after in zip(features, rotated, strict=True):
        fits = [
            shift
            for shift in range(12)
            if torch.equal(before[:, columns].roll(shift, dims=1), after[:, columns])
        ]
        shifts.add(*fits)
    assert len(shifts) > 3
    others = [i for i in range(33) if not columns.start <= i < columns.stop]
    assert torch.equal(rotated[:, :, others], features[:, :, others])


def test_masked_inputs_are_missing_for_a_whole_example():
    torch.manual_seed(0)
    masked = mask_inputs(torch.ones(200, 7, 33), 0.1)
    assert torch.equal(masked.min(dim=1).values, masked.max(dim=1).values)
    assert 0.07 < float((masked == 0).float().mean()) < 0.13


def test_random_crops_are_windows_of_their_tracks():
    inputs = torch.arange(100.0).expand(8, 100)[:, :, None]
    crops = random_crops(inputs, 30)
    starts = crops[:, 0, 0]
    assert len(set(starts.tolist())) > 3
    assert torch.equal(crops[:, :, 0], starts[:, None] + torch.arange(30))
    assert torch.equal(random_crops(inputs, 200), inputs)


def test_mixed_examples_are_sums_of_two_with_the_shares_that_their_genres_have():
    torch.manual_seed(0)
    inputs = torch.eye(6)[:, None]
    mixed = mix(inputs, torch.arange(6), alpha=1.0)
    assert 0 < mixed.share < 1
    expected = mixed.share * inputs + (1 - mixed.share) * inputs[mixed.others]
    torch.testing.assert_close(mixed.inputs, expected)
    assert mixed.genres.tolist() == list(range(6))
    assert sorted(mixed.others.tolist()) == list(range(6))


def test_published_recipe_trains_on_the_clips_as_they_are():
    features, genres = make_features(n_frames=100), torch.tensor([0, 2])
    examples = augment(make_model(), features, genres)
    assert torch.equal(examples.inputs, features)
    assert torch.equal(examples.genres, genres)
    assert examples.share == 1


def test_examples_are_cropped_transposed_masked_and_mixed_as_the_recipe_says():
    torch.manual_seed(0)
    features, genres = make_features(n_tracks=4, n_frames=100), torch.tensor([0, 1, 2, 0])
    model = make_model(crop_seconds=1.0, roll_chroma=True, mask_prob=0.2, mixup_alpha=0.5)
    first, second = (augment(model, features, genres) for _ in range(2))
    assert first.inputs.shape == (4, 43, 33)
    assert first.share < 1
    assert (first.inputs == 0).all(dim=1).any()
    assert not torch.equal(first.inputs, second.inputs)
