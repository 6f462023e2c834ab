"""Vectors of pruned ledgers: one that was pruned by the rules, and what should not have been (docs/format.md 13).

Kind "ledger", as in the group of that name: a content or rows that went are null. "now" is a time (ms) after which
nothing can have been received. What does not stand has "finding", a code of section 13.3 that has to be among what
verification finds.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from group_ledger import ledger_case

from tracechain.testing.tamper import PRUNINGS, Power, duplicate, read
from tracechain.testing.tamper.by_hand import pruned_ledger

Cases = dict[str, dict[str, Any]]
#: 2031-01-01T00:00:00Z.
NOW = 1_924_963_200_000
CHOSEN = (
    "content_gone_unannounced", "rows_gone_unannounced", "done_without_intent", "done_with_other_digest",
    "done_too_soon", "waited_by_a_clock_record", "clock_set_years_ahead", "young_pruned", "left_open_pruned",
    "keep_until_shortened", "policy_changed_before", "held_meanwhile", "latest_rows_gone", "pack_made_to_vanish",
    "done_and_not_gone",
)  # fmt: skip


def cases() -> Cases:
    """All cases of this group."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "lawful"
        pruned_ledger(path)
        found = {"lawful": ledger_case("Contents, then rows, went as announced.", read(path), None, now=NOW)}
        for name in CHOSEN:
            one = PRUNINGS[name]
            copy = duplicate(path, Path(folder) / name)
            one(copy, Power.OPERATOR)
            about = " ".join(one.doc.split())
            found[f"refused-{name.replace('_', '-')}"] = ledger_case(
                about, read(copy), one.codes[Power.OPERATOR], now=NOW
            )
    return found
