"""Witnesses: what holds an operator who has all keys (docs/format.md section 10.1).

Whoever cosigns a checkpoint says: I saw this log so far at this time, and it extends what I saw before. So two people
who ask for the cosignatures of enough of the same witnesses were shown the same log, and receipt times lie between
times that the operator does not make.
"""

from tracechain.witnessing.compare import Comparison, Head, Relation, compare, open_head, parting
from tracechain.witnessing.logs import epochs_of, roots_at
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
from tracechain.witnessing.request import (
    Loss,
    Refusal,
    RefusedRequestError,
    Request,
    add_answer,
    check_loss,
    check_request,
    format_request,
    make_loss,
    parse_request,
)

__all__ = [
    "Bracket",
    "Comparison",
    "Cosignatures",
    "Group",
    "Head",
    "Loss",
    "Place",
    "Refusal",
    "RefusedRequestError",
    "Relation",
    "Request",
    "Sufficient",
    "WitnessPolicy",
    "add_answer",
    "brackets",
    "check_loss",
    "check_request",
    "compare",
    "cosignatures",
    "enough",
    "epochs_of",
    "format_policy",
    "format_request",
    "make_loss",
    "open_head",
    "open_witnessed",
    "parse_policy",
    "parse_request",
    "parting",
    "place_of",
    "roots_at",
    "sufficient",
]
