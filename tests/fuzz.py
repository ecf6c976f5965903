"""Feed damaged and hostile files to all that reads files here.

    python tests/fuzz.py                              # 5,000 audio files and 1,000 others
    python tests/fuzz.py --seed 1 --only flac:17      # one of them again

Sound files are made on the spot and mutated, and some are made to do harm. Each has to be read, to
finite numbers, or refused with an `InputError` of one line, within 10 s and 1 GiB, and nothing in
it may be run. Another process reads them, so that a crash is a failure like others. Files that
fail are kept in tests/failures/.
"""

import argparse
import collections
import contextlib
import copy
import dataclasses
import functools
import io
import itertools
import json
import multiprocessing
import os
import pickle
import re
import resource
import shutil
import sys
import tempfile
import traceback
import zipfile
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"
sys.path.insert(0, str(Path(__file__).parent.parent))

import numpy as np
import soundfile
import torch
from genre_lstm.training import train_epoch
from helpers import GENRES, ROOT, Trap, make_clip, start_run, write_manifest
from torch.optim.lr_scheduler import ReduceLROnPlateau
from tqdm import tqdm

from common.cli import HelpFormatter, number_in
from common.errors import InputError
from genre_features import audio
from genre_features.audio import load_signal
from genre_features.cache import GenreFeatureData, stale_reason
from genre_features.clips import SUBSETS
from genre_features.features import extract_features, extract_file
from genre_features.frame import N_FEATURES, FrameSettings
from genre_lstm import checkpoint, weights
from genre_lstm.prediction import classify
from genre_lstm.recipes import RECIPES

FAILURES = ROOT / "tests" / "failures"
MOST_SECONDS = 10
MOST_MEMORY = 2**30  # bytes, beside what the process takes from the start
SUBTYPES = {
    "au": ("PCM_16", "ULAW", "FLOAT"),
    "wav": ("PCM_24", "FLOAT", "MS_ADPCM", "PCM_16"),
    "flac": ("PCM_16", "PCM_24"),
    "mp3": ("MPEG_LAYER_III",),
    "ogg": ("VORBIS", "OPUS"),
    "aiff": ("PCM_16", "IMA_ADPCM"),
    "caf": ("PCM_16", "ALAC_16"),
    "w64": ("PCM_16",),
}
AUDIO, ARRAYS = tuple(SUBTYPES), ("npy", "json", "model", "checkpoint")
KINDS = (*AUDIO, *ARRAYS)


# Sound files


def make_sound_files(folder):
    """Write the files to mutate; return each kind's paths, in a dict."""
    folder.mkdir(exist_ok=True)
    rate, files = 24000, {}
    clip = np.stack([make_clip(genre, 0, 1.2, rate) for genre in ("blip", "hum")], axis=1)  # stereo
    for kind, subtypes in SUBTYPES.items():
        files[kind] = [folder / f"{subtype}.{kind}" for subtype in subtypes]
        for path in files[kind]:
            soundfile.write(path, clip, rate, path.stem)
    for path in files["ogg"]:
        # The serial number is drawn by the clock: cases could not be repeated.
        named = re.sub(rb"(?s)(OggS.{10}).{4}", rb"\1same", path.read_bytes())
        path.write_bytes(mend_pages(named))

    settings = FrameSettings(frames=8)
    random = np.random.default_rng(0)
    for subset in SUBSETS:
        inputs = random.standard_normal((3, settings.frames, N_FEATURES), np.float32)
        np.save(folder / f"data_{subset}_input.npy", inputs)
        np.save(folder / f"data_{subset}_target.npy", np.eye(3, dtype=np.float32))
    write_manifest(folder, GENRES, settings.frames, complete=True, split="index")

    run, model = train_small_run(folder, n_epochs=2)
    (run.weights / checkpoint.NAME).replace(folder / checkpoint.NAME)
    weights.save_model(folder / weights.NAME, model, settings, genres=GENRES, temperature=1.5)
    return files | {
        "npy": sorted(folder.glob("*.npy")),
        "json": [folder / "features.json"],
        "model": [folder / "model.pt"],
        "checkpoint": [folder / "checkpoint.pt"],
    }


