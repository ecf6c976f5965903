"""What a user may rely on about the experiments, their table and their figures."""

import argparse
import copy
import dataclasses
import re
import shutil
import sys
import types

import numpy as np
import pytest
import soundfile
import torch
from helpers import (
    GENRES,
    PICTURES,
    ROOT,
    assert_one_line,
    extract,
    is_uncut,
    make_clip,
    read_json,
    read_manifest,
    read_rows,
    run_module,
    write_manifest,
)

from common.errors import InputError
from common.files import lock_folders
from experiments import __main__ as experiments
from experiments import chains, collect, merge, report, robustness, transfer
from experiments.architecture import count_parameters
from experiments.artists import write_artists
from experiments.baseline import summary_statistics
from experiments.plan import COMPARED, LADDER, PIECEWISE, PLATEAU, RUNS, STEPS, Run
from genre_features.cache import GenreFeatureData
from genre_features.clips import SUBSETS
from genre_lstm.options import parse_options
from genre_lstm.recipes import RECIPES, Recipe
from genre_lstm.weights import load_model

SHORT = "short, for the tests"


@pytest.fixture(scope="module")
def named_features(tmp_path_factory):
    """Features of the tests' clips under the names of the genres that the experiments are about."""
    folder = tmp_path_factory.mktemp("experiments")
    for genre, name in zip(GENRES, ("hiphop", "metal", "pop"), strict=True):
        (folder / name).mkdir()
        for number in (0, 10, 11, 30, 31, 32):
            path = folder / name / f"{name}.{number:05d}.wav"
            soundfile.write(path, make_clip(genre, number), 22050)
    extract(folder, folder / "features")
    return folder / "features"


@pytest.fixture
def short_runs(monkeypatch):
    """Two runs of eleven epochs in the place of those that take hours."""
    monkeypatch.setitem(STEPS, SHORT, dataclasses.replace(Recipe(), epochs=11, shuffle=True))
    runs = [Run(SHORT, "index", schedule, 1) for schedule in (PIECEWISE, PLATEAU)]
    for module in (experiments, collect):
        monkeypatch.setattr(module, "RUNS", runs)
    return runs


def run_experiments(monkeypatch, capsys, *arguments, status=0):
    """Run the experiments' command in this process; return what it printed."""
    monkeypatch.setattr(sys, "argv", ["experiments", *map(str, arguments)])
    found = 0
    try:
        experiments.run_script(experiments.main)
    except SystemExit as stop:
        found = stop.code
    printed = capsys.readouterr()
    assert found == status, printed.err
    return printed.out.splitlines(), printed.err


@pytest.mark.parametrize("step", STEPS)
def test_command_line_of_every_step_gives_its_recipe(step, monkeypatch):
    script, *options = Run(step, "index", PLATEAU, 3).arguments()
    assert script == "lstm_genre_classifier_pytorch_ReduceLROnPlateau.py"
    monkeypatch.setattr(sys, "argv", [script, *options])
    options = parse_options("")
    assert (options.recipe, options.seed) == (STEPS[step], 3)


def test_ladder_leads_from_the_published_recipe_to_the_improved_one():
    steps = [STEPS[step] for step in LADDER]
    assert steps[0] == RECIPES["published"]
    assert steps[-1] == RECIPES["improved"]
    assert len(set(steps)) == len(steps)


def test_fingerprint_tells_settings_seeds_schedules_and_data_apart():
    found = {run.fingerprint({"train": 1}) for run in RUNS if run.split == "index"}
    assert len(found) == sum(run.split == "index" for run in RUNS)
    assert RUNS[0].fingerprint({"train": 1}) != RUNS[0].fingerprint({"train": 2})


