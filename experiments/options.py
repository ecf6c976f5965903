"""The options that the commands share."""

import argparse
from pathlib import Path

from common.cli import HelpFormatter

ROOT = Path(__file__).parent.parent


def make_parser(command, description, *folders, runs=False):
    """Return a parser of --output, the required `folders`, such as "features", and maybe --runs."""
    parser = argparse.ArgumentParser(
        prog=f"python -m {command}", description=description, formatter_class=HelpFormatter
    )
    for name in folders:
        parser.add_argument(f"--{name}", metavar="DIR", type=Path, required=True)
    default = {"metavar": "DIR", "type": Path, "default": Path("experiments", "runs")}
    if runs:
        parser.add_argument("--runs", **default, help="folder of the runs")
    parser.add_argument("--output", **default, help="folder of the tables and figures")
    return parser