def train_small_run(folder, n_epochs, resume=False):
    """Train a small model for some of its three epochs, on the cache in a folder."""
    recipe = dataclasses.replace(RECIPES["improved"], hidden_size=4, epochs=3, validate_every=1)
    run, model, optimizer, scheduler = start_run(
        folder, folder, recipe, lambda optimizer, _: ReduceLROnPlateau(optimizer), resume=resume
    )
    for epoch in itertools.islice(run.epochs(), n_epochs):
        trained, validated = train_epoch(model, optimizer, run.data), run.validate(epoch)
        scheduler.step(validated["loss"])
        run.record(epoch, trained, validated)
    return run, model


# Mutations of bytes


def flip_bit(content, place, random, other):
    content[place : place + 1] = [b ^ 1 << random.integers(8) for b in content[place : place + 1]]


def overwrite_integer(content, place, random, other):
    """Write an integer from the end of a range of 1 to 8 bytes, in either order."""
    size = int(random.choice([1, 2, 4, 8]))
    top = 256**size
    number = [0, 1, 2, top // 2 - 1, top // 2, top - 1][random.integers(6)]
    content[place : place + size] = number.to_bytes(size, random.choice(["little", "big"]))


def truncate(content, place, random, other):
    del content[place:]


def insert(content, place, random, other):
    content[place:place] = random.bytes(random.integers(1, 100))


def delete(content, place, random, other):
    del content[place : place + random.integers(1, 100)]


def repeat(content, place, random, other):
    content[place:place] = content[place : place + random.choice([4, 100, 1000, 10000])]


def transplant(content, place, random, other):
    size = random.choice([4, 100, 1000, 10000])
    start = random.integers(len(other)) if random.random() < 0.5 else 0
    content[place : place + size] = other[start : start + size]


MUTATIONS = (flip_bit, overwrite_integer, truncate, insert, delete, repeat, transplant)
WEIGHTS = (0.3, 0.3, 0.05, 0.1, 0.1, 0.1, 0.05)


def mutate(content, random, others):
    """Return bytes with some changes, most of them in the header; `others` are files to mix in."""
    content = bytearray(content)
    for _ in range(random.geometric(0.5)):
        mutation = random.choice(MUTATIONS, p=WEIGHTS)
        end = len(content) if random.random() < 0.4 else min(len(content), 200)
        other = others[random.integers(len(others))].read_bytes()
        mutation(content, int(random.integers(end + 1)), random, other)
    return bytes(content)


def ogg_checksum(page):
    """Return the CRC-32 that OGG has: that of zlib has another order, start and end."""
    found = 0
    for byte in page:
        found ^= byte << 24
        for _ in range(8):
            found = found << 1 ^ (0x104C11DB7 if found >> 31 else 0)
    return found


def mend_pages(content):
    """Put the checksums of an OGG file's pages right, or those changed would be skipped."""
    content = bytearray(content)
    for start in [match.start() for match in re.finditer(b"OggS", content)]:
        n_segments = int.from_bytes(content[start + 26 : start + 27])
        stop = start + 27 + n_segments + sum(content[start + 27 : start + 27 + n_segments])
        content[start + 22 : start + 26] = bytes(4)
        content[start + 22 : start + 26] = ogg_checksum(content[start:stop]).to_bytes(4, "little")
    return bytes(content)


# Mutations of what the bytes mean


VALUES = [float("nan"), float("inf"), -float("inf"), 1e300, 1e-300, -1, 0, 1, 0.5, 2**63, 10**400]
VALUES += ["", "x", "two\nlines", None, True, [], {}, [[]], ["x"] * 1000]
TENSORS = [
    lambda tensor: tensor * float("nan"),
    lambda tensor: tensor * 0 + 3e38,
    lambda tensor: tensor.double(),
    lambda tensor: tensor.long(),
    lambda tensor: tensor.to(torch.complex64),
    lambda tensor: tensor.to_sparse(),
    lambda tensor: tensor.to("meta"),
    lambda tensor: tensor[None],
    lambda tensor: tensor.flatten()[:1],
    lambda tensor: tensor.flatten()[:1].expand(10**6, 10**6),
    lambda tensor: tensor.flatten()[0] * 0,
]


def places(tree):
    """Yield (container, key) of everything in nested dicts and lists."""
    for key, value in tree.items() if isinstance(tree, dict) else enumerate(tree):
        yield tree, key
        if isinstance(value, dict | list):
            yield from places(value)


def tamper(tree, random):
    """Replace or delete something in nested dicts and lists."""
    found = list(places(tree))
    container, key = found[random.integers(len(found))]
    if random.random() < 0.1:
        del container[key]
    elif isinstance(container[key], torch.Tensor) and random.random() < 0.7:
        container[key] = TENSORS[random.integers(len(TENSORS))](container[key])
    else:
        container[key] = copy.deepcopy(VALUES[random.integers(len(VALUES))])


def make_header(random):
    """Return the header of a .npy file that claims anything."""
    types = ["<f4", ">f8", "<f2", "<f16", "<i8", "|O", "|V0", "|S0", "<U9", "<c8", "<M8[s]"]
    types += [("<f4", (3,)), [("a", "<f4")], "100000000f4", 7]
    sizes = [0, 1, 3, 8, N_FEATURES, 10**6, 2**31, 2**62, 2**64, -1, True, None, 3.0]
    shape = [3, 8, N_FEATURES] if random.random() < 0.5 else [3, 3]
    for _ in range(random.integers(3)):
        shape[random.integers(len(shape))] = sizes[random.integers(len(sizes))]
    fields = {"descr": "<f4", "fortran_order": False, "shape": tuple(shape)}
    if random.random() < 0.3:
        fields["descr"] = types[random.integers(len(types))]
    if random.random() < 0.2:
        key = random.choice(list(fields))
        fields[str(key)] = VALUES[random.integers(len(VALUES))]
    return npy_header(repr(fields))


def npy_header(text):
    text = text.encode()
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text


def repack(archive, change, method=zipfile.ZIP_STORED):
    """Return a ZIP archive whose members went through change(name, content), sums put right."""
    written = io.BytesIO()
    with zipfile.ZipFile(archive) as old, zipfile.ZipFile(written, "w", method) as new:
        for name in old.namelist():
            new.writestr(name, change(name, old.read(name)))
    return written.getvalue()


def pack(content, **options):
    """Return the bytes that `torch.save` writes."""
    written = io.BytesIO()
    torch.save(content, written, **options)
    return written.getvalue()


# Files made to do harm


CLAIMS = {  # places in the headers, and what is written there
    "au": [
        (8, b"\xff\xff\xff\xff"),  # bytes of audio
        (16, b"\x00\x00\x00\x01"),  # samples a second
        (16, b"\x7f\xff\xff\xff"),
        (20, b"\x00\x00\x04\x00"),  # channels
    ],
    "wav": [
        (22, b"\x00\x04"),  # channels
        (24, b"\x01\x00\x00\x00"),  # samples a second
        (24, b"\xff\xff\xff\x7f"),
        (40, b"\xff\xff\xff\xff"),  # bytes of audio
    ],
    "flac": [
        (18, b"\x00\x00\x10"),  # samples a second, in 20 bits
        (18, b"\x9f\xff\xf0"),
        (22, b"\xff\xff\xff\xff"),  # samples
    ],
}


@functools.cache
def harmful_files(kind, path, sprung):
    """Return the bytes of files made to do harm, some by making the folder `sprung`.

    `path` is a sound file of their kind.
    """
    trap = Trap(sprung)
    if kind == "npy":
        pickled, archive, wide = io.BytesIO(), io.BytesIO(), io.BytesIO()
        np.save(pickled, np.array([trap], dtype=object))
        np.savez(archive, np.array([trap], dtype=object))
        np.save(wide, np.zeros((3, 40_000), np.float32))
        nested = npy_header("(" * 5000)
        return [b"", pickled.getvalue(), archive.getvalue(), wide.getvalue(), nested]
    if kind == "json":
        deep = [b"[" * 100_000, b'{"a":' * 100_000]
        return [b"", *deep, b"9" * 100_000, b"NaN", b"\xff\xfe", b"[]", b"7"]
    if kind in ("model", "checkpoint"):
        content = torch.load(path)
        return [
            b"",
            pickle.dumps(trap),
            pack(trap),
            pack(content | {"state": trap, "model": trap}),
            pack(content | {"genres": ["x"] * 10**5}),
            pack(content, _use_new_zipfile_serialization=False),
            pack(content | {"state": trap}, _use_new_zipfile_serialization=False),
            repack(path, lambda _, member: member + bytes(10**6), zipfile.ZIP_DEFLATED),
        ]
    content, claims = path.read_bytes(), CLAIMS.get(kind, [])
    return [
        b"",
        *(content[:place] + value + content[place + len(value) :] for place, value in claims),
    ]


def make_case(kind, number, seed, sound, folder):
    """Write case `number` of a kind into an empty folder; return the path of its file."""
    random = np.random.default_rng([seed, KINDS.index(kind), number])
    path = sound[kind][random.integers(len(sound[kind]))]
    others = [other for paths in sound.values() for other in paths]
    if kind in ("npy", "json", "checkpoint"):
        for other in (*sound["npy"], *sound["json"]):
            shutil.copy(other, folder)
        if kind == "npy" and random.random() < 0.3:  # as the original project's caches
            (folder / "features.json").unlink()
    harmful = harmful_files(kind, sound[kind][-1], folder / "sprung")
    if number < len(harmful):
        path, content = sound[kind][-1], harmful[number]
    elif kind in AUDIO or random.random() < 0.4:
        content = mutate(path.read_bytes(), random, others)
        if kind == "ogg" and random.random() < 0.7:
            content = mend_pages(content)
    elif kind == "npy":
        content = make_header(random) + path.read_bytes()[128:]
    elif kind == "json":
        tree = json.loads(path.read_text(encoding="utf-8"))
        tamper(tree, random)
        content = json.dumps(tree).encode()
    elif random.random() < 0.5:
        tree = torch.load(path)
        tamper(tree, random)
        content = pack(tree)
    else:
        content = repack(
            path,
            lambda name, member: (
                mutate(member, random, others) if name.endswith("data.pkl") else member
            ),
        )
    written = folder / path.name
    written.write_bytes(content)
    return written


# What reads them


def extract_for_training(path):
    assert np.isfinite(extract_features(load_signal(path, 30))).all()


def extract_for_prediction(path):
    features, seconds, _ = extract_file(path)
    assert np.isfinite(features).all()
    assert features.shape == (len(features), N_FEATURES)
    assert 0 < seconds < 1e6


def compare_cache(path):
    stale_reason(path.parent, {"genres": GENRES, "sources": {}})


def load_cache(path):
    data = GenreFeatureData(path.parent).load()
    for subset in SUBSETS:
        assert np.isfinite(data.inputs[subset]).all()
        assert data.inputs[subset].shape[1:] == (data.settings.frames, N_FEATURES)
        assert set(data.targets[subset]) <= set(range(len(data.genres)))
    values = dataclasses.asdict(data.settings).values()
    assert all(value is None or 1 <= value <= 1e9 for value in values)


def load_and_classify(path):
    model, saved = weights.load_model(path)
    for features in (np.zeros((20, N_FEATURES)), np.full((1, N_FEATURES), -100)):
        probabilities = classify(model, saved, features.astype(np.float32))
        assert abs(sum(probabilities.values()) - 1) < 1e-3


def resume_training(path):
    place = path.parent / "weights" / "test"
    place.mkdir(parents=True, exist_ok=True)
    shutil.copy(path, place)
    run, model = train_small_run(path.parent, n_epochs=3, resume=True)
    assert model(torch.zeros(2, 20, N_FEATURES)).isfinite().all()
    assert run.summarise()["final_epoch"] == 3


READERS = {
    **dict.fromkeys(AUDIO, (extract_for_training, extract_for_prediction)),
    **dict.fromkeys(("npy", "json"), (compare_cache, load_cache)),
    "model": (load_and_classify,),
    "checkpoint": (resume_training,),
}


def read(kind, path):
    """Read a file as the scripts do; return "read", "refused", or how it fails."""
    outcome = "read"
    for reader in READERS[kind]:
        try:
            reader(path)
        except InputError as error:
            outcome = "refused"
            if len(str(error).splitlines()) != 1:
                return f"{reader.__name__} says {str(error)!r}, which isn't one line"
        except Exception as error:
            where = traceback.extract_tb(error.__traceback__)[-1]
            place = f"{Path(where.filename).name}:{where.lineno}"
            return f"{reader.__name__} raises {type(error).__name__} in {place}: {error}"
    return "runs what the file holds" if (path.parent / "sprung").exists() else outcome


# The process that reads


def memory_of_process():
    """Return the most memory that this process has held, in bytes."""
    unit = 1 if sys.platform == "darwin" else 1024
    return unit * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def work(pipe, seed, folder):
    """Make and read the cases whose kind and number come through a pipe; send what they end in."""
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 1)
    os.dup2(silence, 2)
    audio.BLOCK_SECONDS = 1  # for short clips to be streamed as hours of audio are
    sound = make_sound_files(folder / "sound")
    for kind, paths in sound.items():
        assert [read(kind, path) for path in paths] == ["read"] * len(paths)
    # What would take far more fails before the machine runs out of memory.
    resource.setrlimit(resource.RLIMIT_DATA, (4 * MOST_MEMORY, resource.RLIM_INFINITY))
    start = memory_of_process()
    pipe.send("ready")
    while True:
        try:
            kind, number = pipe.recv()
        except EOFError:
            return
        shutil.rmtree(folder / "case", ignore_errors=True)
        (folder / "case").mkdir()
        outcome = read(kind, make_case(kind, number, seed, sound, folder / "case"))
        if memory_of_process() - start > MOST_MEMORY:
            outcome = f"takes {(memory_of_process() - start) / 2**30:.1f} GiB"
        pipe.send(outcome)


