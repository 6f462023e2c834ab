"""Vectors of retention policies (docs/format.md section 5.9).

Kind "retention-dates": policies by name, in plain form as JSON, and rows: facts of an entry (dates, null where not
known; "expiries" one a pack), the clause, and what was worked out from its words by hand: "keep_until" (null: for
ever), of a "field" also "delete_by", "restrict_after" (null: no date) and "crossing". "regime", "rule" and "anchor"
decided.

Kind "retention-headers": record class, receipt time (ms), expiries -> keep-until, the number in the header.

Kind "retention": content of an entry of type 4. What stands has its "plain" form; what is refused a "reason".
"""

from __future__ import annotations

from datetime import date
from typing import Any

from tracechain import encoding
from tracechain.record import Record, encode_record
from tracechain.retention import tables
from tracechain.retention.bounds import After, Anchor, AtLeast, Earliest, Latest, Permanent
from tracechain.retention.dates import Term
from tracechain.retention.policy import Policy, Regime, Rule, Selector

Cases = dict[str, dict[str, Any]]

ALL = Policy("all", (tables.PILOT, tables.DSCSA, tables.EU_FMD, tables.EU_TOBACCO, tables.PIPL))
POLICIES = {
    "pilot": tables.pilot_policy(),
    "dscsa": Policy("dscsa", (tables.DSCSA,)),
    "eu-fmd": Policy("eu-fmd", (tables.EU_FMD,)),
    "eu-tobacco": Policy("eu-tobacco", (tables.EU_TOBACCO,)),
    "pipl": Policy("pipl", (tables.PIPL,)),
    "dscsa and pipl": Policy("dscsa and pipl", (tables.DSCSA, tables.PIPL)),
    "all": ALL,
}
#: A policy with everything that there is.
FULL = Policy(
    "everything",
    (
        Regime(
            "own",
            "Our own rules",
            (
                Rule(
                    "devices",
                    "contract 7",
                    Selector((1, 2, 300), ("device",), ("CN", "EU")),
                    AtLeast(
                        Earliest((After(Anchor.RELEASE, Term(1, 6)), After(Anchor.PUBLISHED, Term(days=90), Term(2)))),
                        After(Anchor.EVENT, Term(months=18), Term(months=24)),
                    ),
                ),
                Rule("archive copy", "contract 8", Selector((77,)), Permanent()),
                Rule(
                    "contact",
                    "contract 9",
                    Selector(fields=("phone", "e-mail")),
                    After(Anchor.RECEIPT, Term(days=30)),
                    Latest((After(Anchor.EXPIRY, Term(), Term(3)), After(Anchor.TRANSACTION, Term(1), Term(1)))),
                    After(Anchor.EVENT, Term(days=90)),
                ),
            ),
        ),
    ),
    wait_days=14,
    archive=True,
)


def _json(plain: Any) -> Any:
    return [_json(one) for one in plain] if isinstance(plain, tuple) else plain


def _row(
    policy: str, clause: str, about: str, keep_until: str | None, decided: str | None, **facts: Any
) -> dict[str, Any]:
    """`decided` is "regime / rule / anchor"; the receipt is the event's day unless it is given."""
    regime, rule, anchor = decided.split(" / ") if decided else (None, None, None)
    said = {"record_class": 1, "receipt": facts.get("event"), **facts}
    return {"about": about, "policy": policy, "clause": clause, **said, "keep_until": keep_until, "regime": regime,
            "rule": rule, "anchor": anchor}  # fmt: skip


