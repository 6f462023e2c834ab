"""What waits for a commit, and how a commit takes it: neighbours together where one statement can cover them."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from attrs import frozen

from tracechain.errors import DataError, KeyUseError, StorageError, TracechainError
from tracechain.ledger.commit import Batch, Commit, Outcome
from tracechain.ledger.groups import Request
from tracechain.ledger.receipt import Receipt
from tracechain.registers import KINDS
from tracechain.signing import Signer
from tracechain.statement import MAX_COUNT, Submission

__all__ = ["Append", "Job", "Submit", "run_jobs", "runs"]


@frozen
class Append:
    """Events and records of the ledger's own author."""

    batch: Batch
    strict: bool


@frozen
class Submit:
    """A station's submission, its contents checked against its statement."""

    submission: Submission
    batch: Batch
    strict: bool


Own = Callable[[Commit], Outcome]
Job = Append | Submit | Own


def runs(requests: list[Request[Job, Receipt]]) -> Iterator[list[Request[Job, Receipt]]]:
    """Neighbouring appends that are not strict and change no register go under one statement, as far as one can cover
    them; all else by itself."""
    run: list[Request[Job, Receipt]] = []
    count = 0
    for request in requests:
        own = 0
        if isinstance(request.job, Append) and not request.job.strict and request.job.batch.kinds.isdisjoint(KINDS):
            own = len(request.job.batch.parts)
        if run and not 0 < own <= MAX_COUNT - count:
            yield run
            run, count = [], 0
        if own:
            run.append(request)
            count += own
        else:
            yield [request]
    if run:
        yield run


def run_jobs(
    path: str,
    commit: Commit,
    author: Signer | None,
    run: list[Request[Job, Receipt]],
    done: list[tuple[Request[Job, Receipt], Outcome]],
) -> None:
    """Run neighbouring jobs that go under one statement. What a job is refused for is its own affair.

    It is refused before it has sealed anything; an error after that, such as a damaged record that a row leads to,
    ends the whole commit, for otherwise half a statement would be signed.
    """
    start = commit.sealing.size
    try:
        match run[0].job:
            case Append(batch, strict):
                assert author is not None
                standing = [r for r in run if _in_scope(commit, r, author)]
                if not standing:
                    return
                run = standing
                commit.check_registers(batch)
                if strict:
                    commit.check_clock()
                    commit.check_strict(batch, author.public_key.hash[:8])
                batches = [r.job.batch for r in run if isinstance(r.job, Append)]
                done.extend(zip(run, commit.append(batches, author), strict=True))
            case Submit(submission, batch, strict):
                done.append((run[0], commit.submit(submission, batch, strict=strict)))
            case job:
                done.append((run[0], job(commit)))
    except LookupError as error:
        raise DataError(f"{path}: its unit index is damaged ({error!r}); run `tracechain reindex`") from error
    except TracechainError as error:
        if isinstance(error, StorageError) or commit.sealing.size != start:
            raise
        for request in run:
            request.error = error


def _in_scope(commit: Commit, request: Request[Job, Receipt], author: Signer) -> bool:
    """Whether the ledger's own author may write what the request holds; refused by itself where not."""
    assert isinstance(request.job, Append)
    try:
        commit.check_scope(author.public_key.hash, request.job.batch.kinds)
    except KeyUseError as error:
        request.error = error
        return False
    return True