def test_runs_are_trained_once_and_listed_as_done(
    named_features, short_runs, tmp_path, monkeypatch, capsys
):
    arguments = ("--features", named_features, "--output", tmp_path)
    listed, _ = run_experiments(monkeypatch, capsys, *arguments, "--dry-run")
    assert [line.split()[1] for line in listed] == [run.arguments()[0] for run in short_runs]
    assert all("--device cpu" in line for line in listed)
    listed, _ = run_experiments(monkeypatch, capsys, *arguments, "--dry-run", "--device", "cuda")
    assert all("--device cuda" in line for line in listed)
    assert not list(tmp_path.iterdir())

    run_experiments(monkeypatch, capsys, *arguments, "--jobs", 2)
    baseline, *rows = read_rows(tmp_path / "results.csv")
    assert baseline["step"] == "svm"
    assert [(row["schedule"], row["seed"]) for row in rows] == [(PIECEWISE, "1"), (PLATEAU, "1")]
    for row, done in zip(rows, short_runs, strict=True):
        (summary,) = tmp_path.glob(f"runs/*{done.schedule}*/result/*/summary.json")
        scores = read_json(summary)["validation"]
        assert (int(row["validation_n"]), int(row["validation_correct"])) == (6, scores["correct"])
        assert int(row["validation_hiphop_correct"]) == scores["confusion"][0][0]
        assert row["test_n"] == ""  # only final settings are scored on the test subset

    # The table alone says what was done: the runs' folders aren't needed any more.
    shutil.rmtree(tmp_path / "runs")
    listed, _ = run_experiments(monkeypatch, capsys, *arguments, "--dry-run")
    assert [line.startswith("# done: ") for line in listed] == [True, True]
    run_experiments(monkeypatch, capsys, *arguments)
    assert read_rows(tmp_path / "results.csv") == [baseline, *rows]
    assert not (tmp_path / "runs").exists()


def test_second_call_for_the_same_folder_is_told_of_the_first(
    named_features, short_runs, tmp_path, monkeypatch, capsys
):
    arguments = ("--features", named_features, "--output", tmp_path)
    with lock_folders(tmp_path):
        _, stderr = run_experiments(monkeypatch, capsys, *arguments, status=2)
    assert_one_line(stderr, "is writing to", tmp_path)
    assert not list(tmp_path.glob("[!.]*"))


def test_a_run_that_was_stopped_goes_on(named_features, short_runs, tmp_path):
    data = GenreFeatureData(named_features).load()
    assert "--resume" not in experiments.command(short_runs[0], data, tmp_path, "cpu")
    folder = experiments.folder_of(short_runs[0], data, tmp_path) / "weights" / PIECEWISE
    folder.mkdir(parents=True)
    (folder / "checkpoint.pt").touch()
    assert "--resume" in experiments.command(short_runs[0], data, tmp_path, "cpu")


def test_original_left_out_the_last_batch_unless_it_was_full():
    predictions = [
        {"subset": subset, "true": "pop", "predicted": "pop" if i % 2 else "jazz"}
        for subset in ("validation", "test")
        for i in range(12)
    ]
    for size, n, n_right in ((5, 10, 5), (12, 12, 6), (7, 7, 3), (20, 0, 0)):
        found = collect.count_whole_batches(predictions, size)
        assert found == {"whole_batches_n": n, "whole_batches_correct": n_right}


def test_hiphop_is_counted_apart_for_each_recording_chain():
    answers = {"a": "metal", "b": "hiphop", "c": "metal", "d": "pop", "e": "hiphop"}
    predictions = [{"track": t, "true": "hiphop", "predicted": a} for t, a in answers.items()]
    predictions.append({"track": "f", "true": "metal", "predicted": "metal"})
    cut = {track: track in "abcf" for track in "abcdef"}
    assert list(collect.count_by_chain(predictions, cut)) == [
        {"chain": "band-limited", "n": 3, "hiphop": 1, "metal": 2},
        {"chain": "full band", "n": 2, "hiphop": 1, "metal": 0},
    ]