def _dates() -> list[dict[str, Any]]:
    trade, expiry, transaction = "pilot / trading records / ", "expiry", "transaction"
    vii, fmd = "S1 VII: 2 years after expiry, not less than 5 years", "2016/161 art. 15: expiry + 1 year or release + 5"
    return [
        _row("pilot", vii, "Two years after a leap day.", "2026-02-28", trade + expiry,
             event="2020-01-15", expiries=["2024-02-29"]),
        _row("pilot", vii, "Two years after a 28 February end on one, leap year or not.", "2028-02-28", trade + expiry,
             event="2022-06-01", expiries=["2026-02-28"]),
        _row("pilot", vii, "Five years after a sale on a leap day.", "2029-02-28", trade + transaction,
             event="2024-02-29", expiries=["2025-12-31"]),
        _row("pilot", vii, "A pack that expires soon is kept five years after its sale.", "2031-03-01",
             trade + transaction, event="2026-03-01", expiries=["2027-06-30"]),
        _row("pilot", vii, "A pack of long life is kept two years after its expiry.", "2033-06-30", trade + expiry,
             event="2026-03-01", expiries=["2031-06-30"]),
        _row("pilot", vii, "Both on one day: the first is the reason.", "2031-03-01", trade + expiry,
             event="2026-03-01", expiries=["2029-03-01"]),
        _row("pilot", vii, "Of several packs the latest decides.", "2032-01-31", trade + expiry,
             event="2026-03-01", expiries=["2027-01-31", "2030-01-31", "2029-01-31"]),
        _row("pilot", "a choice of ours: 10 years from receipt", "The expiry is not known.", "2036-03-02",
             trade + "receipt", event="2026-03-01", receipt="2026-03-02", expiries=[None]),
        _row("pilot", vii, "One expiry is not known, another outlasts it.", "2037-05-31", trade + expiry,
             event="2026-03-01", expiries=[None, "2035-05-31"]),
        _row("pilot", vii, "No pack at all: what is left of the rule.", "2031-03-01", trade + transaction,
             event="2026-03-01", expiries=[]),
        _row("pilot", vii, "Sold after it expired.", "2033-01-01", trade + transaction,
             event="2028-01-01", expiries=["2020-01-01"]),
        _row("pilot", "S1 VIII(2)", "Technical monitoring is kept as the trade is.", "2030-08-31",
             "pilot / technical monitoring / expiry", record_class=3, event="2025-08-31", expiries=["2028-08-31"]),
        _row("pilot", "S1 VII: not less than 3 years", "Product information, from the day it was last published.",
             "2027-02-28", "pilot / product information / published", record_class=4, event="2023-01-01",
             published="2024-02-29"),
        _row("pilot", "S1 VII: not less than 3 years", "Product information that was never published.", "2026-01-01",
             "pilot / product information / receipt", record_class=4, event="2023-01-01"),
        _row("pilot", vii, "What is not classified is kept as a trade is.", "2031-01-31", trade + transaction,
             record_class=0, event="2026-01-31", expiries=["2027-06-30"], published="2030-03-01"),
        _row("pilot", "none", "A class that no rule names is kept for ever.", None, None, record_class=77,
             event="2026-03-01", expiries=["2027-06-30"]),
        _row("dscsa", "FD&C Act section 582 (21 U.S.C. 360eee-1): 6 years", "Six years after a leap day.", "2030-02-28",
             "dscsa / transaction information / transaction", event="2024-02-29"),
        _row("dscsa", "FD&C Act section 582 (21 U.S.C. 360eee-1): 6 years", "No day of a transaction: that of receipt.",
             "2032-02-28", "dscsa / transaction information / receipt", receipt="2026-02-28", event=None),
        _row("eu-fmd", fmd, "Five years after release are more.", "2030-01-15",
             "eu-fmd / operations on unique identifiers / release", event="2026-03-01", expiries=["2027-06-30"],
             release="2025-01-15"),
        _row("eu-fmd", fmd, "A year after expiry is more, and after a leap day.", "2033-02-28",
             "eu-fmd / operations on unique identifiers / expiry", event="2026-03-01", expiries=["2032-02-29"],
             release="2025-01-15"),
        _row("eu-tobacco", "2018/574: 5 years from upload", "Not from the event, from receipt.", "2031-03-05",
             "eu-tobacco / traceability data / receipt", event="2026-03-01", receipt="2026-03-05"),
        _row("all", "all at once", "The strictest wins: six years of DSCSA.", "2032-03-01",
             "dscsa / transaction information / transaction", event="2026-03-01", expiries=["2027-06-30"],
             release="2026-01-15"),
        _row("all", "all at once", "The strictest wins: the pilot's two years after expiry.", "2034-06-30",
             trade + expiry, event="2026-03-01", expiries=["2032-06-30"], release="2026-01-15"),
        _row("pilot", "PIPL art. 19, 47", "A phone number: unused after 180 days, gone with its record's term.",
             "2031-03-01", trade + transaction, event="2026-03-01", expiries=["2028-02-29"], field="phone",
             delete_by="2031-03-01", restrict_after="2026-08-28", crossing=False),
        _row("pipl", "PIPL art. 19, 47", "No rule keeps it: nothing stands against erasing it.", None, None,
             event="2026-03-01", expiries=["2028-02-29"], field="phone", delete_by="2031-03-01",
             restrict_after="2026-08-28", crossing=False),
        _row("pilot", "none", "A field that no rule names.", "2031-03-01", trade + transaction, event="2026-03-01",
             expiries=["2028-02-29"], field="shoe-size", delete_by=None, restrict_after=None, crossing=False),
        _row("dscsa and pipl", "PIPL art. 47", "Bounds that cross: kept six years, unused meanwhile.", "2032-03-01",
             "dscsa / transaction information / transaction", event="2026-03-01", expiries=["2027-06-30"],
             field="identity", delete_by="2031-03-01", restrict_after="2026-08-28", crossing=True),
    ]  # fmt: skip


