"""Profiles: the limits, days and lists that the rules judge by, one readable file each.

A profile says every value; none is filled in silently, since a limit that nobody wrote is one that nobody checked.
"""

from __future__ import annotations

import difflib
import re
from importlib.resources import files
from pathlib import Path

from tracechain.errors import InputError
from tracechain.registers import Profile, load
from tracechain.registers.files import parse, read_values

__all__ = ["load_profile", "profile_names"]

_NAME = re.compile("[A-Za-z0-9_-]+")


def profile_names() -> tuple[str, ...]:
    """The profiles that come with the library."""
    found = (Path(one.name) for one in files(__package__).iterdir())
    return tuple(sorted(path.stem for path in found if path.suffix == ".toml"))


def load_profile(name: str | Path) -> Profile:
    """A profile of the library by its name ("beijing"), or another by the path of its .toml or .json file.

    A text without a dot or a slash is a name. InputError names the file and every field that is missing, unknown or
    wrong, or the profiles that there are.
    """
    if isinstance(name, str) and _NAME.fullmatch(name):
        known = profile_names()
        if name not in known:
            close = difflib.get_close_matches(name, known, 1)
            hint = f"did you mean {close[0]!r}?" if close else f"known: {', '.join(known)};"
            raise InputError(f"{name!r} is no profile: {hint} a file of your own is named with .toml or .json")
        where = f"{name}.toml"
        values = read_values(parse(files(__package__).joinpath(where).read_bytes(), "toml", where), "profile", where)
    else:
        where = str(name)
        values = load(name, Profile.KIND)
    match values:
        case (Profile() as profile,):
            return profile
    raise InputError(f"{where} holds {len(values)} profiles: a ledger judges by one, so keep one a file")
