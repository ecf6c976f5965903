"""What a user may rely on about the names of GTZAN's genres."""

from genre_features.genres import EIGHT_GENRES, ORIGINAL_GENRES, SIX_GENRES, TEN_GENRES
from genre_features.splits import read_filtered_split


def test_the_originals_genres_are_some_of_gtzans_ten_and_all_are_sorted():
    assert set(SIX_GENRES) < set(EIGHT_GENRES) < set(TEN_GENRES)
    assert set(TEN_GENRES) == {genre for genre, _ in read_filtered_split()}
    for n_genres, genres in ORIGINAL_GENRES.items():
        assert len(genres) == n_genres
        assert genres == sorted(set(genres))
