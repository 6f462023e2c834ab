"""Group commit: submissions from many threads share one durable commit, each gets its own outcome.

No thread of its own: the first thread to come leads, takes everything that is queued, commits it, and hands the lead to
the first of those who queued meanwhile.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

from tracechain.errors import StorageError

__all__ = ["GroupCommit", "Request"]

T = TypeVar("T")
R = TypeVar("R")

# A group as large as the last one is worth this short wait: threads that were just answered are about to come again.
_GATHER_SECONDS = 0.002
# It ends when so many turns of the scheduler brought nobody.
_GATHER_YIELDS = 50


class Request(Generic[T, R]):
    """One submission in the queue: `result` or `error` is set when `done`."""

    __slots__ = ("done", "error", "job", "leads", "result", "wake")

    def __init__(self, job: T) -> None:
        self.job = job
        self.result: R | None = None
        self.error: BaseException | None = None
        self.done = False
        self.leads = False
        self.wake = threading.Lock()
        self.wake.acquire()


class GroupCommit(Generic[T, R]):
    """Runs `commit(requests)` for groups of requests; `commit` sets result or error on each of them.

    What `commit` raises is raised to each submitter whose request it left without a result. A thread that is
    interrupted (Ctrl-C, a signal handler that raises) while it waits or leads takes nobody with it.
    """

    def __init__(self, commit: Callable[[list[Request[T, R]]], None], most: int = 1024) -> None:
        self._commit = commit
        self._most = most
        self._mutex = threading.Lock()
        self._queue: list[Request[T, R]] = []
        self._led = False
        self._last_group = 1

    def submit(self, job: T) -> R:
        """Queue a job, have it committed by this thread or another, and return or raise its outcome."""
        request: Request[T, R] = Request(job)
        with self._mutex:
            self._queue.append(request)
            request.leads = not self._led
            self._led = True
        try:
            if not request.leads:
                request.wake.acquire()
            if not request.done:
                self._gather()
                self._lead(request)
        except BaseException:
            self._leave(request)
            raise
        if request.error is not None:
            raise request.error
        assert request.result is not None
        return request.result

    def _lead(self, own: Request[T, R]) -> None:
        with self._mutex:
            group, self._queue = self._queue[: self._most], self._queue[self._most :]
        try:
            self._commit(group)
        except Exception as error:  # noqa: BLE001  # it is raised again, to each whom it concerns
            for request in group:
                if request.result is None and request.error is None:
                    request.error = error
        except BaseException as error:
            # Meant for this thread alone: the others must not take it for a Ctrl-C of their own.
            for request in group:
                if request.result is None and request.error is None:
                    request.error = StorageError(
                        f"the thread that was committing this was stopped ({type(error).__name__}): whether it was"
                        " written is unknown; read the ledger again before it is sent again"
                    )
            raise
        finally:
            self._last_group = len(group)
            for request in group:
                request.done = True
                if request is not own:
                    request.wake.release()
            self._leave(own)

    def _leave(self, own: Request[T, R]) -> None:
        """Take a request out, if it is still waiting, and give the lead on, if it has it."""
        with self._mutex:
            if own in self._queue:
                self._queue.remove(own)
            if not own.leads:
                return
            own.leads = False
            successor = self._queue[0] if self._queue else None
            self._led = successor is not None
            if successor is not None:
                successor.leads = True
                successor.wake.release()

    def _gather(self) -> None:
        """Wait a moment while a group is still coming together. A lone thread never waits."""
        if self._last_group <= 1 and len(self._queue) <= 1:
            return
        deadline = time.perf_counter() + _GATHER_SECONDS
        waiting, still = len(self._queue), 0
        while waiting < self._last_group and still < _GATHER_YIELDS and time.perf_counter() < deadline:
            os.sched_yield()  # gives the interpreter lock to those who are coming; a sleep would be too long
            now = len(self._queue)
            still = still + 1 if now == waiting else 0
            waiting = now
