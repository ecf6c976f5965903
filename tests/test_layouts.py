"""What a user may rely on about the folders of a data set."""

import pytest
from helpers import assert_one_line, touch

from common.errors import InputError
from genre_features.clips import SUBSETS, Clip, find_clips

LAYOUTS = {  # paths, each {} of them a genre
    "Kaggle's zip": ["Data/genres_original/{0}/{0}.00000.wav", "Data/genres_original/{0}/b.wav"],
    "albums": ["{}/One/01 Intro.mp3", "{}/Two/01 Intro.mp3"],
    "dots and underscores": ["{}/...Hit.mp3", "{}/...And Justice/1.mp3", "{}/_B/.c.mp3"],
    "formats apart": ["mp3/{}/a.mp3", "wav/{}/b.wav"],
    "flat subsets": ["_train/{}.00003.au", "_validation/{} 12.au", "_test/{}.1.2.au"],
    "subsets twice": ["train/train_data/{}/a.au", "val/val_data/{}/b.au", "test/TEST1/{}/c.au"],
    "nested subsets": ["_train/{0}/{0}.00003.au", "_validation/{}/b.au", "_test/{}/c.au"],
    "genres of subsets": ["{}/Training/Live/a.WAV", "{}/dev_set/b.ogg", "{}/Eval/CD 1/B/c.mp3"],
    "wrapped subsets": ["v1/train/Data/{}/a.mp3", "v1/VAL/Data/{}/b.mp3", "v1/test/Data/{}/c.mp3"],
    "albums in subsets": [
        "Data/train/{}/Live/1.mp3",
        "Data/dev/{}/CD 1/B/1.wav",
        "Data/test/{}/1.ogg",
    ],
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_layouts_that_people_have_are_understood(tmp_path, layout):
    subsets = SUBSETS if "subsets" in layout else [None] * 3
    paths = list(zip(LAYOUTS[layout], subsets, strict=False))
    clips = [
        Clip(g, path.format(g), subset) for g in ("Drum & Bass", "Ñandú") for path, subset in paths
    ]
    touch(tmp_path, *(clip.file for clip in clips), "images/Ñandú.png")
    found, genres = find_clips(tmp_path)
    assert genres == ["Drum & Bass", "Ñandú"]
    assert sorted(found) == sorted(clips)


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ("jazz/a.wav jazz/b.wav", ["jazz/a.wav is in no folder", "--labels"]),
        ("jazz/jazz.00000.au jazz/jazz.00001.au", ["one genre, jazz", "--labels"]),
        ("000/000002.mp3 001/001003.mp3", ["numbers (000, 001)", "--labels", "FMA"]),
        ("jazz/a.wav pop/b.wav c.wav", ["c.wav is in no folder of a genre"]),
        ("train/a/a.wav test/a/b.wav c/c.wav", ["test is named for a subset", "but c"]),
        ("_train/00030.au _test/jazz.1.au", ["_train/00030.au", "<genre>.<five digits>"]),
        ("_train/jazz.au _test/jazz.1.au", ["_train/jazz.au", "<genre>.<five digits>"]),
        ("notes.txt", ["no audio in", "gtzan/README.md", "--demo"]),
    ],
)
def test_folder_without_genres_is_refused_with_the_remedy(tmp_path, files, words):
    touch(tmp_path / "music", *files.split())
    with pytest.raises(InputError) as refused:
        find_clips(tmp_path / "music")
    assert_one_line(str(refused.value), *words)
