"""What a user may rely on about the folders of a data set."""

import collections
import itertools

import numpy as np
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
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_layouts_that_people_have_are_understood(tmp_path, layout):
    subsets = SUBSETS if "subsets" in layout else [None] * 3
    paths = list(zip(LAYOUTS[layout], subsets, strict=False))
    clips = [Clip(g, path.format(g), subset) for g in ("hip hop", "pop") for path, subset in paths]
    touch(tmp_path, *(clip.file for clip in clips), "images/pop.png")
    found, genres = find_clips(tmp_path)
    assert genres == ["hip hop", "pop"]
    assert sorted(found) == sorted(clips)


@pytest.mark.parametrize("seed", range(10))
def test_random_trees_of_wrappers_subsets_albums_pieces_and_formats(tmp_path, seed):
    random = np.random.default_rng(seed)
    spellings = [
        ("train", "TRAINING", "_train"),
        ("val", "Validation", "dev_set"),
        ("test", "Eval"),
    ]
    spelling = [random.choice(names) for names in spellings]
    outer, inner = random.choice(["", "Data/", "v1/genres/"], 2)
    genre_first, in_subsets = random.random(2) < (0.3, 0.6)
    clips, songs = {}, set()
    for number, genre in itertools.product(range(8), ("Drum & Bass", "Ñandú", "pop")):
        subset = int(random.integers(3)) if number > 2 else number
        level = f"{spelling[subset]}/" if in_subsets else ""
        folder = f"{genre}/{level}" if genre_first else f"{level}{inner}{genre}/"
        name = f"{outer}{folder}{random.choice(['', 'Live/', 'CD 1/B/'])}{number} song"
        ends = [[".WAV"], [".flac"], ["_part1.ogg", "-chunk 2.ogg"]][random.integers(3)]
        touch(tmp_path, *(name + end for end in ends))
        if ends == [".flac"]:
            touch(tmp_path, f"{name}.mp3")  # a second format of it
        clips |= {name + end: (genre, SUBSETS[subset] if in_subsets else None) for end in ends}
        songs.add(frozenset(name + end for end in ends))
    by_song = collections.defaultdict(set)
    for clip in find_clips(tmp_path)[0]:
        assert (clip.genre, clip.subset) == clips[clip.file]
        by_song[clip.song or clip.file].add(clip.file)
    assert set(map(frozenset, by_song.values())) == songs


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
