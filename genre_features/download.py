"""GTZAN's archive, downloaded, checked and unpacked."""

import contextlib
import gzip
import io
import math
import shutil
import tarfile
import zlib
from pathlib import PureWindowsPath

import pooch
import requests
from tqdm import tqdm

from common.errors import InputError
from common.files import check_file, flush
from genre_features.clips import AUDIO_SUFFIXES

URL = "https://huggingface.co/datasets/marsyas/gtzan/resolve/main/data/genres.tar.gz"
SHA256 = "24347e0223d2ba798e0a558c4c172d9d4a19c00bb7963fe055d183dadb4ef2c6"
SIZE = 1_226_192_050  # bytes
BAR = {"unit": "B", "unit_scale": True, "leave": False, "disable": None}  # on terminals only
ELSEWHERE = "try again, or name another mirror with --url or a downloaded archive with --archive"


@contextlib.contextmanager
def work_folder(output):
    """Yield an empty hidden folder in `output`; what is left in it goes, however the block ends.

    So do the folders around it that were not there before, if nothing has come into them.
    """
    new = [path for path in (output / "genres", output, *output.parents) if not path.exists()]
    folder = output / ".part-download"
    shutil.rmtree(folder, ignore_errors=True)  # of a run that was killed
    try:
        folder.mkdir(parents=True)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        for path in new:
            with contextlib.suppress(OSError):
                path.rmdir()


def check(archive, sha256, source):
    """Raise InputError unless the archive, which came from `source`, has this SHA-256."""
    check_file(archive)
    if (found := pooch.file_hash(archive)) != sha256:
        raise InputError(
            f"{source} is damaged or another archive, its SHA-256 is {found}: {ELSEWHERE} "
            "(and its own checksum with --sha256)"
        )


class LimitedFile(io.FileIO):
    """A new file that takes no more than some bytes."""

    def __init__(self, path, limit):
        super().__init__(path, "wb")
        self.limit = limit

    def write(self, content):
        if self.tell() + len(content) > self.limit:
            raise ValueError(f"it holds more than the {self.limit} bytes of GTZAN's archive")
        return super().write(content)


def download(url, sha256, archive, folder):
    """Download to `archive` by way of `folder`, unless the right file is there already."""
    check_file(archive)
    if archive.exists():
        if pooch.file_hash(archive) == sha256:
            print(f"{archive} is complete: not downloaded again.")
            return
        print(f"{archive} is damaged or another archive, and will be replaced.")
    print(f"Downloading {url}.", flush=True)
    partial = folder / archive.name
    try:
        # A bar of our own is closed before anything else is said; pooch corrects its total.
        with (
            LimitedFile(partial, SIZE if sha256 == SHA256 else math.inf) as file,
            tqdm(desc="Downloading", total=SIZE, **BAR) as progress,
        ):
            fetch = pooch.HTTPDownloader(progressbar=progress, chunk_size=1 << 16)
            fetch(url, file, None)
    except (requests.RequestException, ValueError) as error:
        while error.__context__:  # down to the network's own words
            error = error.__context__
        reason = " ".join(str(error).split())
        raise InputError(f"{url} can't be downloaded: {reason}; {ELSEWHERE}") from None
    check(partial, sha256, url)
    partial.replace(archive)


class StrictTarInfo(tarfile.TarInfo):
    """A member's header; one that is damaged or cut short doesn't pass for the archive's end."""

    @classmethod
    def fromtarfile(cls, tar):
        try:
            return super().fromtarfile(tar)
        except (tarfile.InvalidHeaderError, tarfile.TruncatedHeaderError) as error:
            raise tarfile.ReadError(str(error)) from None


