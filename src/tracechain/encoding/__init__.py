"""Canonical bytes: values and events to MessagePack and back, one spelling for each (docs/format.md sections
3 and 9).

What is hashed and signed is always stored bytes, so a second spelling of the same value would be a second identity.
Reading is therefore strict: sizes first, then decode, then encode again and compare.

- `primitives`: any plain value (nil, bool, int, text, bytes, arrays): `pack`, `unpack_strict`, `unpack_raw`.
- `content`: events: `encode`, `decode`, `decode_raw`; `glimpse`, `claimed_time`, `packing_of`: a few fields of one.

This package alone knows MessagePack.
"""

from tracechain.encoding.content import MAX_CONTENT, decode, decode_raw, encode
from tracechain.encoding.glimpse import claimed_time, glimpse, packing_of
from tracechain.encoding.primitives import (
    MAX_NESTING,
    Plain,
    check_plain,
    pack,
    unpack_known,
    unpack_raw,
    unpack_strict,
)

__all__ = [
    "MAX_CONTENT",
    "MAX_NESTING",
    "Plain",
    "check_plain",
    "claimed_time",
    "decode",
    "decode_raw",
    "encode",
    "glimpse",
    "pack",
    "packing_of",
    "unpack_known",
    "unpack_raw",
    "unpack_strict",
]
