"""Witness policies: whose cosignatures are enough, as text of tlog-policy (docs/format.md section 10.1).

    log <vkey> [<url>]                          a log whose checkpoints count
    witness <name> <vkey> [<url>]               somebody who cosigns; the name is only for the lines below
    group <name> all|any|<k> <name> ...         k of its members, each a witness or a group of a line above
    quorum <name>                               what has to have cosigned; `none`: nobody

No name is a member twice, so each witness counts in one way: the quorum is a tree of thresholds.

    >>> from tracechain.checkpoint import NoteSigner, format_vkey
    >>> from tracechain.signing import MemorySigner
    >>> keys = [NoteSigner(f"w{n}.example", MemorySigner.from_seed(bytes([n]) * 32)).cosigner for n in range(3)]
    >>> policy = WitnessPolicy.of(keys, 2)
    >>> policy.times({keys[0]: 500, keys[2]: 300})
    (500, 300)
    >>> policy.times({keys[1]: 500}) is None
    True
    >>> parse_policy(format_policy(policy)) == policy
    True
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from attrs import frozen

from tracechain.checkpoint import COSIGNATURE, VerifierKey, format_vkey, parse_vkey
from tracechain.errors import InputError, KeyUseError
from tracechain.signing import ED25519

__all__ = [
    "MAX_GROUPS",
    "MAX_POLICY",
    "MAX_WITNESSES",
    "NONE",
    "Group",
    "WitnessPolicy",
    "format_policy",
    "parse_policy",
]

MAX_POLICY = 65_536
"""Longest policy that is read, in bytes."""

MAX_WITNESSES = 100
"""Most witnesses of a policy: as many as a note can have signatures."""

MAX_GROUPS = 100
"""Most groups of a policy."""

NONE = "none"
"""The quorum that asks for nobody; no witness and no group has this name."""

_BLANK = re.compile(r"[ \t]+")
_NUMBER = re.compile(r"[1-9][0-9]{0,8}")
_REFUSED = re.compile(rb"[\x00-\x08\x0b-\x1f\x7f]")


@frozen
class Group:
    """`threshold` of the `members` (names) have to have cosigned; 1 to their number."""

    name: str
    threshold: int
    members: tuple[str, ...]


@frozen
class WitnessPolicy:
    """Which witnesses are known, by their names in the policy, and which of them are enough.

    Groups name witnesses, or groups that stand before them. InputError for one that is no policy.
    """

    witnesses: tuple[tuple[str, VerifierKey], ...]
    groups: tuple[Group, ...]
    quorum: str
    logs: tuple[VerifierKey, ...] = ()

    def __attrs_post_init__(self) -> None:
        names: set[str] = set()
        for what, number, most in (
            ("witnesses", len(self.witnesses), MAX_WITNESSES), ("groups", len(self.groups), MAX_GROUPS),
            ("logs", len(self.logs), MAX_WITNESSES),
        ):  # fmt: skip
            if number > most:
                raise InputError(f"a policy has at most {most} {what}, this one has {number}")
        for name, key in self.witnesses:
            _check_name(name, names)
            _check_witness(name, key)
        _check_once("witness", [key for _, key in self.witnesses])
        for log in self.logs:
            if log.algorithm != ED25519:
                raise InputError(f"log {log.name}: its key is a witness's (type {log.algorithm}), not a log's (type 1)")
        _check_once("log", list(self.logs))
        members: set[str] = set()
        for group in self.groups:
            for member in group.members:
                if member not in names:
                    raise InputError(
                        f"group {group.name!r:.100} has the member {member!r:.100}, which no line above defines"
                    )
                if member in members:
                    raise InputError(f"{member!r:.100} is a member twice: each witness counts in one way only")
                members.add(member)
            if not 1 <= group.threshold <= len(group.members):
                raise InputError(
                    f"group {group.name!r:.100}: {group.threshold} of {len(group.members)} members cannot be asked for"
                )
            _check_name(group.name, names)
        if self.quorum != NONE and self.quorum not in names:
            raise InputError(f"the quorum is {self.quorum!r:.100}, which no line above defines")

    @classmethod
    def of(cls, vkeys: Iterable[VerifierKey], quorum: int | None = None) -> WitnessPolicy:
        """`quorum` of these witnesses; all of them if it is None. InputError for a quorum that cannot be met."""
        keys = tuple(vkeys)
        wanted = len(keys) if quorum is None else quorum
        witnesses = tuple((f"w{number}", key) for number, key in enumerate(keys, 1))
        if not 1 <= wanted <= len(keys):
            raise InputError(
                f"{wanted} of {len(keys)} witnesses cannot be asked for: name at least as many as have to sign"
            )
        return cls(witnesses, (Group("quorum", wanted, tuple(name for name, _ in witnesses)),), "quorum")

    @property
    def demands(self) -> bool:
        """Whether it asks for anything: one of quorum `none` is as good as no policy."""
        return self.quorum != NONE

    @property
    def verifiers(self) -> tuple[VerifierKey, ...]:
        """The keys of all witnesses."""
        return tuple(key for _, key in self.witnesses)

    def times(self, cosigned: Mapping[VerifierKey, int]) -> tuple[int, int] | None:
        """*by* and *from* of a note that these cosigned at these times (s since 1970); None where it is no quorum.

        *by* is the earliest time at which the cosignatures made until then fulfil the quorum, *from* the latest such
        that those made then or later do.
        """
        known: dict[str, tuple[int, int] | None] = {
            name: None if (time := cosigned.get(key)) is None else (time, time) for name, key in self.witnesses
        }
        for group in self.groups:
            there = [times for member in group.members if (times := known[member]) is not None]
            if len(there) < group.threshold:
                known[group.name] = None
                continue
            firsts, lasts = sorted(by for by, _ in there), sorted(since for _, since in there)
            known[group.name] = firsts[group.threshold - 1], lasts[-group.threshold]
        return known.get(self.quorum)

    def log_key(self, verifier: VerifierKey | None) -> VerifierKey | None:
        """The key of the log that is to be judged by this policy: the one given from outside, which has to be among
        its logs if it names any; or its only log. InputError for another, and where several could be meant."""
        if not self.logs or verifier in self.logs:
            return verifier
        if verifier is not None:
            raise InputError(f"the witness policy is for {_names(self.logs)}, not for {verifier.name} with that key")
        if len(self.logs) > 1:
            raise InputError(f"the witness policy is for {_names(self.logs)}: name the key of the one that is meant")
        return self.logs[0]

    def words(self) -> str:
        """What is asked for, in a line: `2 of w1.example, w2.example, w3.example`."""
        if not self.demands:
            return "nobody"
        said = {name: key.name for name, key in self.witnesses}
        for group in self.groups:
            of = ", ".join(said[member] for member in group.members)
            wanted = "" if len(group.members) == 1 else f"{group.threshold} of "
            said[group.name] = f"{wanted}{of}" if group.name == self.quorum else f"({wanted}{of})"
            if len(said[group.name]) > 2000:
                said[group.name] = f"{group.threshold} of the {len(group.members)} members of {group.name}"
        return said[self.quorum]


def _names(keys: tuple[VerifierKey, ...]) -> str:
    return ", ".join(key.name for key in keys)


def _check_name(name: str, names: set[str]) -> None:
    """Take a name that may be defined."""
    if name == NONE or not name or len(name) > MAX_POLICY or _BLANK.search(name) or "\n" in name:
        raise InputError(f"{name!r:.100} cannot name a witness or a group")
    if name in names:
        raise InputError(f"{name!r:.100} is defined twice")
    names.add(name)


def _check_witness(name: str, key: VerifierKey) -> None:
    if key.algorithm != COSIGNATURE:
        raise InputError(
            f"witness {name!r:.100}: its key is of type {key.algorithm}; a witness's is of type {COSIGNATURE}, which"
            " states a time"
        )


def _check_once(what: str, keys: list[VerifierKey]) -> None:
    seen: set[bytes] = set()
    for key in keys:
        if key.key.raw in seen:
            raise InputError(f"the key of {what} {key.name} stands twice, and would count twice")
        seen.add(key.key.raw)


# ---- text --------------------------------------------------------------------------------------


def parse_policy(data: bytes | str) -> WitnessPolicy:
    """Parse the text of a policy. InputError says in which line it is none.

    Octets over 127 are opaque, as tlog-policy demands: they stand as surrogates where they are no UTF-8.
    """
    raw = data.encode("utf-8", "surrogateescape") if isinstance(data, str) else data
    if len(raw) > MAX_POLICY:
        raise InputError(f"a witness policy has at most {MAX_POLICY} bytes, this has {len(raw)}")
    wrong = _REFUSED.search(raw)
    if wrong:
        above = raw.count(b"\n", 0, wrong.start())
        raise InputError(f"line {above + 1} of the policy has byte 0x{wrong[0][0]:02X} in it, which it must not have")
    reader = _Reader()
    for at, line in enumerate(raw.decode("utf-8", "surrogateescape").split("\n"), 1):
        items = _BLANK.sub(" ", line).strip(" ").split(" ")
        if items == [""] or items[0].startswith("#"):
            continue
        try:
            reader.take(items)
        except InputError as error:
            raise InputError(f"line {at} of the policy: {error}") from None
    return reader.policy()


class _Reader:
    """Takes the lines in order: what a line names has to stand above it."""

    def __init__(self) -> None:
        self._names: set[str] = set()
        self._witnesses: list[tuple[str, VerifierKey]] = []
        self._groups: list[Group] = []
        self._logs: list[VerifierKey] = []
        self._quorum: str | None = None

    def take(self, items: list[str]) -> None:
        """One line that is not empty."""
        match items:
            case ["log", vkey] | ["log", vkey, _]:
                self._logs.append(_key(vkey))
            case ["witness", name, vkey] | ["witness", name, vkey, _]:
                _check_name(name, self._names)
                key = _key(vkey)
                _check_witness(name, key)
                self._witnesses.append((name, key))
            case ["group", name, threshold, first, *others]:
                self._group(name, threshold, (first, *others))
            case ["quorum", name]:
                if self._quorum is not None:
                    raise InputError("there is a quorum line already")
                if name != NONE and name not in self._names:
                    raise InputError(f"the quorum is {name!r:.100}, which no line above defines")
                self._quorum = name
            case ["log" | "witness" | "group" | "quorum" as word, *_]:
                raise InputError(f"a {word} line does not have {len(items) - 1} items")
            case _:
                raise InputError(f"{items[0]!r:.100} begins no line of a policy: log, witness, group or quorum do")

    def _group(self, name: str, threshold: str, members: tuple[str, ...]) -> None:
        for member in members:
            if member not in self._names:
                raise InputError(f"group {name!r:.100} has the member {member!r:.100}, which no line above defines")
        _check_name(name, self._names)
        if threshold in ("any", "all"):
            number = 1 if threshold == "any" else len(members)
        elif _NUMBER.fullmatch(threshold):
            number = int(threshold)
        else:
            raise InputError(f"the threshold {threshold!r:.100} is not all, any or a decimal number from 1")
        self._groups.append(Group(name, number, members))

    def policy(self) -> WitnessPolicy:
        """What was read."""
        if self._quorum is None:
            raise InputError("the policy has no quorum line: it does not say who is enough")
        return WitnessPolicy(tuple(self._witnesses), tuple(self._groups), self._quorum, tuple(self._logs))


def _key(vkey: str) -> VerifierKey:
    try:
        return parse_vkey(vkey)
    except (KeyUseError, UnicodeError) as error:
        raise InputError(str(error)) from None


def format_policy(policy: WitnessPolicy) -> str:
    """Format a policy as text that `parse_policy` reads again."""
    lines = [f"log {format_vkey(log)}" for log in policy.logs]
    lines += [f"witness {name} {format_vkey(key)}" for name, key in policy.witnesses]
    lines += [f"group {group.name} {group.threshold} {' '.join(group.members)}" for group in policy.groups]
    return "\n".join((*lines, f"quorum {policy.quorum}")) + "\n"
