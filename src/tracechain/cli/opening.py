"""What commands that only read are given: a ledger, or a whole bundle of one.

A bundle has no index, so its log is replayed first, whole and in memory. It is taken at its word: whether it is sound,
`tracechain verify` says.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import frozen

from tracechain.cli.output import bar

if TYPE_CHECKING:
    from tracechain.bundle.reading import ExcerptView
    from tracechain.ledger.authors import Author
    from tracechain.view import View

__all__ = ["Opened", "looks_like_bundle", "open_to_read"]


@frozen
class Opened:
    """A log that is open to be read. `authors` gives all keys that were ever authorised."""

    view: View
    authors: Callable[[], tuple[Author, ...]]


def looks_like_bundle(path: Path) -> bool:
    """Whether a path holds a bundle and no ledger: a folder with bundle.json in it, a zip file, or what is named so."""
    if path.is_dir():
        return (path / "bundle.json").exists()
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return path.suffix.lower() == ".zip" or file.read(2) == b"PK"


@contextlib.contextmanager
def open_to_read(path: Path, *, index: bool = True, excerpts: bool = False) -> Iterator[Opened]:
    """The log at a path; without `index` nothing is asked that a bundle would have to be replayed for. With `excerpts`
    nothing is asked but of histories, which an excerpt shows too: DataError for one that it does not show whole."""
    if looks_like_bundle(path):
        from tracechain.bundle.view import open_whole

        if excerpts and (shown_only := _excerpt(path)) is not None:
            with shown_only:
                yield Opened(shown_only, lambda: authors_in(shown_only))
            return
        with open_whole(path) as bundle:
            view: View = bundle
            if index:
                with bar("replaying the bundle") as shown:
                    view = bundle.replayed(shown.update)
            yield Opened(view, lambda: authors_in(bundle))
        return
    from tracechain.ledger import Ledger

    with Ledger.open(path) as opened, opened.snapshot() as snapshot:
        yield Opened(snapshot, opened.authors)


def _excerpt(path: Path) -> ExcerptView | None:
    """The excerpt at a path; None for a whole bundle."""
    from tracechain.bundle.container import open_container
    from tracechain.bundle.manifest import WHOLE_KIND, read_manifest
    from tracechain.bundle.reading import open_excerpt

    with open_container(path) as container:
        whole = read_manifest(container).kind == WHOLE_KIND
    return None if whole else open_excerpt(path)


def authors_in(view: View) -> tuple[Author, ...]:
    """All author keys that were ever authorised in a log, in order, by its own records."""
    from tracechain.entry import SALT_SIZE, EntryType
    from tracechain.ledger.authors import Author, Authors
    from tracechain.record import KeyAuthorised, KeyRevoked

    found = Authors()
    for index, header in view.headers(0, view.size):
        kind = header[4]
        if kind not in (EntryType.KEY_AUTHORISED, EntryType.KEY_REVOKED):
            continue
        content = (view.content(index) or b"")[SALT_SIZE:]
        if kind == EntryType.KEY_AUTHORISED:
            said = KeyAuthorised.decode(content)
            found = found.with_author(Author(said.key, said.label, said.scope, index))
        else:
            found = found.without(KeyRevoked.decode(content).key_hash, index)
    return found.authors
