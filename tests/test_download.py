"""What a user may rely on when downloading GTZAN; the server runs on this machine."""

import tarfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from helpers import FRAMES, GENRES, assert_one_line, make_corpus, read_manifest, run
from pooch import file_hash as digest

from common.errors import InputError
from common.files import lock_folders
from genre_features.download import download_gtzan

NUMBERS = (0, 10, 30)
CLIPS = {f"{genre}/{genre}.{number:05d}.au" for genre in GENRES for number in NUMBERS}


def files_in(folder):
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    """A folder of clips by genre, with a hidden file as macOS leaves them."""
    folder = make_corpus(tmp_path_factory.mktemp("clips"), NUMBERS, suffix=".au")
    (folder / "hum" / "._hum.00000.au").write_bytes(b"a copy from macOS")
    return folder


@pytest.fixture(scope="module")
def archive(clips, tmp_path_factory):
    path = tmp_path_factory.mktemp("archive") / "clips.tar.gz"
    with tarfile.open(path, "w:gz", compresslevel=1) as tar:
        tar.add(clips, "genres")
    return path


class Mirror(BaseHTTPRequestHandler):
    """A server that breaks off its first answers halfway, with ranges or without."""

    def do_GET(self):
        start = int(self.headers["Range"][len("bytes=") : -1])
        self.server.starts.append(start)
        if self.path == "/missing":
            self.send_error(404)
            return
        self.send_response(206 if self.server.has_ranges else 200)
        rest = self.server.body[start if self.server.has_ranges else 0 :]
        self.send_header("Content-Length", str(len(rest)))
        self.end_headers()
        self.wfile.write(rest[: len(rest) // 2] if self.server.breaks else rest)
        self.server.breaks = max(0, self.server.breaks - 1)

    def log_message(self, *_):
        pass


@pytest.fixture
def mirror(archive, monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with ThreadingHTTPServer(("127.0.0.1", 0), Mirror) as server:
        server.body, server.starts = archive.read_bytes(), []
        server.breaks, server.has_ranges = 0, True
        server.url = f"http://127.0.0.1:{server.server_port}/clips"
        threading.Thread(target=server.serve_forever, args=(0.01,)).start()
        yield server
        server.shutdown()


def refuse(*arguments, **options):
    """Return the one line that a user reads about a download that fails."""
    with pytest.raises(InputError) as caught:
        download_gtzan(*arguments, **options)
    assert_one_line(str(caught.value))
    return str(caught.value)


def test_features_are_extracted_in_the_same_run_and_the_archive_is_downloaded_once(
    mirror, archive, clips, tmp_path
):
    source = ("--url", mirror.url, "--sha256", digest(archive).upper())
    options = ("--genres", "hum", "blip", "--frames", FRAMES, "--jobs", 1)
    for _ in range(2):
        run("GenreFeatureData.py", "--download", *source, *options, cwd=tmp_path)
    assert read_manifest(tmp_path / "gtzan")["genres"] == ["hum", "blip"]
    clips_there = {clip for clip in CLIPS if "hiss" not in clip}
    assert files_in(tmp_path / "gtzan" / "genres") == clips_there
    for clip in clips_there:
        assert (tmp_path / "gtzan" / "genres" / clip).read_bytes() == (clips / clip).read_bytes()
    assert len(mirror.starts) == 1


@pytest.mark.parametrize("has_ranges", [True, False])
@pytest.mark.parametrize("breaks", [2, 3])
def test_broken_download_is_resumed_twice_and_then_by_the_next_run(
    mirror, archive, tmp_path, breaks, has_ranges
):
    mirror.breaks, mirror.has_ranges = breaks, has_ranges
    if breaks == 3:
        assert mirror.url in refuse(tmp_path, url=mirror.url, sha256=digest(archive))
        assert all(name.startswith(".") for name in files_in(tmp_path))
    with lock_folders(tmp_path):  # as the script does
        download_gtzan(tmp_path, url=mirror.url, sha256=digest(archive))
    assert len(mirror.starts) == breaks + 1
    assert 0 == mirror.starts[0] < mirror.starts[1]
    assert files_in(tmp_path / "genres") == CLIPS


def test_failed_download_names_the_cause_and_the_remedy(mirror, archive, tmp_path):
    urls = {"404": mirror.url.replace("clips", "missing"), "refused": "http://127.0.0.1:9"}
    for reason, url in {**urls, "SHA-256": mirror.url}.items():  # the archive isn't GTZAN's
        line = refuse(tmp_path, url=url)
        assert reason in line and "--archive" in line
    assert digest(archive) in refuse(tmp_path, archive=archive)
    assert "genres.tar.gz" not in files_in(tmp_path)


def test_given_archive_gives_the_genres_asked_for_and_existing_ones_are_kept(archive, tmp_path):
    mine = tmp_path / "genres" / "hiss" / "mine.wav"
    mine.parent.mkdir(parents=True)
    mine.touch()
    download_gtzan(tmp_path, ["hum", "hiss"], archive=archive, sha256=digest(archive))
    expected = {clip for clip in CLIPS if "hum" in clip} | {"hiss/mine.wav"}
    assert files_in(tmp_path / "genres") == expected


@pytest.mark.parametrize("fault", ["cut short", "no tar", "leads out", "lacks polka"])
def test_bad_archive_unpacks_nothing(archive, clips, tmp_path, fault):
    if fault == "leads out" and not hasattr(tarfile, "data_filter"):
        pytest.skip("before Python 3.11.4 the checksum alone protects")
    bad, genres = tmp_path / "bad.tar.gz", ["hum", "polka"] if fault == "lacks polka" else None
    with tarfile.open(bad, "w:gz", compresslevel=1) as tar:
        tar.add(clips, "genres/../../.." if fault == "leads out" else "genres")
    if fault == "cut short":
        bad.write_bytes(bad.read_bytes()[:-1000])
    elif fault == "no tar":
        bad.write_bytes(b"<html>" * 1000)
    line = refuse(tmp_path / "music", genres, archive=bad, sha256=digest(bad))
    assert str(bad) in line and (not genres or "no polka, but blip, hiss, hum" in line)
    assert files_in(tmp_path) == {"bad.tar.gz"}
