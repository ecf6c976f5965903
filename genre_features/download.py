"""GTZAN's archive: downloaded, checked by its SHA-256, and unpacked into genre folders."""

import tarfile
import tempfile
import zlib
from pathlib import Path, PurePosixPath

import pooch
import requests
from tqdm import tqdm

from common.errors import InputError
from common.files import PARTIAL, flush

URL = "https://huggingface.co/datasets/marsyas/gtzan/resolve/main/data/genres.tar.gz"
SHA256 = "24347e0223d2ba798e0a558c4c172d9d4a19c00bb7963fe055d183dadb4ef2c6"
ATTEMPTS = 3  # at a download, each of which continues the one before
TIMEOUT = 60  # seconds that a server may be silent
REMEDY = "try again, or name another mirror with --url or a downloaded archive with --archive"


def resume(url, output_file, _):
    """Download a file for pooch, what a run that broke off has left of it by an HTTP range."""
    partial = Path(output_file).with_name(".genres.tar.gz.part")
    with partial.open("ab") as file:
        # Ranges count the bytes of the file itself, not of a compressed transfer.
        headers = {"Range": f"bytes={file.tell()}-", "Accept-Encoding": "identity"}
        with requests.get(url, headers=headers, stream=True, timeout=TIMEOUT) as response:
            if response.status_code != 416:  # there is no more
                response.raise_for_status()
                if response.status_code != 206:  # a server without ranges sends all of it
                    file.truncate(0)
                n_bytes = int(response.headers.get("Content-Length", 0))
                with tqdm.wrapattr(file, "write", n_bytes, desc="Downloading") as output:
                    for chunk in response.iter_content(1 << 16):
                        output.write(chunk)
    partial.replace(output_file)


def download(url, sha256, archive):
    """Download to `archive`, unless the right file is there."""
    name, folder = archive.name, archive.parent
    for _ in range(ATTEMPTS):
        try:
            pooch.retrieve(url, f"sha256:{sha256}", name, folder, downloader=resume)
            return
        except requests.RequestException as error:
            reason = error
        except ValueError:
            raise InputError(f"{url} has another SHA-256 than {sha256}: {REMEDY}") from None
    while reason.__context__:  # down to the network's words
        reason = reason.__context__
    raise InputError(f"{url} can't be downloaded ({reason}): {REMEDY}")


def unpack(archive, folder, genres=None):
    """Unpack an archive into a folder; return the folder of each genre, which `genres` must be."""
    print(f"Unpacking {archive} ...", flush=True)
    folders = {}
    try:
        with tarfile.open(archive, "r|gz") as tar:
            tar.extraction_filter = getattr(tarfile, "data_filter", None)  # Python 3.11.4 has it
            for member in tar:
                path = PurePosixPath(member.name)
                # macOS leaves a hidden `._` file beside each one that it packs.
                if member.isfile() and path.match("*/[!.]*"):
                    folders[path.parent.name] = folder / path.parent
                    tar.extract(member, folder)
                    flush(folder / path)
    except (tarfile.TarError, zlib.error, EOFError) as error:
        raise InputError(f"{archive} can't be unpacked ({error}): {REMEDY}") from None
    if missing := [genre for genre in genres or () if genre not in folders]:
        raise InputError(f"{archive} has no {missing[0]}, but {', '.join(sorted(folders))}")
    return folders


def download_gtzan(dataset, genres=None, url=None, archive=None, sha256=None):
    """Put GTZAN's clips into ``genres/<genre>/`` of a data set's folder.

    The archive's SHA-256 is checked before it is opened. Existing genre folders are kept.

    Parameters
    ----------
    dataset : pathlib.Path
    genres : list of str, optional
        By default all.
    url, sha256 : str, optional
        Where the archive is, by default on huggingface.co, and its checksum.
    archive : pathlib.Path, optional
        An archive to unpack instead of downloading one.

    Raises
    ------
    InputError
        The archive can't be downloaded, isn't the right one, can't be unpacked, or lacks a genre.
    """
    sha256 = (sha256 or SHA256).lower()
    if not archive:
        archive = dataset / "genres.tar.gz"
        download(url or URL, sha256, archive)
    elif (actual := pooch.file_hash(archive)) != sha256:
        raise InputError(f"the SHA-256 of {archive} is {actual}, not {sha256}: {REMEDY}")
    (dataset / "genres").mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=PARTIAL, dir=dataset) as temporary:
        folders = unpack(archive, Path(temporary), genres)
        for genre in genres or folders:
            goal = dataset / "genres" / genre
            if not goal.exists():
                folders[genre].replace(goal)
    print(f"{archive} is no longer needed and may be deleted.")
