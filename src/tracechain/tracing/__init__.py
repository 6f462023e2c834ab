"""Where units are, where they came from, and what they were in: pure functions over a View."""

from tracechain.tracing.tracer import Tracer, trace, whereabouts
from tracechain.tracing.values import Holder, Kin, Moment, Stay, Step, StockRow, Trace, Unresolved, Whereabouts

__all__ = [
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
    "trace",
    "whereabouts",
]
