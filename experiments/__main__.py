"""Print the command of every run that is missing, one a line.

    python -m experiments --features gtzan/features | sh

--features has a folder for each name in plan.FEATURES; runs on other features aren't listed. Runs
in results.csv of --output, or with a summary.json in --runs, aren't missing.
"""

import shlex

from common.cli import run_script
from common.errors import InputError
from experiments.collect import RESULTS, read_rows
from experiments.options import make_parser
from experiments.plan import FEATURES, RUNS, STEPS


def missing_runs(features, runs, output):
    """Return the runs of the plan whose features are there and whose results aren't."""
    recorded = read_rows(output / RESULTS)
    return [
        run
        for run in RUNS
        if (features / run.features).is_dir()
        and run not in recorded
        and not (run.result(runs) / "summary.json").exists()
    ]


def main():
    parser = make_parser("experiments", __doc__, "features")
    steps = [*STEPS, "svm"]
    parser.add_argument("--steps", metavar="STEP", nargs="+", choices=steps, default=steps)
    options = parser.parse_args()
    if not any((options.features / name).is_dir() for name in FEATURES):
        raise InputError(f"no folder in {options.features} is named {' or '.join(FEATURES)}")
    for run in missing_runs(options.features, options.runs, options.output):
        if run.step in options.steps:
            print(shlex.join(run.command(options.features, options.runs)))


if __name__ == "__main__":
    run_script(main)
