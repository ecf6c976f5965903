"""What a user may rely on about features.json."""

import pytest
from helpers import read_manifest

from common.errors import InputError
from genre_features import manifest
from genre_features.clips import Clip
from genre_features.frame import FEATURE_PARAMS, FrameSettings


def test_manifest_says_what_the_cache_was_made_from_and_with_what(corpus, features):
    content = read_manifest(features)
    assert content["split"] == "index"
    assert content.items() >= FEATURE_PARAMS.items()
    files = [file for sources in content["sources"].values() for file in sources]
    assert set(files) == {path.relative_to(corpus).as_posix() for path in corpus.glob("*/*")}
    assert set(content["versions"]) == {"numpy", "soundfile", "soxr"}


def test_file_that_cannot_be_read_is_named_with_the_remedy(tmp_path):
    clips = {"train": [Clip("jazz", "jazz/missing.wav")]}
    with pytest.raises(InputError, match=r"^.*missing.wav can't be read .*take it out$"):
        manifest.make_manifest(tmp_path, clips, ["jazz"], "index", FrameSettings())