def test_two_versions_of_the_clips_are_merged_side_by_side(named_features, tmp_path):
    data = GenreFeatureData(named_features).load()
    other = GenreFeatureData(named_features).load()
    other.inputs = {subset: inputs + 1 for subset, inputs in other.inputs.items()}
    merge.merge(data, other, tmp_path)
    merged = GenreFeatureData(tmp_path).load()
    assert (merged.genres, merged.settings) == (data.genres, data.settings)
    for subset in SUBSETS:
        np.testing.assert_array_equal(merged.inputs[subset][::2], data.inputs[subset])
        np.testing.assert_array_equal(merged.inputs[subset][1::2], other.inputs[subset])
        assert merged.targets[subset][::2].tolist() == data.targets[subset].tolist()
        assert merged.tracks[subset][1::2] == data.tracks[subset]

    other.genres = ["folk", *other.genres[1:]]
    with pytest.raises(InputError, match="don't hold the same tracks"):
        merge.merge(data, other, tmp_path / "elsewhere")
    assert not (tmp_path / "elsewhere").exists()


@pytest.fixture
def models(trained, monkeypatch):
    """The tests' model in two states, as if it were two of the improved models."""
    model, saved = load_model(trained / "weights" / PIECEWISE / "model.pt")
    saved["genres"] = ["hiphop", "metal", "pop"]
    keys = [dict.fromkeys(collect.KEY, split) for split in ("control", "lowpass")]
    return [(keys[0], model, saved), (keys[1], copy.deepcopy(model), saved)]


def test_answers_to_clips_at_other_rates_are_compared_with_those_to_the_clips(models, tmp_path):
    folder = tmp_path / "clips"
    for genre, name in zip(GENRES, ("hiphop", "metal", "pop"), strict=True):
        (folder / name).mkdir(parents=True)
        soundfile.write(folder / name / f"{name}.00000.wav", make_clip(genre, 0), 22050)
    models[1][1].linear.bias.data[:] = torch.tensor([0.0, 0.0, 1e6])  # always pop
    robustness.write_answers(folder, models, tmp_path)
    rows = report.read_table(tmp_path / "robustness.csv")
    assert [row["variant"] for row in rows] == [*robustness.VARIANTS] * 2
    assert {row["n"] for row in rows} == {"3"}
    assert [row["kept"] for row in rows if row["variant"] == robustness.AS_IT_IS] == ["3", "3"]
    stubborn = [(row["right"], row["kept"]) for row in rows if row["split"] == "lowpass"]
    assert stubborn == [("1", "3")] * len(robustness.VARIANTS)


def test_variant_of_a_clip_has_its_rate_format_and_length(tmp_path):
    soundfile.write(tmp_path / "clip.wav", make_clip("hum", 0, seconds=2.5), 22050)
    files = robustness.write_variants(tmp_path / "clip.wav", tmp_path)
    for name, (rate, form, seconds) in robustness.VARIANTS.items():
        about = soundfile.info(files[name])
        assert (about.samplerate, about.format) == (rate, form)
        assert about.duration == pytest.approx(min(seconds, 2.5), abs=0.1)


def test_genres_that_both_data_sets_have_are_counted_by_the_models_answers(
    models, named_features, tmp_path
):
    models[0][1].linear.bias.data[:] = torch.tensor([0.0, 0.0, 1e6])
    transfer.write_answers(GenreFeatureData(named_features).load(), models[:1], tmp_path)
    rows = report.read_table(tmp_path / "transfer.csv")
    assert [(row["genre"], row["n"], row["pop"]) for row in rows] == [
        ("hiphop", "6", "6"),
        ("metal", "6", "6"),
        ("pop", "6", "6"),
    ]


def test_models_of_another_hop_length_are_refused(models, named_features, tmp_path):
    data = GenreFeatureData(named_features).load()
    data.settings = dataclasses.replace(data.settings, hop_length=1709)
    with pytest.raises(InputError, match="differ in hop length, 512 and 1709"):
        transfer.write_answers(data, models, tmp_path)


def test_tracks_that_are_not_gtzans_are_named_before_anything_is_trained():
    tracks = {"train": ["pop.00030"], "validation": ["pop.00010"], "test": ["song 1"]}
    with pytest.raises(InputError, match=r"^song 1 isn't named as GTZAN's tracks are"):
        chains.describe_tracks(types.SimpleNamespace(tracks=tracks))