class Worker:
    """A process that reads cases, which may crash it."""

    def __init__(self, seed, folder):
        context = multiprocessing.get_context("spawn")
        self.pipe, other = context.Pipe()
        self.process = context.Process(target=work, args=(other, seed, folder), daemon=True)
        self.process.start()
        other.close()
        if (answer := self.answer(600)) != "ready":
            raise RuntimeError(f"reading sound files {answer}")

    def answer(self, seconds):
        """Return what the process sends within some seconds, or why it doesn't."""
        try:
            return self.pipe.recv() if self.pipe.poll(seconds) else f"takes over {seconds} s"
        except EOFError:
            self.process.join()
            return f"ends the process, with status {self.process.exitcode}"

    def read(self, kind, number):
        """Return what a case ends in."""
        self.pipe.send((kind, number))
        return self.answer(MOST_SECONDS)

    def stop(self):
        self.pipe.close()  # which ends it if it waits for the next case
        self.process.join(1)
        self.process.kill()
        self.process.join()


def fuzz(cases, seed, kept):
    """Yield "read", "refused" or how it fails for every case; keep the files that fail.

    Parameters
    ----------
    cases : iterable of (str, int)
        Kinds and numbers: the first of each kind are made to do harm, the others are mutated.
    seed : int
    kept : pathlib.Path
        Folder for what fails.
    """
    worker = None
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as stack:
        folder = Path(name)
        for kind, number in cases:
            if not worker:
                worker = Worker(seed, folder)
                stack.callback(worker.stop)
            outcome = worker.read(kind, number)
            if outcome not in ("read", "refused"):
                worker = worker.stop()  # the next case starts afresh
                place = kept / f"{kind}-{number}-of-seed-{seed}"
                shutil.copytree(folder / "case", place, dirs_exist_ok=True)
            yield outcome


