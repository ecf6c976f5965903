"""What a user may rely on about features.json."""

import pytest
from helpers import FRAMES, GENRES, read_manifest

from common.errors import InputError
from genre_features import manifest
from genre_features.clips import Clip
from genre_features.frame import FEATURE_PARAMS, FrameSettings


def test_manifest_says_what_the_cache_was_made_from_and_with_what(corpus, features):
    content = read_manifest(features)
    genres, split, settings, tracks = manifest.parse(content)
    assert (genres, split, settings) == (GENRES, "index", FrameSettings(frames=FRAMES))
    assert tracks["test"] == [f"{genre}.00000" for genre in GENRES]
    assert content.items() >= FEATURE_PARAMS.items()
    files = [file for sources in content["sources"].values() for file in sources]
    assert set(files) == {path.relative_to(corpus).as_posix() for path in corpus.glob("*/*")}
    assert set(content["versions"]) == {"numpy", "soundfile", "soxr"}


def test_file_that_cannot_be_read_is_named_with_the_remedy(tmp_path):
    clips = {"train": [Clip("jazz", "jazz/missing.wav")]}
    with pytest.raises(InputError, match=r"^.*missing.wav can't be read .*take it out$"):
        manifest.make_manifest(tmp_path, clips, ["jazz"], "index", FrameSettings())


@pytest.mark.parametrize("tracks", [[], {"train": "a"}, {"test": [0]}, "train"])
def test_manifest_whose_tracks_are_no_names_is_refused(features, tracks):
    with pytest.raises((ValueError, AttributeError)):
        manifest.parse(read_manifest(features) | {"tracks": tracks})
