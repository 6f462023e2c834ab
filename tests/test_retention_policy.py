"""What a retention policy says of an entry and of its fields: the strictest wins, whatever the dates."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from attrs import evolve
from hypothesis import example, given
from hypothesis import strategies as st

from retention_samples import DAYS, FIELDS, LEAP_DAY, bounds, facts, policies, regimes
from tracechain.checkpoint import COSIGNATURE, VerifierKey, format_vkey
from tracechain.entry import OPEN_DAY
from tracechain.errors import InputError
from tracechain.retention import tables
from tracechain.retention.bounds import MAX_DEPTH, find
from tracechain.retention.crossing import always_later, never_later
from tracechain.retention.dates import MS_PER_DAY, first_ms, floor_day, floor_of, format_day, parse_day
from tracechain.retention.policy import (
    NO_RULE,
    After,
    Anchor,
    AtLeast,
    Bound,
    Earliest,
    Facts,
    Kept,
    Latest,
    Permanent,
    Policy,
    RecordClass,
    Regime,
    Rule,
    Selector,
    Term,
)
from tracechain.signing import MemorySigner

PILOT = tables.pilot_policy()
TRADE = Latest((After(Anchor.EXPIRY, Term(2), Term(10)), After(Anchor.TRANSACTION, Term(5), Term(5))))
EVENT_DAY = parse_day("2026-03-01")


def policy_of(*rules: Rule, **more: Any) -> Policy:
    return Policy("shop", (Regime("own", "Our own", rules),), **more)


def keeping(bound: Bound, name: str = "kept", **selector: Any) -> Rule:
    return Rule(name, "clause 1", Selector(**selector), keep_until=bound)


def sold(day: str, expiry: str | None = None, **more: Any) -> Facts:
    event = parse_day(day)
    expiries = (None if expiry is None else parse_day(expiry),)
    return Facts(RecordClass.TRADING, event, event, **{"expiries": expiries} | more)


# ---- the ready tables ----------------------------------------------------------------------------


def test_a_trading_record_is_kept_two_years_after_expiry_and_five_after_the_trade() -> None:
    long = PILOT.keep(sold("2026-03-01", "2031-06-30"))
    assert (format_day(long.day or 0), long.anchor, long.clause) == ("2033-06-30", Anchor.EXPIRY, "S1 VII")
    short = PILOT.keep(sold("2026-03-01", "2027-06-30"))
    assert (format_day(short.day or 0), short.anchor, short.term) == ("2031-03-01", Anchor.TRANSACTION, Term(5))
    unknown = PILOT.keep(sold("2026-03-01"))
    assert (format_day(unknown.day or 0), unknown.anchor, unknown.instead_of) == (
        "2036-03-01", Anchor.RECEIPT, Anchor.EXPIRY,
    )  # fmt: skip


@pytest.mark.parametrize("name", ["pilot", "dscsa", "eu-fmd", "eu-tobacco"])
def test_what_is_not_classified_is_kept_as_the_strictest_class_of_a_ready_table_is(name: str) -> None:
    policy = Policy("one", (tables.TABLES[name],))
    facts = sold("2026-03-01", "2027-06-30")
    days = [kept.order for one in RecordClass if one and (kept := policy.keep(evolve(facts, record_class=one))).day]
    assert policy.keep(evolve(facts, record_class=0)).order == max(days)


def test_a_class_that_no_rule_names_is_kept_for_ever() -> None:
    kept = PILOT.keep(evolve(sold("2026-03-01"), record_class=77))
    assert kept == NO_RULE
    assert (kept.day, kept.rule) == (None, "no rule")
    assert not kept.due(1 << 40)


def test_several_regimes_at_once_the_strictest_is_named() -> None:
    policy = Policy("all", (tables.PILOT, tables.DSCSA, tables.EU_FMD, tables.EU_TOBACCO, tables.PIPL))
    facts = sold("2026-03-01", "2027-06-30", release_day=parse_day("2026-01-15"))
    kept = policy.keep(facts)
    assert (kept.regime, format_day(kept.day or 0)) == ("dscsa", "2032-03-01")
    later = policy.keep(evolve(facts, release_day=parse_day("2028-01-15")))
    assert (later.regime, format_day(later.day or 0)) == ("eu-fmd", "2033-01-15")


def test_a_phone_number_is_restricted_while_its_trading_record_has_to_stay() -> None:
    facts = sold("2026-03-01", "2028-02-29")
    phone = PILOT.fields(facts, "phone")
    assert phone.restrict_after is not None
    assert phone.delete_by is not None
    assert phone.keep_until is not None
    assert format_day(phone.restrict_after.day or 0) == "2026-08-28"
    assert phone.delete_by.day == phone.keep_until.day == parse_day("2031-03-01")
    assert not phone.crossing
    end = parse_day("2031-03-01")
    assert (phone.restricted(parse_day("2026-08-28")), phone.restricted(parse_day("2026-08-29"))) == (False, True)
    assert (phone.erasable(end), phone.overdue(end)) == (False, False)
    assert (phone.erasable(end + 1), phone.overdue(end + 1)) == (True, True)


def test_where_bounds_cross_the_field_stays_restricted() -> None:
    policy = Policy("both", (tables.DSCSA, tables.PIPL))
    phone = policy.fields(sold("2026-03-01", "2027-06-30"), "phone")
    assert phone.crossing
    between = parse_day("2031-06-01")
    assert (phone.restricted(between), phone.erasable(between), phone.overdue(between)) == (True, False, False)
    after = parse_day("2032-03-02")
    assert (phone.erasable(after), phone.overdue(after)) == (True, True)


def test_a_field_that_no_rule_names_goes_as_its_record_does() -> None:
    other = PILOT.fields(sold("2026-03-01", "2028-02-29"), "shoe-size")
    assert other.keep_until is not None
    assert (other.delete_by, other.restrict_after, other.crossing) == (None, None, False)
    free = PILOT.fields(evolve(sold("2026-03-01"), record_class=77), "phone")
    assert (free.keep_until, free.delete_by) == (None, None)
    assert free.erasable(0)
    assert not free.overdue(1 << 40)


def test_the_ready_tables_are_kept_by_their_names() -> None:
    assert set(tables.TABLES) == {"pilot", "dscsa", "eu-fmd", "eu-tobacco", "pipl"}
    assert PILOT.wait_days == 30
    assert tables.pilot_policy(45).wait_days == 45


def test_parameters_that_clauses_leave_open() -> None:
    policy = Policy("own", (tables.pilot(Term(20)), tables.pipl(("phone",), Term(days=30), Term(20))))
    facts = sold("2026-03-01")
    assert format_day(policy.keep(facts).day or 0) == "2046-03-01"
    phone = policy.fields(facts, "phone")
    assert phone.restrict_after is not None
    assert format_day(phone.restrict_after.day or 0) == "2026-03-31"
    assert policy.fields(facts, "address").restrict_after is None


# ---- selectors -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("selector", "matching", "other"),
    [
        ({"record_classes": (1, 2)}, {"record_class": 2}, {"record_class": 3}),
        ({"product_classes": ("device",)}, {"product_class": "device"}, {"product_class": "medicine"}),
        ({"jurisdictions": ("CN",)}, {"jurisdiction": "CN"}, {"jurisdiction": "US"}),
    ],
)
def test_a_rule_is_for_what_its_selector_names(
    selector: dict[str, Any], matching: dict[str, Any], other: dict[str, Any]
) -> None:
    policy = policy_of(keeping(After(Anchor.RECEIPT, Term(3)), **selector))
    facts = Facts(record_class=9, receipt_day=EVENT_DAY, product_class="x", jurisdiction="XX")
    assert policy.keep(evolve(facts, **matching)).rule == "kept"
    assert policy.keep(evolve(facts, **other)) == NO_RULE
    if "record_class" not in matching:  # what is not known counts as matching
        unknown: dict[str, Any] = dict.fromkeys(matching)
        assert policy.keep(evolve(facts, **unknown)).rule == "kept"
    else:
        assert policy.keep(evolve(facts, record_class=0)) == NO_RULE


def test_a_rule_for_fields_does_not_keep_the_entry() -> None:
    policy = policy_of(keeping(After(Anchor.RECEIPT, Term(3)), fields=("phone",)))
    facts = Facts(1, EVENT_DAY)
    assert policy.keep(facts) == NO_RULE
    assert policy.header_day(1, first_ms(EVENT_DAY), ()) == OPEN_DAY
    assert policy.fields(facts, "phone").keep_until is not None
    assert policy.fields(facts, "address").keep_until is None


def test_a_selector_has_one_spelling() -> None:
    assert Selector((2, 1, 2), ("b", "a", "b")) == Selector((1, 2), ("a", "b"))
    assert Selector([RecordClass.TRADING]).record_classes == (1,)  # type: ignore[arg-type] # a list is taken too
    assert type(Selector((RecordClass.TRADING,)).record_classes[0]) is int


# ---- bounds --------------------------------------------------------------------------------------

TWO, FIVE = After(Anchor.RECEIPT, Term(2)), After(Anchor.EVENT, Term(5))


def came_to(bound: Bound, **facts: Any) -> tuple[str | None, Anchor | None]:
    kept = policy_of(keeping(bound)).keep(Facts(1, EVENT_DAY, **{"event_day": EVENT_DAY} | facts))
    return None if kept.day is None else format_day(kept.day), kept.anchor


def test_combinators() -> None:
    assert came_to(Latest((TWO, FIVE))) == ("2031-03-01", Anchor.EVENT)
    assert came_to(Earliest((TWO, FIVE))) == ("2028-03-01", Anchor.RECEIPT)
    assert came_to(AtLeast(TWO, FIVE)) == ("2031-03-01", Anchor.EVENT)
    assert came_to(AtLeast(FIVE, TWO)) == ("2031-03-01", Anchor.EVENT)
    assert came_to(Permanent()) == (None, None)
    assert came_to(Latest((TWO, Permanent()))) == (None, None)
    assert came_to(Earliest((TWO, Permanent()))) == ("2028-03-01", Anchor.RECEIPT)


def test_of_equal_parts_the_first_is_the_reason() -> None:
    receipt, event = After(Anchor.RECEIPT, Term(5)), After(Anchor.EVENT, Term(5))
    assert came_to(Latest((receipt, event)))[1] is Anchor.RECEIPT
    assert came_to(Latest((event, receipt)))[1] is Anchor.EVENT
    assert came_to(Earliest((event, receipt)))[1] is Anchor.EVENT
    assert came_to(AtLeast(event, receipt))[1] is Anchor.EVENT


def test_of_equal_rules_the_first_is_the_reason() -> None:
    bound = After(Anchor.RECEIPT, Term(5))
    policy = policy_of(keeping(bound, "one"), keeping(bound, "two"))
    assert policy.keep(Facts(1, EVENT_DAY)).rule == "one"
    assert policy_of(keeping(Permanent(), "one"), keeping(Permanent(), "two")).keep(Facts(1, EVENT_DAY)).rule == "one"


def test_of_equal_upper_bounds_the_first_is_the_reason() -> None:
    bound, only = After(Anchor.RECEIPT, Term(5)), Selector(fields=("phone",))
    rules = [Rule(name, "c", only, delete_by=bound, restrict_after=bound) for name in ("one", "two")]
    phone = policy_of(*rules).fields(Facts(1, EVENT_DAY), "phone")
    assert [one and one.rule for one in (phone.delete_by, phone.restrict_after)] == ["one", "one"]


@pytest.mark.parametrize("anchor", [one for one in Anchor if one is not Anchor.RECEIPT])
def test_an_anchor_that_is_not_known(anchor: Anchor) -> None:
    nothing: dict[str, Any] = {"event_day": None, "expiries": (None,)}
    assert came_to(After(anchor, Term(5)), **nothing) == (None, anchor)
    assert came_to(After(anchor, Term(5), Term(7)), **nothing) == ("2033-03-01", Anchor.RECEIPT)


def test_each_pack_counts_and_the_latest_decides() -> None:
    bound = After(Anchor.EXPIRY, Term(2), Term(4))
    early, late = parse_day("2027-01-01"), parse_day("2029-01-01")
    assert came_to(bound, expiries=(early, late)) == ("2031-01-01", Anchor.EXPIRY)
    assert came_to(bound, expiries=(early, None)) == ("2030-03-01", Anchor.RECEIPT)
    assert came_to(bound, expiries=(late, None)) == ("2031-01-01", Anchor.EXPIRY)
    assert came_to(After(Anchor.EXPIRY, Term(2)), expiries=(late, None)) == (None, Anchor.EXPIRY)
    # The earlier of two bounds is taken pack by pack.
    capped = Earliest((bound, After(Anchor.EVENT, Term(4))))
    assert came_to(capped, expiries=(early, late)) == ("2030-03-01", Anchor.EVENT)


def test_without_a_pack_what_hangs_on_an_expiry_is_left_out() -> None:
    assert came_to(TRADE, expiries=()) == ("2031-03-01", Anchor.TRANSACTION)
    assert came_to(AtLeast(After(Anchor.EXPIRY, Term(2)), FIVE), expiries=()) == ("2031-03-01", Anchor.EVENT)
    assert came_to(AtLeast(FIVE, After(Anchor.EXPIRY, Term(9))), expiries=()) == ("2031-03-01", Anchor.EVENT)
    assert came_to(Earliest((After(Anchor.EXPIRY, Term(2)), FIVE)), expiries=()) == ("2031-03-01", Anchor.EVENT)
    facts = Facts(1, EVENT_DAY, EVENT_DAY)
    assert policy_of(keeping(After(Anchor.EXPIRY, Term(2)))).keep(facts) == NO_RULE


def test_what_lies_beyond_the_days_of_a_header_is_permanent() -> None:
    last = OPEN_DAY - 1
    bound = After(Anchor.RECEIPT, Term(days=1))
    assert policy_of(keeping(bound)).keep(Facts(1, last - 1)).day == last
    assert policy_of(keeping(bound)).keep(Facts(1, last)).day is None
    assert policy_of(keeping(After(Anchor.RECEIPT, Term(1)))).header_day(1, (1 << 64) - 1, ()) == OPEN_DAY


# ---- the day of a header -------------------------------------------------------------------------


def test_the_day_of_a_header() -> None:
    ms = first_ms(EVENT_DAY)
    expiry = parse_day("2031-06-30")
    assert format_day(PILOT.header_day(1, ms, [expiry])) == "2033-06-30"
    assert format_day(PILOT.header_day(1, ms, [expiry, None])) == "2036-03-01"
    assert format_day(PILOT.header_day(1, ms, [])) == "2031-03-01"
    assert format_day(PILOT.header_day(RecordClass.PRODUCT, ms, [])) == "2029-03-01"
    assert PILOT.header_day(77, ms, [expiry]) == OPEN_DAY
    assert policy_of(keeping(Permanent())).header_day(1, ms, []) == OPEN_DAY
    assert policy_of(keeping(After(Anchor.RELEASE, Term(1)))).header_day(1, ms, []) == OPEN_DAY


def test_the_day_of_a_header_is_never_before_the_floor() -> None:
    policy = policy_of(keeping(After(Anchor.RECEIPT, Term(days=1))))
    assert format_day(policy.header_day(1, first_ms(EVENT_DAY), [])) == "2027-12-31"


def test_a_rule_for_some_products_or_places_says_nothing_in_a_header() -> None:
    general = keeping(After(Anchor.RECEIPT, Term(4)), "general")
    for selector in ({"product_classes": ("device",)}, {"jurisdictions": ("CN",)}):
        special = keeping(After(Anchor.RECEIPT, Term(40)), "special", **selector)
        assert policy_of(special).header_day(1, first_ms(EVENT_DAY), []) == OPEN_DAY
        assert format_day(policy_of(general, special).header_day(1, first_ms(EVENT_DAY), [])) == "2030-03-01"


EXPIRIES = st.lists(st.none() | DAYS, max_size=4).map(tuple)
RECEIPTS = st.integers(0, 84_006 * MS_PER_DAY)


@given(policies(), st.integers(0, 7), RECEIPTS, EXPIRIES)
def test_a_header_goes_by_the_day_and_the_largest_expiry_alone(
    policy: Policy, number: int, ms: int, expiries: tuple[int | None, ...]
) -> None:
    day = policy.header_day(number, ms, expiries)
    known = [one for one in expiries if one is not None]
    short: list[int | None] = [max(known)] if known else []
    if None in expiries:
        short.append(None)
    start = first_ms((ms + 8 * 3_600_000) // MS_PER_DAY)
    assert policy.header_day(number, start, short) == policy.header_day(number, start + MS_PER_DAY - 1, short) == day
    assert floor_day(ms) <= day <= OPEN_DAY


@given(policies(), st.integers(0, 7), RECEIPTS, EXPIRIES)
def test_a_header_says_what_the_policy_says_of_such_an_entry(
    policy: Policy, number: int, ms: int, expiries: tuple[int | None, ...]
) -> None:
    """Release and publication unknown, the event received when it happened; rules for some products aside."""
    receipt = (ms + 8 * 3_600_000) // MS_PER_DAY
    kept = policy.keep(Facts(number, receipt, receipt, expiries, product_class="none", jurisdiction="none"))
    assert policy.header_day(number, ms, expiries) == min(max(kept.order, floor_of(receipt)), OPEN_DAY)


# ---- properties ----------------------------------------------------------------------------------


def order(kept: Kept | None) -> int:
    """The day to compare; before all days where no rule says anything."""
    return -(1 << 60) if kept is None else kept.order


@given(policies(most=2), regimes("another"), facts())
def test_another_regime_never_shortens_what_is_kept(policy: Policy, another: Regime, facts: Facts) -> None:
    more = evolve(policy, regimes=(*policy.regimes, another))
    alone = evolve(policy, regimes=(another,))
    kept = more.keep(facts)
    said = [one for one in (policy.keep(facts), alone.keep(facts)) if one != NO_RULE]
    assert kept == (max(said, key=order) if said else NO_RULE)
    for field in FIELDS:
        before, after = policy.fields(facts, field), more.fields(facts, field)
        assert order(after.keep_until) >= order(before.keep_until)
        for name in ("delete_by", "restrict_after"):
            upper, other = getattr(before, name), getattr(after, name)
            assert upper is None or (other is not None and other.order <= upper.order)


@given(policies(most=2), regimes("another"), st.integers(0, 7), RECEIPTS, EXPIRIES)
def test_another_regime_never_shortens_a_header(
    policy: Policy, another: Regime, number: int, ms: int, expiries: tuple[int | None, ...]
) -> None:
    more = evolve(policy, regimes=(*policy.regimes, another))
    before = policy.header_day(number, ms, expiries)
    if before < OPEN_DAY:  # an open header may be that of no rule at all
        assert more.header_day(number, ms, expiries) >= before


def _later_expiries(facts: Facts, days: int) -> Facts:
    return evolve(facts, expiries=tuple(None if one is None else one + days for one in facts.expiries))


def _later(name: str) -> Callable[[Facts, int], Facts]:
    def move(facts: Facts, days: int) -> Facts:
        day = getattr(facts, name)
        return facts if day is None else evolve(facts, **{name: day + days})

    return move


@pytest.mark.parametrize(
    "move",
    [_later_expiries, *map(_later, ("receipt_day", "event_day", "release_day", "published_day"))],
    ids=["expiry", "receipt", "event", "release", "published"],
)
@given(policy=policies(), facts=facts(), days=st.integers(0, 5000))
def test_a_later_anchor_never_ends_a_term_earlier(
    move: Callable[[Facts, int], Facts], policy: Policy, facts: Facts, days: int
) -> None:
    later = move(facts, days)
    assert policy.keep(later).order >= policy.keep(facts).order
    for field in FIELDS:
        one, other = policy.fields(facts, field), policy.fields(later, field)
        assert order(one.keep_until) <= order(other.keep_until)


@given(policies(), facts().filter(lambda one: one.expiries), st.none() | DAYS)
def test_another_pack_never_shortens(policy: Policy, facts: Facts, expiry: int | None) -> None:
    """Without any pack, the earliest of several parts is that of those that do not hang on one."""
    more = evolve(facts, expiries=(*facts.expiries, expiry))
    assert policy.keep(more).order >= policy.keep(facts).order


@given(policies(), facts())
def test_the_reason_explains_the_day(policy: Policy, facts: Facts) -> None:
    kept = policy.keep(facts)
    if kept == NO_RULE:
        return
    rule = next(r for regime, r in policy.rules() if (regime.name, r.name) == (kept.regime, kept.rule))
    assert rule.clause == kept.clause
    assert rule.selector.matches(facts)
    if kept.anchor is not None and kept.anchor_day is not None and kept.term is not None:
        again = find(After(Anchor.RECEIPT, kept.term), {Anchor.RECEIPT: kept.anchor_day}, ())
        assert again is not None
        assert again.day == kept.day
        assert kept.anchor_day == facts.days.get(kept.anchor, kept.anchor_day)
    else:
        assert kept.day is None


# ---- crossing ------------------------------------------------------------------------------------


def test_crossings_are_told_before_there_is_an_entry() -> None:
    assert PILOT.crossings() == ()
    both = Policy("both", (tables.DSCSA, tables.PIPL))
    (one,) = both.crossings()
    assert (one.keep_regime, one.always, one.fields) == ("dscsa", False, tables.PERSONAL_FIELDS)
    assert "for some dates" in str(one)


def test_a_crossing_for_any_dates() -> None:
    gone = Rule("gone", "a", Selector(fields=("phone",)), delete_by=After(Anchor.EVENT, Term(days=180), Term(1)))
    kept: Bound
    for kept in (After(Anchor.TRANSACTION, Term(5), Term(5)), Permanent(), After(Anchor.EVENT, Term(months=7))):
        (crossing,) = policy_of(gone, keeping(kept)).crossings()
        assert crossing.always
        assert "always" in str(crossing)
    for kept in (
        After(Anchor.EVENT, Term(months=5), Term(1)),
        Earliest((Permanent(), After(Anchor.EVENT, Term(), Term()))),
    ):
        assert policy_of(gone, keeping(kept)).crossings() == ()


def test_rules_that_are_never_for_the_same_field_do_not_cross() -> None:
    gone = Rule("gone", "a", Selector((1,), fields=("phone",)), delete_by=After(Anchor.EVENT, Term(days=1)))
    assert policy_of(gone, keeping(Permanent(), record_classes=(2,))).crossings() == ()
    assert policy_of(gone, keeping(Permanent(), fields=("address",))).crossings() == ()
    assert len(policy_of(gone, keeping(Permanent(), record_classes=(1, 2), fields=("phone",))).crossings()) == 1
    assert policy_of(gone, keeping(Permanent(), record_classes=(0,))).crossings() == ()


@given(bounds(), bounds(), facts())
def test_what_is_said_of_two_bounds_holds_for_all_dates(keep: Bound, limit: Bound, facts: Facts) -> None:
    kept, gone = (find(bound, facts.days, facts.expiries) for bound in (keep, limit))
    if kept is not None and gone is not None and gone.day is not None:
        if never_later(keep, limit):
            assert kept.order <= gone.order
        if always_later(keep, limit):
            assert kept.order > gone.order


@given(bounds())
@example(Earliest((Permanent(), Latest((Permanent(), After(Anchor.RECEIPT, Term()))))))
def test_a_bound_does_not_cross_itself(bound: Bound) -> None:
    assert not always_later(bound, bound)


@given(policies(), facts())
def test_a_field_that_crosses_was_told_of(policy: Policy, facts: Facts) -> None:
    facts = evolve(facts, product_class="device", jurisdiction="CN")
    told = {(one.regime, one.rule, one.keep_regime, one.keep_rule) for one in policy.crossings()}
    for field in FIELDS:
        said = policy.fields(facts, field)
        if said.crossing:
            assert said.delete_by is not None
            assert said.keep_until is not None
            assert (said.delete_by.regime, said.delete_by.rule, said.keep_until.regime, said.keep_until.rule) in told


# ---- what cannot be used -------------------------------------------------------------------------


def witness(number: int, algorithm: int = COSIGNATURE) -> str:
    return format_vkey(
        VerifierKey(f"witness.example/{number}", algorithm, MemorySigner.from_seed(bytes([number]) * 32).public_key)
    )


def deep(levels: int) -> Bound:
    bound: Bound = TWO
    for level in range(levels):
        kind = Latest if level % 2 else Earliest
        bound = kind((bound, FIVE))
    return bound


def bad(make: Callable[..., object], *arguments: object, **named: object) -> Callable[[], object]:
    return lambda: make(*arguments, **named)


RULE = keeping(TWO)
REGIME = Regime("own", "Our own", (RULE,))


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (bad(After, "birth", Term(1)), "one of receipt, event"),
        (bad(After, Anchor.EVENT, 5), "must be a term"),
        (bad(After, Anchor.EVENT, "five years"), "write such as 2 years"),
        (bad(After, Anchor.EVENT, Term(1), 3), "missing is 3"),
        (bad(After, Anchor.RECEIPT, Term(1), Term(1)), "never missing"),
        (bad(Latest, (TWO,)), "takes 2 to 16"),
        (bad(Latest, (TWO, TWO)), "1 different"),
        (bad(Latest, tuple(After(Anchor.EVENT, Term(n)) for n in range(17))), "takes 2 to 16"),
        (bad(Latest, (Latest((TWO, FIVE)), Permanent())), "put its parts in its place"),
        (bad(Latest, "ab"), "a tuple of bounds"),
        (bad(Earliest, (TWO, 5)), "a tuple of bounds"),
        (bad(AtLeast, Permanent(), TWO), "a bound that ends"),
        (bad(AtLeast, TWO, Permanent()), "a term after an anchor"),
        (bad(deep, MAX_DEPTH), "within each other"),
        (bad(AtLeast, deep(MAX_DEPTH - 1), TWO), "within each other"),
        (bad(Selector, record_classes=(70_000,)), "0 to 65,535"),
        (bad(Selector, record_classes=(True,)), "0 to 65,535"),
        (bad(Selector, record_classes="12"), "must be a list"),
        (bad(Selector, record_classes=tuple(range(300))), "at most 256"),
        (bad(Selector, fields=("Phone",)), "1 to 64 of a-z"),
        (bad(Selector, product_classes=(" x",)), "one line"),
        (bad(Selector, jurisdictions=("a\nb",)), "control character"),
        (bad(Rule, "a", "b"), "says nothing"),
        (bad(Rule, "", "b", keep_until=TWO), "the name of a rule"),
        (bad(Rule, "a", " b", keep_until=TWO), "its clause"),
        (bad(Rule, "a", "b", {}, TWO), "must be a Selector"),
        (bad(Rule, "a", "b", Selector(), "permanent"), "must be a bound"),
        (bad(Rule, "a", "b", Selector(), delete_by=TWO), "name them in fields"),
        (bad(Rule, "a", "b", Selector(), restrict_after=TWO), "name them in fields"),
        (bad(Rule, "a", "b", Selector(fields=("x",)), delete_by=Permanent()), "leave it out"),
        (bad(Regime, "own", "Our own", ()), "1 to 64"),
        (bad(Regime, "own", "Our own", (RULE, RULE)), "stands twice"),
        (bad(Regime, "own", "Our own", [5]), "must be a tuple of Rule"),
        (bad(Regime, "own", "", (RULE,)), "its title"),
        (bad(Policy, "a", ()), "1 to 32"),
        (bad(Policy, "a", (REGIME, REGIME)), "stands twice"),
        (bad(Policy, "a", (REGIME,), wait_days=0), "so that somebody can see"),
        (bad(Policy, "a", (REGIME,), wait_days=True), "wait_days is True"),
        (bad(Policy, "a", (REGIME,), archive=1), "true or false"),
        (bad(Policy, "a", (REGIME,), witnesses=("x",), quorum=1), "not a verifier key"),
        (bad(Policy, "a", (REGIME,), witnesses=(5,), quorum=1), "must be a vkey"),
        (bad(Policy, "a", (REGIME,), witnesses=witness(1), quorum=1), "must be a list"),
        (bad(Policy, "a", (REGIME,), witnesses=(witness(1, 1),), quorum=1), "state a time"),
        (bad(Policy, "a", (REGIME,), witnesses=(witness(1), witness(1)), quorum=1), "count it twice"),
        (bad(Policy, "a", (REGIME,), witnesses=(witness(1),)), "it must be 1 to 1"),
        (bad(Policy, "a", (REGIME,), witnesses=(witness(1),), quorum=2), "it must be 1 to 1"),
        (bad(Policy, "a", (REGIME,), quorum=1), "it must be 0 to 0"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_refused_in_words(make: Callable[[], object], words: str) -> None:
    with pytest.raises(InputError, match=words):
        make()


def test_a_policy_fits_into_one_record() -> None:
    many = tuple(Rule(f"rule {n}", "x" * 480, keep_until=TWO) for n in range(64))
    with pytest.raises(InputError, match="at most 60000 fit"):
        Policy("a", tuple(Regime(f"regime {n}", "t", many) for n in range(3)))


def test_witnesses_are_sorted() -> None:
    vkeys = tuple(witness(n) for n in (3, 1, 2))
    policy = policy_of(RULE, witnesses=vkeys, quorum=2)
    assert policy.witnesses == tuple(sorted(vkeys))


def test_a_leap_day_in_a_policy() -> None:
    assert format_day(PILOT.keep(sold("2022-02-28", format_day(LEAP_DAY))).day or 0) == "2027-02-28"
    assert format_day(PILOT.keep(sold("2020-02-29", format_day(LEAP_DAY))).day or 0) == "2026-02-28"
