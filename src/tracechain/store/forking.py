"""What a forked child must let go of at once.

LMDB's environments, transactions and locks belong to the process that opened them. Closing an inherited environment in
the child would wipe the parent's readers from the shared table, and an inherited writer.lock would stay locked for as
long as the child lives should the parent die. py-lmdb's destructors know in a child that nothing is theirs; so the
child drops every reference right after the fork, and may then open the ledger for itself.
"""

from __future__ import annotations

import os
import weakref
from typing import Protocol

__all__ = ["forget_in_child"]


class _Holder(Protocol):
    def forget(self) -> None:
        """Drop what belongs to the parent without touching it."""


_holders: weakref.WeakSet[_Holder] = weakref.WeakSet()


def forget_in_child(holder: _Holder) -> None:
    """Call `holder.forget()` in every child that is forked while the holder exists."""
    _holders.add(holder)


def _forget() -> None:
    for holder in list(_holders):
        holder.forget()


if hasattr(os, "register_at_fork"):  # POSIX only, as fork is
    os.register_at_fork(after_in_child=_forget)
