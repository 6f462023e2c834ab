"""bundle.json: what a bundle says of itself (docs/format.md section 15.2). Nothing rests on it but the layout."""

from __future__ import annotations

import json
from typing import Any, Final

from attrs import frozen

from tracechain.bundle.container import Container, UnreadableError, WrongFileError
from tracechain.bundle.names import EXCERPT, MANIFEST, WHOLE, Layout
from tracechain.errors import InputError

__all__ = ["ABSENCE_KIND", "EXCERPT_KIND", "FORMAT", "WHOLE_KIND", "Manifest", "read_manifest"]

FORMAT: Final = "tracechain bundle v0"
WHOLE_KIND: Final = "whole"
EXCERPT_KIND: Final = "excerpt"
ABSENCE_KIND: Final = "absence"
_LAYOUTS: Final = {WHOLE_KIND: WHOLE, EXCERPT_KIND: EXCERPT, ABSENCE_KIND: EXCERPT}
_CAP: Final = 1 << 16
_ASKED_MOST: Final = 1024
_TEXT_MOST: Final = 1000
_MEMBERS: Final = ["asked", "exported", "format", "kind"]


@frozen
class Manifest:
    """Kind of bundle, when it was made (ms since 1970), and what was asked for, in the words of who made it."""

    kind: str
    exported: int
    asked: tuple[str, ...]

    @property
    def layout(self) -> Layout:
        """The names of its files."""
        return _LAYOUTS[self.kind]

    def encode(self) -> bytes:
        """The bytes of bundle.json. InputError for what cannot stand in it."""
        if self.kind not in _LAYOUTS or not 0 <= self.exported < 1 << 63:
            raise InputError(f"bundle of kind {self.kind!r}, exported at {self.exported}: there is no such thing")
        if len(self.asked) > _ASKED_MOST or any(len(one) > _TEXT_MOST for one in self.asked):
            raise InputError(f"what a bundle is asked for is at most {_ASKED_MOST} texts of {_TEXT_MOST} characters")
        said = {"format": FORMAT, "kind": self.kind, "exported": self.exported, "asked": list(self.asked)}
        data = json.dumps(said, ensure_ascii=False, indent=1).encode() + b"\n"
        if len(data) > _CAP:
            raise InputError(
                f"bundle.json would have {len(data)} bytes, it may have {_CAP}: say less of what was asked"
            )
        return data

    @classmethod
    def decode(cls, data: bytes) -> Manifest:
        """Parse strictly. UnreadableError for anything else."""
        if len(data) > _CAP:
            raise UnreadableError(f"{MANIFEST} has {len(data)} bytes, it may have {_CAP}")
        try:
            found = json.loads(data.decode(), object_pairs_hook=_once, parse_constant=_refuse)
        except (ValueError, RecursionError) as error:
            raise UnreadableError(f"{MANIFEST} is no JSON: {error}") from None
        if not isinstance(found, dict) or sorted(found) != _MEMBERS or found["format"] != FORMAT:
            raise UnreadableError(f"{MANIFEST} is not that of a {FORMAT!r}")
        kind, exported, asked = found["kind"], found["exported"], found["asked"]
        if not isinstance(kind, str) or kind not in _LAYOUTS:
            raise UnreadableError(f"{MANIFEST} names a kind of bundle that there is not: {kind!r:.40}")
        if type(exported) is not int or not 0 <= exported < 1 << 63:
            raise UnreadableError(f"{MANIFEST}: `exported` is no time")
        if (
            not isinstance(asked, list)
            or len(asked) > _ASKED_MOST
            or not all(isinstance(one, str) and len(one) <= _TEXT_MOST for one in asked)
        ):
            raise UnreadableError(f"{MANIFEST}: `asked` is no list of at most {_ASKED_MOST} short texts")
        return cls(kind, exported, tuple(asked))


def _once(members: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(members)
    if len(found) != len(members):
        raise ValueError("a member is there twice")
    return found


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")


def read_manifest(container: Container) -> Manifest:
    """What a bundle says of itself; its names are looked at (`Container.check_names`). UnreadableError where
    bundle.json is missing or not as it has to be."""
    try:
        data = container.read(MANIFEST, _CAP)
    except WrongFileError as error:
        raise UnreadableError(f"{container.path}: {error}") from None
    if data is None:
        raise UnreadableError(f"{container.path} is no bundle: there is no {MANIFEST} in it")
    manifest = Manifest.decode(data)
    container.check_names(manifest.layout.cap)
    return manifest
