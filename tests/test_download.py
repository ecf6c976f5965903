"""What a user may rely on when fetching GTZAN: here from a server on this machine."""

import contextlib
import gzip
import hashlib
import io
import os
import shutil
import socket
import tarfile
import threading
import zlib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pooch
import pytest
from helpers import FRAMES, GENRES, assert_one_line, make_corpus, read_manifest, run

from common.errors import InputError
from genre_features import download as download_module
from genre_features.download import download_gtzan

NUMBERS = (0, 10, 30)
CLIPS = {f"{genre}/{genre}.{number:05d}.au" for genre in GENRES for number in NUMBERS}


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    """A folder of clips by genre, as GTZAN's archive holds one."""
    return make_corpus(tmp_path_factory.mktemp("clips"), NUMBERS, suffix=".au")


def member(name, content=b"", **fields):
    """Return what tarfile.addfile() takes for a member made by hand."""
    info = tarfile.TarInfo(name)
    info.size = len(content)
    for field, value in fields.items():
        setattr(info, field, value)
    return info, io.BytesIO(content)


def pack(path, clips, *members):
    """Write an archive of the folder `clips`, called genres/ in it, and of other members."""
    with tarfile.open(path, "w:gz", format=tarfile.PAX_FORMAT, compresslevel=1) as tar:
        tar.add(clips, "genres")
        for info, content in members:
            tar.addfile(info, content)
    return path


@pytest.fixture(scope="module")
def archive(clips, tmp_path_factory):
    return pack(tmp_path_factory.mktemp("archive") / "clips.tar.gz", clips)


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


class Mirror(BaseHTTPRequestHandler):
    """Serves /whole, and /broken: half of it, whatever the headers promise."""

    def do_GET(self):
        self.server.requested.append(self.path)
        body = self.server.body
        if self.path not in ("/whole", "/broken"):
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body if self.path == "/whole" else body[: len(body) // 2])

    def log_message(self, *_):
        pass  # stderr is checked for what the script says


@pytest.fixture
def mirror(archive, monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with ThreadingHTTPServer(("127.0.0.1", 0), Mirror) as server:
        server.body, server.requested = archive.read_bytes(), []
        server.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def download(dataset, *genres, status=0, **source):
    """Call `download_gtzan`; check how it ends; return what it prints, and its error's message."""
    stdout, message, found = io.StringIO(), "", 0
    with contextlib.redirect_stdout(stdout):
        try:
            download_gtzan(dataset, genres, **source)
        except (InputError, OSError) as error:
            message, found = str(error), 2
        except KeyboardInterrupt:
            found = 130
    assert found == status, message
    return stdout.getvalue(), message


def fetch(mirror, archive, dataset, path="/whole", status=0):
    """Download from the mirror, trusting the archive that it has."""
    return download(dataset, url=mirror.url + path, sha256=digest(archive), status=status)


def unpack(archive, dataset, *genres, status=0, **source):
    """Unpack an archive by itself, trusting it."""
    source = {"archive": archive, "sha256": digest(archive)} | source
    return download(dataset, *genres, **source, status=status)


def files_in(folder):
    """Return the paths, relative to a folder, of all files and links that lie in it."""
    paths = [path for path in folder.rglob("*") if path.is_symlink() or not path.is_dir()]
    return {path.relative_to(folder).as_posix() for path in paths}


def test_features_are_extracted_in_the_same_run(mirror, archive, tmp_path):
    source = ("--url", mirror.url + "/whole", "--sha256", digest(archive))
    options = ("--genres", "hum", "blip", "--frames", FRAMES, "--jobs", 1)
    run("GenreFeatureData.py", "--download", *source, *options, cwd=tmp_path)
    manifest = read_manifest(tmp_path / "gtzan")
    assert manifest["genres"] == ["hum", "blip"]
    assert manifest["tracks"]["train"] == ["hum.00030", "blip.00030"]
    assert files_in(tmp_path / "gtzan" / "genres") == {c for c in CLIPS if "hiss" not in c}


def test_options_of_the_download_need_it(tmp_path):
    _, stderr = run("GenreFeatureData.py", "--url", "http://x", cwd=tmp_path, status=2)
    assert "--download" in stderr.splitlines()[-1]


def test_clips_arrive_unchanged_and_the_archive_may_be_deleted(mirror, archive, clips, tmp_path):
    stdout, _ = fetch(mirror, archive, tmp_path)
    kept = tmp_path / "genres.tar.gz"
    assert files_in(tmp_path) == {"genres.tar.gz"} | {f"genres/{clip}" for clip in CLIPS}
    for clip in CLIPS:
        assert (tmp_path / "genres" / clip).read_bytes() == (clips / clip).read_bytes()
    assert kept.read_bytes() == archive.read_bytes()
    assert f"{kept} is no longer needed and may be deleted" in stdout


def test_what_is_complete_is_not_downloaded_again(mirror, archive, tmp_path):
    fetch(mirror, archive, tmp_path)
    shutil.rmtree(tmp_path / "genres")
    stdout, _ = fetch(mirror, archive, tmp_path)
    assert mirror.requested == ["/whole"]
    assert "not downloaded again" in stdout
    assert files_in(tmp_path / "genres") == CLIPS


def test_damaged_archive_is_downloaded_again(mirror, archive, tmp_path):
    (tmp_path / "genres.tar.gz").write_bytes(mirror.body[:1000])
    stdout, _ = fetch(mirror, archive, tmp_path)
    assert "will be replaced" in stdout
    assert (tmp_path / "genres.tar.gz").read_bytes() == mirror.body
    assert files_in(tmp_path / "genres") == CLIPS


@pytest.mark.parametrize("path, word", [("/broken", "IncompleteRead"), ("/missing", "404")])
def test_failed_download_is_said_in_one_line(mirror, archive, tmp_path, path, word):
    before = tmp_path / "genres.tar.gz"
    before.write_bytes(b"old")
    _, stderr = fetch(mirror, archive, tmp_path, path=path, status=2)
    assert_one_line(stderr, mirror.url + path, word, "--url", "--archive")
    assert files_in(tmp_path) == {"genres.tar.gz"}
    assert before.read_bytes() == b"old"


def test_refused_connection_is_said_in_one_line(monkeypatch, tmp_path):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))  # and doesn't listen
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/genres.tar.gz"
        _, stderr = download(tmp_path / "new" / "music", url=url, status=2)
    assert_one_line(stderr, url, "refused", "--url")
    assert "Max retries" not in stderr  # what requests makes of it is hard to read
    assert not list(tmp_path.iterdir())


