"""Plain values <-> canonical bytes (docs/format.md section 3).

A plain value is None, a bool, an int (-2^63 to 2^64 - 1), a str, bytes, or a tuple of plain values. MessagePack with
a single spelling: shortest forms only, no maps, floats or extension types.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, TypeAlias

import msgpack

from tracechain.errors import DecodeError, InputError
from tracechain.event.values import CONTROL, check_text

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["MAX_NESTING", "Plain", "check_plain", "pack", "unpack_known", "unpack_raw", "unpack_strict"]

Plain: TypeAlias = "bool | int | str | bytes | Sequence[Plain] | None"

MAX_NESTING = 24
MAX_BYTES = 65_536

# A packer keeps its buffer, which saves an allocation a call. It runs no Python code while it packs plain
# values, so
# threads cannot meet in it under the interpreter lock.
PACKER = msgpack.Packer(use_bin_type=True)

# First bytes of floats and extension types. They also occur within other values, so finding one proves
# nothing;
# finding none proves that there is no float.
FLOAT_OR_EXTENSION = re.compile(rb"[\xc7-\xcb\xd4-\xd8]")

# The decoder below reserves memory for the items that an array header announces. Nested headers in a hostile
# input
# could make that 65,536 x 8 bytes for every three bytes; beyond this product of headers and size we look
# first.
CHEAP_TO_DECODE = 1 << 23


#: Canonical bytes of a value, which must be plain (a list may stand for a tuple): nothing is checked here. Values that
#: come from a caller go through `check_plain` first. The packer's own method: a function around it would cost as
#: much again in the loops that call it for each entry.
pack: Callable[[Plain], bytes] = PACKER.pack


def check_plain(value: object, max_depth: int = MAX_NESTING, *, texts: bool = True) -> None:
    """InputError unless `value` is plain, nests at most `max_depth` arrays and, with `texts`, holds proper
    texts.

    A proper text is NFC and has neither control characters nor lone surrogates. `max_depth` 1 is an array of
    scalars.
    """
    kind = type(value)
    if kind is str:
        if texts and not (value.isascii() and value.isprintable()):  # type: ignore[attr-defined] # it is a str
            check_text(value, "a text", limit=1 << 32, control=CONTROL)
    elif kind is int:
        if not -(1 << 63) <= value < 1 << 64:  # type: ignore[operator] # it is an int
            raise InputError("an integer is out of range: from -2^63 to 2^64 - 1")
    elif kind is tuple:
        if max_depth == 0:
            raise InputError("arrays are nested too deep")
        for item in value:  # type: ignore[attr-defined] # it is a tuple
            check_plain(item, max_depth - 1, texts=texts)
    elif value is not None and kind is not bool and kind is not bytes:
        raise InputError(f"{value!r:.100} cannot be recorded: only None, bool, int, str, bytes and tuples can")


def unpack_raw(data: bytes, max_bytes: int = MAX_BYTES, max_depth: int = MAX_NESTING, *, known: int = 0) -> Plain:
    """The plain value (arrays as tuples) of which `data` is the canonical encoding; DecodeError otherwise.

    Texts are only checked to be UTF-8: for hot loops over bytes whose hash is known. `unpack_strict` checks
    all.
    """
    size = len(data)
    if size > max_bytes:
        raise DecodeError(f"{size} bytes are over the limit of {max_bytes}")
    if (data.count(b"\xdc") + data.count(b"\xdd")) * size > CHEAP_TO_DECODE:
        skim(data, max_depth)
    try:
        value: Plain = msgpack.unpackb(
            data, use_list=False, object_pairs_hook=refuse_map, strict_map_key=False, max_str_len=size, max_bin_len=size
        )
        if FLOAT_OR_EXTENSION.search(data, known) is not None:
            check_plain(value, max_depth, texts=False)
        again = pack(value)
    except InputError as error:
        raise DecodeError(f"bytes are not canonical: {error}") from None
    except (ValueError, TypeError, OverflowError, msgpack.UnpackException) as error:
        raise DecodeError(f"bytes are not canonical: {str(error) or type(error).__name__}") from None
    if again != data:
        raise DecodeError(f"bytes are not canonical: the value at offset {difference(data, again)} has a shorter form")
    return value


def unpack_known(data: bytes) -> Plain:
    """The plain value of bytes that were unpacked strictly before they were stored: no canonical form is demanded."""
    try:
        value: Plain = msgpack.unpackb(data, use_list=False, strict_map_key=False)
    except (ValueError, TypeError, OverflowError, msgpack.UnpackException) as error:
        raise DecodeError(f"stored bytes are damaged: {str(error) or type(error).__name__}") from None
    return value


def unpack_strict(data: bytes, max_bytes: int = MAX_BYTES, max_depth: int = MAX_NESTING) -> Plain:
    """The plain value (arrays as tuples) of which `data` is the canonical encoding.

    DecodeError for more than `max_bytes`, arrays nested more than `max_depth` deep, improper texts, trailing bytes,
    truncation, or any spelling but the one that `pack` writes.
    """
    value = unpack_raw(data, max_bytes, max_depth)
    try:
        check_plain(value, max_depth)
    except InputError as error:
        raise DecodeError(f"bytes are not canonical: {error}") from None
    return value


def refuse_map(_: object) -> None:
    """Hook of the decoder."""
    raise ValueError("maps are not used")


def difference(left: bytes, right: bytes) -> int:
    """The first offset at which two different byte strings differ."""
    for offset, (one, other) in enumerate(zip(left, right, strict=False)):
        if one != other:
            return offset
    return min(len(left), len(right))


def skim(data: bytes, max_depth: int) -> None:
    """DecodeError if `data` nests deeper than `max_depth`, or announces more items than it has bytes."""
    size = len(data)
    open_items = [1]  # items still to come, of each array that is open
    total = 1
    offset = 0
    while open_items:
        if open_items[-1] == 0:
            open_items.pop()
            continue
        if offset >= size:
            raise DecodeError(f"bytes end at offset {offset}, within a value")
        open_items[-1] -= 1
        total -= 1
        head = data[offset]
        offset += 1
        width = LENGTH_WIDTHS.get(head, 0)
        length = int.from_bytes(data[offset : offset + width])
        offset += width
        if 0x90 <= head <= 0x9F or head in {0xDC, 0xDD}:
            items = head & 0x0F if head < 0xA0 else length
            total += items
            if total > size - offset:
                raise DecodeError(
                    f"the array before offset {offset} announces {items} items: more than there are bytes"
                )
            if len(open_items) > max_depth:
                raise DecodeError(f"arrays are nested too deep at offset {offset}")
            open_items.append(items)
        elif 0xA0 <= head <= 0xBF:
            offset += head & 0x1F
        else:
            offset += length + FIXED_WIDTHS.get(head, 0)


# After the first byte: bytes that hold a length, for texts, byte strings and arrays; bytes of an integer.
LENGTH_WIDTHS = {0xC4: 1, 0xC5: 2, 0xC6: 4, 0xD9: 1, 0xDA: 2, 0xDB: 4, 0xDC: 2, 0xDD: 4}
FIXED_WIDTHS = {0xCC: 1, 0xCD: 2, 0xCE: 4, 0xCF: 8, 0xD0: 1, 0xD1: 2, 0xD2: 4, 0xD3: 8}
