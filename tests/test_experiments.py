"""What a user may rely on about the experiments, their tables and their figures."""

import copy
import dataclasses
import re
import shlex
import shutil
import sys
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from helpers import (
    GENRES,
    ROOT,
    assert_one_line,
    extract,
    is_uncut,
    read_json,
    read_rows,
    run,
    run_module,
    write_clip,
)

from common.errors import InputError
from experiments import (
    chain_tables,
    chains,
    collect,
    compare,
    counterfactual,
    everyday,
    figures,
    listening,
    robustness,
    transfer,
)
from experiments.baseline import summary_statistics
from experiments.both import interleave
from experiments.caches import load_features
from experiments.models import count_predictions, load_runs
from experiments.plan import LADDER, PIECEWISE, PLATEAU, RUNS, STEPS, Run
from experiments.report import FIGURES, write_report
from genre_features.cache import GenreFeatureData
from genre_features.frame import SAMPLE_RATE, FrameSettings
from genre_features.genres import SIX_GENRES
from genre_features.lowpass import lowpass
from genre_lstm.options import parse_options
from genre_lstm.recipes import RECIPES, Recipe
from genre_lstm.weights import load_model, load_models

NAMES = ("hiphop", "metal", "pop")  # of the tests' genres: the experiments are about the first two
SHORT = "short, for the tests"
# Accuracies that others report
CITED = {"53.4", "54.1", "77.2"}
COMMITTED = ROOT / "experiments"


@pytest.fixture(scope="module")
def named_features(tmp_path_factory):
    """A folder of features, as --features needs it, of the tests' clips under other genres."""
    folder = tmp_path_factory.mktemp("experiments")
    for genre, name in zip(GENRES, NAMES, strict=True):
        for number in (0, 10, 11, 30, 31, 32):
            write_clip(folder / name / f"{name}.{number:05d}.wav", genre, number)
    extract(folder, folder / "features" / "index-control")
    return folder / "features"


@pytest.fixture(scope="module")
def both_features(named_features, tmp_path_factory):
    """A folder of the features of the same clips, unfiltered and low-passed, as shipped models see.

    The shipped models' hop length is 1709.
    """
    folder = tmp_path_factory.mktemp("both")
    for name, *options in (("index-control",), ("index-lowpass", "--lowpass", 9000)):
        options += ["--hop-length", 1709, "--frames", 13]
        extract(named_features.parent, folder / name, *options)
    return folder


@pytest.fixture
def data(named_features):
    return GenreFeatureData(named_features / "index-control").load()


@pytest.fixture
def short_runs(monkeypatch):
    """A plan of three runs that take seconds."""
    monkeypatch.setitem(STEPS, SHORT, dataclasses.replace(Recipe(), epochs=11, shuffle=True))
    runs = [Run("index-control", SHORT, schedule, "1") for schedule in (PIECEWISE, PLATEAU)]
    runs.append(Run("index-control", "svm", "", ""))
    monkeypatch.setattr(collect, "RUNS", runs)
    return runs


@pytest.mark.parametrize("step", STEPS)
def test_command_of_every_step_gives_its_recipe_and_resumes_it(step, monkeypatch, tmp_path):
    each = Run("index-control", step, PLATEAU, "3")
    for resumed in (False, True):
        line = each.command("features", tmp_path)
        _, script, *options = line[line.index("python") :]
        assert script == "lstm_genre_classifier_pytorch_ReduceLROnPlateau.py"
        monkeypatch.setattr(sys, "argv", [script, *options])
        options = parse_options("")
        assert (options.recipe, options.seed, options.resume) == (STEPS[step], 3, resumed)
        each.weights(tmp_path).mkdir(parents=True, exist_ok=True)
        (each.weights(tmp_path) / "checkpoint.pt").touch()


def test_plan_has_every_run_once_and_a_ladder_from_the_published_recipe_to_the_improved_one():
    assert len({run.result("runs") for run in RUNS}) == len(set(RUNS)) == len(RUNS)
    steps = [STEPS[step] for step in LADDER]
    assert (steps[0], steps[-1]) == (RECIPES["published"], RECIPES["improved"])
    assert len(set(steps)) == len(steps)


