"""What a ledger does about keeping and letting go: policies, prunings, erasures. A part of the class Ledger."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence

from tracechain.event import Event
from tracechain.ledger import erasing, pruning
from tracechain.ledger.erasing import Erasure, Writer
from tracechain.ledger.pruning import Pruned, Pruner
from tracechain.ledger.receipt import Receipt
from tracechain.persons import ErasurePlan
from tracechain.record import Record
from tracechain.retention.plan import Plan
from tracechain.retention.policy import Policy
from tracechain.signing import Signer
from tracechain.store import Store

__all__ = ["Retaining"]

Progress = Callable[[int, int], None]


class Retaining(ABC):
    """The methods of a Ledger by which parts of it are kept and let go."""

    _store: Store

    @abstractmethod
    def append(self, contents: Iterable[Event | Record], *, record_class: int = 0, strict: bool = False) -> Receipt:
        """Record events and records."""

    @abstractmethod
    def _need_signer(self) -> Signer: ...

    @abstractmethod
    def _writer(self) -> Writer: ...

    @abstractmethod
    def _pruner(self) -> Pruner: ...

    # ---- what nobody needs any more ----

    def retain(self, policy: Policy) -> Receipt:
        """Put a retention policy in force, from the next statement on (format.md section 5.9)."""
        return self.append([policy.record()])

    def announce(self, plan: Plan, *, name: str, reason: str, archive: bytes | None = None) -> Receipt:
        """Record what a plan lets go, so that everybody can see it before it goes (format.md section 5.10).

        `name` is its name from now on, `reason` stands in the log; `archive` is the digest (32 bytes) of an archive of
        what will go, of which the log knows no more than that it was named: `archive.check_archive` says whether it
        holds what went. Announcements may have entries in common: what one lets go, the others pass over.

        InputError where nothing goes; where the plan is not by the policy in force, where that has not stood for its
        waiting time, or demands an archive; where something came in since that may change the plan; where the name was
        used.
        """
        return pruning.announce(self._pruner(), plan, name, reason, archive)

    def prune(self, name: str, *, witnessed: Sequence[bytes] = (), progress: Progress | None = None) -> Pruned:
        """Let go what was announced under this name, and leave no byte of it in any file.

        It is planned again as of today: what came under hold, or is not due any more, is kept, and the record that it
        was done says so. `witnessed` are two cosigned notes that show how long was waited, the older first, where the
        policy measures that by witnesses; without them, two of those that `witnessed.notes` lists. `progress` is told
        entries planned, then bytes copied. InputError where nothing of that name was announced, where it is done, has
        not waited long enough, or where all of it has to stay. After a crash nothing was done, or all of it; the copy
        without it is then made when the ledger is next opened to write.
        """
        return pruning.prune(self._pruner(), name, witnessed, progress)

    # ---- persons ----

    def erase(self, plan: ErasurePlan, *, ground: str, by: str) -> Erasure:
        """Erase and withhold what a plan says (persons.plan_erasure), record it, and leave no byte of it in any file.

        `ground` (why) and `by` (who decided) stand in the log for ever, so there is no personal data in them.
        InputError for a plan of a day to come, and for one that a hold or a policy may have overtaken.
        """
        return erasing.erase(self._writer(), plan, ground, by)

    def restrict(self, keys: Iterable[bytes], *, ground: str, by: str) -> Receipt:
        """Withhold identities (by their tokens) and values (by their commitments) without erasing them, and record
        it."""
        return erasing.restrict(self._writer(), keys, ground, by)

    def reapply_erasures(self, progress: Progress | None = None) -> int:
        """Erase and withhold again what the log says was: after a vault was put back from a backup. Says how many
        records there are. Reads the whole log."""
        self._need_signer()
        with self._store.lock.held():
            return erasing.reapply(self._store, progress)
