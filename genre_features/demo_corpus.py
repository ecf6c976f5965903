"""Synthesise a small corpus of six genres, for trying everything out without GTZAN.

Each clip is a short recording of a band: drums, bass, chords and an improvised melody, in the
style of its genre. Styles overlap, as they do in music: a clip borrows some of its traits from
other genres, and goes through a room, an equaliser and noise drawn at random. A good score on
these clips shows that the scripts work; it says nothing about music.
"""

import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import soundfile
from tqdm import tqdm

from common.files import atomic_write
from genre_features.frame import SAMPLE_RATE
from genre_features.splits import INDEX_SPLIT

CLIP_SECONDS = 10
CLIPS = {"train": 30, "validation": 10, "test": 5}  # of each genre, numbered as in GTZAN
BORROWED = 0.2  # probability that a trait comes from any of the six genres

N_SAMPLES = CLIP_SECONDS * SAMPLE_RATE
PERIOD = 2048  # samples of a stored waveform


# Instruments: a chord's notes (Hz) at the times t (s) since they were struck


@cache
def period(n_harmonics, slope):
    """Return a period of a tone whose k-th harmonic has the amplitude k ** -slope."""
    spectrum = np.zeros(PERIOD // 2 + 1, complex)
    spectrum[1 : n_harmonics + 1] = -0.5j * PERIOD * np.arange(1, n_harmonics + 1.0) ** -slope
    return np.fft.irfft(spectrum)


def tones(chord, t, slope):
    # The harmonics end at the Nyquist frequency, so that none is folded back as a false note.
    waves = [(hz, period(int(SAMPLE_RATE / 2 / hz), slope)) for hz in chord]
    return sum(wave[(PERIOD * hz * t).astype(int) % PERIOD] for hz, wave in waves)


def modulated(chord, t, ratio, index):
    phase = 2 * np.pi * np.outer(chord, t)  # (notes, samples)
    return np.sin(phase + index * np.sin(ratio * phase)).sum(axis=0)


def strings(chord, t):
    swell, vibrato = 1 - np.exp(-t / 0.12), t + 2e-4 * np.sin(35 * t)
    return (tones(chord, vibrato, 1.4) + tones(1.006 * chord, vibrato, 1.4)) * swell


def piano(chord, t):
    return 2 * tones(chord, t, 1.8) * np.exp(-t / 0.5)


def guitar(chord, t):
    return 2 * tones(chord, t, 1.1) * np.exp(-t / 0.1)


def fuzz(chord, t):
    return 2 * np.tanh(8 * tones(chord, t, 0.9))


def organ(chord, t):
    tremolo = 1 + 0.3 * np.sin(40 * t)
    return (tones(chord, t, 2.5) + tones(2 * chord, t, 2.5)) * tremolo


def synth(chord, t):
    return tones(chord, t, 1.0) + tones(1.01 * chord, t, 1.0)


def brass(chord, t):
    return modulated(chord, t, 1, 3 * (1 - np.exp(-t / 0.04)) * np.exp(-t / 0.6))


def keys(chord, t):
    return modulated(chord, t, 7, np.exp(-t / 0.15)) * np.exp(-t / 0.6)


def sub(chord, t):
    return 2 * tones(chord, t, 4.0)


def drum_kit(rng):
    """Return the sounds of a kick, a snare and a hi-hat, tuned at random."""
    t = np.arange(int(0.4 * SAMPLE_RATE)) / SAMPLE_RATE
    noise = rng.standard_normal(len(t))
    hz, ring = rng.uniform(40, 60), rng.uniform(0.06, 0.2)
    kick = 2 * np.sin(2 * np.pi * (hz * t + 3 * (1 - np.exp(-t / 0.02)))) * np.exp(-t / ring)
    snare = (noise + 2 * np.sin(8 * np.pi * hz * t)) * np.exp(-t / (0.5 * ring))
    hat = 0.5 * np.diff(noise, prepend=0) * np.exp(-t / rng.uniform(0.02, 0.06))
    return kick, snare, hat


# Styles


class Style(NamedTuple):
    """The traits of a genre, each of which a clip may borrow from another."""

    tempo: tuple  # slowest and fastest, beats a minute
    swing: float  # delay of the off-beats, sixteenths
    rubato: float  # how far the beat wanders, sixteenths
    melody: float  # notes a sixteenth
    room: float  # reverberation, seconds
    bass_sound: Callable
    chord_sound: Callable
    melody_sound: Callable
    harmony: str  # a chord a bar, in C; played in any key
    kick: str  # this and the rest: a bar of sixteenths, x strikes, - holds, . rests
    snare: str
    hat: str
    bass: str
    chords: str


# fmt: off
TRAITS = {
    #             tempo     swing rubato mel.  room  bass     chords   melody   harmony
    "classical": ((60, 130),  0.0, 2.0, 0.30, 0.60, strings, strings, piano,  "C F Dm G Am F G C"),
    "hiphop":    ((80, 105),  0.3, 0.0, 0.05, 0.10, sub,     keys,    keys,   "Cm7 Cm7 Fm7 Cm7"),
    "jazz":      ((110, 200), 0.7, 0.3, 0.35, 0.30, guitar,  piano,   brass,  "Dm7 G7 Cmaj7 A7"),
    "metal":     ((110, 180), 0.0, 0.0, 0.10, 0.15, fuzz,    fuzz,    fuzz,   "C5 Eb5 C5 F#5"),
    "pop":       ((95, 130),  0.0, 0.0, 0.25, 0.20, synth,   synth,   synth,  "C G Am F"),
    "reggae":    ((65, 90),   0.3, 0.0, 0.15, 0.40, sub,     guitar,  organ,  "Am Dm Am Em"),
}
PATTERNS = """
           kick              snare             hat               bass              chords
classical  ................  ................  ................  x-------x-------  x-------x---x---
hiphop     x......x..x.....  ....x.......x...  x.x.x.x.x.x.xxx.  x------x--x-----  x-----..........
jazz       ................  ..............x.  x...x.x.x...x.x.  x---x---x---x---  x-....x---......
metal      xxxxxxxxxxxxxxxx  ....x.......x...  x...x...x...x...  x-x-x-x-x-x-x-x-  x-xxx-xxx-xxx---
pop        x...x...x...x...  ....x.......x...  ..x...x...x...x.  x-x-x-x-x-x-x-x-  x-----x-----x---
reggae     ........x.......  ........x.......  x.x.x.x.x.x.x.x.  x---..x-x-..x-x-  ....x.......x...
"""
QUALITIES = {  # semitones above the root; power chords lie an octave below the others
    "": (0, 4, 7), "7": (0, 4, 7, 10), "maj7": (0, 4, 7, 11),
    "m": (0, 3, 7), "m7": (0, 3, 7, 10), "5": (-12, -5, 0),
}
# fmt: on
ROOTS = ["C", "C#", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B"]
STYLES = {
    genre: Style(*TRAITS[genre], *patterns)
    for genre, *patterns in map(str.split, PATTERNS.splitlines()[2:])
}


# Clips


def pitches(chord, key):
    """Return the notes (Hz) of a chord such as "Am7", transposed by `key` semitones."""
    root, quality = re.fullmatch("([A-G][b#]?)(.*)", chord).groups()
    semitones = (ROOTS.index(root) + key) % 12 + np.array(QUALITIES[quality])
    return 130.81 * 2 ** (semitones / 12)  # the lowest root is C3


def play(style, rng):
    """Play a clip's length in a style, from anywhere in a bar on."""
    step = 15 / rng.uniform(*style.tempo)  # seconds of a sixteenth
    skipped = rng.uniform(0, 16)
    n_steps = int(skipped + CLIP_SECONDS / step) + 1
    bars, key, phase = style.harmony.split(), rng.integers(12), rng.uniform(0, 2 * np.pi)
    drums = list(zip(drum_kit(rng), (style.kick, style.snare, style.hat), strict=True))
    levels = rng.uniform(0.4, 1, 6)
    mix = np.zeros(int((n_steps + 32) * step * SAMPLE_RATE))  # with room for the last notes

    def strike(at, level, sound):
        late = style.swing * (at % 4 == 2) + style.rubato * (1 + np.sin(at / 12 + phase))
        start = int((at + late) * step * SAMPLE_RATE)
        mix[start : start + len(sound)] += level * rng.uniform(0.7, 1) * sound

    for bar in range(0, n_steps, 16):
        for level, (sound, pattern) in zip(levels[:3], drums, strict=True):
            for hit in re.finditer("x", pattern):
                strike(bar + hit.start(), level, sound)
        chord = pitches(bars[bar // 16 % len(bars)], key)
        melody = "".join(np.where(rng.random(16) < style.melody, "x", "-"))
        parts = (  # instrument, pattern, and the notes it would play at each sixteenth
            (style.bass_sound, style.bass, [chord[:1] / 2] * 16),
            (style.chord_sound, style.chords, [chord] * 16),
            (style.melody_sound, melody, 2 * rng.choice(chord, (16, 1))),
        )
        for level, (sound, pattern, notes) in zip(levels[3:], parts, strict=True):
            for hit in re.finditer("x-*", pattern):
                seconds = len(hit[0]) * step
                t = np.arange(int(seconds * SAMPLE_RATE)) / SAMPLE_RATE
                released = 0.5 * np.minimum(1, (seconds - t) / 0.01)
                strike(bar + hit.start(), level, released * sound(notes[hit.start()], t))
    return mix[int(skipped * step * SAMPLE_RATE) :][:N_SAMPLES]


def record(music, room, rng):
    """Record music in a room, through an equaliser, over noise, at some level below clipping."""
    t = np.arange(int(room * SAMPLE_RATE)) / SAMPLE_RATE
    echo = 0.02 * rng.standard_normal(len(t)) * np.exp(-5 * t / room)
    echo[0] = 1
    hz = np.fft.rfftfreq(N_SAMPLES, 1 / SAMPLE_RATE)
    tilt, cutoff = rng.uniform(-0.3, 0.3), rng.uniform(4000, 10000)
    gain = (np.maximum(hz, 30) / 1000) ** tilt / (1 + (hz / cutoff) ** 4)
    # A product of spectra: the room's last echoes wrap round to the start of the clip.
    music = np.fft.irfft(np.fft.rfft(music) * np.fft.rfft(echo, N_SAMPLES) * gain)
    noise = 10 ** rng.uniform(-3.5, -2) * rng.standard_normal(N_SAMPLES)
    recording = music / music.std() + noise
    return rng.uniform(0.4, 0.95) * recording / np.abs(recording).max()


def make_clip(genre, number):
    """Synthesise a track of a genre: mono at 22,050 Hz, the same whatever else is made."""
    genres, n_traits = list(STYLES), len(Style._fields)
    rng = np.random.default_rng([genres.index(genre), number])
    borrowed = rng.random(n_traits) < BORROWED
    lenders = np.where(borrowed, rng.choice(genres, n_traits), genre)
    style = Style(*(STYLES[lender][trait] for trait, lender in enumerate(lenders)))
    return record(play(style, rng), style.room, rng)


def make_demo_corpus(folder):
    """Write the clips that aren't in a folder yet, in the original project's layout.

    Parameters
    ----------
    folder : path-like
        Gets ``_train``, ``_validation`` and ``_test``, full of ``<genre>.<number>.au``: 16-bit
        mono at 22,050 Hz, ten seconds each.
    """
    clips = {
        Path(folder) / f"_{subset}" / f"{genre}.{number:05}.au": (genre, number)
        for subset, n_clips in CLIPS.items()
        for genre in STYLES
        for number in INDEX_SPLIT[subset][:n_clips]
    }
    missing = [path for path in clips if not path.exists()]
    for path in tqdm(missing, desc="Synthesising", unit="clip", disable=not missing):
        with atomic_write(path) as temporary:
            clip = make_clip(*clips[path])
            soundfile.write(temporary, clip, SAMPLE_RATE, subtype="PCM_16", format="AU")
