"""Download GTZAN and unpack its clips for GenreFeatureData.py.

    python gtzan/download.py                          # 1.2 GB -> gtzan/genres/<genre>/*.au
    python gtzan/download.py --genres jazz metal      # unpack these only
    python gtzan/download.py --archive genres.tar.gz  # unpack what was downloaded by other means

The archive is checked by its SHA-256 before anything is unpacked. GTZAN has no licence: see
gtzan/README.md. Genres that are there already are left as they are.
"""

import argparse
import contextlib
import gzip
import shutil
import sys
import tarfile
import zlib
from pathlib import Path, PureWindowsPath

import pooch
import requests
from tqdm import tqdm

# Run as gtzan/download.py, Python looks for modules in gtzan/ only.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from gtzan.tracks import AUDIO_SUFFIXES, find_tracks
from script_helpers import HelpFormatter, InputError, run_script

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
    if (found := pooch.file_hash(archive)) != sha256:
        raise InputError(
            f"{source} is damaged or another archive, its SHA-256 is {found}: {ELSEWHERE} "
            "(and its own checksum with --sha256)"
        )


def download(url, sha256, archive, folder):
    """Download to `archive` by way of `folder`, unless the right file is there already."""
    if archive.exists():
        if pooch.file_hash(archive) == sha256:
            print(f"{archive} is complete: not downloaded again.")
            return
        print(f"{archive} is damaged or another archive, and will be replaced.")
    print(f"Downloading {url}.", flush=True)
    partial = folder / archive.name
    try:
        # A bar of our own is closed before anything else is said; pooch corrects its total.
        with tqdm(desc="Downloading", total=SIZE, **BAR) as progress:
            fetch = pooch.HTTPDownloader(progressbar=progress, chunk_size=1 << 16)
            fetch(url, str(partial), None)
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
    if not inside or not (member.isfile() or member.isdir()):
        raise InputError(
            f"the archive isn't safe to unpack: {member.name!r} in it is a link, a device or "
            f"leads out of its folder; {ELSEWHERE}"
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


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=HelpFormatter)
    add = parser.add_argument
    add("--output", metavar="DIR", type=Path, default="gtzan", help="gets genres/<genre>/")
    add("--genres", metavar="G", nargs="+", help="genres to unpack (default: all)")
    add("--url", default=URL, help="where to download from")
    add("--sha256", metavar="HEX", type=str.lower, default=SHA256, help="the archive's checksum")
    add("--archive", metavar="FILE", type=Path, help="take this one, and download nothing")
    return parser.parse_args()


def main():
    options = parse_arguments()
    goal = options.output / "genres"
    with work_folder(options.output) as folder:
        if archive := options.archive:
            check(archive, options.sha256, archive)
        else:
            archive = options.output / "genres.tar.gz"
            download(options.url, options.sha256, archive, folder)
        unpack(archive, goal, folder, options.genres)
    tracks, genres = find_tracks(goal)
    if not options.archive:
        print(f"{archive} isn't needed any more: it may be deleted.")
    dataset = "" if options.output == Path("gtzan") else f" --dataset {options.output}"
    print(
        f"{len(tracks)} clips of {len(genres)} genres are in {goal}. "
        f"Next: python GenreFeatureData.py{dataset}"
    )


if __name__ == "__main__":
    run_script(main)
