"""A reader of QR codes that forgives nothing, so that what the script draws is held against the standard.

It takes a symbol of exact modules (ISO/IEC 18004, versions 1 to 40, level M) apart by the tables of the standard, not
by the formulas of who drew it; it corrects no errors, it demands that there are none: all patterns, both copies of the
format and the version information, and the Reed-Solomon syndromes of every block.
"""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["CAPACITY", "read"]

#: Bytes in byte mode at level M, by version (table 7).
CAPACITY = (
    14, 26, 42, 62, 84, 106, 122, 152, 180, 213, 251, 287, 331, 362, 412, 450, 504, 560, 624, 666, 711, 779, 857,
    911, 997, 1059, 1125, 1190, 1264, 1370, 1452, 1538, 1628, 1722, 1809, 1911, 1989, 2099, 2213, 2331,
)  # fmt: skip
# Codewords of a symbol, and those of them that are data at level M (tables 1 and 7).
_CODEWORDS = (
    26, 44, 70, 100, 134, 172, 196, 242, 292, 346, 404, 466, 532, 581, 655, 733, 815, 901, 991, 1085, 1156, 1258,
    1364, 1474, 1588, 1706, 1828, 1921, 2051, 2185, 2323, 2465, 2611, 2761, 2876, 3034, 3196, 3362, 3532, 3706,
)  # fmt: skip
_DATA = (
    16, 28, 44, 64, 86, 108, 124, 154, 182, 216, 254, 290, 334, 365, 415, 453, 507, 563, 627, 669, 714, 782, 860,
    914, 1000, 1062, 1128, 1193, 1267, 1373, 1455, 1541, 1631, 1725, 1812, 1914, 1992, 2102, 2216, 2334,
)  # fmt: skip
# Centres of alignment patterns (table E.1).
_CENTRES = tuple(
    tuple(map(int, line.split()))
    for line in [
        "",
        "6 18",
        "6 22",
        "6 26",
        "6 30",
        "6 34",
        "6 22 38",
        "6 24 42",
        "6 26 46",
        "6 28 50",
        "6 30 54",
        "6 32 58",
        "6 34 62",
        "6 26 46 66",
        "6 26 48 70",
        "6 26 50 74",
        "6 30 54 78",
        "6 30 56 82",
        "6 30 58 86",
        "6 34 62 90",
        "6 28 50 72 94",
        "6 26 50 74 98",
        "6 30 54 78 102",
        "6 28 54 80 106",
        "6 32 58 84 110",
        "6 30 58 86 114",
        "6 34 62 90 118",
        "6 26 50 74 98 122",
        "6 30 54 78 102 126",
        "6 26 52 78 104 130",
        "6 30 56 82 108 134",
        "6 34 60 86 112 138",
        "6 30 58 86 114 142",
        "6 34 62 90 118 146",
        "6 30 54 78 102 126 150",
        "6 24 50 76 102 128 154",
        "6 28 54 80 106 132 158",
        "6 32 58 84 110 136 162",
        "6 26 54 82 110 138 166",
        "6 30 58 86 114 142 170",
    ]
)
_FINDER = ("1111111", "1000001", "1011101", "1011101", "1011101", "1000001", "1111111")
_ALIGNMENT = ("11111", "10001", "10101", "10001", "11111")


def _times(a: int, b: int) -> int:
    """A product in GF(256), digit by digit."""
    result = 0
    while b:
        if b & 1:
            result ^= a
        a = a << 1 ^ (0x11D if a & 128 else 0)
        b >>= 1
    return result


def _clean(block: Sequence[int], checks: int) -> bool:
    """Whether all syndromes of a block are zero."""
    root = 1
    for _ in range(checks):
        value = 0
        for one in block:
            value = _times(value, root) ^ one
        if value:
            return False
        root = _times(root, 2)
    return True


def _distance(bits: str, generator: str) -> bool:
    """Whether a word of BCH is a multiple of its generator polynomial."""
    rest = list(map(int, bits))
    for at in range(len(rest) - len(generator) + 1):
        if rest[at]:
            for place, one in enumerate(generator):
                rest[at + place] ^= int(one)
    return not any(rest)