def test_missing_runs_are_printed_as_commands_until_they_are_recorded(named_features, tmp_path):
    folders = ("--runs", tmp_path / "runs", "--output", tmp_path)
    options = ("--features", named_features, *folders)
    svm, *others = run_module("experiments.__main__", *options)[0].splitlines()
    assert others
    assert all(str(named_features / "index-control") in line for line in (svm, *others))
    run_module(*shlex.split(svm)[2:])
    assert run_module("experiments.__main__", *options)[0].splitlines() == others
    run_module("experiments.collect", *folders)
    shutil.rmtree(tmp_path / "runs")
    assert run_module("experiments.__main__", *options)[0].splitlines() == others
    _, stderr = run_module("experiments.__main__", "--features", tmp_path, status=2)
    assert_one_line(stderr, tmp_path, "index-control")


def test_finished_runs_are_added_to_the_tables(named_features, short_runs, tmp_path, undrawn):
    for _, script, *options in (r.command(named_features, tmp_path) for r in short_runs):
        run_module(*options) if script == "-m" else run(script, *options)
    other = dict.fromkeys(collect.COLUMNS, "1") | {"features": "of another day"}
    collect.write_table(tmp_path / "results.csv", collect.COLUMNS, [other])
    assert collect.collect(tmp_path, tmp_path) == collect.collect(tmp_path, tmp_path) == 3
    kept, *rows = read_rows(tmp_path / "results.csv")
    assert kept == other
    for row, each in zip(rows, short_runs, strict=True):
        # Only final steps, such as the baseline, are scored on the test subset.
        assert row["test_n"] == ("3" if each.step == "svm" else "")
        predictions = read_rows(each.result(tmp_path) / "predictions.csv")[:6]
        together = compare.load_row(tmp_path, *each[:3], "validation")
        assert together.tracks.tolist() == [row["track"] for row in predictions]
        right = [row["true"] == row["predicted"] for row in predictions]
        assert together.right.tolist() == right
        assert int(row["validation_correct"]) == sum(right)
    scores = read_json(short_runs[0].result(tmp_path) / "summary.json")["validation"]
    assert rows[0]["validation_confusion"] == " ".join(map(str, np.ravel(scores["confusion"])))
    assert int(rows[0]["validation_hiphop_correct"]) == scores["confusion"][0][0]
    assert compare.load_row(tmp_path, "index-control", SHORT, PIECEWISE, "test") is None
    with pytest.raises(InputError, match="other clips"):
        path = tmp_path / "predictions" / "index-control.npz"
        collect.write_predictions(path, {short_runs[0]: predictions[1:]})


def test_run_with_another_recipe_than_the_plans_is_refused(trained, tmp_path, short_runs):
    folder = short_runs[0].result(tmp_path)
    shutil.copytree(trained / "result" / PIECEWISE, folder)
    with pytest.raises(InputError, match="has another recipe"):
        collect.collect(tmp_path, tmp_path)


def test_whole_batches_and_recording_chains_are_counted(monkeypatch, tmp_path):
    clips = zip("abcdef", ["metal", "hiphop", "metal", "pop", "hiphop", "hiphop"], strict=True)
    about = {"subset": "validation", "true": "hiphop", "p_pop": 0}
    rows = [about | {"track": name, "predicted": guess} for name, guess in clips]
    rows.append(rows[0] | {"true": "metal"})
    monkeypatch.setattr(collect, "read_training", lambda *_: {})
    # The original left out the last batch unless it was full.
    for size, n, n_right in ((3, 6, 3), (5, 5, 2), (7, 7, 4), (20, 0, 0)):
        monkeypatch.setitem(STEPS, SHORT, Recipe(batch_size=size))
        row = collect.read_run(Run("", SHORT, PIECEWISE, "0"), tmp_path, rows, set("abc"))
        assert (row["whole_batches_n"], row["whole_batches_correct"]) == (n, n_right)
    counts = [row[name] for name in collect.COLUMNS if "_band_" in name or "band_l" in name]
    assert counts == [3, 1, 2, 3, 2, 0]


def test_two_versions_of_the_training_clips_are_interleaved(data, named_features, tmp_path):
    other = GenreFeatureData(named_features / "index-control").load()
    other.inputs = {subset: inputs + 1 for subset, inputs in other.inputs.items()}
    interleave(data, other, tmp_path)
    both = GenreFeatureData(tmp_path).load()
    assert (both.genres, both.settings) == (data.genres, data.settings)
    for i, version in enumerate((data, other)):
        np.testing.assert_array_equal(both.inputs["train"][i::2], version.inputs["train"])
        assert both.targets["train"][i::2].tolist() == version.targets["train"].tolist()
        assert both.tracks["train"][i::2] == version.tracks["train"]
    for subset in ("validation", "test"):
        np.testing.assert_array_equal(both.inputs[subset], other.inputs[subset])
        assert both.tracks[subset] == other.tracks[subset]
    with pytest.raises(InputError, match="don't hold the same tracks"):
        interleave(data, both, tmp_path / "elsewhere")


