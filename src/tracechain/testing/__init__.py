"""What tests of tracechain, and of code that uses it, are made of.

- `Keys`, `Clock`, `Random`, `new_ledger`: fixed keys, a clock that stands still, randomness that repeats, and
  a ledger made with them.
- `samples`: valid events, built in one line each.
- `tamper`: everything an attacker could do to a ledger's database, by name; each has to be found.

Our own suite uses exactly what is here. The keys are public knowledge: never use them for real data.
"""

from tracechain.testing.standins import ORIGIN, START, Clock, Keys, Random, new_ledger, open_ledger, fixed_key

__all__ = ["ORIGIN", "START", "Clock", "Keys", "Random", "new_ledger", "open_ledger", "fixed_key"]
