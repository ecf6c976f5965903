"""What a user may rely on about the figures of a training and of predictions."""

from pathlib import Path

import numpy as np
import pytest
from helpers import is_uncut

from genre_lstm import plots


def test_confusion_matrix_has_counts_and_row_percentages_where_there_are_clips(figures):
    scores = {"confusion": [[39, 1], [0, 40]]}
    plots.plot_confusion({"validation": scores, "test": scores}, ["zouk", "ska"], Path("c.png"), "")
    for axes in figures["c.png"].axes:
        assert [text.get_text() for text in axes.get_yticklabels()] == ["zouk", "ska"]
        assert [text.get_text() for text in axes.get_xticklabels()] == ["zouk", "ska"]
        cells = {text.get_position(): text.get_text() for text in axes.texts}
        # Halves are rounded up: 97.5 and 2.5.
        assert cells == {(0, 0): "39\n98%", (1, 0): "1\n3%", (1, 1): "40\n100%"}
        assert "79 of 80 right (98.8%)" in axes.get_title()


def test_confusion_matrix_of_a_genre_without_clips_has_an_empty_row(figures):
    plots.plot_confusion({"test": {"confusion": [[2, 1], [0, 0]]}}, ["a", "b"], Path("c.png"), "")
    (axes,) = figures["c.png"].axes
    assert sorted(text.get_position() for text in axes.texts) == [(0, 0), (1, 0)]
    assert "2 of 3 right" in axes.get_title()


@pytest.mark.parametrize("n_genres", [2, 60])
def test_names_in_a_confusion_matrix_are_neither_cut_nor_squeeze_it(figures, n_genres):
    genres = [f"{i} is the number of a genre whose name is long" for i in range(n_genres)]
    scores = {"confusion": np.ones((n_genres, n_genres))}
    plots.plot_confusion({"validation": scores, "test": scores}, genres, Path("c.png"), 50 * "ab ")
    assert is_uncut(figures["c.png"])
    for axes in figures["c.png"].axes[:2]:
        inches = axes.get_window_extent().width / figures["c.png"].dpi
        assert inches > min(9, 0.35 * n_genres)


def test_confusion_matrices_of_many_genres_have_no_numbers_and_a_bounded_size(figures):
    sizes = set()
    for n_genres in (41, 400):
        genres = [f"{i:03}" for i in range(n_genres)]
        scores = {"confusion": np.ones((n_genres, n_genres))}
        plots.plot_confusion({"test": scores}, genres, Path("c.png"), "")
        axes, colorbar = figures["c.png"].axes
        assert "fraction" in colorbar.get_ylabel()
        assert not axes.texts
        assert len(axes.get_yticklabels()) <= 150
        sizes.add(tuple(figures["c.png"].get_size_inches()))
    assert len(sizes) == 1


def make_history(rates):
    """Return the history of a training with these learning rates, validated every other epoch."""
    return [
        {"epoch": i + 1, "learning_rate": rate, "train_loss": 1.0, "train_accuracy": 0.5}
        | {"val_loss": 2.0 if i % 2 else None, "val_accuracy": 0.25 if i % 2 else None}
        for i, rate in enumerate(rates)
    ]


def test_curves_show_every_epoch_and_every_validation_with_accuracies_in_percent(figures):
    plots.plot_history(make_history([0.1] * 4), "", "")
    (trained,) = figures["graph_train_loss.png"].axes[0].lines
    (validated,) = figures["graph_val_loss.png"].axes[0].lines
    assert trained.get_xydata().tolist() == [[1, 1.0], [2, 1.0], [3, 1.0], [4, 1.0]]
    assert validated.get_xydata().tolist() == [[2, 2.0], [4, 2.0]]
    for name in ("graph_loss.png", "graph_accuracy.png"):
        (axes,) = figures[name].axes
        assert [line.get_label() for line in axes.lines] == ["training", "validation"]
        assert axes.get_legend()
    for name in ("train_accuracy", "val_accuracy", "accuracy"):
        (axes,) = figures[f"graph_{name}.png"].axes
        assert axes.yaxis.get_major_formatter()(0.5) == "50%"
        assert axes.get_ylim() == pytest.approx((0, 1), abs=0.05)
    panels = [figure.axes[0] for figure in figures.values()]
    assert all("epoch" in axes.get_xlabel() and axes.get_ylabel() for axes in panels)
    assert all(is_uncut(figure) for figure in figures.values())


