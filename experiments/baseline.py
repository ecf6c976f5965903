"""What a support vector machine makes of summary statistics of the same features."""

import numpy as np
from sklearn.metrics import confusion_matrix
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC


def summary_statistics(features):
    """Return 231 numbers a track, (n, 231), of features, (n, T, 33).

    Of each feature its mean, standard deviation, 10th, 50th and 90th percentile, and the mean and
    the standard deviation of its absolute change from frame to frame.
    """
    changes = np.abs(np.diff(features, axis=1))
    statistics = [
        features.mean(axis=1),
        features.std(axis=1),
        *np.quantile(features, (0.1, 0.5, 0.9), axis=1),
        changes.mean(axis=1),
        changes.std(axis=1),
    ]
    return np.concatenate(statistics, axis=1)


def score_baseline(data):
    """Fit the machine to the training subset; return the confusion matrix of the other subsets.

    Its penalty C is the one of the highest accuracy on the validation subset.
    """
    inputs = {subset: summary_statistics(np.asarray(data.inputs[subset])) for subset in data.inputs}
    machines = [
        make_pipeline(StandardScaler(), SVC(C=penalty)).fit(inputs["train"], data.targets["train"])
        for penalty in (0.3, 1, 3, 10, 30)
    ]
    best = max(machines, key=lambda m: m.score(inputs["validation"], data.targets["validation"]))
    return {
        subset: confusion_matrix(
            data.targets[subset], best.predict(inputs[subset]), labels=range(len(data.genres))
        )
        for subset in ("validation", "test")
    }
