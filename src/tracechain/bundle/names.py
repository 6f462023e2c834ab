"""The names of a bundle's files, and how long each may be (docs/format.md sections 15.1 to 15.4).

    tile/0/x001/234              256 hashes of level 0: those of the entries from 256 x 1234 on
    tile/entries/x001/234.p/17   the last 17 headers
    contents/x001/234.p/17       what lies beside them

A name is parsed to one value and formatted back to the same name, so that no file has two names.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from attrs import frozen

__all__ = [
    "CHECKPOINT",
    "CONTENTS",
    "ENTRIES",
    "EXCERPT",
    "HASHES",
    "MANIFEST",
    "README",
    "ROWS",
    "SCRIPT",
    "SEAL_ABSENT",
    "SEAL_ITEMS",
    "SEAL_NOTE",
    "TILE_HEIGHT",
    "TILE_WIDTH",
    "WHOLE",
    "Layout",
    "Name",
    "Tile",
    "consistency_name",
    "contents_name",
    "entries_name",
    "entry_name",
    "format_number",
    "levels",
    "parse_number",
    "private_name",
    "proof_name",
    "rows_name",
    "seal_name",
    "tile_name",
    "tiles",
    "witnessed_name",
]

#: A tile is of 2^8 hashes (C2SP tlog-tiles).
TILE_HEIGHT: Final = 8
TILE_WIDTH: Final = 1 << TILE_HEIGHT

MANIFEST: Final = "bundle.json"
README: Final = "README.txt"
SCRIPT: Final = "verify_bundle.py"
CHECKPOINT: Final = "checkpoint"
SEAL_ITEMS: Final = "seal/items"
SEAL_ABSENT: Final = "seal/absent"
SEAL_NOTE: Final = "seal/note"

#: Kinds of files that come in numbered pieces; the first three are also the first parts of their names.
CONTENTS: Final = "contents"
ROWS: Final = "rows"
ENTRIES: Final = "tile/entries"
HASHES: Final = "tile"

_NOTE_CAP = 1 << 16
_BESIDE_CAP = 1 << 20
_PRIVATE_CAP = 4 << 19  # 2^19 characters
#: No log has 2^40 entries, so no name has a larger number.
_MOST = 1 << 40

_NUMBER = re.compile(r"(?:x[0-9]{3}/)*[0-9]{3}", re.ASCII)
_DECIMAL = re.compile(r"0|[1-9][0-9]{0,12}", re.ASCII)
_LEVEL = re.compile(r"[0-9]", re.ASCII)


def format_number(number: int) -> str:
    """A number in groups of three digits, all but the last with x before them: 1234067 is `x001/x234/067`."""
    groups = [f"{number % 1000:03}"]
    while number := number // 1000:
        groups.append(f"x{number % 1000:03}")
    return "/".join(reversed(groups))


def parse_number(text: str) -> int | None:
    """The number that is written so, None for what `format_number` does not write."""
    if len(text) > 24 or not _NUMBER.fullmatch(text):
        return None
    number = int(text.replace("x", "").replace("/", ""))
    return number if number < _MOST and format_number(number) == text else None


def _parse_decimal(text: str) -> int | None:
    number = int(text) if _DECIMAL.fullmatch(text) else _MOST
    return number if number < _MOST else None


@frozen(order=True)
class Tile:
    """The place of a tile, or of a file of entries, contents or rows, which have level 0: 256 x `number` is the first
    hash in it, `width` (1 to 256) how many there are."""

    level: int
    number: int
    width: int

    @property
    def start(self) -> int:
        """The first entry under it."""
        return self.number * TILE_WIDTH << TILE_HEIGHT * self.level

    @property
    def stop(self) -> int:
        """The entry after the last one under it."""
        return (self.number * TILE_WIDTH + self.width) << TILE_HEIGHT * self.level

    @property
    def path(self) -> str:
        """Number and width, as they stand in a name."""
        number = format_number(self.number)
        return number if self.width == TILE_WIDTH else f"{number}.p/{self.width}"


def tiles(size: int, level: int = 0) -> Iterator[Tile]:
    """The tiles of a level of a tree of `size` leaves, from left to right: all full but the last one."""
    hashes = size >> TILE_HEIGHT * level
    for number in range(-(-hashes // TILE_WIDTH)):
        yield Tile(level, number, min(TILE_WIDTH, hashes - number * TILE_WIDTH))


def levels(size: int) -> int:
    """How many levels of tiles a tree of `size` leaves has."""
    return -(-size.bit_length() // TILE_HEIGHT)


def tile_name(tile: Tile) -> str:
    """The file of a tile of hashes."""
    return f"tile/{tile.level}/{tile.path}"


def entries_name(tile: Tile) -> str:
    """The file of the headers of 256 entries."""
    return f"{ENTRIES}/{tile.path}"


def contents_name(tile: Tile) -> str:
    """The file of the contents of 256 entries."""
    return f"{CONTENTS}/{tile.path}"


def rows_name(tile: Tile) -> str:
    """The file of the rows of 256 entries."""
    return f"{ROWS}/{tile.path}"


def entry_name(index: int) -> str:
    """The file of an entry of an excerpt."""
    return f"entries/{format_number(index)}.entry"


def proof_name(index: int) -> str:
    """The file of its proof."""
    return f"entries/{format_number(index)}.proof"


def witnessed_name(size: int) -> str:
    """The file of the witnessed note of a size."""
    return f"witnessed/{size}"


def seal_name(size: int) -> str:
    """The file of the seal note of a size, in a whole bundle."""
    return f"seals/{size}"


def consistency_name(size: int) -> str:
    """The file of the consistency proof from a size to that of the checkpoint."""
    return f"consistency/{size}"


def private_name(index: int, number: int) -> str:
    """The file of a disclosure of an entry; they are numbered from 0."""
    return f"private/{index}-{number}.json"


@frozen
class Name:
    """A name that a layout lists: what `kind` of file (the name as far as it is the same for all of its kind, such as
    `tile` or `contents`), where in the log, and how many bytes it may have.

    `tile` is the place of a tile, an `index` that of an entry or the size that a note or proof is of, `number` that of
    a disclosure."""

    kind: str
    cap: int
    tile: Tile | None = None
    index: int | None = None
    number: int | None = None


_SINGLE = {
    MANIFEST: Name(MANIFEST, _NOTE_CAP),
    README: Name(README, _BESIDE_CAP),
    SCRIPT: Name(SCRIPT, _BESIDE_CAP),
    CHECKPOINT: Name(CHECKPOINT, _NOTE_CAP),
}
#: A list of proofs has no cap as a whole: each proof in it has one, and it is read one by one.
_LIST_CAP = 1 << 40
_SEAL = {
    SEAL_ITEMS: Name(SEAL_ITEMS, _LIST_CAP),
    SEAL_ABSENT: Name(SEAL_ABSENT, _LIST_CAP),
    SEAL_NOTE: Name(SEAL_NOTE, _NOTE_CAP),
}
_TILE_CAPS = {HASHES: 8192, ENTRIES: 33_280, CONTENTS: 1 << 25, ROWS: 1 << 28}
_SIZED_CAPS = {"witnessed": _NOTE_CAP, "seals": _NOTE_CAP, "consistency": 8192}
_ENTRY_CAPS = {".entry": 1 << 26, ".proof": 131_072}


@frozen
class Layout:
    """The names of one of the two layouts."""

    single: dict[str, Name]
    tiled: tuple[str, ...]
    sized: tuple[str, ...]
    entries: bool

    def parse(self, name: str) -> Name | None:
        """What a name means; None for one that is not listed."""
        if name in self.single:
            return self.single[name]
        head, _, rest = name.partition("/")
        if head == "tile" and self.tiled:
            level, _, rest = rest.partition("/")
            if level == "entries":
                return _tiled(ENTRIES, 0, rest)
            return _tiled(HASHES, int(level), rest) if _LEVEL.fullmatch(level) else None
        if head in self.tiled:
            return _tiled(head, 0, rest)
        if head in self.sized:
            size = _parse_decimal(rest)
            return None if size is None else Name(head, _SIZED_CAPS[head], index=size)
        if head == "entries" and self.entries:
            for kind, cap in _ENTRY_CAPS.items():
                if rest.endswith(kind) and (number := parse_number(rest.removesuffix(kind))) is not None:
                    return Name(kind, cap, index=number)
        if head == "private":
            return _private(rest)
        return None

    @property
    def caps(self) -> dict[str, int]:
        """How many bytes a file of each kind that comes 256 at a time may have."""
        return _TILE_CAPS

    def cap(self, name: str) -> int | None:
        """How many bytes a file may have; None for a name that is not listed."""
        found = self.parse(name)
        return None if found is None else found.cap


def _tiled(kind: str, level: int, rest: str) -> Name | None:
    number, dot, width = rest.partition(".p/")
    place = parse_number(number)
    wide = _parse_decimal(width) if dot else TILE_WIDTH
    if place is None or wide is None or (dot and not 1 <= wide < TILE_WIDTH):
        return None
    return Name(kind, _TILE_CAPS[kind], tile=Tile(level, place, wide))


def _private(rest: str) -> Name | None:
    index, _, number = rest.removesuffix(".json").partition("-")
    place, count = _parse_decimal(index), _parse_decimal(number)
    if place is None or count is None or not rest.endswith(".json"):
        return None
    return Name("private", _PRIVATE_CAP, index=place, number=count)


WHOLE: Final = Layout(dict(_SINGLE), (CONTENTS, ROWS), ("witnessed", "seals"), entries=False)
EXCERPT: Final = Layout({**_SINGLE, **_SEAL}, (), ("witnessed", "consistency"), entries=True)