def find_clip(member):
    """Return the genre and the file's name of an archive's member, or None if it is no clip.

    Raises InputError for one that might lead out of the folder that it is unpacked to.
    """
    # By Windows' rules both slashes divide a path: what is safe by them is safe everywhere.
    path = PureWindowsPath(member.name)
    inside = (
        not path.anchor
        and not {":", "\0"} & set(member.name)  # a drive, an NTFS stream, an impossible name
        and all(part.strip(". ") for part in path.parts)  # Windows drops dots and spaces at the end
    )
    # A sparse file may take a disk's whole room, however small the archive.
    if not inside or not (member.isfile() or member.isdir()) or member.issparse():
        raise InputError(
            f"the archive isn't safe to unpack: {member.name!r} in it is a link, a device, sparse, "
            f"or leads out of its folder; {ELSEWHERE}"
        )
    clip = member.isfile() and path.suffix.lower() in AUDIO_SUFFIXES
    # macOS leaves a hidden `._` file beside each one that it packs.
    return path.parts[-2:] if clip and len(path.parts) > 1 and path.name[0] != "." else None


def unpack(archive, goal, folder, genres=None):
    """Move the archive's clips to ``goal/<genre>/``, all at once, by way of an empty `folder`.

    All genres are taken, or those named; one that has a folder in `goal` is left as it is.
    Raises InputError if the archive is damaged, isn't safe to unpack, or lacks what is asked for.
    """
    found = set()
    progress = {"desc": "Unpacking", "total": archive.stat().st_size, **BAR}
    try:
        with (
            archive.open("rb") as file,
            tqdm.wrapattr(file, "read", **progress) as compressed,
            gzip.open(compressed) as unzipped,
            tarfile.open(fileobj=unzipped, mode="r|", tarinfo=StrictTarInfo) as tar,
        ):
            for member in tar:
                if not (clip := find_clip(member)):
                    continue
                genre, name = clip
                found.add(genre)
                if genre in (genres or found) and not (goal / genre).exists():
                    (folder / genre).mkdir(exist_ok=True)
                    with (folder / genre / name).open("wb") as copy:
                        shutil.copyfileobj(tar.extractfile(member), copy)
                    flush(folder / genre / name)
            while unzipped.read(1 << 20):  # gzip compares its checksum at the very end
                pass
    except (tarfile.TarError, gzip.BadGzipFile, zlib.error, EOFError) as error:
        raise InputError(f"{archive} is damaged ({error}): {ELSEWHERE}") from None
    if not found:
        raise InputError(f"{archive} holds no clips in <genre>/ folders: {ELSEWHERE}")
    for genre in genres or []:
        if genre not in found:
            raise InputError(f"no genre '{genre}' in {archive}: it has {', '.join(sorted(found))}")
    goal.mkdir(parents=True, exist_ok=True)
    for genre in sorted(found.intersection(genres or found)):
        if (goal / genre).exists():
            print(f"{goal / genre} was there before: left as it is.")
        else:
            (folder / genre).replace(goal / genre)


def download_gtzan(dataset, genres=None, url=None, archive=None, sha256=None):
    """Put GTZAN's clips into ``genres/<genre>/`` of a data set's folder.

    The archive is checked by its SHA-256 before anything is unpacked. Genres that are there
    already are left as they are.

    Parameters
    ----------
    dataset : pathlib.Path
    genres : list of str, optional
        The genres to unpack; by default all.
    url : str, optional
        Where to download from; by default a copy on huggingface.co.
    archive : pathlib.Path, optional
        An archive that is there already: nothing is downloaded.
    sha256 : str, optional
        The archive's checksum; by default that of GTZAN's.

    Raises
    ------
    InputError
        The archive can't be downloaded, isn't the right one, is damaged or unsafe, or lacks a
        genre.
    """
    sha256 = (sha256 or SHA256).lower()
    with work_folder(dataset) as folder:
        if archive:
            check(archive, sha256, archive)
            unpack(archive, dataset / "genres", folder, genres)
            return
        archive = dataset / "genres.tar.gz"
        download(url or URL, sha256, archive, folder)
        unpack(archive, dataset / "genres", folder, genres)
    print(f"{archive} is no longer needed and may be deleted.")
