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
from experiments.plan import FEATURES, RUNS


def main():
    options = make_parser("experiments", __doc__, "features", runs=True).parse_args()
    names = [name for name in FEATURES if (options.features / name).is_dir()]
    if not names:
        raise InputError(f"no folder in {options.features} is named {' or '.join(FEATURES)}")
    recorded = read_rows(options.output / RESULTS)
    for run in RUNS:
        is_done = run in recorded or (run.result(options.runs) / "summary.json").exists()
        if run.features in names and not is_done:
            print(shlex.join(run.command(options.features, options.runs)))


if __name__ == "__main__":
    run_script(main)
