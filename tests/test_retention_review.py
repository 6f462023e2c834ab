"""What was found by trying to prune what must stay, and what must not be mistaken for it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from retained import DAY, Store
from tracechain.retention.policy import After, Anchor, Policy, Regime, Rule, Selector, Term
from tracechain.testing.samples import pack_ids


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(tmp_path)
    yield store
    store.sound()
    store.ledger.close()


def only(rule: Rule) -> Policy:
    return Policy("only", (Regime("test", "Test", (rule,)),), wait_days=3)


@pytest.mark.parametrize(
    "rule",
    [
        Rule("goods", "test", Selector(product_classes=("vitamins",)), After(Anchor.RECEIPT, Term(years=1))),
        Rule("here", "test", Selector(jurisdictions=("cn",)), After(Anchor.RECEIPT, Term(years=1))),
        Rule("event", "test", Selector(), After(Anchor.EVENT, Term(days=1))),
        Rule("released", "test", Selector(), After(Anchor.RELEASE, Term(years=1), Term(years=1))),
        Rule("expired", "test", Selector(), After(Anchor.EXPIRY, Term(days=1), Term(days=2))),
        Rule("published", "test", Selector(), After(Anchor.PUBLISHED, Term(years=1), Term(days=1))),
    ],
    ids=lambda rule: rule.name,
)
def test_what_headers_leave_open_goes_by_the_policy_in_force_and_verifies(store: Store, rule: Rule) -> None:
    """Of some of these rules a header can say nothing."""
    store.ledger.retain(only(rule))
    store.ended(3)
    store.years_later()
    store.wait(3)
    done = store.pruned("a")
    assert done.content_count >= 6
    store.clock.advance(400 * DAY)
    store.ledger.accept_clock("closed")
    store.pruned("b")  # rows, some contents
    assert pack_ids(1)
