"""What a user may rely on about the journal of an extraction."""

import json
import zlib

import numpy as np
import pytest

from genre_features import journal
from genre_features.clips import SUBSETS
from genre_features.frame import N_FEATURES, FrameSettings
from genre_features.journal import Entry

SETTINGS = FrameSettings(frames=4)
HEADER = {"genres": ["hum"]}
PLANNED = [Entry("train", f"hum/{number}.wav", f"digest {number}") for number in range(3)]
ROW = np.ones((4, N_FEATURES), np.float32)
DONE = [
    PLANNED[0]._replace(n_frames=4, checksum=zlib.crc32(ROW)),
    PLANNED[1]._replace(problem="it is broken"),
]


@pytest.fixture
def folder(tmp_path):
    """A folder with the journal of two clips, of which one could be used, and its array."""
    journal.write(tmp_path, HEADER, DONE)
    with journal.open_array(tmp_path, "train", 0, SETTINGS) as array:
        array.write(ROW)
    for subset in ("validation", "test"):
        journal.open_array(tmp_path, subset, 0, SETTINGS).close()
    return tmp_path


def test_entries_of_the_same_clips_are_found_again(folder):
    assert journal.read(folder, HEADER, PLANNED, SETTINGS) == DONE
    assert journal.row_counts(DONE) == {"train": 1, "validation": 0, "test": 0}
    assert journal.checksums(DONE) == {"train": zlib.crc32(ROW), "validation": 0, "test": 0}


def test_line_that_was_cut_off_is_left_out(folder):
    with (folder / journal.NAME).open("a") as file:
        file.write('{"subset": "train", "fi')
    assert journal.read(folder, HEADER, PLANNED, SETTINGS) == DONE


def test_entries_count_up_to_the_first_clip_that_differs(folder):
    changed = [PLANNED[0], PLANNED[1]._replace(digest="another")]
    assert journal.read(folder, HEADER, changed, SETTINGS) == DONE[:1]


def test_nothing_is_kept_with_other_settings(folder):
    assert journal.read(folder, {"genres": ["hiss"]}, PLANNED, SETTINGS) == []


@pytest.mark.parametrize("loss", ["cut off", "zeros"])
def test_journal_ahead_of_its_array_goes_back_to_what_is_there(folder, loss):
    with (folder / journal.NAME).open("a") as file:
        ahead = PLANNED[2]._replace(n_frames=4, checksum=zlib.crc32(ROW, DONE[0].checksum))
        file.write(json.dumps(ahead._asdict()) + "\n")
    assert journal.read(folder, HEADER, PLANNED, SETTINGS) == DONE
    path = journal.unfinished(folder, "train")
    with path.open("ab") as file:
        file.write(ROW if loss == "zeros" else ROW[:3])
    whole = path.read_bytes()
    assert len(journal.read(folder, HEADER, PLANNED, SETTINGS)) == 2 + (loss == "zeros")
    path.write_bytes(whole[:-100] + bytes(100))  # what some disks leave after a power cut
    assert journal.read(folder, HEADER, PLANNED, SETTINGS) == DONE


def test_arrays_moved_to_their_places_count_as_a_whole(folder):
    for subset in SUBSETS:
        journal.unfinished(folder, subset).replace(journal.finished(folder, subset))
    assert journal.is_moved(folder)
    assert journal.read(folder, HEADER, PLANNED[:2], SETTINGS) == DONE
    assert journal.read(folder, HEADER, PLANNED, SETTINGS) == []


@pytest.mark.parametrize("content", ["", "no journal", "[]\n[]\n", '{"genres": ["hum"]}\n[1, 2]\n'])
def test_damaged_journal_and_those_of_earlier_versions_count_for_nothing(folder, content):
    (folder / journal.NAME).write_text(content)
    assert journal.read(folder, HEADER, PLANNED, SETTINGS) == []


def test_array_keeps_the_rows_that_the_journal_names(folder):
    with journal.open_array(folder, "train", 1, SETTINGS) as array:
        array.write(np.full((1, 4, N_FEATURES), 2, np.float32))
        journal.write_header(array, 2, 4)
    rows = np.load(journal.unfinished(folder, "train"))
    assert rows[:, 0, 0].tolist() == [1, 2]


def test_discard_leaves_nothing(folder):
    journal.discard(folder)
    assert not list(folder.iterdir())
