"""Audio of any format that FFmpeg decodes, read by PyAV, which is optional."""

import contextlib
import itertools

import av
import numpy as np


def read_av(path, report):
    """Yield (rate, samples) of a file as PyAV decodes it, about half a minute at a time.

    Errors are added to `report.damage`; see `decoding.Report`.
    """
    with contextlib.ExitStack() as stack:
        stack.enter_context(contextlib.suppress(av.error.FFmpegError, OSError))
        file = stack.enter_context(path.open("rb"))
        # By name, FFmpeg would open addresses; and playlists name other files.
        options = {"protocol_whitelist": "none"}
        frames = av_frames(stack.enter_context(av.open(file, options=options)), report)
        for (rate, _), group in itertools.groupby(frames, key=frame_format):
            while block := list(itertools.islice(group, 1000)):
                yield rate, np.concatenate([frame_samples(frame) for frame in block])


def frame_format(frame):
    """Return the rate (Hz) and the number of channels of an `av.AudioFrame`."""
    return frame.rate, frame.layout.nb_channels


def av_frames(container, report):
    """Yield the frames of the first audio stream of an `av.InputContainer`."""
    for packet in container.demux(audio=0) if container.streams.audio else ():
        try:
            yield from packet.decode()
        except av.error.InvalidDataError as error:  # later packets may be whole
            report.damage += f"{error}\n"


def frame_samples(frame):
    """Return the samples of an `av.AudioFrame`, (n, channels), float32, full scale 1."""
    samples = frame.to_ndarray()
    samples = samples.T if frame.format.is_planar else samples.reshape(frame.samples, -1)
    if samples.dtype.kind == "f":
        return samples.astype(np.float32)
    full_scale = 2 ** (8 * samples.dtype.itemsize - 1)
    zero = full_scale if samples.dtype.kind == "u" else 0
    return ((samples.astype(float) - zero) / full_scale).astype(np.float32)
