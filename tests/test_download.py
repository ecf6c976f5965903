"""What a user may rely on when downloading GTZAN; the server runs on this machine."""

import shutil
import tarfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from helpers import FRAMES, GENRES, assert_one_line, make_corpus, read_manifest, run
from pooch import file_hash as digest

from common.errors import InputError
from genre_features import download
from genre_features.download import download_gtzan

NUMBERS = (0, 10, 30)
CLIPS = {f"{genre}/{genre}.{number:05d}.au" for genre in GENRES for number in NUMBERS}


def pack(path, folder, name="genres"):
    """Write an archive of a folder, which has another name in it."""
    with tarfile.open(path, "w:gz", compresslevel=1) as tar:
        tar.add(folder, name)
    return path


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
    return pack(tmp_path_factory.mktemp("archive") / "clips.tar.gz", clips)


class Mirror(BaseHTTPRequestHandler):
    """A server that breaks off so many answers halfway, with ranges or without."""

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
        self.server.n_breaks -= 1
        self.wfile.write(rest[: len(rest) // 2] if self.server.n_breaks >= 0 else rest)

    def log_message(self, *_):
        pass


@pytest.fixture
def mirror(archive, monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setattr(download.time, "sleep", lambda _: None)
    with ThreadingHTTPServer(("127.0.0.1", 0), Mirror) as server:
        server.body, server.starts = archive.read_bytes(), []
        server.n_breaks, server.has_ranges = 0, True
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


def test_features_are_extracted_in_the_same_run(mirror, archive, tmp_path):
    source = ("--url", mirror.url, "--sha256", digest(archive).upper())
    options = ("--genres", "hum", "blip", "--frames", FRAMES, "--jobs", 1)
    run("GenreFeatureData.py", "--download", *source, *options, cwd=tmp_path)
    assert read_manifest(tmp_path / "gtzan")["genres"] == ["hum", "blip"]
    assert files_in(tmp_path / "gtzan" / "genres") == {c for c in CLIPS if "hiss" not in c}


def test_clips_are_unchanged_and_the_archive_is_downloaded_once(mirror, archive, clips, tmp_path):
    for _ in range(2):
        download_gtzan(tmp_path, url=mirror.url, sha256=digest(archive))
        assert files_in(tmp_path) == {"genres.tar.gz"} | {f"genres/{clip}" for clip in CLIPS}
        for clip in CLIPS:
            assert (tmp_path / "genres" / clip).read_bytes() == (clips / clip).read_bytes()
        shutil.rmtree(tmp_path / "genres")
    assert len(mirror.starts) == 1


@pytest.mark.parametrize("has_ranges", [True, False])
def test_download_goes_on_after_a_broken_connection(mirror, archive, tmp_path, has_ranges):
    mirror.n_breaks, mirror.has_ranges = 2, has_ranges
    download_gtzan(tmp_path, url=mirror.url, sha256=digest(archive))
    assert 0 == mirror.starts[0] < mirror.starts[1]
    assert files_in(tmp_path / "genres") == CLIPS


def test_failed_download_shows_no_file_and_the_next_run_resumes_it(mirror, archive, tmp_path):
    mirror.n_breaks = 3
    assert mirror.url in refuse(tmp_path, url=mirror.url, sha256=digest(archive))
    assert all(name.startswith(".") for name in files_in(tmp_path))
    download_gtzan(tmp_path, url=mirror.url, sha256=digest(archive))
    assert len(mirror.starts) == 4 and mirror.starts[3] > 0
    assert files_in(tmp_path) == {"genres.tar.gz"} | {f"genres/{clip}" for clip in CLIPS}


def test_failed_download_names_the_cause_and_the_remedy(mirror, tmp_path):
    line = refuse(tmp_path, url=mirror.url.replace("clips", "missing"))
    assert "404" in line and "--archive" in line
    line = refuse(tmp_path, url="http://127.0.0.1:9")
    assert "refused" in line and "--archive" in line


def test_wrong_checksum_unpacks_nothing_and_starts_anew(mirror, archive, tmp_path):
    assert "SHA-256" in refuse(tmp_path, url=mirror.url)  # it isn't GTZAN's
    assert digest(archive) in refuse(tmp_path, archive=archive)
    assert not files_in(tmp_path)


def test_given_archive_gives_the_genres_asked_for_and_existing_ones_are_kept(archive, tmp_path):
    mine = tmp_path / "genres" / "hiss" / "mine.wav"
    mine.parent.mkdir(parents=True)
    mine.touch()
    url = "http://127.0.0.1:9"  # where nobody listens
    download_gtzan(tmp_path, ["hum", "hiss"], url, archive, digest(archive))
    expected = {clip for clip in CLIPS if "hum" in clip} | {"hiss/mine.wav"}
    assert files_in(tmp_path / "genres") == expected


def test_genre_that_the_archive_lacks_is_refused_with_those_it_has(archive, tmp_path):
    line = refuse(tmp_path, ["hum", "polka"], archive=archive, sha256=digest(archive))
    assert "polka" in line and ", ".join(GENRES) in line
    assert not files_in(tmp_path)


@pytest.mark.parametrize("fault", ["cut short", "no tar", "no clips", "leads out"])
def test_bad_archive_unpacks_nothing(archive, clips, tmp_path, fault):
    if fault == "leads out" and not hasattr(tarfile, "data_filter"):
        pytest.skip("before Python 3.11.4 the checksum alone protects")
    bad = tmp_path / "bad.tar.gz"
    if fault == "leads out":
        pack(bad, clips, "genres/../../..")
    elif fault == "no clips":
        pack(bad, __file__)
    else:
        bad.write_bytes(archive.read_bytes()[:-1000] if fault == "cut short" else b"<html>" * 1000)
    assert str(bad) in refuse(tmp_path / "music", archive=bad, sha256=digest(bad))
    assert files_in(tmp_path) == {"bad.tar.gz"}
