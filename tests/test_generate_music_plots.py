"""What a user may rely on when drawing music."""

from pathlib import Path

import pytest
from helpers import assert_one_line, is_drawn, run, write_clip

KINDS = ["mfcc", "spectral_centroid", "chroma", "spectral_contrast", "features"]


def test_all_four_features_and_a_sheet_are_drawn_without_a_display(tmp_path, monkeypatch):
    monkeypatch.delenv("DISPLAY", raising=False)
    write_clip(tmp_path / "söng one.flac", "blip", 0, rate=44100)
    run("generate_music_plots.py", tmp_path / "söng one.flac", "--output", tmp_path / "plots")
    found = {path.name for path in (tmp_path / "plots").iterdir()}
    assert found == {f"söng one_{kind}.png" for kind in KINDS}
    assert all(is_drawn(path) for path in (tmp_path / "plots").iterdir())


def test_file_that_is_no_audio_is_said_in_one_line(tmp_path):
    (tmp_path / "song.wav").write_text("not audio")
    output = tmp_path / "plots"
    for name in ("song.wav", "missing.wav"):
        _, stderr = run("generate_music_plots.py", tmp_path / name, "--output", output, status=2)
        assert_one_line(stderr, name)
    assert not output.exists()


def test_two_files_of_the_same_name_are_told_apart(tmp_path, figures):
    paths = [tmp_path / folder / "song.wav" for folder in "ab"]
    for path, genre in zip(paths, ["blip", "hum"], strict=True):
        write_clip(path, genre, 0)
    run("generate_music_plots.py", *paths)
    sheet = figures["song_and_song_features.png"]
    names = [axes.get_title().partition("\n")[0] for axes in sheet.axes[:2]]
    assert [Path(name).parts[-2:] for name in names] == [("a", "song.wav"), ("b", "song.wav")]


def test_sheet_of_two_files_is_the_only_picture_of_them(tmp_path):
    for genre in ("blip", "hum"):
        write_clip(tmp_path / f"{genre} $_$.wav", genre, 0)
    output = tmp_path / "plots"
    run("generate_music_plots.py", *sorted(tmp_path.glob("*.wav")), "--output", output)
    assert [path.name for path in output.iterdir()] == ["blip $_$_and_hum $_$_features.png"]
    assert is_drawn(next(output.iterdir()))


def test_figures_have_the_name_of_the_file_and_the_seconds_and_format_asked_for(tmp_path, figures):
    write_clip(tmp_path / "long.wav", "hum", 0, seconds=3.0)
    options = ("--seconds", 1.5, "--hop-length", 441, "--format", "pdf")
    run("generate_music_plots.py", tmp_path / "long.wav", *options)
    assert set(figures) == {f"long_{kind}.pdf" for kind in KINDS}
    for figure in figures.values():
        assert figure.get_suptitle() == "long.wav"
        start, end = figure.axes[0].get_xlim()
        assert (start, end) == pytest.approx((0, 1.5), abs=0.05)


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["a.wav", "b.wav", "c.wav"], "not 3"),
        ([], "--genres"),
        (["a.wav", "--genres"], "leave out the files"),
        (["a.wav", "--features", "gtzan"], "--features"),
        (["a.wav", "--format", "jpg"], "--format"),
        (["a.wav", "--lowpass", "11025"], "from 1000 to 11024"),
    ],
)
def test_what_does_not_go_together_is_refused_in_a_line(arguments, word, tmp_path):
    _, stderr = run("generate_music_plots.py", *arguments, cwd=tmp_path, status=2)
    assert word in stderr.splitlines()[-1]
    assert not list(tmp_path.iterdir())


def test_genres_without_a_cache_say_how_to_make_one(tmp_path):
    _, stderr = run("generate_music_plots.py", "--genres", cwd=tmp_path, status=2)
    assert_one_line(stderr, "GenreFeatureData.py", "--features")
    assert not list(tmp_path.iterdir())
