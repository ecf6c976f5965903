"""What a frame is: its 33 features, and the settings that their numbers depend on."""

import dataclasses
import itertools

from common.errors import MAX_NUMBER

SAMPLE_RATE = 22050  # Hz, GTZAN's own: its clips aren't resampled
N_FFT = 2048  # samples per frame, 93 ms: librosa's default for music
HOP_LENGTH = 512  # samples between frames, 23 ms
CLIP_LENGTH = 660_000  # samples used of each clip: 29.93 s, which every GTZAN clip fills

# The kinds of features, in order, and the number of columns of each.
KINDS = {"mfcc": 13, "spectral_centroid": 1, "chroma": 12, "spectral_contrast": 7}
ENDS = itertools.accumulate(KINDS.values())
COLUMNS = {kind: slice(end - KINDS[kind], end) for kind, end in zip(KINDS, ENDS, strict=True)}
N_FEATURES = sum(KINDS.values())
CUTOFF_RANGE = 1000, SAMPLE_RATE // 2 - 1  # Hz, of the low-pass filter: from, to
# What the numbers depend on beside the frames: librosa's defaults except n_mfcc. Whoever changes
# the numbers in the code raises the version: features of another version are extracted again.
FEATURE_PARAMS = {"version": 1, "kinds": KINDS}
FEATURE_PARAMS |= {"n_mfcc": 13, "n_mels": 128, "n_chroma": 12, "n_bands": 6}
FEATURE_PARAMS |= {"resampler": "soxr_hq"}


def frames_per_clip(hop_length=HOP_LENGTH):
    """Return the number of frames in `CLIP_LENGTH`: 1290 at the default hop length."""
    return 1 + CLIP_LENGTH // hop_length


@dataclasses.dataclass(frozen=True)
class FrameSettings:
    """The frame settings of a clip's features. They travel from the cache to the weights."""

    sample_rate: int = SAMPLE_RATE  # Hz
    n_fft: int = N_FFT  # samples per frame
    hop_length: int = HOP_LENGTH  # samples between frames
    frames: int = frames_per_clip()  # per clip
    lowpass: int | None = None  # Hz, cutoff of the filter that the signal goes through first

    @classmethod
    def read(cls, saved):
        """Return the settings in a dict read from a file.

        Raises
        ------
        KeyError, TypeError, ValueError
            A setting is missing, or isn't a possible one.
        """
        settings = cls(**{field.name: saved[field.name] for field in dataclasses.fields(cls)})
        lengths, cutoff = (settings.hop_length, settings.frames), settings.lowpass
        possible = all(type(n) is int and 1 <= n <= MAX_NUMBER for n in lengths)
        low, high = CUTOFF_RANGE
        possible &= cutoff is None or (type(cutoff) is int and low <= cutoff <= high)
        # All features are computed at one rate and size; others would silently be accepted.
        if not possible or (settings.sample_rate, settings.n_fft) != (SAMPLE_RATE, N_FFT):
            raise ValueError("impossible frame settings")
        return settings

    @property
    def seconds_per_frame(self):
        """Time between frames."""
        return self.hop_length / self.sample_rate

    def frames_in(self, seconds):
        """Return the number of frames in some seconds: the nearest, at least one."""
        return max(1, round(seconds * self.sample_rate / self.hop_length))
