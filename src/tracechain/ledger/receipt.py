"""What a submitter gets when its statement is durable."""

from __future__ import annotations

from attrs import field, frozen

__all__ = ["Receipt", "Violated"]


@frozen
class Violated:
    """A rule that an accepted event broke: kept as evidence with the entry, custody unchanged."""

    index: int
    subject: str
    code: int
    name: str


@frozen
class Receipt:
    """Entries `first` to `first + count - 1` hold the submission, under `checkpoint`; `statement` covers them.

    `repeated` says that the very statement was in the log already. `Ledger.prove(index)` gives the tlog-proof of any
    entry of it.
    """

    first: int
    count: int
    statement: int
    time: int
    checkpoint: str = field(repr=False)
    repeated: bool = False
    violations: tuple[Violated, ...] = ()

    @property
    def indices(self) -> range:
        """The indices of the entries."""
        return range(self.first, self.first + self.count)
