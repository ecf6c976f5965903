"""GTZAN's archive: downloaded, checked by its SHA-256, and unpacked into genre folders."""

import shutil
import tarfile
import time
import zlib
from pathlib import PurePosixPath

import pooch
import requests
from tqdm import tqdm

from common.errors import InputError
from common.files import check_file, flush

URL = "https://huggingface.co/datasets/marsyas/gtzan/resolve/main/data/genres.tar.gz"
SHA256 = "24347e0223d2ba798e0a558c4c172d9d4a19c00bb7963fe055d183dadb4ef2c6"
ATTEMPTS, TIMEOUT = 3, 60  # of a download; seconds that a server may be silent
BAR = {"unit": "B", "unit_scale": True, "leave": False, "disable": None}  # on terminals only
BROKEN_CONNECTION = (
    requests.ConnectionError,
    requests.Timeout,
    requests.exceptions.ChunkedEncodingError,
)
REMEDY = "try again, or name another mirror with --url or a downloaded archive with --archive"


def append_rest(url, path):
    """Download to the end of `path` what it lacks of a file, by an HTTP range."""
    with path.open("ab") as file:
        # Ranges count the bytes of the file itself, not of a compressed transfer.
        headers = {"Range": f"bytes={file.tell()}-", "Accept-Encoding": "identity"}
        with requests.get(url, headers=headers, stream=True, timeout=TIMEOUT) as response:
            if response.status_code == 416:  # nothing is missing
                return
            response.raise_for_status()
            if response.status_code != 206:  # a server without ranges sends all of it
                file.truncate(0)
            total = file.tell() + int(response.headers.get("Content-Length", 0))
            with tqdm(desc="Downloading", initial=file.tell(), total=total, **BAR) as progress:
                for chunk in response.iter_content(1 << 16):
                    progress.update(file.write(chunk))


def download(url, sha256, archive):
    """Download to `archive`, unless the right file is there already.

    If the connection breaks or the run ends, the next attempt resumes from a hidden file.
    """
    partial = archive.with_name(f".part-{archive.name}")

    def resume(url, output_file, _):
        for attempt in range(1, ATTEMPTS + 1):
            try:
                append_rest(url, partial)
                break
            except BROKEN_CONNECTION:
                if attempt == ATTEMPTS:
                    raise
                time.sleep(attempt)
        partial.replace(output_file)

    check_file(archive)
    try:
        pooch.retrieve(url, f"sha256:{sha256}", archive.name, archive.parent, downloader=resume)
    except requests.RequestException as error:
        while error.__context__:  # down to the network's words
            error = error.__context__
        raise InputError(f"{url} can't be downloaded ({error}): {REMEDY}") from None
    except ValueError:
        raise InputError(f"{url} has another SHA-256 than {sha256}: {REMEDY}") from None


def unpack(archive, goal, genres=None):
    """Move an archive's clips to ``goal/<genre>/``, a genre at a time; existing ones are kept."""
    folder, found = goal / ".part-genres", {}
    shutil.rmtree(folder, ignore_errors=True)  # of a run that was killed
    try:
        with (
            archive.open("rb") as file,
            tqdm.wrapattr(file, "read", archive.stat().st_size, desc="Unpacking", **BAR) as stream,
            tarfile.open(fileobj=stream, mode="r|gz") as tar,
        ):
            tar.extraction_filter = getattr(tarfile, "data_filter", None)  # Python 3.11.4 has it
            for member in tar:
                path = PurePosixPath(member.name)
                # macOS leaves a hidden `._` file beside each one that it packs.
                if not member.isfile() or not path.match("*/[!.]*"):
                    continue
                genre = path.parent.name
                found[genre] = folder / path.parent
                if genre in (genres or found) and not (goal / genre).exists():
                    tar.extract(member, folder)
                    flush(folder / path)
        if missing := set(genres or found or ["genre"]) - set(found):
            known = ", ".join(sorted(found)) or "none"
            raise InputError(f"no {' or '.join(sorted(missing))} in {archive}: it has {known}")
        for genre in genres or sorted(found):
            if (goal / genre).exists():
                print(f"{goal / genre} was there before: left as it is.")
            else:
                found[genre].replace(goal / genre)
    except (tarfile.TarError, zlib.error, EOFError) as error:
        raise InputError(f"{archive} can't be unpacked ({error}): {REMEDY}") from None
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def download_gtzan(dataset, genres=None, url=None, archive=None, sha256=None):
    """Put GTZAN's clips into ``genres/<genre>/`` of a data set's folder.

    The archive's SHA-256 is checked before it is opened. Existing genre folders are kept.

    Parameters
    ----------
    dataset : pathlib.Path
    genres : list of str, optional
        The genres to unpack; by default all.
    url : str, optional
        Where to download from; by default a copy on huggingface.co.
    archive : pathlib.Path, optional
        An archive to unpack instead of downloading one.
    sha256 : str, optional
        The archive's checksum; by default that of GTZAN's.

    Raises
    ------
    InputError
        The archive can't be downloaded, isn't the right one, can't be unpacked, or lacks a genre.
    """
    sha256 = (sha256 or SHA256).lower()
    if archive:
        check_file(archive)
        if (actual := pooch.file_hash(archive)) != sha256:
            raise InputError(f"the SHA-256 of {archive} is {actual}, not {sha256}: {REMEDY}")
        unpack(archive, dataset / "genres", genres)
    else:
        archive = dataset / "genres.tar.gz"
        download(url or URL, sha256, archive)
        unpack(archive, dataset / "genres", genres)
        print(f"{archive} is no longer needed and may be deleted.")
