"""What a user may rely on about all pictures."""

import pytest
from matplotlib import rcdefaults, rcParams
from matplotlib.font_manager import FontEntry, fontManager

from common.files import warn_once
from genre_features.figures import DPI, genre_colors, new_figure, plot_label, save
from genre_features.genres import TEN_GENRES


def test_a_genre_has_the_same_colour_in_every_plot():
    many = ["blues", "jazz", "metal", "pop", "ska"]
    colors = genre_colors(many)
    assert genre_colors(["jazz", "pop"]) == [colors[1], colors[3]]
    assert len(set(colors)) == len(many)
    assert len(set(genre_colors(TEN_GENRES))) == 10


@pytest.mark.parametrize(
    ("name", "start"), [("a.png", b"\x89PNG"), ("b.PDF", b"%PDF"), ("c.d.svg", b"<?xml")]
)
def test_figure_has_the_format_of_its_suffix_whatever_its_title_holds(tmp_path, name, start):
    figure = new_figure()
    figure.suptitle(plot_label("not UTF-8: \udcff, a line\nbreak, \x1b[0m", 80))
    save(figure, tmp_path / "new folder" / name)
    content = (tmp_path / "new folder" / name).read_bytes()
    assert content.startswith(start)
    assert b"/Type3" not in content  # fonts that journals don't take


@pytest.mark.parametrize("name", ["plain", "$x$", r"a $\frac$", r"\$ and $", "a_{b}^c"])
def test_name_is_drawn_as_it_is_and_never_as_a_formula(tmp_path, monkeypatch, name):
    monkeypatch.setitem(rcParams, "svg.fonttype", "none")  # text stays text
    figure = new_figure()
    figure.suptitle(plot_label(name))
    save(figure, tmp_path / "a.svg")
    assert f">{name}</text>" in (tmp_path / "a.svg").read_text(encoding="utf-8")


def test_long_name_keeps_its_start_and_its_end():
    name = "a long name of a song, as they come (live).wav"
    assert plot_label(name, len(name)) == name
    for length in (20, 21):
        start, end = plot_label(name, length).split("…")
        assert len(start) + 1 + len(end) == length
        assert start and end and name.startswith(start) and name.endswith(end)


@pytest.fixture
def fonts(monkeypatch):
    """The fonts of a system, to which a test adds others: DejaVu Sans alone."""
    shipped = [font for font in fontManager.ttflist if font.name == "DejaVu Sans"]
    monkeypatch.setattr(fontManager, "ttflist", shipped)
    warn_once.cache_clear()
    return fontManager.ttflist


def test_installed_font_draws_what_the_default_font_lacks(fonts):
    fonts.append(FontEntry(fname="msyh.ttc", name="Microsoft YaHei"))
    new_figure()
    assert rcParams["font.family"] == ["DejaVu Sans", "Microsoft YaHei"]


@pytest.mark.parametrize("name, readable", [("爵士", False), ("Česká", True)])
def test_one_line_says_that_no_font_has_a_character(fonts, tmp_path, capsys, name, readable):
    figure = new_figure()
    figure.suptitle(name)
    save(figure, tmp_path / "a.png")
    assert len(capsys.readouterr().err.splitlines()) == (0 if readable else 1)


def test_style_is_set_again_after_a_reset():
    rcdefaults()  # as IPython's %run does
    assert new_figure().get_layout_engine()
    assert rcParams["savefig.dpi"] == DPI
