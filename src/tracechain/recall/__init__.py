"""Recall: which units a criterion covers, where they are, who has to act, and how far it has come."""

from tracechain.recall.cases import RecallFile, closing, find_recall, flagged, notice, opening, progress, recalls
from tracechain.recall.fan_out import affected, fan_out
from tracechain.recall.values import GROUPS, Affected, FanOut, Node, Progress

__all__ = [
    "GROUPS",
    "Affected",
    "FanOut",
    "Node",
    "Progress",
    "RecallFile",
    "affected",
    "closing",
    "fan_out",
    "find_recall",
    "flagged",
    "notice",
    "opening",
    "progress",
    "recalls",
]
