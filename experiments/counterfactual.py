"""Empty or fill the highest band of real clips, and show them to the published models.

    python -m experiments.counterfactual --clips gtzan/genres

Writes counterfactual.csv: what the shipped published models predict for each clip unfiltered,
low-passed, and filled: with noise above 9.6 kHz, at the level that full-band clips have there. The
filter at 10.5 kHz is a control: its cutoff lies above that of the band-limited chain.
"""

import numpy as np
from scipy.signal import istft, stft

from common.cli import run_script
from common.errors import InputError
from common.files import write_table
from experiments.models import SECONDS, classify_versions, load_published
from experiments.options import make_parser
from genre_features.audio import load_signal
from genre_features.bandwidth import FULL, effective_bandwidth
from genre_features.clips import find_clips
from genre_features.frame import N_FFT, SAMPLE_RATE
from genre_features.lowpass import lowpass

NAME = "counterfactual.csv"
FILLED, UNFILTERED = "filled", "unfiltered"
CUTOFFS = (10_500, 9500, 9000, 7500)  # Hz; GTZAN's band-limited clips end near 9600
HZ = np.fft.rfftfreq(N_FFT, 1 / SAMPLE_RATE)
TOP, OCTAVE = HZ >= 9600, (HZ >= 4800) & (HZ < 9600)


def is_full_band(row):
    """Whether a row of counterfactual.csv is of a full-band clip."""
    return int(row["bandwidth"]) >= FULL


def measure_bands(signal):
    """Return the STFT of a signal, and the levels of the top band and the octave below it."""
    spectrum = stft(signal, SAMPLE_RATE, nperseg=N_FFT)[2]
    bands = (np.abs(spectrum[bins]) ** 2 for bins in (TOP, OCTAVE))
    top, octave = (np.sqrt(band.mean(axis=0)).clip(1e-9) for band in bands)
    return spectrum, top, octave


def fill_band(signal, level):
    """Replace the top band by noise, in each frame at a level relative to the octave below."""
    spectrum, _, octave = measure_bands(signal)
    noise, top, _ = measure_bands(np.random.default_rng(0).standard_normal(len(signal)))
    spectrum[TOP] = noise[TOP] * level * octave / top
    return istft(spectrum, SAMPLE_RATE)[1][: len(signal)]


def make_versions(signal, level):
    """Return every version of a signal by its name; see `fill_band`."""
    lowpassed = {f"{hz / 1000:g} kHz": lowpass(signal, hz) for hz in CUTOFFS}
    return {FILLED: fill_band(signal, level), UNFILTERED: signal, **lowpassed}


def classify_clips(dataset, models):
    """Yield a row of counterfactual.csv for each clip, model and version."""
    bandwidths, levels = {}, []
    for clip in find_clips(dataset)[0]:
        signal = load_signal(dataset / clip.file, SECONDS)
        bandwidths[clip.name] = effective_bandwidth(signal)
        if bandwidths[clip.name] == FULL:
            _, top, octave = measure_bands(signal)
            levels.append(np.median(top / octave))
    if not levels:
        raise InputError(f"{dataset} has no full-band clips, at whose level to fill the others")
    level = np.median(levels)
    predictions = classify_versions(dataset, models, lambda signal: make_versions(signal, level))
    for clip, schedule, version, p in predictions:
        row = {"track": clip.name, "genre": clip.genre, "bandwidth": round(bandwidths[clip.name])}
        row |= {"schedule": schedule, "version": version, "predicted": next(iter(p))}
        yield row | {"p_metal": f"{p['metal']:.3f}"}


def main():
    options = make_parser("experiments.counterfactual", __doc__, "clips").parse_args()
    rows = list(classify_clips(options.clips, load_published()))
    write_table(options.output / NAME, rows[0], rows)


if __name__ == "__main__":
    run_script(main)
