"""Runs in the image of sessions: unpacks every file below /data and searches it.

Request on standard input: {"needles": [text]}. Answer: {"found": {path: [number of the needle]}, "blocks": unpacked}.
Hail's own files are rows of blocks, each a length, a length when unpacked, and a Zstandard frame.
"""

import gzip
import json
import os
import sys

import pyarrow

FRAME = b"\x28\xb5\x2f\xfd"
zstd = pyarrow.Codec("zstd")


def contents(raw):
    """The bytes as they are, and whatever is packed in them."""
    yield raw
    if raw[:2] == b"\x1f\x8b":
        yield gzip.decompress(raw)
    at = 0
    whole = b""
    while (at := raw.find(FRAME, at)) >= 0:
        packed = int.from_bytes(raw[at - 8 : at - 4], "little") - 4
        size = int.from_bytes(raw[at - 4 : at], "little")
        whole += zstd.decompress(raw[at : at + packed], size, asbytes=True)
        global blocks
        blocks += 1
        at += packed
    yield whole


blocks = 0
needles = [needle.encode() for needle in json.load(sys.stdin)["needles"]]
found = {}
for root, folders, names in os.walk("/data"):
    for name in names + folders:
        path = os.path.join(root, name)
        pieces = [name.encode()]
        if name in names:
            with open(path, "rb") as file:
                pieces += contents(file.read())
        hits = [at for at, needle in enumerate(needles) if any(needle in piece for piece in pieces)]
        if hits:
            found[os.path.relpath(path, "/data")] = hits[:5]
print(json.dumps({"found": found, "blocks": blocks}))
