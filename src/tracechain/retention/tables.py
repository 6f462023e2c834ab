"""Ready retention tables: what the laws that this library was written for say, rule by rule.

    pilot     the Beijing pilot, section VII: product information 3 years; trading records until 2 years after the
              product's expiry, and no less than 5 years
    dscsa     the US Drug Supply Chain Security Act: 6 years
    eu-fmd    the EU's safety features: a year after expiry or 5 years after release, whichever is longer
    eu-tobacco   the EU's tracing of tobacco: 5 years from upload
    pipl      China's Personal Information Protection Law: personal fields no longer than necessary

They are values like any other: take what applies, put your own beside it. What a clause leaves open is a parameter
here, with its reason in the comment above it. Short names of sources are those of docs/obligations.md: S1 is the
pilot's implementation plan.
"""

from __future__ import annotations

from tracechain.retention.bounds import After, Anchor, Bound, Latest
from tracechain.retention.dates import Term
from tracechain.retention.policy import Policy, RecordClass, Regime, Rule, Selector

__all__ = [
    "DSCSA",
    "EU_FMD",
    "EU_TOBACCO",
    "PERSONAL_FIELDS",
    "PILOT",
    "PIPL",
    "TABLES",
    "pilot",
    "pilot_policy",
    "pipl",
]

#: Records of the trade and of the way of the goods. What is recorded of a person is recorded because of a trade. What
#: nobody gave a class is most likely one of these, and no class of any table is kept longer.
_TRADE = (RecordClass.UNSPECIFIED, RecordClass.TRADING, RecordClass.MOVEMENT, RecordClass.PERSONAL)
#: The personal fields of a sale, as scan files and examples name them.
PERSONAL_FIELDS = ("address", "id-number", "identity", "phone")

#: Clause VII counts from an expiry that not every pack has in the log. Ten years of receipt cover a shelf life of eight
#: (few medical products have five) and the two years after it; and it is more than the five years in any case.
MISSING_EXPIRY = Term(years=10)
#: A sale is settled, and can be returned or complained of, for about half a year; after that nobody needs the buyer's
#: phone number day by day, while the trading record still has to be complete.
IN_USE = Term(days=180)


def _trade(missing_expiry: Term) -> Bound:
    return Latest(
        (
            After(Anchor.EXPIRY, Term(years=2), missing_expiry),
            After(Anchor.TRANSACTION, Term(years=5), Term(years=5)),
        )
    )


def pilot(missing_expiry: Term = MISSING_EXPIRY) -> Regime:
    """Section VII of the pilot's implementation plan. `missing_expiry` counts from receipt for packs whose expiry the
    log does not know."""
    return Regime(
        "pilot",
        "Beijing pilot for cross-border e-commerce sales of medical products, implementation plan",
        (
            Rule("trading records", "S1 VII", Selector(record_classes=_TRADE), keep_until=_trade(missing_expiry)),
            # "Can be retained as the basis for subsequent disposal": of a trade, so as long as its records.
            Rule(
                "technical monitoring",
                "S1 VIII(2)",
                Selector(record_classes=(RecordClass.MONITORING,)),
                keep_until=_trade(missing_expiry),
            ),
            # The clause names no day to count from. The last day on which a version was published is the latest that
            # makes sense, so it is safe; where none was, the information was received and that is the day.
            Rule(
                "product information",
                "S1 VII",
                Selector(record_classes=(RecordClass.PRODUCT,)),
                keep_until=After(Anchor.PUBLISHED, Term(years=3), Term(years=3)),
            ),
        ),
    )


def pipl(
    fields: tuple[str, ...] = PERSONAL_FIELDS, in_use: Term = IN_USE, missing_expiry: Term = MISSING_EXPIRY
) -> Regime:
    """Personal fields: not used any more `in_use` after the transaction (article 47: where a legal term still runs, no
    processing but storage), gone when the term of the trading record that they belong to ends (articles 19 and 47)."""
    return Regime(
        "pipl",
        "Personal Information Protection Law of the People's Republic of China",
        (
            Rule(
                "personal fields",
                "PIPL art. 19, 47",
                # Information on products is about no person.
                Selector((*_TRADE, RecordClass.MONITORING), fields=fields),
                delete_by=_trade(missing_expiry),
                restrict_after=After(Anchor.TRANSACTION, in_use, in_use),
            ),
        ),
    )


PILOT = pilot()
PIPL = pipl()

#: FD&C Act section 582, as the Drug Supply Chain Security Act added it.
DSCSA = Regime(
    "dscsa",
    "US Drug Supply Chain Security Act",
    (
        Rule(
            "transaction information",
            "FD&C Act section 582 (21 U.S.C. 360eee-1)",
            Selector(record_classes=_TRADE),
            keep_until=After(Anchor.TRANSACTION, Term(years=6), Term(years=6)),
        ),
    ),
)

EU_FMD = Regime(
    "eu-fmd",
    "Commission Delegated Regulation (EU) 2016/161 on safety features of medicinal products",
    (
        Rule(
            "operations on unique identifiers",
            "2016/161 art. 15",
            Selector(record_classes=_TRADE),
            keep_until=Latest(
                (
                    # An expiry nobody knows: as for the pilot, so that two regimes do not come apart for nothing.
                    After(Anchor.EXPIRY, Term(years=1), MISSING_EXPIRY),
                    # A pack is released before anything is recorded of its trade, so receipt is no earlier.
                    After(Anchor.RELEASE, Term(years=5), Term(years=5)),
                )
            ),
        ),
    ),
)

EU_TOBACCO = Regime(
    "eu-tobacco",
    "Commission Implementing Regulation (EU) 2018/574 on the traceability of tobacco products",
    (
        Rule(
            "traceability data",
            "2018/574",
            Selector(record_classes=_TRADE),
            keep_until=After(Anchor.RECEIPT, Term(years=5)),
        ),
    ),
)

#: By the names that a terminal takes.
TABLES = {regime.name: regime for regime in (PILOT, DSCSA, EU_FMD, EU_TOBACCO, PIPL)}


def pilot_policy(wait_days: int = 30) -> Policy:
    """The pilot's table and that of personal fields; a pruning stands announced for 30 days."""
    return Policy("pilot", (PILOT, PIPL), wait_days=wait_days)
