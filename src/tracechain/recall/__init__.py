"""Recall: which units a criterion covers, where they are, who has to act, and how far it has come."""

from tracechain.recall.fan_out import affected, fan_out
from tracechain.recall.values import GROUPS, Affected, FanOut, Node, Progress

__all__ = ["GROUPS", "Affected", "FanOut", "Node", "Progress", "affected", "fan_out"]