def test_models_are_found_by_the_features_that_they_were_trained_on(
    trained, named_features, tmp_path, monkeypatch
):
    other = shutil.copytree(named_features, tmp_path / "other")
    (other / "features.json").unlink()
    inputs = np.load(other / "data_train_input.npy")
    np.save(other / "data_train_input.npy", inputs + 1)
    run = next(run for run in collect.RUNS if run.step == "improved" and run.split == "lowpass")
    folder = collect.folder_of(run, GenreFeatureData(other).load(), tmp_path)
    weights = trained / "weights" / PIECEWISE
    shutil.copytree(weights, folder / "weights" / run.schedule)
    ((key, _, _),) = collect.find_models({"lowpass": other, "control": named_features}, tmp_path)
    assert (key["split"], key["schedule"], key["seed"]) == ("lowpass", run.schedule, run.seed)
    with pytest.raises(InputError, match="python -m experiments trains them"):
        collect.find_models({"lowpass": named_features, "control": None}, tmp_path)


def test_trainings_end_when_the_experiments_are_interrupted(
    named_features, short_runs, tmp_path, monkeypatch
):
    begun, begin = [], experiments.begin

    def interrupt(_):
        raise KeyboardInterrupt

    monkeypatch.setattr(experiments, "begin", lambda *a: begun.append(begin(*a)) or begun[-1])
    monkeypatch.setattr(experiments, "command", lambda *_: ["-c", "import time; time.sleep(1000)"])
    monkeypatch.setattr(experiments, "time", types.SimpleNamespace(sleep=interrupt))
    data = GenreFeatureData(named_features).load()
    options = argparse.Namespace(output=tmp_path, device="cpu", jobs=2)
    with pytest.raises(KeyboardInterrupt):
        list(experiments.train_all([(run, data) for run in short_runs], options))
    assert len(begun) == 2
    assert all(process.wait(100) for process, _ in begun)


def test_features_without_hiphop_are_refused_in_one_line(
    named_features, tmp_path, monkeypatch, capsys
):
    data = tmp_path / "features"
    shutil.copytree(named_features, data)
    manifest = read_manifest(data)
    manifest["genres"][0] = "folk"
    write_manifest(data, **manifest)
    arguments = ("--features", data, "--output", tmp_path / "output")
    _, stderr = run_experiments(monkeypatch, capsys, *arguments, status=2)
    assert_one_line(stderr, data, "hiphop")
    assert not (tmp_path / "output").exists()


def test_baseline_sees_231_statistics_that_dont_depend_on_the_order_of_tracks():
    features = np.random.default_rng(0).standard_normal((5, 40, 33)).astype(np.float32)
    found = summary_statistics(features)
    assert found.shape == (5, 231)
    np.testing.assert_allclose(summary_statistics(features[::-1]), found[::-1], rtol=1e-5)


def test_clips_of_a_genre_in_one_list_may_share_an_artist_across_subsets(tmp_path):
    write_artists(["classical"], tmp_path)
    rows = {
        (row["split"], row["subset"]): row for row in report.read_table(tmp_path / "artists.csv")
    }
    # The index split tests on clips 0 to 9, all of which the lists put with 10 and 68 to 76.
    assert rows["index", "test"]["clips"] == rows["index", "test"]["shared"] == "10"
    assert all(rows["filtered", subset]["shared"] == "0" for subset in SUBSETS)


def test_committed_table_and_figures_are_made_from_the_committed_results(tmp_path):
    committed = ROOT / "experiments"
    for path in committed.glob("*.csv"):
        shutil.copy(path, tmp_path)
    report.write_report(tmp_path)
    assert (tmp_path / "table.md").read_text() == (committed / "table.md").read_text()
    figures = {path.name for path in committed.glob("*.png")}
    assert figures == {path.name for path in tmp_path.glob("*.png")}
    assert len(figures) == 5


def test_readmes_show_the_committed_tables():
    blocks = (ROOT / "experiments" / "table.md").read_text(encoding="utf-8").split("\n\n")
    recipes, *others = [block.strip() for block in blocks if block.startswith("|")]
    assert recipes in (ROOT / "README.md").read_text(encoding="utf-8")
    text = (ROOT / "experiments" / "README.md").read_text(encoding="utf-8")
    assert others
    assert not [table for table in others if table not in text]


