"""What a user may rely on when accuracy is measured over the number of songs."""

import itertools
import shlex
import sys

import numpy as np
import pytest
from helpers import read_rows, run

from experiments import songs
from genre_features.cache import GenreFeatureData


@pytest.mark.parametrize("n_groups", [60, 12])
def test_drawn_clips_are_n_of_each_genre_or_whole_groups_and_within_those_of_larger_n(n_groups):
    targets, groups = np.arange(60) % 3, np.arange(60) % n_groups
    draws = [songs.draw_clips(targets, groups, n, seed=1) for n in (2, 5, 11, np.inf)]
    for rows, n in zip(draws, (2, 5, 11, 20), strict=True):
        expected = n if n_groups == 60 else -(-n // 5) * 5  # the groups have five clips
        assert np.bincount(targets[rows]).tolist() == [expected] * 3
        left_out = np.setdiff1d(np.arange(60), rows)
        assert not set(groups[rows]) & set(groups[left_out])
    for fewer, more in itertools.pairwise(draws):
        assert set(fewer) <= set(more)
    assert set(draws[0]) != set(songs.draw_clips(targets, groups, 2, seed=2))


def test_missing_trainings_are_printed_and_finished_ones_are_in_the_table(
    features, tmp_path, monkeypatch, capsys, undrawn
):
    monkeypatch.setattr(songs, "SIZES", (1, 2, 40))
    monkeypatch.setattr(songs, "N_SEEDS", 1)
    folders = {"--features": features, "--runs": tmp_path / "runs", "--output": tmp_path}
    argv = ["songs", *map(str, itertools.chain(*folders.items()))]

    def list_missing():
        monkeypatch.setattr(sys, "argv", argv)
        songs.main()
        return capsys.readouterr().out.splitlines()

    lines = list_missing()
    data = GenreFeatureData(features).load()
    for line, n_songs in zip(lines, (1, 2, 4), strict=True):
        _, script, *words = shlex.split(line)
        subset = GenreFeatureData(words[words.index("--features") + 1]).load()
        assert (subset.genres, subset.settings) == (data.genres, data.settings)
        assert np.bincount(subset.targets["train"]).tolist() == [n_songs] * 3
        np.testing.assert_array_equal(subset.inputs["validation"], data.inputs["validation"])
        if n_songs < 4:
            run(script, *words, "--epochs", 1, "--crop-seconds", 0.5, "--frame-step", 0)
    assert list_missing() == lines[2:]
    rows = read_rows(tmp_path / "songs.csv")
    assert [(row["songs"], row["seed"], row["clips"]) for row in rows] == [
        ("1", "0", "3"),
        ("2", "0", "6"),
    ]
    assert {row["validation_n"] for row in rows} == {"6"}
