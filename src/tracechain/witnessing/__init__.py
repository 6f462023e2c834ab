"""Witnesses: what holds an operator who has all keys (docs/format.md section 10.1).

Whoever cosigns a checkpoint says: I saw this log so far at this time, and it extends what I saw before. So two people
who ask for the cosignatures of enough of the same witnesses were shown the same log, and receipt times lie between
times that the operator does not make.
"""

from tracechain.witnessing.notes import (
    Bracket,
    Cosignatures,
    Place,
    Sufficient,
    brackets,
    cosignatures,
    enough,
    open_witnessed,
    place_of,
    sufficient,
)
from tracechain.witnessing.policy import Group, WitnessPolicy, format_policy, parse_policy

__all__ = [
    "Bracket",
    "Cosignatures",
    "Group",
    "Place",
    "Sufficient",
    "WitnessPolicy",
    "brackets",
    "cosignatures",
    "enough",
    "format_policy",
    "open_witnessed",
    "parse_policy",
    "place_of",
    "sufficient",
]