@pytest.fixture
def drawn(monkeypatch):
    """The figures of the report that would be written."""
    found = []
    monkeypatch.setattr(report, "save", lambda figure, path: found.append(figure))
    return found


def test_schedules_are_compared_over_the_seeds_that_all_of_them_have(drawn):
    step = COMPARED["published"][0]
    curves = [
        {"step": step, "schedule": schedule, "seed": seed, "epoch": "10", "val_loss": loss}
        for schedule, seed, loss in (
            (PIECEWISE, "0", "1.0"),
            (PIECEWISE, "1", "2.0"),
            (PIECEWISE, "2", "9.0"),
            (PLATEAU, "0", "3.0"),
            (PLATEAU, "1", "4.0"),
        )
    ]
    report.plot_schedules(curves, None)
    axes = drawn[0].axes[0]
    means = {line.get_label(): line.get_ydata().tolist() for line in axes.lines}
    assert means == {PIECEWISE: [1.5], PLATEAU: [3.5]}
    assert "(2 seeds)" in axes.get_title()
    assert is_uncut(drawn[0])


def test_ladder_has_the_originals_scores_and_those_on_test_clips(drawn):
    rows = report.read_table(ROOT / "experiments" / "results.csv")
    report.plot_ladder(rows, None)
    for axes, value in zip(drawn[0].axes, (0.7905, 0.35), strict=True):
        lines = {line.get_label(): line for line in axes.lines}
        assert set(lines["original's report (validation)"].get_xdata()) == {value}
        tested = [line for line in axes.lines if line.get_label() == "test, each seed"]
        # The published recipe with and without the filter, the improved one, the baseline.
        assert len(tested) == 4
    assert [text.get_text() for axes in drawn[0].axes for text in axes.texts] == ["79.05%", "35%"]
    assert is_uncut(drawn[0])


def test_figures_of_a_training_are_redrawn_as_they_were(trained, tmp_path):
    folder = tmp_path / PIECEWISE
    shutil.copytree(trained / "result" / PIECEWISE, folder, ignore=shutil.ignore_patterns("*.png"))
    run_module("experiments.redraw", folder)
    for name in PICTURES:
        assert (folder / name).read_bytes() == (trained / "result" / PIECEWISE / name).read_bytes()


def test_results_of_two_trainings_are_not_drawn_as_one(trained, tmp_path):
    folder = shutil.copytree(trained / "result" / PIECEWISE, tmp_path / PIECEWISE)
    lines = (folder / "history.csv").read_text(encoding="utf-8").splitlines()
    (folder / "history.csv").write_text("\n".join(lines[:-1]), encoding="utf-8")
    _, stderr = run_module("experiments.redraw", folder, status=2)
    assert_one_line(stderr, folder, "two trainings")


def test_redrawing_says_which_folder_it_needs(tmp_path):
    _, stderr = run_module("experiments.redraw", tmp_path, status=2)
    assert_one_line(stderr, tmp_path, "result folder of a schedule")


@pytest.mark.parametrize("name", ["README.md", "experiments/README.md"])
def test_means_in_the_texts_stand_in_the_committed_table(name):
    table = (ROOT / "experiments" / "table.md").read_text(encoding="utf-8")
    means = re.findall(r"\d+\.\d+ ± \d+\.\d+", (ROOT / name).read_text(encoding="utf-8"))
    assert means
    assert not [mean for mean in means if mean not in table]


def test_architectures_are_drawn_from_the_weights(trained, improved, tmp_path):
    weights = [folder / "weights" / PIECEWISE / "model.pt" for folder in (trained, improved)]
    output = tmp_path / "model.svg"
    run_module("experiments.architecture", "--weights", *weights, "--output", output)
    text = output.read_text(encoding="utf-8")
    for path in weights:
        model, saved = load_model(path)
        assert f"{model.recipe.name} recipe: {count_parameters(model):,} parameters" in text
        assert f"<!-- frame {saved['settings'].frames} -->" in text
    assert "mean and standard deviation" in text
