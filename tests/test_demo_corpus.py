"""What a user may rely on about the synthetic corpus."""

import numpy as np
import pytest
import soundfile
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from genre_features.cache import GenreFeatureData
from genre_features.demo_corpus import CLIP_SECONDS, CLIPS, make_clip


def test_demo_corpus_has_the_originals_six_genres_and_layout(demo):
    data = GenreFeatureData(demo / "gtzan" / "demo").load()
    assert data.genres == ["classical", "hiphop", "jazz", "metal", "pop", "reggae"]
    for subset, count in CLIPS.items():
        assert np.bincount(data.targets[subset]).tolist() == [count] * 6
        paths = list((demo / "gtzan" / "demo" / f"_{subset}").glob("*.au"))
        assert len(paths) == 6 * count
    info = soundfile.info(paths[0])
    assert (info.samplerate, info.channels, info.duration) == (22050, 1, CLIP_SECONDS)


@pytest.mark.parametrize("genre", ["classical", "reggae"])
def test_demo_clip_is_the_same_whatever_else_is_made(demo, genre):
    recorded, _ = soundfile.read(demo / "gtzan" / "demo" / "_test" / f"{genre}.00003.au")
    np.testing.assert_allclose(recorded, make_clip(genre, 3), atol=2**-15)


def test_demo_genres_can_be_told_apart_but_not_trivially(demo):
    data = GenreFeatureData(demo / "gtzan" / "demo").load()
    statistics = {
        subset: np.concatenate([inputs.mean(axis=1), inputs.std(axis=1)], axis=1)
        for subset, inputs in data.inputs.items()
    }
    classifier = make_pipeline(StandardScaler(), SVC())
    classifier.fit(statistics["train"], data.targets["train"])
    accuracy = classifier.score(statistics["validation"], data.targets["validation"])
    assert 0.5 < accuracy < 0.95
