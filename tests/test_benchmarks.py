"""What a user may rely on about the speeds that are told."""

from helpers import ROOT, read_rows

from benchmarks import __main__ as benchmarks


def test_speeds_in_the_readme_are_the_measured_ones():
    rows = read_rows(ROOT / "benchmarks" / "results.csv")
    readme = (ROOT / "benchmarks" / "README.md").read_text(encoding="utf-8")
    assert rows
    form = "| {measured} | {reference} | {n} | {ours} {unit} | {theirs} {unit} | {ratio} | {goal} |"
    assert not [row for row in rows if form.format(**row) not in readme]


def test_table_has_the_columns_that_are_measured():
    rows = read_rows(ROOT / "benchmarks" / "results.csv")
    assert {tuple(row) for row in rows} == {benchmarks.COLUMNS}


def test_two_sides_are_run_by_turns_and_compared_by_their_medians():
    calls = []

    def side(name, *values):
        left = iter(values)
        return lambda: calls.append(name) or next(left)

    found = benchmarks.by_turns(side("ours", 1, 9, 2), side("theirs", 5, 7, 6), 3)
    assert found == [2, 6]
    assert calls == ["ours", "theirs"] * 3
