"""What the bytes of an audio file tell before it is decoded."""

import re

from common.errors import InputError

# How files begin that aren't MP3. Within such a file, another one was joined to it there.
MAGIC = rb"RIFF....WAVE", rb"RF64....WAVE", rb"FORM....AIF[FC]", rb"caff\0\x01"
MAGIC += rb"fLaC\0", rb"OggS\0\x02", rb"\.snd\0\0\0"
# The first frame of most MP3s: it is empty but for the number of the others.
INFO_FRAME = rb"\xff[\xe2-\xff]..(?:..)?\0{9,32}(?:Xing|Info)"
ANY_FRAME = rb"\xff[\xe2-\xff][\x10-\xef]"


def read_head(path):
    """Return the first bytes of a file; InputError for what can't be audio, with the remedy."""
    if not path.is_file():
        reason = "it isn't a file" if path.exists() else "there is no such file"
        raise InputError(f"{path} can't be read as audio: {reason}")
    try:
        with path.open("rb") as file:
            head = file.read(512)
    except PermissionError:
        raise InputError(f"{path} can't be read: you have no permission (chmod +r)") from None
    start, reason = head.lstrip().lower(), None
    if not head:
        reason = "it is empty, copy or download it again"
    elif start.startswith(b"version https://git-lfs"):
        reason = "it is a Git LFS pointer, run git lfs pull"
    elif start.startswith((b"<!doctype html", b"<html")):
        reason = "it is a web page, download the audio itself"
    if reason:
        raise InputError(f"{path} can't be read as audio: {reason}")
    return head


def magic_number(head):
    """Return the one of `MAGIC` that the first bytes of a file match, or None."""
    return next((magic for magic in MAGIC if re.match(magic, head, re.DOTALL)), None)


def count_mp3_samples(path):
    """Return the number of samples of an MP3 whose first frame doesn't tell it, else 0."""
    with path.open("rb") as file:
        tag = file.read(10)
        size = 10 + (tag[6] << 21 | tag[7] << 14 | tag[8] << 7 | tag[9])
        file.seek(size if tag.startswith(b"ID3") else 0)
        start = file.read(4096)
    first = re.search(ANY_FRAME, start)
    if not first or re.search(b"Xing|Info|VBRI", start):
        return 0
    kind, rate = first[0][1], first[0][2] & 0x0C
    same_rate = bytes(byte for byte in range(0x10, 0xF0) if byte & 0x0C == rate)
    frame = re.escape(first[0][:2]) + b"[" + re.escape(same_rate) + b"]"
    is_mpeg1, is_layer_1, is_layer_3 = kind >> 3 & 3 == 3, kind >> 1 & 3 == 3, kind >> 1 & 3 == 1
    samples = 384 if is_layer_1 else 576 if is_layer_3 and not is_mpeg1 else 1152
    return samples * len(find_all(path, frame, 3))


def find_all(path, pattern, width):
    """Return where a pattern of at most `width` bytes lies in a file, which may be large."""
    places, offset, data = [], 0, b""
    with path.open("rb") as file:
        while chunk := file.read(2**20):
            data += chunk
            places += [offset + match.start() for match in re.finditer(pattern, data, re.DOTALL)]
            offset += max(0, len(data) - width + 1)
            data = data[1 - width :]
    return sorted(set(places))
