"""What each violation means: the clause it comes from, what happened in words, and what to do about it.

The one table that a check before a sale, the list of violations, the command line and the documentation share. Short
names of the sources are those of docs/obligations.md: S1 is the pilot's Implementation Plan by its own sections, S0 and
S2 to S4 the other documents, [practice] what customs and the trade do and no clause of these says.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from attrs import frozen

from tracechain.custody import Violation

__all__ = ["CLAUSES", "Clause", "clause_of"]

_V = Violation


@frozen
class Clause:
    """Where a rule stands (`clause`), what it means to have broken it (`words`), and `what_to_do` then."""

    clause: str
    words: str
    what_to_do: str


#: Every violation that the rules know.
CLAUSES: Mapping[Violation, Clause] = MappingProxyType({
    _V.DEAD_PACK: Clause(
        "S1 V",
        "the code had ended before: its pack was destroyed, sampled, relabelled or decommissioned",
        "take the pack out of the way and look at it: a code that comes back is a sign of a counterfeit",
    ),
    _V.UNKNOWN_CODE: Clause(
        "S1 V",
        "no pack was ever commissioned under this code",
        "scan it again and compare the nearest known codes; if none is meant, keep the pack out of circulation",
    ),
    _V.ALREADY_COMMISSIONED: Clause(
        "S1 V: one object, one code",
        "the code belongs to a pack that was commissioned before",
        "hold both packs and ask the maker which of them bears the code rightly",
    ),
    _V.CUSTODY: Clause(
        "S1 V: source and whereabouts",
        "the pack is not where this can happen to it: a step before it is missing, or it has gone further",
        "look at its history, record what was left out, then this again",
    ),
    _V.SOLD_BEFORE_CLEARANCE: Clause(
        "S2; S1 III(1)3",
        "the pack was sold before customs cleared it",
        "stop the sale; order, pay and clear the pack first",
    ),
    _V.SECONDARY_SALE: Clause(
        "S2; S1 V",
        "the code was sold before: a second sale, or a copy of the code",
        "do not sell it; compare both sales, and hold the pack that cannot be the first one",
    ),
    _V.THREE_DOC: Clause(
        "S2; [practice]",
        "order, payment and carriage do not agree, or one of them is missing",
        "bring documents, buyer and amount into agreement before customs clears the pack",
    ),
    _V.HELD: Clause(
        "S1 IV(3), VIII(2)",
        "the pack is held",
        "leave it where it is until who held it releases it",
    ),
    _V.RECALLED: Clause(
        "S1 V, III(1)5",
        "the pack is recalled",
        "do not hand it on; send it back as the recall says, or destroy it",
    ),
    _V.STOLEN: Clause(
        "S1 V",
        "the pack was reported stolen",
        "keep it, note who brought it, and report it",
    ),
    _V.UNVERIFIED_RETURN: Clause(
        "S3",
        "a returned pack was released before an inspection found it conformant",
        "inspect it (verify) and release it afterwards",
    ),
    _V.NOT_ORIGINAL: Clause(
        "S0: original goods",
        "what came back under an export return was never exported under this code",
        "refuse it: only the goods that were exported come back",
    ),
    _V.NOT_UNDER_BOND: Clause(
        "S0",
        "repair and relabelling happen under bond, and the pack is not there",
        "bring the pack into the bonded warehouse, or take it back as a return, before work on it",
    ),
    _V.OFFLINE_PICKUP_UNLICENSED: Clause(
        "S2; exception S4 Part 2",
        "bonded goods were handed over, or sent, where no licence allows it",
        "use a licensed store or one inside a special control area, and register its licence",
    ),
    _V.ZONE: Clause(
        "S2; S1 VI",
        "the place is in no zone that customs has confirmed for bonded online shopping (1210)",
        "book the pack in at a confirmed zone warehouse, or register the confirmation of the zone",
    ),
    _V.NON_CONSUMER: Clause(
        "S1 IV(1)",
        "the buyer is no individual consumer, or the order does not say who it is",
        "sell to natural persons only, and name the buyer by token",
    ),
    _V.SCOPE: Clause(
        "S1 IV(3)1, VIII(4)3; S0",
        "the product is not on the list of varieties of the pilot",
        "stop selling it; stop service for a merchant that goes on, and report",
    ),
    _V.MERCHANT_SUSPENDED: Clause(
        "S1 IV(3)",
        "the merchant of the product, or who sells it, is suspended or was never admitted",
        "give it no service; keep the records and report",
    ),
    _V.LIMIT: Clause(
        "[practice] of retail imports",
        "the order, or what its buyer ordered this year, is over the limit of personal purchases",
        "clear it as general trade, or cancel the order",
    ),
    _V.EXPIRED_LOCK: Clause(
        "S1 VI",
        "the pack has expired and is locked",
        "destroy or export it: nothing else is open to expired stock",
    ),
    _V.WRONG_BUYER: Clause(
        "S1 IV(1); S4 Part 2",
        "who took the pack is not who ordered it",
        "hand it to the buyer of the order only",
    ),
    _V.RETURN_LATE: Clause(
        "S3; [practice]",
        "the return was applied for, or arrived, after its term",
        "refuse the return, or settle it as a dispute",
    ),
    _V.EXPORT_RETURN_LATE: Clause(
        "S0: within one year",
        "the exported pack came back after its term",
        "declare it as a new import",
    ),
    _V.LOT_MISMATCH: Clause(
        "S1 V; EMVS: batch mismatch",
        "the lot on the label is not the one that the pack was commissioned with",
        "hold the pack and compare the label with its maker's records",
    ),
    _V.EXPIRY_MISMATCH: Clause(
        "S1 V; EMVS: expiry mismatch",
        "the expiry date on the label is not the one that the pack was commissioned with",
        "hold the pack and compare the label with its maker's records",
    ),
    _V.UNDO_MISMATCH: Clause(
        "EU 2016/161 art. 13; EMVS: undo mismatch",
        "what is declared an error is not the last thing that happened to the pack",
        "take back the last event first, and state it as it was stated",
    ),
    _V.UNDO_LATE: Clause(
        "EU 2016/161 art. 13: within ten days",
        "the time in which the event could be taken back is over",
        "leave it as it stands and correct it by a new event",
    ),
    _V.UNDO_ACTOR: Clause(
        "EU 2016/161 art. 13: the same actor",
        "the event is taken back by somebody else than who stated it",
        "let the station that stated it declare the error",
    ),
    _V.UNDO_PLACE: Clause(
        "EU 2016/161 art. 13: the same premises",
        "the event is taken back at another place than it happened at",
        "declare the error where it was made",
    ),
    _V.UNDO_EXPIRED: Clause(
        "EU 2016/161 art. 13: not expired",
        "the pack has expired since, so nothing can be taken back",
        "leave it as it stands",
    ),
    _V.UNDO_RECALLED: Clause(
        "EU 2016/161 art. 13: not recalled",
        "the pack is recalled, so nothing can be taken back",
        "leave it as it stands",
    ),
    _V.UNDO_STOLEN: Clause(
        "EU 2016/161 art. 13: not stolen",
        "the pack was reported stolen, so nothing can be taken back",
        "leave it as it stands",
    ),
    _V.UNDO_SUPPLIED: Clause(
        "EU 2016/161 art. 13: not supplied",
        "the pack was handed to its buyer, so nothing can be taken back",
        "record a return instead",
    ),
    _V.PRODUCT_UNREGISTERED: Clause(
        "S1 VII",
        "the product has no registration file",
        "register the product before its first order",
    ),
    _V.PRODUCT_BARRED: Clause(
        "S1 VIII(4)2",
        "the screening found a controlled substance: information on the product may not be spread, nor may it be sold",
        "take it from view, stop its service, and report",
    ),
    _V.PLACE_UNREGISTERED: Clause(
        "S1 V, VI",
        "the place is not in the register, or was closed",
        "register the place, or correct its code",
    ),
    _V.CARRIER_UNASSESSED: Clause(
        "S1 VI",
        "the carrier has no valid assessment, or did not pass it",
        "assess the carrier and register the result before it carries a pack",
    ),
    _V.PLATFORM_SELLS: Clause(
        "S1 III, IV(1)",
        "the platform itself is named as the seller",
        "the settled merchant sells: correct the seller, or stop the sale",
    ),
    _V.SERVICE_STOPPED: Clause(
        "S1 VIII(3), VIII(4)",
        "the regulator ordered to stop service for this product, its merchant or the pilot",
        "give no service until a record says that it may go on",
    ),
    _V.ALREADY_PACKED: Clause(
        "S1 V: whereabouts known",
        "it was packed into, or seen in, one container while it was in another",
        "look where it is: one of the two was scanned wrongly, or an unpacking is missing",
    ),
    _V.PACKING_CYCLE: Clause(
        "S1 V: whereabouts known",
        "a container was packed into itself, or into something that is in it",
        "look at both containers: a code was scanned for another",
    ),
    _V.NOT_PACKED: Clause(
        "S1 V: whereabouts known",
        "it was taken out of a container that it was not in",
        "look where it is: a packing is missing, or another container was meant",
    ),
})  # fmt: skip

_UNKNOWN = Clause("?", "a rule that this version does not know was broken", "read this ledger with a newer version")


def clause_of(code: int) -> Clause:
    """The clause of a violation code; for one of a newer rule set, a clause that says so."""
    try:
        return CLAUSES[Violation(code)]
    except (ValueError, KeyError):
        return _UNKNOWN