# Command line


def list_cases(n_audio, n_arrays):
    """Return the (kind, number) of so many cases, dealt evenly to the kinds."""
    return [
        (kind, number)
        for kinds, n_cases in ((AUDIO, n_audio), (ARRAYS, n_arrays))
        for i, kind in enumerate(kinds)
        for number in range(len(range(i, n_cases, len(kinds))))
    ]


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=HelpFormatter)
    add, count = parser.add_argument, {"metavar": "N", "type": number_in(0)}
    add("--audio", **count, default=5000, help="audio files to read")
    add("--arrays", **count, default=1000, help="features, manifests, weights and checkpoints")
    add("--seed", **count, default=0, help="of the mutations")
    add("--only", metavar="KIND:NUMBER", help="read one case again")
    options = parser.parse_args()
    if options.only:
        kind, _, number = options.only.partition(":")
        if kind not in KINDS or not number.isdecimal():
            parser.error(f"--only takes one of {', '.join(KINDS)}, a colon and a number")
        options.only = kind, int(number)
    return options


def main():
    options = parse_arguments()
    cases = [options.only] if options.only else list_cases(options.audio, options.arrays)
    progress = tqdm(cases, "Fuzzing", unit="file")
    found = {kind: collections.Counter() for kind in KINDS}
    outcomes = fuzz(cases, options.seed, FAILURES)
    for (kind, number), outcome in zip(progress, outcomes, strict=True):
        failed = outcome not in ("read", "refused")
        found[kind].update(["files", "failed" if failed else outcome])
        if failed:
            tqdm.write(f"--seed {options.seed} --only {kind}:{number}: {outcome}")
    columns = ("files", "read", "refused", "failed")
    print(f"{'kind':12}" + "".join(f"{column:>9}" for column in columns))
    for kind, counts in found.items():
        print(f"{kind:12}" + "".join(f"{counts[column]:9}" for column in columns))
    if any(counts["failed"] for counts in found.values()):
        print(f"The files that failed are in {FAILURES}.")
        sys.exit(1)


if __name__ == "__main__":
    main()
