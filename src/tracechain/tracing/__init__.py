"""Where units are, where they came from, and what they were in: pure functions over a View."""

from tracechain.tracing.stock import STOCK_KEYS, stock
from tracechain.tracing.tracer import Tracer, trace, whereabouts
from tracechain.tracing.values import Holder, Kin, Moment, Stay, Step, StockRow, Trace, Unresolved, Whereabouts

__all__ = [
    "STOCK_KEYS",
    "Holder",
    "Kin",
    "Moment",
    "Stay",
    "Step",
    "StockRow",
    "Trace",
    "Tracer",
    "Unresolved",
    "Whereabouts",
    "stock",
    "trace",
    "whereabouts",
]
