"""What a reader may rely on about the recordings that are marked as unlike the training music."""

import pytest
from helpers import ROOT, read_rows, write_cache

from common.errors import InputError
from experiments import unlike
from experiments.models import SHIPPED
from genre_features.cache import GenreFeatureData
from genre_lstm.weights import load_models


def test_sounds_that_are_not_music_are_far_from_the_training_clips(tmp_path, monkeypatch):
    monkeypatch.setattr(unlike, "N_SOUNDS", 1)
    monkeypatch.setattr(unlike, "VOICES", ())
    write_cache(tmp_path, n_clips=10, n_frames=20, n_genres=10)  # GTZAN's ten
    _, saved = load_models(SHIPPED / "improved")[0]
    data = GenreFeatureData(tmp_path).load()
    with pytest.raises(InputError, match="extract it again with --hop-length 1709 --lowpass 9000"):
        unlike.measure_distances(data, saved)
    data.settings = saved["settings"]
    kinds = unlike.measure_distances(data, saved)
    assert len(kinds["test clips"]) == 6
    assert len(kinds["blues, not trained on"]) == 1
    bound = float(saved["reference"]["bound"])
    assert all(kinds[kind][0] > bound for kind in ("noise", "rain", "engine", "tone", "clicks"))


@pytest.mark.parametrize("kind", ["noise", "rain", "engine", "tone", "clicks", "speech"])
def test_committed_measurement_backs_what_predict_says(kind):
    (row,) = (row for row in read_rows(ROOT / "experiments" / unlike.NAME) if row["kind"] == kind)
    assert int(row["marked"]) >= 0.95 * int(row["n"])
