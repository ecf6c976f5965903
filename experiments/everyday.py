"""Classify clips as people record them: in a room, with noise, with more bass, by telephone, ….

    python -m experiments.everyday --clips gtzan/genres

Writes everyday.csv: for the shipped models, how many predictions are right for the clips and for
eleven changed versions of them, and how many don't change.
"""

import numpy as np
from scipy.ndimage import uniform_filter1d
from scipy.signal import butter, fftconvolve, resample_poly, sosfilt

from common.cli import run_script
from common.files import write_table
from experiments.models import UNCHANGED, count_predictions, load_shipped
from experiments.options import make_parser
from genre_features.frame import SAMPLE_RATE

NAME = "everyday.csv"


def filter_band(signal, order, hz, kind):
    """Return the signal through a Butterworth filter: ``low``, ``high`` or ``band``."""
    return sosfilt(butter(order, hz, kind, fs=SAMPLE_RATE, output="sos"), signal)


def add_room(signal, rt60, direct_db, rng):
    """Add the reverberation of a room: noise that falls by 60 dB in `rt60` seconds.

    The direct sound is `direct_db` above all reverberation: the less, the farther away.
    """
    seconds = np.arange(int(rt60 * SAMPLE_RATE)) / SAMPLE_RATE
    response = rng.standard_normal(len(seconds)) * 10 ** (-3 * seconds / rt60)
    response *= 10 ** (-direct_db / 20) / np.linalg.norm(response)
    response[0] += 1
    return fftconvolve(signal, response)[: len(signal)]


def add_noise(signal, db_below, rng):
    """Add white noise that is so many dB below the signal."""
    level = np.sqrt(np.mean(signal**2)) * 10 ** (-db_below / 20)
    return signal + level * rng.standard_normal(len(signal))


def compress(signal):
    """Reduce levels, over 50 ms, by 3 of 4 dB above a threshold 20 dB below the loudest."""
    level = np.sqrt(uniform_filter1d(signal**2, SAMPLE_RATE // 20).clip(1e-12))
    return signal * np.maximum(10 * level / level.max(), 1) ** (1 / 4 - 1)


def through_telephone(signal):
    """Return the signal from 300 to 3400 Hz, sampled at 8 kHz."""
    narrow = resample_poly(filter_band(signal, 4, (300, 3400), "band"), 160, 441)
    return resample_poly(narrow, 441, 160)[: len(signal)]


def make_versions(signal):
    """Return the versions of a signal by name, all as loud as it is and of 16 bits."""
    x, rng = signal.astype(float), np.random.default_rng(0)
    loudspeaker = filter_band(filter_band(x, 2, 300, "high"), 2, 8000, "low")
    versions = {
        UNCHANGED: x,
        "room, RT60 0.5 s": add_room(x, 0.5, 0, rng),
        "far away, RT60 0.8 s": add_room(x, 0.8, -6, rng),
        "small loudspeaker, room, noise": add_noise(add_room(loudspeaker, 0.5, 0, rng), 20, rng),
        "noise 20 dB below": add_noise(x, 20, rng),
        "noise 10 dB below": add_noise(x, 10, rng),
        "bass +10 dB": x + (10 ** (10 / 20) - 1) * filter_band(x, 1, 200, "low"),
        "treble cut at 2 kHz": filter_band(x, 1, 2000, "low"),
        "clipped at 1/4": x.clip(-np.abs(x).max() / 4, np.abs(x).max() / 4),
        "compressed 4:1": compress(x),
        "a semitone up": resample_poly(x, 84, 89),  # 89 / 84 is 2^(1/12) within 0.01 %
        "telephone": through_telephone(x),
    }
    loudness = {name: max(changed.std(), 1e-9) for name, changed in versions.items()}
    return {
        name: (changed * loudness[UNCHANGED] / loudness[name] * 2**15).round() / 2**15
        for name, changed in versions.items()
    }


def main():
    options = make_parser("experiments.everyday", __doc__, "clips").parse_args()
    counts = count_predictions(options.clips, load_shipped(), make_versions)
    rows = [{"models": key} | row for key, row in counts.items()]
    write_table(options.output / NAME, rows[0], rows)


if __name__ == "__main__":
    run_script(main)