def test_wrong_checksum_unpacks_nothing(mirror, archive, tmp_path):
    _, stderr = download(tmp_path, url=mirror.url + "/whole", status=2)  # not GTZAN
    assert_one_line(stderr, mirror.url, digest(archive), "--sha256")
    assert not list(tmp_path.iterdir())


def test_download_stops_at_the_known_size(mirror, tmp_path, monkeypatch):
    monkeypatch.setattr(download_module, "SIZE", 1000)
    _, stderr = download(tmp_path, url=mirror.url + "/whole", status=2)
    assert_one_line(stderr, mirror.url, "more than the 1000 bytes", "--url")
    assert not list(tmp_path.iterdir())


def test_checksum_may_be_in_capitals(archive, tmp_path):
    download(tmp_path, archive=archive, sha256=digest(archive).upper())
    assert files_in(tmp_path / "genres") == CLIPS


def test_leftovers_of_a_killed_run_are_cleared(mirror, archive, tmp_path):
    left = tmp_path / ".part-download" / "hum" / "half.au"
    left.parent.mkdir(parents=True)
    left.write_bytes(b"half")
    fetch(mirror, archive, tmp_path)
    assert files_in(tmp_path) == {"genres.tar.gz"} | {f"genres/{clip}" for clip in CLIPS}


def test_archive_of_ones_own_is_taken_without_the_network_and_left_there(archive, tmp_path):
    own = shutil.copy(archive, tmp_path / "mine.tgz")
    stdout, _ = unpack(own, tmp_path / "music", url="http://127.0.0.1:1/refused")
    assert files_in(tmp_path) == {"mine.tgz"} | {f"music/genres/{clip}" for clip in CLIPS}
    assert "deleted" not in stdout


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="Windows has no such files")
def test_fifo_is_no_archive(tmp_path):
    os.mkfifo(tmp_path / "archive.tar.gz")
    _, stderr = download(tmp_path / "music", archive=tmp_path / "archive.tar.gz", status=2)
    assert_one_line(stderr, "archive.tar.gz is a FIFO")


@pytest.mark.parametrize("known", [True, False])
def test_archive_of_ones_own_must_be_there_and_have_the_right_checksum(archive, tmp_path, known):
    own = archive if known else tmp_path / "missing.tar.gz"
    _, stderr = download(tmp_path, archive=own, status=2)
    assert_one_line(stderr, own)
    assert not list(tmp_path.iterdir())


def test_only_the_genres_asked_for_are_unpacked(archive, tmp_path):
    unpack(archive, tmp_path, "hum", "blip")
    assert {path.name for path in (tmp_path / "genres").iterdir()} == {"hum", "blip"}


def test_unknown_genre_is_answered_with_those_there_are(archive, tmp_path):
    _, stderr = unpack(archive, tmp_path, "hum", "polka", status=2)
    assert_one_line(stderr, "polka", ", ".join(GENRES))
    assert not list(tmp_path.iterdir())


def test_genre_that_is_there_is_left_as_it_is(archive, tmp_path):
    mine = tmp_path / "genres" / "hiss" / "mine.wav"
    mine.parent.mkdir(parents=True)
    mine.write_bytes(b"mine")
    stdout, _ = unpack(archive, tmp_path)
    assert f"{mine.parent} was there before" in stdout
    assert stdout.count("was there before") == 1
    assert files_in(mine.parent) == {"mine.wav"}
    assert files_in(tmp_path / "genres" / "hum") == {f"hum.{number:05d}.au" for number in NUMBERS}


