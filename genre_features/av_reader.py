"""Audio of any format that FFmpeg decodes, read by PyAV, which is optional."""

import contextlib
import itertools
import operator

import av
import numpy as np

GUESSED_LENGTHS = "mp3", "aac"  # formats of which FFmpeg infers the length from the bit rate
PADDING = 0.1  # s, by which a container's header may count more than there is to hear
FRAME_FORMAT = operator.attrgetter("rate", "layout.nb_channels", "layout.name", "format.name")


def read_av(raw, report):
    """Yield (rate, samples of shape (n, channels)) of an open file; add errors to the `Report`."""
    options = {"protocol_whitelist": "none"}  # playlists name other files
    with (
        contextlib.suppress(av.error.FFmpegError, OSError),
        av.open(raw, options=options, metadata_errors="ignore") as file,
    ):
        if not report.length and file.format.name not in GUESSED_LENGTHS:
            report.length = max(0, audio_seconds(file) - PADDING)
        frames = decode_packets(file, report)
        for (rate, n_channels, *_), group in itertools.groupby(frames, key=FRAME_FORMAT):
            resampler = av.AudioResampler("flt")  # one for each kind; it leaves the rate as it is
            while some := list(itertools.islice(group, 1000)):
                converted = itertools.chain.from_iterable(map(resampler.resample, some))
                samples = np.concatenate([frame.to_ndarray().ravel() for frame in converted])
                yield rate, samples.reshape(-1, n_channels)


def audio_seconds(container):
    """Return how long the first audio stream is by the header (s); 0 if it doesn't tell."""
    streams = container.streams.audio
    if streams and streams[0].duration:
        return float(streams[0].duration * streams[0].time_base)
    # In a film, the pictures may go on when the sound has ended.
    return 0 if container.streams.video else (container.duration or 0) / av.time_base


def decode_packets(container, report):
    """Yield the frames of the first audio stream of an `av.InputContainer`."""
    for packet in container.demux(audio=0) if container.streams.audio else ():
        try:
            yield from packet.decode()
        except av.error.InvalidDataError as error:  # later packets may be whole
            report.damage += f"{error}\n"
