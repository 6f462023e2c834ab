"""GS1 Digital Link URIs: any host, any path in front of the key, other AIs in the query.

    https://brand.example/some/path/01/09521234001072/10/LOT-A7/21/BJ0001?17=270630

The key is the first path segment that is a key's AI with a value of that key's shape behind it; pairs of
qualifiers follow in their order. A web address without such a pair is none of GS1's and stays a plain URI.
"""

from __future__ import annotations

import re

from tracechain.errors import CodeError
from tracechain.identifiers.application_identifiers import validate
from tracechain.identifiers.keys import KEYS, QUALIFIERS, unescape

__all__ = ["read_link", "read_path"]

# Alphabetic names of AIs: withdrawn with Digital Link 1.2, still printed on packs.
_NAMES = {
    "gtin": "01",
    "itip": "8006",
    "cpid": "8010",
    "gln": "414",
    "party": "417",
    "gsrnp": "8017",
    "gsrn": "8018",
    "gcn": "255",
    "sscc": "00",
    "gdti": "253",
    "ginc": "401",
    "gsin": "402",
    "grai": "8003",
    "giai": "8004",
    "cpv": "22",
    "lot": "10",
    "ser": "21",
    "glnx": "254",
    "cpsn": "8011",
    "exp": "17",
}

# What a value has to look like for its segment to be taken for a key. Keys with a check digit are
# unmistakable; for the others the whole path has to fit, or it is just somebody's address.
_SHAPES = {
    "00": "[0-9]{18}",
    "01": "[0-9]{8}|[0-9]{12,14}",
    "253": "[0-9]{13}.*",
    "255": "[0-9]{13,25}",
    "401": "[0-9]{4}.*",
    "402": "[0-9]{17}",
    "414": "[0-9]{13}",
    "417": "[0-9]{13}",
    "8003": "0[0-9]{13}.*",
    "8004": "[0-9]{4}.*",
    "8006": "[0-9]{18}",
    "8010": "[0-9]{4}.*",
    "8017": "[0-9]{18}",
    "8018": "[0-9]{18}",
}
_SHAPE = {ai: re.compile(shape) for ai, shape in _SHAPES.items()}
_WEAK = frozenset(("401", "8004", "8010"))

_WEB = re.compile("https?://([^/?#]+)([^?#]*)(?:[?]([^#]*))?(?:#.*)?", re.IGNORECASE)
_AI = re.compile("[0-9]{2,4}")


def read_path(text: str, segments: list[str]) -> list[tuple[str, str]]:
    """Key and qualifiers in turn (`01`, value, `21`, value) as (AI, value) pairs, decoded."""
    key = segments[0]
    if len(segments) % 2:
        raise CodeError(f"{text[:120]!r}: ({segments[-1][:20]}) at the end has no value behind it")
    pairs = [(ai, unescape(value)) for ai, value in zip(segments[::2], segments[1::2], strict=True)]
    allowed = QUALIFIERS.get(key, ())
    position = -1
    for ai, _ in pairs[1:]:
        if ai not in allowed:
            raise CodeError(f"{text[:120]!r}: ({ai[:20]}) cannot follow the key ({key}) in a Digital Link path")
        if allowed.index(ai) <= position:
            raise CodeError(f"{text[:120]!r}: qualifiers of ({key}) have to come in the order {', '.join(allowed)}")
        position = allowed.index(ai)
    if key == "01":
        # Earlier editions allowed the GTIN without its leading zeros: it is the same GTIN.
        pairs[0] = (key, pairs[0][1].zfill(14))
    return pairs


def _query(query: str) -> list[tuple[str, str]]:
    """AIs in the query. What is no number is none of GS1's (linkType, utm_source ...), so it is left out."""
    pairs = []
    for item in re.split("[&;]", query):
        name, _, value = item.partition("=")
        ai = _NAMES.get(name, name)
        if _AI.fullmatch(ai) and value:
            pairs.append((ai, unescape(value)))
    return pairs


def _key_first(text: str, before: list[str], key: str) -> None:
    """CodeError where a qualifier of the key stands in front of it: not a path of the brand's own."""
    if len(before) >= 2 and before[-2] in QUALIFIERS.get(key, ()):
        raise CodeError(f"{text[:120]!r}: the key ({key}) has to come before its qualifier ({before[-2]})")


def read_link(text: str) -> tuple[list[tuple[str, str]], str | None] | None:
    """A web address as ((AI, value) pairs, suspicion or None); None where it is no Digital Link."""
    match = _WEB.fullmatch(text)
    if not match:
        return None
    segments = match[2].split("/")[1:]
    if segments and not segments[-1]:
        segments.pop()
    names = [_NAMES.get(segment, segment) for segment in segments]
    for i, ai in enumerate(names[:-1]):
        if ai in KEYS and _SHAPE[ai].fullmatch(segments[i + 1]):
            break
    else:
        return None
    # Names stand at every second place from the key on; values in between are left as they are.
    tail = [names[j] if (j - i) % 2 == 0 else segments[j] for j in range(i, len(segments))]
    try:
        _key_first(text, names[:i], ai)
        pairs = read_path(text, tail)
        for pair in pairs:
            validate(*pair)
    except CodeError:
        # /01/20240115/ is a date far more often than a damaged GTIN-8.
        if ai in _WEAK or (ai == "01" and len(tail[1]) == 8):
            return None
        raise
    suspect = None
    if tail[::2] != segments[i::2]:
        suspect = "deprecated: Digital Link with alphabetic names (gtin, ser ...), withdrawn from the standard"
    return [*pairs, *_query(match[3] or "")], suspect