@pytest.fixture
def two_models(trained):
    """The tests' model in two states, one of which always predicts pop, as two of the plan's."""
    model, saved = load_model(trained / "weights" / PIECEWISE / "model.pt")
    saved["genres"] = list(NAMES)
    stubborn = copy.deepcopy(model)
    stubborn.linear.bias.data[:] = torch.tensor([0.0, 0.0, 1e6])
    runs = [Run(name, "improved", PIECEWISE, "0") for name in ("index-control", "index-lowpass")]
    return {runs[0]: [(model, saved)], runs[1]: [(stubborn, saved)]}


@pytest.mark.parametrize("module", [robustness, everyday])
def test_predictions_for_versions_of_clips_are_counted(module, two_models, tmp_path):
    for genre, name in zip(GENRES, NAMES, strict=True):
        write_clip(tmp_path / "known" / name / f"{name}.00000.wav", genre, 0)
        write_clip(tmp_path / "others" / genre / "a.wav", genre, 0)
    counts = count_predictions(tmp_path / "known", two_models, module.make_versions)
    first, stubborn = counts.values()
    assert first["clips"] == first["same, unchanged"] == 3
    names = module.make_versions(np.ones(100))
    assert len(names) > 5
    for name in names:
        assert (stubborn[f"right, {name}"], stubborn[f"same, {name}"]) == (1, 3)
    with pytest.raises(InputError, match="no clips of the models' genres, hiphop, metal, pop"):
        count_predictions(tmp_path / "others", two_models, module.make_versions)


def fraction_above(signal, hz):
    """Return the fraction of a signal's power above a frequency."""
    power = np.abs(np.fft.rfft(signal)) ** 2
    return power[np.fft.rfftfreq(len(signal), 1 / SAMPLE_RATE) > hz].sum() / power.sum()


def test_converted_clips_have_the_bandwidth_and_length_of_their_file():
    noise = np.random.default_rng(0).standard_normal(2 * SAMPLE_RATE) / 10
    versions = robustness.make_versions(noise)
    assert len(versions["first 1 s"]) == SAMPLE_RATE
    for name, (rate, _, _) in robustness.CONVERTED.items():
        assert fraction_above(versions[name], 0.52 * rate) < 0.01
        assert fraction_above(versions[name], 0.25 * rate) > 0.2


