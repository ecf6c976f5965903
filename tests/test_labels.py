"""What a user may rely on when a table gives genres, groups and subsets."""

import csv
import unicodedata

import pytest
from helpers import ROOT, assert_one_line, extract, touch

from common.errors import InputError
from genre_features.clips import Clip, find_clips

FILES = ["one/é.wav", "one/b.wav", "two/c.wav"]
ROWS = "File;Genre ;GROUP\n" + unicodedata.normalize("NFD", "one\\é.wav") + ";pop;X\n"
ROWS += "one/b.wav; jazz;Y, Z\n\n./two/c.wav;pop;X\n"


@pytest.fixture(name="label")
def label_files(tmp_path):
    """A function that finds the clips of FILES with a table's content."""
    touch(tmp_path / "music", *FILES)

    def label(content):
        (tmp_path / "t.csv").write_bytes(
            content if isinstance(content, bytes) else content.encode()
        )
        return find_clips(tmp_path / "music", labels=tmp_path / "t.csv")

    return label


@pytest.mark.parametrize(
    "content",
    [
        ROWS,
        ROWS.encode("utf-8-sig"),
        ROWS.replace(";", "\t").encode("utf-16"),
        ROWS.replace("\n", "\r\n").replace("\u0301", "").replace("e.wav", "é.wav").encode("cp1252"),
        ROWS.replace("Y, Z", '"Y, Z"').replace(";", ","),
        ROWS.replace("one/b", "music/one/b").replace("./two/", ""),
        ROWS.replace("\n", ";1;\n").replace(";1;", ";more;", 1).replace("\n;1;\n", "\n\n"),
    ],
)
def test_what_spreadsheets_write_is_read(label, content):
    clips, genres = label(content)
    assert genres == ["jazz", "pop"]
    jazz = Clip("jazz", "one/b.wav", group="Y, Z")
    assert clips == [jazz, *(Clip("pop", file, group="X") for file in ("one/é.wav", "two/c.wav"))]


def test_subsets_of_a_table_overrule_the_folders_and_genres_are_the_folders(label):
    clips, _ = label("file,subset\none/é.wav,Training\nb.wav,dev\nc.wav,test\n")
    subsets = [(clip.genre, clip.subset) for clip in clips]
    assert subsets == [("one", "validation"), ("one", "train"), ("two", "test")]


def test_files_without_a_genre_and_rows_without_a_file_are_counted(label, capsys):
    clips, _ = label("file,genre\none/é.wav,pop\nb.wav,jazz\nc.wav,\nd.wav,pop\n")
    assert len(clips) == 2
    stderr = capsys.readouterr().err
    assert "1 rows name no audio file, such as line 5, d.wav" in stderr
    assert "1 files without a genre, such as two/c.wav" in stderr


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"\xff\xfe\x00song", "it needs file, and genre"),
        ("file,title\na,b\n", "has the columns file, title: it needs file, and genre"),
        ("genre\npop\n", "has the columns genre"),
        ("file,genre,Genre\nb.wav,x,y\n", "has the columns file, genre, genre: "),
        ("", "it needs file"),
        ("file,genre\n", "names none of the audio files, such as one/b.wav"),
        ("file,genre\nb.wav\n", "line 2 has 1 cells, the header 2: give each column a cell"),
        ("file,genre\n\none, b.wav,jazz\n", "line 3 has 3 cells, the header 2"),
        ("file,genre\n ,jazz\n", "line 2 names no file"),
        ("file,group\nb.wav,\n", "has no group for one/b.wav"),
        ("file,subset\nb.wav,learn\n", "line 2: 'learn' is no subset"),
        ("file,genre\nb.wav,x\none\\b.wav,y\n", "lines 2 and 3 differ on one/b.wav"),
        ("file,genre\nz.wav,jazz\n", "such as one/b.wav, but line 2, z.wav"),
        ("file,genre\nd.wav,jazz\n", "line 2: d.wav may be one/d.wav or two/d.wav"),
        ("file,genre\nb.wav,\n", "has no genre for one/b.wav"),
        ("file,group\nb.wav,X\n", "has no group for one/d.wav"),
        ("file,genre\nb.wav,jazz\nc.wav,Jazz\n", "has one genre"),
    ],
)
def test_fault_of_a_table_is_named_with_line_and_value(label, tmp_path, content, words):
    touch(tmp_path / "music", "one/d.wav", "two/d.wav")
    with pytest.raises(InputError) as refused:
        label(content)
    assert_one_line(str(refused.value), words)


def test_fma_is_extracted_after_the_documented_conversion(corpus, tmp_path, monkeypatch):
    rows = [["", "set", "track", "track"], ["", "split", "genre_top", "title"], ["track_id"]]
    for number, path in enumerate(sorted(corpus.rglob("*.wav"))):
        subset = ("training", "validation", "test")[number % 3]
        rows.append([number, subset, path.parent.name, 'A "title", with a comma'])
        goal = tmp_path / "fma_small" / f"{number % 4:03d}" / f"{number:06d}.mp3"
        goal.parent.mkdir(parents=True, exist_ok=True)
        goal.write_bytes(path.read_bytes())
    (tmp_path / "fma_metadata").mkdir()
    table = tmp_path / "fma_metadata" / "tracks.csv"
    with table.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(rows)
    with monkeypatch.context() as patched:
        patched.chdir(tmp_path)
        text = (ROOT / "gtzan" / "README.md").read_text(encoding="utf-8")
        exec(text.partition("```python\n")[2].partition("```")[0], {})
    options = ("--labels", tmp_path / "labels.csv")
    stdout, _ = extract(tmp_path / "fma_small", tmp_path / "out", *options)
    assert "7 training, 7 validation and 7 test clips" in stdout
