"""Classify clips whole, with shuffled frames, and by their last seconds: what do models listen to?

    python -m experiments.listening --features gtzan/features/index-control \\
        --weights weights/reference/published

Prints for each model below --weights the validation and test clips that are right, and those that
have the same prediction as the whole clip.
"""

from pathlib import Path

import numpy as np

from common.cli import run_script
from experiments.models import predict_genre
from experiments.options import make_parser
from experiments.tables import markdown
from genre_features.cache import GenreFeatureData
from genre_lstm.weights import load_model

SECONDS = (3, 12)


def make_variants(features, settings, rng):
    """Return the features of a clip, (T, 33), whole, with shuffled frames, and its last seconds."""
    ends = {f"last {s} s": features[-settings.frames_in(s) :] for s in SECONDS}
    return {"whole clip": features, "shuffled frames": rng.permutation(features), **ends}


def classify_variants(data, model, saved):
    """Return the true genres of validation and test clips, and the predicted ones by variant."""
    true, predicted, rng = [], {}, np.random.default_rng(0)
    for subset in ("validation", "test"):
        true += [data.genres[target] for target in data.targets[subset]]
        for features in data.inputs[subset]:
            for name, variant in make_variants(np.array(features), saved["settings"], rng).items():
                predicted.setdefault(name, []).append(predict_genre(model, saved, variant))
    return true, predicted


def main():
    parser = make_parser("experiments.listening", __doc__, "features")
    parser.add_argument("--weights", metavar="DIR", type=Path, required=True)
    options = parser.parse_args()
    data = GenreFeatureData(options.features).load()
    lines = [["", "frames", "clips", "right, %", "same, %"]]
    for path in sorted(options.weights.rglob("model.pt")):
        true, predicted = classify_variants(data, *load_model(path))
        for name, genres in predicted.items():
            equal = (np.array(genres) == [true, predicted["whole clip"]]).mean(axis=1)
            label = path.parent.relative_to(options.weights)
            lines.append([label, name, len(true), *(f"{100 * value:.1f}" for value in equal)])
    print(markdown(lines, n_texts=2), end="")


if __name__ == "__main__":
    run_script(main)
