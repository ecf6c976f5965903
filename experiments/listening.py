"""Classify clips whole, with shuffled frames, and by their last seconds: what do models listen to?

    python -m experiments.listening --features gtzan/features/index-control \\
        --weights weights/reference/published

Prints for each model below --weights the validation and test clips that are right, and those that
have the same prediction as the whole clip.
"""

import numpy as np

from common.cli import run_script
from experiments.options import make_parser
from experiments.tables import markdown
from genre_features.cache import GenreFeatureData
from genre_lstm.prediction import predict
from genre_lstm.weights import load_models

SECONDS = (3, 12)


def make_versions(features, settings, rng):
    """Return the features of a clip, (T, 33), whole, with shuffled frames, and its last seconds."""
    ends = {f"last {s} s": features[-settings.frames_in(s) :] for s in SECONDS}
    return {"whole clip": features, "shuffled frames": rng.permutation(features), **ends}


def main():
    options = make_parser("experiments.listening", __doc__, "features", "weights").parse_args()
    data, rng = GenreFeatureData(options.features).load(), np.random.default_rng(0)
    subsets = ("validation", "test")
    true = [data.genres[target] for subset in subsets for target in data.targets[subset]]
    clips = [
        make_versions(np.array(features), data.settings, rng)
        for subset in subsets
        for features in data.inputs[subset]
    ]
    lines = [["", "frames", "clips", "right, %", "same, %"]]
    for path in sorted(options.weights.rglob("model.pt")):
        models, label = load_models(path), path.parent.relative_to(options.weights)
        predicted = {
            name: np.array([next(iter(predict(models, clip[name]))) for clip in clips])
            for name in clips[0]
        }
        for name, genres in predicted.items():
            equal = (genres == [true, predicted["whole clip"]]).mean(axis=1)
            lines.append([label, name, len(true), *(f"{100 * value:.1f}" for value in equal)])
    print(markdown(lines, n_texts=2), end="")


if __name__ == "__main__":
    run_script(main)
