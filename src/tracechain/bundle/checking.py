"""What comes out of checking a bundle, whatever its kind."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from attrs import evolve, field, frozen

from tracechain.bundle.manifest import Manifest
from tracechain.bundle.shown import Shown
from tracechain.checkpoint import Checkpoint, VerifierKey
from tracechain.errors import VerificationError
from tracechain.verification.findings import Code, Finding, Report, Witnessed

__all__ = ["BundleReport", "in_order"]

_PLACES = {code: place for place, code in enumerate(Code)}


def in_order(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Findings in the order of docs/format.md section 16: by index, those without one last; by code; by subject."""
    return tuple(
        sorted(findings, key=lambda one: (one.index is None, one.index or 0, _PLACES[one.code], one.subject or ""))
    )


@frozen(kw_only=True)
class BundleReport:
    """The outcome of checking a bundle. True only without findings, and if the log's key was known from outside.

    `findings` are in the order of docs/format.md section 16, as many as were asked for; `beyond` counts the others.
    `size` is the number of entries of the log, `entries`, `rows`, `statements` and `units` count what of it was
    checked. `verifier` is the key that the caller brought, None if signatures were held against the log's own word.
    `notes` say what was not checked. `log` is the report of the log itself, of a whole bundle; `shown` and `witnessed`
    are what an excerpt shows, and what witnesses say of it.
    """

    path: Path
    manifest: Manifest
    findings: tuple[Finding, ...]
    beyond: int = 0
    size: int = 0
    entries: int = 0
    rows: int = 0
    statements: int = 0
    units: int = 0
    disclosures: int = 0
    seal_notes: int = 0
    checkpoint: Checkpoint | None = None
    verifier: VerifierKey | None = None
    notes: tuple[str, ...] = field(default=())
    log: Report | None = field(default=None, repr=False)
    shown: Shown | None = None
    witnessed: Witnessed | None = None

    @property
    def kind(self) -> str:
        """`whole`, `excerpt` or `absence`."""
        return self.manifest.kind

    @property
    def clean(self) -> bool:
        """Whether nothing was found. It says nothing of authenticity where no key was brought."""
        return not self.findings and not self.beyond

    def __bool__(self) -> bool:
        return self.clean and self.verifier is not None

    @property
    def exit_code(self) -> int:
        """0 for a clean bundle of a log whose key is known, else 1."""
        return 0 if self else 1

    @property
    def codes(self) -> tuple[Code, ...]:
        """The codes found, each once, in order of appearance."""
        return tuple(dict.fromkeys(one.code for one in self.findings))

    def with_findings(self, more: Iterable[Finding]) -> BundleReport:
        """The same report with further findings, in order."""
        return evolve(self, findings=in_order((*self.findings, *more)))

    def raise_for_findings(self) -> None:
        """Raise VerificationError if anything was found."""
        if self.clean:
            return
        first = str(self.findings[0]) if self.findings else f"{self.beyond} findings"
        more = len(self.findings) - 1 + self.beyond if self.findings else 0
        raise VerificationError(f"{first}; and {more} more findings" if more else first, self.findings)