def test_changed_clips_are_as_loud_as_before_and_have_the_noise_room_and_pitch_that_they_say():
    rng = np.random.default_rng(0)
    noise = rng.standard_normal(2 * SAMPLE_RATE) / 10
    versions = everyday.make_versions(noise)
    for version in versions.values():
        assert version.std() == pytest.approx(noise.std(), rel=0.01)
    assert fraction_above(versions["telephone"], 3900) < 0.01
    assert fraction_above(versions["telephone"], 280) > 0.9
    assert fraction_above(versions["bass +10 dB"], 200) < fraction_above(noise, 200) - 0.05
    assert fraction_above(versions["treble cut at 2 kHz"], 4000) < fraction_above(noise, 4000) / 2
    ratio = len(noise) / len(versions["a semitone up"])
    assert ratio == pytest.approx(2 ** (1 / 12), rel=1e-3)
    added = everyday.add_noise(noise, 20, rng) - noise
    assert noise.std() / added.std() == pytest.approx(10, rel=0.02)
    click = np.eye(1, SAMPLE_RATE)[0]
    echo = everyday.add_room(click, 0.5, -6, rng) - click
    assert np.linalg.norm(echo) == pytest.approx(10 ** (6 / 20), rel=0.02)
    early, late = (np.linalg.norm(echo[i : i + 1000]) for i in (1000, 1000 + SAMPLE_RATE // 4))
    assert 20 * np.log10(early / late) == pytest.approx(30, abs=2)


def test_genres_that_both_data_sets_have_are_counted(two_models, data):
    lowpassed, _ = two_models
    ((model, saved),) = two_models[lowpassed]
    settings = dataclasses.replace(saved["settings"], lowpass=9000)
    two_models[lowpassed] = [(model, saved | {"settings": settings})]
    # Unfiltered clips are shown to the models that were trained on such clips alone.
    rows = transfer.count_predictions(data, two_models)
    assert [(r["genre"], r["n"], r["pop"]) for r in rows] == [(name, 6, 6) for name in NAMES]
    with pytest.raises(InputError, match="no model was trained on features computed as"):
        transfer.count_predictions(data, {lowpassed: two_models[lowpassed]})
    data.settings = dataclasses.replace(data.settings, hop_length=1709)
    with pytest.raises(InputError, match="no model was trained on features computed as"):
        transfer.count_predictions(data, two_models)


def test_models_are_loaded_from_the_folders_of_their_runs(trained, tmp_path):
    with pytest.raises(InputError, match="no improved models"):
        load_runs(tmp_path)
    run = next(run for run in RUNS if run.step == "improved" and run.features == "index-lowpass")
    shutil.copytree(trained / "weights" / run.schedule, run.weights(tmp_path))
    assert list(load_runs(tmp_path)) == [run]


def test_listening_shuffles_and_shortens_the_frames(data, named_features, trained, tmp_path):
    clip = np.arange(40 * 33, dtype=np.float32).reshape(40, 33)
    settings = dataclasses.replace(data.settings, hop_length=11025)
    versions = listening.make_versions(clip, settings, np.random.default_rng(0))
    assert (versions["whole clip"] == clip).all()
    assert not (versions["frames shuffled"] == clip).all()
    assert (np.sort(versions["frames shuffled"], axis=0) == clip).all()
    assert (versions["last 3 s"] == clip[-6:]).all()
    folders = ("--features", named_features, "--weights", trained / "weights")
    run_module("experiments.listening", *folders, "--output", tmp_path)
    rows = read_rows(tmp_path / "listening.csv")
    assert [row["version"] for row in rows] == [*versions] * 2
    assert [row["model"] for row in rows] == [PIECEWISE] * 4 + [PLATEAU] * 4
    assert {row["n"] for row in rows} == {"9"}
    assert [row["same"] for row in rows[::4]] == ["9", "9"]
    (table,) = chain_tables.listening_tables(rows).values()
    assert "| weights, whole clip | 2 | 9 |" in table


def test_shipped_models_are_shown_audio_and_both_versions_of_the_features(both_features, tmp_path):
    clips = tmp_path / "clips"
    for genre, name in zip(GENRES, NAMES, strict=True):
        write_clip(clips / name / f"{name}.00010.wav", genre, 10)
    folders = ("--features", both_features, "--output", tmp_path)
    run_module("experiments.estimates", "--clips", clips, *folders)
    *each, together = read_rows(tmp_path / "estimates.csv")
    assert together["models"] == "improved, together"
    for row in (*each, together):  # these features weren't estimated
        assert (row["clips"], row["same"]) == ("3", "3")
        assert row["right, audio"] == row["right, estimates"]
    artists = tmp_path / "artists.csv"
    artists.write_text("track,artist\npop.00000,1\n", encoding="utf-8")
    _, stderr = run_module("experiments.chains", *folders, "--artists", artists, status=2)
    assert_one_line(stderr, "20 clips of each recording chain")
    rows = read_rows(tmp_path / "chains.csv")
    assert len(rows) == 18
    assert {row[f"{PLATEAU}, low-passed"] for row in rows} <= set(SIX_GENRES)
    settings = load_features(both_features, FrameSettings(hop_length=1709, lowpass=9000)).settings
    assert settings.lowpass == 9000
    with pytest.raises(InputError, match="--hop-length 2000"):
        load_features(both_features, FrameSettings(hop_length=2000))


def test_empty_band_of_clips_is_filled_at_the_level_of_full_band_clips(two_models, tmp_path):
    noise = np.random.default_rng(0).standard_normal(2 * SAMPLE_RATE) / 10
    _, top, octave = counterfactual.measure_bands(noise)
    assert np.median(top / octave) == pytest.approx(1, abs=0.1)
    versions = counterfactual.make_versions(lowpass(noise, 9000), level=1)
    assert fraction_above(versions["unfiltered"], 9700) < 1e-4
    assert fraction_above(versions["filled"], 9700) == pytest.approx(0.12, abs=0.02)
    assert fraction_above(versions["7.5 kHz"], 7700) < 1e-4
    for genre, name in zip(GENRES, NAMES, strict=True):
        write_clip(tmp_path / "limited" / name / f"{name}.00000.wav", genre, 0, rate=16000)
        write_clip(tmp_path / "clips" / name / f"{name}.00000.wav", genre, 0)
    models = dict(zip((PIECEWISE, PLATEAU), two_models.values(), strict=True))
    rows = list(counterfactual.classify_clips(tmp_path / "clips", models))
    assert len(rows) == 3 * 2 * len(versions)
    assert {row["predicted"] for row in rows if row["schedule"] == PLATEAU} == {"pop"}
    (table,) = chain_tables.counterfactual_tables(rows).values()
    assert f"| hiphop, full band, {PLATEAU} | 1 |{' 0 |' * len(versions)}" in table
    with pytest.raises(InputError, match="no full-band clips"):
        list(counterfactual.classify_clips(tmp_path / "limited", models))


def test_clips_that_differ_are_tested_and_artists_count_alike():
    first = np.array([True] * 59 + [False])
    second = np.array([True] * 50 + [False] * 9 + [True])
    assert compare.mcnemar(first, second) == (9, 1, pytest.approx(22 / 1024))  # binomial, n = 10
    assert compare.mcnemar(first, first) == (0, 0, 1)
    # Two models of 20 clips of pop, 18 of them by one artist; together, they are right on 18.
    tracks, p = np.array([f"pop.{i:05d}" for i in range(20)]), np.zeros((2, 20, 2))
    p[0, :18, 1], p[1, :18, 1] = 0.9, 0.2
    p[..., 0] = 1 - p[..., 1]
    row = compare.Row(tracks, np.ones(20, int), p, np.array(["metal", "pop"]))
    pop, everything = list(compare.score_row(row, dict.fromkeys(tracks[:18], "a")))
    assert (pop["seeds"], pop["n"], pop["correct"], pop["artists"]) == (2, 20, 18, 3)
    assert float(pop["mean"]) == pytest.approx(1 / 3, abs=1e-4)
    assert everything["correct"] == 18
    assert float(everything["loss"]) < float(everything["loss_of_one"])


def test_baseline_sees_231_statistics_that_dont_depend_on_the_order_of_clips():
    clips = np.random.default_rng(0).standard_normal((5, 40, 33)).astype(np.float32)
    statistics = summary_statistics(clips)
    assert statistics.shape == (5, 231)
    np.testing.assert_allclose(summary_statistics(clips[::-1]), statistics[::-1], rtol=1e-5)


def test_contrast_of_the_highest_band_tells_band_limited_clips(data, two_models, tmp_path):
    data.inputs = {subset: np.array(clips) for subset, clips in data.inputs.items()}
    for clips in data.inputs.values():
        clips[..., 32] = 10
    data.inputs["test"][0, :, 32] = 40
    models = dict(zip((PIECEWISE, PLATEAU), two_models.values(), strict=True))
    rows = chains.classify_tracks(dict.fromkeys(chains.VERSIONS, data), models)
    collect.write_table(tmp_path / chains.NAME, rows[0], rows)
    assert chains.band_limited_tracks(tmp_path) == {data.tracks["test"][0]}
    assert {row[f"{PLATEAU}, low-passed"] for row in rows} == {"pop"}


def test_full_band_clips_are_counted_before_and_after_the_filter():
    about = {"genre": "hiphop", "subset": "train", "contrast": "20"}
    guesses = [("hiphop", "metal")] * 8 + [("metal", "metal"), ("hiphop", "hiphop")]
    columns = [f"{schedule}, {v}" for schedule in (PIECEWISE, PLATEAU) for v in chains.VERSIONS]
    rows = [about | dict(zip(columns, 2 * each, strict=True)) for each in guesses]
    rows.append(rows[0] | {"contrast": "40", "subset": "test"})
    rows = [row | {"track": f"hiphop.{30 + i:05}"} for i, row in enumerate(rows)]
    limited, subsets, effect, predictions = chain_tables.chain_tables(rows).values()
    assert "| hiphop | 1 of 11 | 0 of 10 | 1 of 1 |" in limited
    assert "| train | 10 |" in subsets and "| test | 1 |" in subsets
    p = f"{2 / 2**8:.1g}"  # binomial, n = 8
    assert f"| hiphop, {PIECEWISE} | 10 | 1 | 9 | {p} | 9 | 1 |" in effect
    assert f"| full band, training, {PLATEAU} | low-passed | 10 | 1 |" in predictions
    assert f"| band-limited, held out, {PLATEAU} | unfiltered | 1 | 1 |" in predictions


def test_chains_are_told_apart_for_unheard_artists_only():
    rng, n = np.random.default_rng(0), 80
    artists = np.arange(n) // 4
    limited = artists % 2 == 0
    rows = [{"genre": "pop", "contrast": 40 if each else 10} for each in limited]
    inputs = rng.standard_normal((n, 10, 33)) + 3 * rng.standard_normal((20, 1, 33))[artists]
    versions = {
        "unfiltered": inputs + 20 * limited[:, np.newaxis, np.newaxis],
        "low-passed": inputs,
    }
    versions = {k: SimpleNamespace(inputs={"train": clips}) for k, clips in versions.items()}
    (row,) = chains.tell_chains_apart(rows, versions, artists)
    assert [row[key] for key in ("band-limited", "full band", "artists")] == [40, 40, 20]
    assert row["unfiltered"] == "1.00"
    # Each artist's sound gives the chain away, but says nothing about the next artist's.
    assert float(row["low-passed"]) < 0.8
    assert row["unfiltered, mean removed"] == row["low-passed, mean removed"]


def test_committed_table_and_figures_are_made_from_the_committed_results(tmp_path):
    for path in COMMITTED.glob("*.csv"):
        shutil.copy(path, tmp_path)
    write_report(tmp_path)
    made, committed = ((f / "table.md").read_text("utf-8") for f in (tmp_path, COMMITTED))
    assert made == committed
    names = {path.name for path in COMMITTED.glob("*.png")}
    assert names == {path.name for path in tmp_path.glob("*.png")}


@pytest.mark.parametrize("path", ["README.md", "experiments/README.md"])
def test_scores_and_counts_in_the_texts_stand_in_the_committed_tables(path):
    table = (COMMITTED / "table.md").read_text(encoding="utf-8")
    text = re.sub(r"(?s:```.*?```)|(?m:^    .*$)", "", (ROOT / path).read_text("utf-8"))
    text = re.sub(r"\s+", " ", text)
    scores = re.findall(r"\d+\.\d+ ± \d+\.\d+", text)
    intervals = re.findall(r"(\d+\.\d) \[(\d+ to \d+)\]", text)
    scores += [f"| {score} | {interval} |" for score, interval in intervals]
    assert scores and not [score for score in scores if score not in table]
    # Accuracies have one decimal; recalls, areas and p have two.
    numbers = re.findall(r"(?<![.\d])\d\d\.\d\b(?! (?:kHz|ms))|\b0\.\d\d\b", text)
    assert not set(numbers) - set(re.findall(r"\d+\.\d+", table)) - CITED
    lines = [set(line.strip("| ").split(" | ")) for line in table.splitlines()]
    counts = re.findall(r"(?<![.\d])(\d+)(?: and (\d+))? of (?:the )?(\d+)", text)
    for count, n in ((count, n) for *both, n in counts for count in both if count):
        assert f"| {count} of {n} |" in table or any({count, n} <= line for line in lines)


@pytest.mark.parametrize("name", FIGURES)
def test_no_text_of_a_committed_figure_is_cut_off(name):
    source, draw = FIGURES[name]
    assert is_uncut(draw(read_rows(COMMITTED / source)))


def test_ladder_has_the_originals_scores_and_those_on_test_clips():
    figure = figures.draw_ladder(read_rows(COMMITTED / "results.csv"))
    for axes, value in zip(figure.axes[:2], (0.7905, 0.35), strict=True):
        lines = {line.get_label(): line for line in axes.lines}
        assert set(lines["original's report (validation)"].get_xdata()) == {value}
        assert "test, each seed" in lines


@pytest.mark.parametrize("recipe", ["published", "improved"])
def test_drawing_of_the_model_states_the_parameters_of_the_weights(recipe):
    (model, _), *_ = load_models(ROOT / "weights" / "reference" / recipe)
    text = (COMMITTED / "model.dot").read_text(encoding="utf-8")
    assert f"{recipe} recipe: {sum(p.numel() for p in model.parameters()):,} parameters" in text
