"""What a user may rely on about the speeds that are told."""

import numpy as np
from helpers import ROOT, read_rows, write_clip

from benchmarks import __main__ as benchmarks
from benchmarks import measuring, original, threads
from genre_features.features import extract_clip
from genre_features.frame import FrameSettings


def test_speeds_in_the_readme_are_the_measured_ones():
    rows = read_rows(ROOT / "benchmarks" / "results.csv")
    readme = (ROOT / "benchmarks" / "README.md").read_text(encoding="utf-8")
    assert rows
    form = "| {measured} | {reference} | {n} | {ours} {unit} | {theirs} {unit} | {ratio} | {goal} |"
    assert not [row for row in rows if form.format(**row) not in readme]


def test_thread_times_in_the_readme_are_the_measured_ones():
    rows = read_rows(ROOT / "benchmarks" / "threads.csv")
    readme = (ROOT / "benchmarks" / "README.md").read_text(encoding="utf-8")
    assert rows
    for row in rows:
        policy = row["wait_policy"] or "default"
        line = "| {busy} | {threads} | {policy} | {seconds} | {slowest} |"
        assert line.format(policy=policy, **row) in readme


def test_table_has_the_columns_that_are_measured():
    rows = read_rows(ROOT / "benchmarks" / "results.csv")
    assert {tuple(row) for row in rows} == {benchmarks.COLUMNS}


def test_two_sides_are_run_by_turns_and_compared_by_their_medians():
    calls = []

    def side(name, *values):
        left = iter(values)
        return lambda: calls.append(name) or next(left)

    found = measuring.by_turns(side("ours", 1, 9, 2), side("theirs", 5, 7, 6), 3)
    assert found == [2, 6]
    assert calls == ["ours", "theirs"] * 3


def test_both_sides_of_an_extraction_compute_the_same_features(tmp_path):
    write_clip(tmp_path / "clip.au", "blip", 0, seconds=2.0)
    ours = extract_clip(tmp_path / "clip.au", FrameSettings())
    theirs = original.extract_clip(tmp_path / "clip.au")
    np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-5)


def test_an_accuracy_counts_as_reached_where_it_is_never_lost_again():
    rows = read_rows(ROOT / "result/reference/improved/PiecewiseDecay/history.csv")
    found = benchmarks.first_epoch("improved/PiecewiseDecay", 0.7905)
    accuracies = {int(row["epoch"]): float(row["val_accuracy"] or "nan") for row in rows}
    assert min(v for epoch, v in accuracies.items() if epoch >= found and v == v) >= 0.7905
    before = max(epoch for epoch, v in accuracies.items() if epoch < found and v == v)
    assert accuracies[before] < 0.7905
    assert benchmarks.first_epoch("published/PiecewiseDecay", 0.7905) is None


def test_every_setting_of_the_threads_is_measured_beside_the_same_busy_processes(
    monkeypatch, tmp_path
):
    begun, counts = [], []

    class Process:
        def __init__(self, command):
            begun.append(self)

        def kill(self):
            begun.remove(self)

        def wait(self):
            pass

    def seconds_alone(folder, setting):
        counts.append(len(begun))
        return len(counts)

    monkeypatch.setattr(threads.subprocess, "Popen", Process)
    monkeypatch.setattr(threads, "seconds_alone", seconds_alone)
    rows = list(threads.measure(tmp_path, times=3))
    assert counts == [0] * 9 + [1] * 9 + [2] * 9 + [4] * 9
    assert not begun
    assert {tuple(row) for row in rows} == {threads.COLUMNS}
    found = [(row["busy"], row["threads"], row["wait_policy"], row["seconds"]) for row in rows[:4]]
    assert found == [
        (0, "1", "", "4"),
        (0, "2", "", "5"),
        (0, "2", "PASSIVE", "6"),
        (1, "1", "", "13"),
    ]