def read(modules: Sequence[Sequence[bool]]) -> tuple[bytes, int | None]:
    """The data, and the ECI designator if there is one; AssertionError where anything is not as the standard has it."""
    side = len(modules)
    assert all(len(row) == side for row in modules)
    version, rest = divmod(side - 17, 4)
    assert rest == 0
    assert 1 <= version <= 40
    grid = ["".join("01"[one] for one in row) for row in modules]
    used = [[False] * side for _ in range(side)]

    def expect(top: int, left: int, pattern: Sequence[str]) -> None:
        for row, line in enumerate(pattern, top):
            assert grid[row][left : left + len(line)] == line, (row, left)
            used[row][left : left + len(line)] = [True] * len(line)

    framed = [f"{line}0" for line in _FINDER] + ["0" * 8]
    expect(0, 0, framed)
    expect(0, side - 8, [line[::-1] for line in framed])
    expect(side - 8, 0, framed[::-1])
    expect(6, 8, [("10" * side)[: side - 16]])
    expect(8, 6, list(("10" * side)[: side - 16]))
    centres = _CENTRES[version - 1]
    for row in centres:
        for column in centres:
            if (row, column) not in ((6, 6), (6, side - 7), (side - 7, 6)):
                expect(row - 2, column - 2, _ALIGNMENT)
    expect(side - 8, 8, ["1"])

    def gather(places: Sequence[tuple[int, int]]) -> str:
        for row, column in places:
            used[row][column] = True
        return "".join(grid[row][column] for row, column in places)

    near = [(8, column) for column in (0, 1, 2, 3, 4, 5, 7, 8)] + [(row, 8) for row in (7, 5, 4, 3, 2, 1, 0)]
    far = [(row, 8) for row in range(side - 1, side - 8, -1)] + [(8, column) for column in range(side - 8, side)]
    first, second = gather(near), gather(far)
    assert first == second
    plain = "".join("01"[a != b] for a, b in zip(first, "101010000010010", strict=True))
    assert _distance(plain, "10100110111")
    assert plain[:2] == "00", "level M"
    mask = int(plain[2:5], 2)
    if version >= 7:
        places = [(row, side - 9 - at) for row in range(5, -1, -1) for at in range(3)]
        one, other = gather(places), gather([(column, row) for row, column in places])
        assert one == other
        assert _distance(one, "1111100100101")
        assert int(one[:6], 2) == version

    def change(i: int, j: int) -> bool:
        product = i * j
        return (
            (i + j) % 2 == 0, i % 2 == 0, j % 3 == 0, (i + j) % 3 == 0, (i // 2 + j // 3) % 2 == 0,
            product % 2 + product % 3 == 0, (product % 2 + product % 3) % 2 == 0, (product % 3 + (i + j) % 2) % 2 == 0,
        )[mask]  # fmt: skip

    bits = []
    columns = [*range(side - 1, 6, -2), 5, 3, 1]
    for turn, right in enumerate(columns):
        for row in range(side - 1, -1, -1) if turn % 2 == 0 else range(side):
            bits += [
                "01"[(grid[row][column] == "1") != change(row, column)]
                for column in (right, right - 1)
                if not used[row][column]
            ]
    total, data = _CODEWORDS[version - 1], _DATA[version - 1]
    assert 0 <= len(bits) - 8 * total < 8, "remainder bits"
    words = [int("".join(bits[at : at + 8]), 2) for at in range(0, 8 * total, 8)]
    stream = _deinterleave(words, data)
    return _segments("".join(f"{one:08b}" for one in stream))


def _deinterleave(words: Sequence[int], data: int) -> list[int]:
    """The data codewords: with the one number of blocks under which every block is without errors."""
    for blocks in range(1, 82):
        checks, rest = divmod(len(words) - data, blocks)
        if rest or not 10 <= checks <= 30:
            continue
        short = data // blocks
        longer = data % blocks
        pieces: list[list[int]] = [[] for _ in range(blocks)]
        at = 0
        for place in range(short + 1):
            for number in range(blocks) if place < short else range(blocks - longer, blocks):
                pieces[number].append(words[at])
                at += 1
        tails: list[list[int]] = [[] for _ in range(blocks)]
        for _ in range(checks):
            for number in range(blocks):
                tails[number].append(words[at])
                at += 1
        if all(_clean([*piece, *tail], checks) for piece, tail in zip(pieces, tails, strict=True)):
            return [one for piece in pieces for one in piece]
    raise AssertionError("no number of blocks leaves every block without errors")


def _segments(bits: str) -> tuple[bytes, int | None]:
    """ECI designator and bytes; behind them the terminator and the padding of the standard."""
    at, designator = 0, None

    def take(width: int) -> int:
        nonlocal at
        assert at + width <= len(bits)
        value = int(bits[at : at + width], 2)
        at += width
        return value

    mode = take(4)
    if mode == 0b0111:
        designator = take(8)
        assert designator < 128
        mode = take(4)
    assert mode == 0b0100, "byte mode"
    # Versions 1 to 9 have 16 data codewords at least and 182 at most.
    data = bytes(take(8) for _ in range(take(8 if len(bits) <= 8 * 182 else 16)))
    end = min(4, len(bits) - at)
    assert take(end) == 0 if end else True
    if at % 8:
        assert take(-at % 8) == 0
    padding = [take(8) for _ in range((len(bits) - at) // 8)]
    assert padding == [(0xEC, 0x11)[number % 2] for number in range(len(padding))]
    return data, designator
