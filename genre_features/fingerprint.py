"""Fingerprints of recordings: a copy is recognised in another format and at another gain."""

import collections
from typing import NamedTuple

import numpy as np
import scipy.signal
from scipy.sparse import lil_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from genre_features.frame import N_FFT, SAMPLE_RATE

EDGES = 100 * 2 ** (np.arange(61) / 12)  # Hz, of bands of a semitone up to 3.2 kHz
DYNAMIC_RANGE = 40  # dB; softer bands hold a codec's noise
MAX_DIFFERENCE = 1.5  # dB, root mean square over the bands; different songs differ by 2.3 and more
EXCERPT_SECONDS = 2
DECIMATION = 8  # of the excerpt: to 2756 Hz
OVERSAMPLING = 4  # of the cross-correlation
MIN_CORRELATION = 0.98  # MP3 at its lowest quality has 0.987, different songs up to 0.4


class Fingerprint(NamedTuple):
    """What of a recording survives a codec and a change of gain."""

    spectrum: np.ndarray  # (60,), float32: levels of semitone bands, less their mean (dB)
    excerpt: np.ndarray  # int8: the waveform in the middle of the clip, below 1.4 kHz


def make_fingerprint(signal):
    """Return the Fingerprint of a mono signal at 22,050 Hz.

    The spectrum finds candidates among many clips, the waveforms tell whether they are copies.
    """
    hz, power = scipy.signal.welch(signal, SAMPLE_RATE, nperseg=min(N_FFT, len(signal)))
    cumulated = np.concatenate([[0], np.cumsum(power)])
    borders = np.concatenate([[hz[0]], (hz[1:] + hz[:-1]) / 2, [hz[-1]]])
    levels = 10 * np.log10(np.diff(np.interp(EDGES, borders, cumulated)) + 1e-20)
    levels = np.maximum(levels, levels.max() - DYNAMIC_RANGE)
    n_samples = EXCERPT_SECONDS * SAMPLE_RATE
    start = max(0, (len(signal) - n_samples) // 2)
    excerpt = signal[start : start + n_samples]
    if len(excerpt) > DECIMATION:
        excerpt = scipy.signal.decimate(excerpt, DECIMATION, ftype="fir")
    loudest = np.abs(excerpt).max()
    scaled = np.rint(excerpt * (127 / loudest)) if loudest > 0 else np.zeros(len(excerpt))
    return Fingerprint((levels - levels.mean()).astype(np.float32), scaled.astype(np.int8))


def correlation(one, other):
    """Return the largest normalised cross-correlation of two waveforms, at offsets up to 20 %."""
    size = min(len(one), len(other))
    one, other = one[:size].astype(float), other[:size].astype(float)
    spectra = [np.fft.rfft(waveform, 2 * size) for waveform in (one, other)]
    # Offsets are fractions of a sample, too.
    products = np.fft.irfft(spectra[0] * spectra[1].conj(), OVERSAMPLING * 2 * size)
    products = OVERSAMPLING * np.abs(products)
    energy, other_energy = (np.cumsum([0, *waveform**2]) for waveform in (one, other))
    offsets = np.arange(OVERSAMPLING * (size // 5) + 1)
    n_lost = offsets // OVERSAMPLING  # samples of each waveform beyond the other's end
    late = (energy[-1] - energy[n_lost]) * other_energy[size - n_lost]
    early = (other_energy[-1] - other_energy[n_lost]) * energy[size - n_lost]
    ratios = [products[offsets] / np.sqrt(late + 1), products[-offsets] / np.sqrt(early + 1)]
    return np.max(ratios)


def find_copies(fingerprints):
    """Find the recordings that are copies of each other.

    Parameters
    ----------
    fingerprints : list of Fingerprint

    Returns
    -------
    list of list of int
        Groups of two or more indices.
    """
    if not fingerprints:
        return []
    spectra, excerpts = zip(*fingerprints, strict=True)
    pairs = cKDTree(spectra).query_pairs(MAX_DIFFERENCE * np.sqrt(len(EDGES) - 1))
    graph = lil_array((len(excerpts), len(excerpts)))
    for i, j in pairs:
        graph[i, j] = correlation(excerpts[i], excerpts[j]) > MIN_CORRELATION
    labels = connected_components(graph, directed=False)[1]
    groups = collections.defaultdict(list)
    for i, label in enumerate(labels):
        groups[label].append(i)
    return [group for group in groups.values() if len(group) > 1]
