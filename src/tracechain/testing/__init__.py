"""What tests of tracechain, and of code that uses it, are made of.

- `Keys`, `Clock`, `Random`, `new_ledger`: fixed keys, a clock that stands still, randomness that repeats, and
  a ledger made with them.
- `MemoryView`: a ledger in plain dictionaries, to look at what would be if a byte were different.
- `samples`: valid events, built in one line each.
- `scanner`: an author beside the ledger, and `sample_ledger`, which has a bit of everything in it.
- `strategies`: Hypothesis strategies of events.
- `tamper`: what an attacker could do to a ledger's database, by name; verification has to find each.

Our own suite uses exactly what is here. The keys are public knowledge: never use them for real data.
"""

from tracechain.replay import MemoryView
from tracechain.testing.standins import ORIGIN, START, Clock, Keys, Random, fixed_key, new_ledger, open_ledger

__all__ = ["ORIGIN", "START", "Clock", "Keys", "MemoryView", "Random", "fixed_key", "new_ledger", "open_ledger"]
