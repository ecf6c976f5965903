"""Classify clips with the shipped published models, unfiltered and low-passed.

    python -m experiments.counterfactual --clips gtzan/genres

Only the band above the cutoff changes. Writes counterfactual.csv: each clip's bandwidth, prediction
and probability of metal.
"""

import dataclasses

from tqdm import tqdm

from common.cli import run_script
from common.files import write_table
from experiments.options import ROOT, make_parser
from experiments.plan import PIECEWISE, PLATEAU
from genre_features.audio import load_signal
from genre_features.bandwidth import effective_bandwidth
from genre_features.clips import find_clips
from genre_features.features import extract_features
from genre_lstm.prediction import predict
from genre_lstm.weights import load_model

NAME = "counterfactual.csv"
CUTOFFS = (0, 9500, 9000, 7500)  # Hz; 0 is unfiltered. GTZAN's band-limited clips end near 9600


def classify_lowpassed(dataset, models):
    """Yield a row of counterfactual.csv for each clip, model and cutoff.

    `models` has for each schedule (model, saved), see `load_model`.
    """
    genres = models[PIECEWISE][1]["genres"]
    for clip in tqdm(find_clips(dataset)[0], "Filtering", unit="clip"):
        if clip.genre not in genres:
            continue
        signal = load_signal(dataset / clip.file, 31)
        about = {"track": clip.name, "genre": clip.genre}
        about["bandwidth"] = round(effective_bandwidth(signal))
        for schedule, (model, saved) in models.items():
            for cutoff in CUTOFFS:
                settings = dataclasses.replace(saved["settings"], lowpass=cutoff or None)
                features = extract_features(signal, settings)[: settings.frames]
                probabilities = predict([(model, saved)], features)
                row = about | {"schedule": schedule, "cutoff": cutoff}
                row["predicted"] = next(iter(probabilities))
                yield row | {"p_metal": f"{probabilities['metal']:.3f}"}


def main():
    options = make_parser("experiments.counterfactual", __doc__, "clips").parse_args()
    weights = ROOT / "weights" / "reference" / "published"
    models = {name: load_model(weights / name / "model.pt") for name in (PIECEWISE, PLATEAU)}
    rows = list(classify_lowpassed(options.clips, models))
    write_table(options.output / NAME, rows[0], rows)


if __name__ == "__main__":
    run_script(main)