def test_only_audio_is_taken_and_no_rights_of_it(clips, tmp_path):
    extra = (
        member("genres/hum/LICENSE", b"none"),
        member("genres/hum/._hum.00000.au", b"a copy from macOS"),
        member("loose.au", b"of no genre"),
        member("genres/hum/hum.00099.AU", b"capitals", mode=0o6777),
    )
    unpack(pack(tmp_path / "extra.tar.gz", clips, *extra), tmp_path / "music")
    assert files_in(tmp_path / "music" / "genres") == CLIPS | {"hum/hum.00099.AU"}
    if os.name == "posix":
        found = (tmp_path / "music" / "genres" / "hum" / "hum.00099.AU").stat().st_mode
        assert not found & 0o6111


@pytest.mark.parametrize(
    "info",
    [
        {"name": "../hum.au"},
        {"name": "genres/hum/../../../hum.au"},
        {"name": "genres/.. /hum.au"},
        {"name": "/tmp/hum/hum.au"},
        {"name": "genres\\hum\\..\\..\\..\\hum.au"},
        {"name": "C:\\hum\\hum.au"},
        {"name": "genres/hum/C:hum.au"},
        {"name": "genres/hum/hum.au", "type": tarfile.SYMTYPE, "linkname": "/etc/passwd"},
        {"name": "genres/hum/hum.au", "type": tarfile.LNKTYPE, "linkname": "../../passwd"},
        {"name": "genres/hum", "type": tarfile.SYMTYPE, "linkname": ".."},
        {"name": "genres/hum/hum.au", "type": tarfile.CHRTYPE},
        {"name": "genres/hum/hum.au", "type": tarfile.FIFOTYPE},
        {
            "name": "genres/hum/hum.au",
            "pax_headers": {"GNU.sparse.map": "0,0", "GNU.sparse.size": str(2**20)},
        },
    ],
    ids=lambda info: f"{info['name']}-{info.get('type', b'file').decode()}",
)
def test_unsafe_archive_unpacks_nothing_and_its_member_is_named(clips, tmp_path, info):
    unsafe = pack(tmp_path / "unsafe.tar.gz", clips, member(**info))
    _, stderr = unpack(unsafe, tmp_path / "music", status=2)
    assert_one_line(stderr, repr(info["name"]), "isn't safe")
    assert files_in(tmp_path) == {"unsafe.tar.gz"}


def lead_astray(data):
    """Follow a subset of the archive with a block of a kind that gzip doesn't have."""
    packer = zlib.compressobj(wbits=31)
    start = packer.compress(gzip.decompress(data)[:100_000]) + packer.flush(zlib.Z_FULL_FLUSH)
    return start + b"\xff" * 100


DAMAGES = {
    "cut in half": lambda data: data[: len(data) // 2],
    "without gzip's checksum": lambda data: data[:-8],
    "wrong checksum": lambda data: data[:-8] + bytes(8),
    "unknown block": lead_astray,
    "tar cut short": lambda data: gzip.compress(gzip.decompress(data)[:100_000], 1),
    "tar cut in a header": lambda data: gzip.compress(gzip.decompress(data)[:1300], 1),
    "wrong header": lambda data: gzip.compress(
        gzip.decompress(data).replace(b"s/hum", b"s/hem"), 1
    ),
    "no tar": lambda data: gzip.compress(b"no tar" * 1000),
    "no gzip": gzip.decompress,
    "empty": lambda data: b"",
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_damaged_archive_unpacks_nothing_and_is_said_in_one_line(archive, tmp_path, damage):
    damaged = tmp_path / "damaged.tar.gz"
    damaged.write_bytes(damage(archive.read_bytes()))
    _, stderr = unpack(damaged, tmp_path / "music", status=2)
    assert_one_line(stderr, damaged, "is damaged")
    assert files_in(tmp_path) == {"damaged.tar.gz"}


def test_archive_without_clips_is_said_in_one_line(tmp_path):
    (tmp_path / "nothing").mkdir()
    empty = pack(tmp_path / "empty.tar.gz", tmp_path / "nothing")
    _, stderr = unpack(empty, tmp_path / "music", status=2)
    assert_one_line(stderr, empty, "no clips")
    assert not (tmp_path / "music").exists()


def test_interrupted_download_leaves_nothing(mirror, archive, tmp_path, monkeypatch):
    def interrupted(self, url, path, _):
        (tmp_path / ".part-download" / "genres.tar.gz").write_bytes(mirror.body[:1000])
        raise KeyboardInterrupt

    monkeypatch.setattr(pooch.HTTPDownloader, "__call__", interrupted)
    _, stderr = fetch(mirror, archive, tmp_path, status=130)
    assert stderr == ""
    assert not list(tmp_path.iterdir())


def test_interrupted_unpacking_leaves_only_the_archive(mirror, archive, tmp_path, monkeypatch):
    def interrupted(source, target):
        target.write(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr(shutil, "copyfileobj", interrupted)
    fetch(mirror, archive, tmp_path, status=130)
    assert files_in(tmp_path) == {"genres.tar.gz"}
    monkeypatch.undo()
    fetch(mirror, archive, tmp_path)
    assert mirror.requested == ["/whole"]
    assert files_in(tmp_path / "genres") == CLIPS
