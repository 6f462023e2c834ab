"""Answers as pages: the history of a unit, and the fan-out of a recall, each one HTML file that needs nothing else.

Each page is in English and in Chinese, with a switch; style and script stand in it, and its Content-Security-Policy
lets a
browser fetch nothing and run nothing but them. What comes from the ledger is text there, whatever it looks like.
"""

from tracechain.report.recall import CaseStep, recall_page
from tracechain.report.timeline import timeline_page

__all__ = ["CaseStep", "recall_page", "timeline_page"]
