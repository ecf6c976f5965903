"""What a user may rely on about all pictures."""

from helpers import is_drawn
from matplotlib.figure import Figure

from genre_features.figures import genre_colors, save
from genre_features.genres import TEN_GENRES


def test_a_genre_has_the_same_colour_in_every_plot():
    few = dict(zip(["jazz", "pop"], genre_colors(["jazz", "pop"]), strict=True))
    many = ["blues", "jazz", "metal", "pop", "ska"]
    more = dict(zip(many, genre_colors(many), strict=True))
    assert all(few[genre] == more[genre] for genre in few)
    assert len(set(more.values())) == len(many)


def test_ten_genres_have_ten_colours():
    assert len(set(genre_colors(TEN_GENRES))) == 10


def test_picture_is_a_png_whatever_the_name_of_its_file(tmp_path):
    figure = Figure()
    figure.suptitle(r"a name with $\frac$ in it")
    save(figure, tmp_path / "new folder" / "picture")
    assert (tmp_path / "new folder" / "picture").read_bytes().startswith(b"\x89PNG")
    assert is_drawn(tmp_path / "new folder" / "picture")