def _days(text: str) -> int:
    return (date.fromisoformat(text) - date(1970, 1, 1)).days


def _headers() -> list[dict[str, Any]]:
    noon, midnight = 1_772_337_600_000, 1_798_732_800_000  # 2026-03-01T04:00Z; 2026-12-31T16:00Z, 2027 in Shanghai

    def row(
        about: str, policy: str, record_class: int, time: int, expiries: list[str | None], until: str | int | None
    ) -> Any:
        day = 0xFFFF_FFFF if until is None else until if isinstance(until, int) else _days(until)
        return {"about": about, "policy": policy, "record_class": record_class, "receipt_ms": time,
                "expiries": expiries, "keep_until": day}  # fmt: skip

    return [
        row("A sale, by the expiry.", "pilot", 1, noon, ["2031-06-30"], "2033-06-30"),
        row("A sale, by the day of receipt.", "pilot", 1, noon, ["2027-06-30"], "2031-03-01"),
        row("The latest of the packs.", "pilot", 1, noon, ["2027-06-30", "2031-06-30"], "2033-06-30"),
        row("An expiry that is not known.", "pilot", 1, noon, ["2031-06-30", None], "2036-03-01"),
        row("No packs.", "pilot", 2, noon, [], "2031-03-01"),
        row("Product information: nothing of publication is known.", "pilot", 4, noon, [], "2029-03-01"),
        row("Class 0 is kept as a trade is.", "pilot", 0, noon, ["2031-06-30"], "2033-06-30"),
        row("No rule for the class: open.", "pilot", 77, noon, ["2031-06-30"], None),
        row("A rule for ever: open.", "everything", 77, noon, [], None),
        row("Rules for some products or fields alone: open.", "everything", 1, noon, [], None),
        row("A rule of one day: the floor.", "short", 1, noon, [], "2027-12-31"),
        row("The last millisecond of a year in Shanghai.", "short", 1, midnight - 1, [], "2027-12-31"),
        row("The first millisecond of the next.", "short", 1, midnight, [], "2028-12-31"),
        row("Release is not known: five years from receipt.", "eu-fmd", 1, noon, ["2027-06-30"], "2031-03-01"),
        row("All regimes at once.", "all", 1, noon, ["2027-06-30"], "2032-03-01"),
        # 2^32 - 1 is 11761191-01-20: the last floor that fits is the end of the year before.
        row("The last floor that a header can name.", "short", 1, 371_085_132_355_200_000, [], 4_294_967_275),
        row("A day beyond.", "short", 1, 371_085_163_891_200_000, [], None),
    ]


def _policy(about: str, policy: Policy) -> dict[str, Any]:
    content = encode_record(policy.record()).hex()
    return {
        "about": about,
        "kind": "retention",
        "verdict": "stands",
        "plain": _json(policy.plain()),
        "content": content,
    }


def _bad(reason: str, body: Any, subject: str | None = "urn:tracechain:retention", version: int = 0) -> dict[str, Any]:
    content = encode_record(Record("retention", body, subject, version))
    return {"about": "A retention policy that is refused.", "kind": "retention", "verdict": "refused", "reason": reason,
            "content": content.hex()}  # fmt: skip


_AFTER = (1, 0, (1, 0, 0), None)
_RULE = ("r", "c", (), (), (), (), _AFTER, None, None)


def _of(rule: Any = _RULE, *, rules: Any = None, regimes: Any = None, rest: Any = (30, False, (), 0)) -> Any:
    found = rules if rules is not None else (rule,)
    return ("p", regimes if regimes is not None else (("g", "t", found),), *rest)


def _with(bound: Any) -> Any:
    return _of((*_RULE[:6], bound, None, None))


def _nested(levels: int) -> Any:
    bound: Any = _AFTER
    for level in range(levels):
        bound = (2 + level % 2, bound, (5,))
    return bound