def test_rate_changes_are_marked_behind_the_curves_and_named_above_them(figures):
    plots.plot_history(make_history([0.1] * 10 + [0.01] * 10 + [0.001, 0.0001]), "", "")
    (axes,) = figures["graph_val_loss.png"].axes
    curve, *marks = axes.lines
    assert [mark.get_xdata()[0] for mark in marks] == [11, 21, 22]
    assert all(mark.get_zorder() < curve.get_zorder() for mark in marks)
    (edge,) = axes.child_axes
    names = [label.get_text() for label in edge.get_xticklabels()]
    assert names == ["rate 0.1", "0.01", "0.001", ""]  # the last would overlap the one before


def test_rate_that_changes_all_the_time_is_steps_on_the_log_axis_of_its_own_plot(figures):
    rates = np.geomspace(1, 1e-3, 100)
    plots.plot_history(make_history(rates), "", "")
    assert len(figures["graph_val_loss.png"].axes[0].lines) == 1
    (axes,) = figures["graph_lr.png"].axes
    assert axes.get_yscale() == "log"
    assert axes.lines[0].get_drawstyle() == "steps-post"  # an epoch's rate holds until the next
    np.testing.assert_array_equal(axes.lines[0].get_ydata(), rates)


def test_training_that_was_never_validated_has_curves_of_what_there_is(figures):
    row = {"epoch": 1, "learning_rate": 0.1, "train_loss": 1.0, "train_accuracy": 0.5}
    plots.plot_history([row | {"val_loss": None, "val_accuracy": None}], "", "")
    assert set(figures) == {"graph_train_loss.png", "graph_train_accuracy.png", "graph_lr.png"}


def test_reliability_has_a_dot_and_an_interval_a_bin_before_and_after_calibration(figures):
    names = ("n", "confidence", "accuracy", "low", "high")
    rows = ((3, 0.5, 1.0, 0.4, 1.0), (2, 0.9, 0.5, 0.1, 0.9))
    bins = [dict(zip(names, values, strict=True)) for values in rows]
    before = {"bins": bins, "error": 0.25, "expected_error": 0.125}
    scores = {"before": before, "after": before | {"bins": bins[:1], "error": 0.5}}
    plots.plot_reliability({"temperature": 2.0, "test": scores}, Path("r.png"), "")
    (axes,) = figures["r.png"].axes
    dots = [line.get_xydata().tolist() for line in axes.lines]
    assert dots == [[[0, 0], [1, 1]], [[0.5, 1.0], [0.9, 0.5]], [[0.5, 1.0]]]
    (intervals,) = axes.collections
    assert [segment.tolist() for segment in intervals.get_segments()] == [[[0.5, 0.4], [0.5, 1.0]]]
    texts = [text.get_text() for text in axes.get_legend().get_texts()]
    assert "0.250 (0.125)" in texts[0]
    assert "temperature 2.00: 0.500" in texts[1]
    assert axes.get_title() == "test: 5 clips in 2 bins"
    # A temperature that changes nothing is named, and its dots are plotted once.
    plots.plot_reliability({"temperature": 1.0, "test": scores}, Path("r.png"), "title")
    (axes,) = figures["r.png"].axes
    assert len(axes.lines) == 2
    assert "temperature is 1" in axes.get_legend().get_texts()[0].get_text()
    assert is_uncut(figures["r.png"])


def test_probabilities_over_time_are_a_row_per_genre_with_notes_and_window_length(figures):
    probabilities = np.array([[0.25, 0.75], [1.0, 0.0]])
    title = "a.mp3: jazz\n" + 40 * "a long note "
    plots.plot_probabilities(
        np.array([0, 2, 5]), probabilities, ["jazz", "pop"], Path("p.png"), title, 4.0
    )
    axes, _ = figures["p.png"].axes
    (image,) = axes.collections
    np.testing.assert_array_equal(image.get_array(), probabilities.T)
    assert image.get_coordinates()[0, :, 0].tolist() == [0, 2, 5]
    assert [text.get_text() for text in axes.get_yticklabels()] == ["jazz", "pop"]
    cells = {text.get_position(): text.get_text() for text in axes.texts}
    assert cells == {(1, 0): "25%", (1, 1): "75%", (3.5, 0): "100%"}
    assert "windows of 4.0 s" in axes.get_xlabel()
    assert figures["p.png"].get_suptitle().count("note") == 40
    assert is_uncut(figures["p.png"])


def test_probabilities_of_a_long_file_have_no_numbers_and_minutes(figures):
    edges, probabilities = np.arange(101) * 6, np.full((100, 2), 0.5)
    plots.plot_probabilities(edges, probabilities, ["a", "b"], Path("p.png"), "", 8.0)
    axes = figures["p.png"].axes[0]
    assert axes.get_xlim() == (0, 10)
    assert "(min)" in axes.get_xlabel()
    assert not axes.texts
