"""What a user may rely on when looking at plots."""

import numpy as np
from conftest import assert_one_line, run, write_clip
from matplotlib.image import imread

import genre_plots

KINDS = ["mfcc", "spectral_centroid", "chroma", "spectral_contrast", "features"]


def is_drawn(path):
    """Whether a picture shows more than a background."""
    return len(np.unique(imread(path)[..., :3].reshape(-1, 3), axis=0)) > 10


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


def test_architecture_is_drawn_from_the_weights(trained, tmp_path):
    weights = trained / "weights" / "PiecewiseDecay" / "model.pt"
    run("generate_model_plot.py", "--weights", weights, "--output", tmp_path / "model.png")
    assert is_drawn(tmp_path / "model.png")


def test_confusion_matrix_has_the_datas_genres_with_counts_and_row_percentages(monkeypatch):
    figures = []
    monkeypatch.setattr(genre_plots, "save", lambda figure, path: figures.append(figure))
    scores = {"confusion": [[3, 1], [0, 2]], "accuracy": 5 / 6, "n": 6}
    genre_plots.draw_confusion({"validation": scores, "test": scores}, ["zouk", "ska"], "", "")
    for axes in figures[0].axes:
        assert [text.get_text() for text in axes.get_yticklabels()] == ["zouk", "ska"]
        assert [text.get_text() for text in axes.get_xticklabels()] == ["zouk", "ska"]
        cells = {text.get_position(): text.get_text() for text in axes.texts}
        assert cells == {(0, 0): "3\n75%", (1, 0): "1\n25%", (0, 1): "0\n0%", (1, 1): "2\n100%"}
        assert "83.3% of 6 clips" in axes.get_title()


def test_curves_show_every_validation_and_where_the_rate_was_lowered(monkeypatch):
    figures = {}
    monkeypatch.setattr(
        genre_plots, "save", lambda figure, path: figures.update({path.name: figure.axes[0]})
    )
    rates = [0.1, 0.1, 0.01, 0.01]
    history = [
        {"epoch": i + 1, "learning_rate": rate, "train_loss": 1.0, "train_accuracy": 0.5}
        | {"val_loss": 2.0 if i % 2 else None, "val_accuracy": 0.25 if i % 2 else None}
        for i, rate in enumerate(rates)
    ]
    genre_plots.draw_history(history, "", "")
    assert len(figures) == 5
    curve, mark = figures["graph_val_loss.png"].lines
    assert curve.get_xydata().tolist() == [[2, 2.0], [4, 2.0]]
    assert set(mark.get_xdata()) == {3}
    assert all("epoch" in axes.get_xlabel() and axes.get_ylabel() for axes in figures.values())


def test_curves_and_confusion_matrices_of_a_run_are_drawn(trained):
    pictures = list((trained / "result").rglob("*.png"))
    assert len(pictures) == 12
    assert all(is_drawn(path) for path in pictures)


def test_a_genre_has_the_same_colour_in_every_plot():
    few = dict(zip(["jazz", "pop"], genre_plots.genre_colors(["jazz", "pop"]), strict=True))
    many = ["blues", "jazz", "metal", "pop", "ska"]
    more = dict(zip(many, genre_plots.genre_colors(many), strict=True))
    assert all(few[genre] == more[genre] for genre in few)
    assert len(set(more.values())) == len(many)
