"""What a user may rely on about the random changes of the training examples."""

import torch
from helpers import make_features, make_model

from genre_features.frame import COLUMNS, N_FEATURES
from genre_lstm.augmentation import augment, mask_inputs, mixup, random_crops, roll_chroma


def test_chroma_is_rolled_by_every_number_of_semitones_and_the_rest_stays():
    features = make_features(n_tracks=100)
    columns = COLUMNS["chroma"]
    torch.manual_seed(0)
    rolled = roll_chroma(features)
    shifts = set()
    for before, after in zip(features, rolled, strict=True):
        (shift,) = (
            shift
            for shift in range(12)
            if torch.equal(before[:, columns].roll(shift, dims=1), after[:, columns])
        )
        shifts.add(shift)
    assert shifts == set(range(12))
    others = [i for i in range(N_FEATURES) if not columns.start <= i < columns.stop]
    assert torch.equal(rolled[:, :, others], features[:, :, others])


def test_masked_inputs_are_missing_for_a_whole_example_and_differ_between_examples():
    torch.manual_seed(0)
    masked = mask_inputs(torch.ones(200, 7, N_FEATURES), 0.1)
    assert torch.equal(masked.min(dim=1).values, masked.max(dim=1).values)
    assert 0.07 < float((masked == 0).float().mean()) < 0.13
    assert len(masked[:, 0].unique(dim=0)) > 50


def test_random_crops_reach_from_the_first_to_the_last_frame_of_a_track():
    inputs = torch.arange(40.0).expand(2000, 40)[:, :, None]
    torch.manual_seed(0)
    crops = random_crops(inputs, 30)
    starts = crops[:, 0, 0]
    assert set(starts.tolist()) == set(range(11))
    assert torch.equal(crops[:, :, 0], starts[:, None] + torch.arange(30))
    assert torch.equal(random_crops(inputs, 200), inputs)


def test_mixed_examples_are_weighted_sums_of_two():
    torch.manual_seed(0)
    examples = torch.eye(6)[:, None]
    inputs, targets, mixed_targets, lam = mixup(examples, torch.arange(6), alpha=1.0)
    assert 0 < lam < 1
    torch.testing.assert_close(inputs, lam * examples + (1 - lam) * examples[mixed_targets])
    assert targets.tolist() == sorted(mixed_targets.tolist()) == list(range(6))


def test_examples_are_cropped_masked_and_mixed_anew_for_every_batch():
    torch.manual_seed(0)
    features, targets = make_features(n_tracks=4, n_frames=100), torch.tensor([0, 1, 2, 0])
    model = make_model(crop_seconds=1.0, roll_chroma=True, mask_prob=0.2, mixup_alpha=0.5)
    (first, _, _, lam), (second, *_) = (augment(model, features, targets) for _ in range(2))
    assert first.shape == (4, 43, N_FEATURES)
    assert lam < 1
    assert (first == 0).all(dim=1).any()
    assert not torch.equal(first, second)