def _refused() -> Cases:
    assert encoding.pack(Policy.from_plain(_of()).plain()) == encoding.pack(_of()), "what the others are made of stands"
    listed = ("r", "c", (2, 1), (), (), (), _AFTER, None, None)
    return {
        "subject": _bad("The subject is that of all policies.", _of(), "urn:tracechain:retention:p"),
        "no-subject": _bad("It has a subject.", _of(), None),
        "version": _bad("The version is 0.", _of(), version=1),
        "items": _bad("A policy has six items.", _of()[:-1]),
        "no-regime": _bad("There is a regime.", _of(regimes=())),
        "no-rule": _bad("A regime has a rule.", _of(rules=())),
        "rule-twice": _bad("A name comes once.", _of(rules=(_RULE, _RULE))),
        "says-nothing": _bad("A rule has a bound.", _of((*_RULE[:6], None, None, None))),
        "classes-order": _bad("Record classes are sorted.", _of(listed)),
        "classes-twice": _bad("Record classes come once.", _of((*_RULE[:2], (1, 1), *_RULE[3:]))),
        "class-large": _bad("A record class has 16 bits.", _of((*_RULE[:2], (65_536,), *_RULE[3:]))),
        "class-true": _bad("A record class is a number.", _of((*_RULE[:2], (True,), *_RULE[3:]))),
        "field-name": _bad("A field's name has no capitals.", _of((*_RULE[:5], ("Phone",), *_RULE[6:]))),
        "delete-no-field": _bad("Only fields are erased by a day.", _of((*_RULE[:6], None, _AFTER, None))),
        "delete-never": _bad("Never is no day.", _of((*_RULE[:5], ("x",), None, (5,), None))),
        "tag": _bad("There is no such tag.", _with((6,))),
        "anchor": _bad("There is no such anchor.", _with((1, 6, (1, 0, 0), None))),
        "term-negative": _bad("A term is not negative.", _with((1, 1, (-1, 0, 0), None))),
        "term-long": _bad("A term is a thousand years at most.", _with((1, 1, (1001, 0, 0), None))),
        "term-short": _bad("A term has three numbers.", _with((1, 1, (1, 0), None))),
        "receipt-missing": _bad("The day of receipt is never missing.", _with((1, 0, (1, 0, 0), (1, 0, 0)))),
        "max-one": _bad("Max is of two or more.", _with((2, _AFTER))),
        "max-twice": _bad("Parts are different.", _with((2, _AFTER, _AFTER))),
        "max-of-max": _bad("Max is not within max.", _with((2, (2, _AFTER, (5,)), (1, 1, (1, 0, 0), None)))),
        "least": _bad("At least is after an anchor.", _with((4, _AFTER, (5,)))),
        "least-of-ever": _bad("What never ends has no least.", _with((4, (5,), _AFTER))),
        "deep": _bad("Bounds stand 8 within each other.", _with(_nested(8))),
        "wait-0": _bad("Somebody has to see it.", _of(rest=(0, False, (), 0))),
        "archive-number": _bad("Archive is a boolean.", _of(rest=(30, 0, (), 0))),
        "quorum": _bad("There is nobody to make a quorum.", _of(rest=(30, False, (), 1))),
        "witness": _bad("A witness is a verifier key.", _of(rest=(30, False, ("witness.example",), 1))),
    }


def cases() -> Cases:
    """All vectors of retention policies."""
    plain = {name: _json(policy.plain()) for name, policy in POLICIES.items()}
    short = Policy("short", (Regime("own", "t", (Rule("r", "c", Selector(), After(Anchor.RECEIPT, Term(days=1))),)),))
    more = {"everything": _json(FULL.plain()), "short": _json(short.plain())}
    return {
        "dates": {
            "about": "Days worked out by hand from the words of the clauses.",
            "kind": "retention-dates",
            "policies": plain,
            "rows": _dates(),
        },
        "headers": {
            "about": "Keep-until days of headers.",
            "kind": "retention-headers",
            "policies": plain | more,
            "rows": _headers(),
        },
        "pilot": _policy("The pilot's policy.", tables.pilot_policy()),
        "all": _policy("Every ready table at once.", ALL),
        "everything": _policy("A policy with everything that there is.", FULL),
        "deepest": _policy("Bounds 8 within each other.", Policy.from_plain(_with(_nested(7)))),
        **{f"refused-{name}": case for name, case in _refused().items()},
    }
