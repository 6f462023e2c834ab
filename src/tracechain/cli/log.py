"""`tracechain log`: the entries of a ledger."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from tracechain.cli.entries import read_entry
from tracechain.cli.opening import open_to_read
from tracechain.cli.output import console, json_option, moment, plain, print_json, say
from tracechain.errors import DataError, InputError

__all__ = ["log"]


@click.command(short_help="Show entries.")
@click.argument("ledger", type=click.Path(path_type=Path))
@click.option("--from", "first", type=click.IntRange(min=0), metavar="N", help="First entry [the last --limit ones].")
@click.option("--limit", type=click.IntRange(1), default=20, show_default=True, metavar="N", help="How many entries.")
@click.option(
    "--raw", type=click.IntRange(min=0), metavar="INDEX",
    help="Write the 128 header bytes of this entry to stdout and nothing else: the leaf data of the tree.",
)  # fmt: skip
@json_option
def log(ledger: Path, first: int | None, limit: int, raw: int | None, as_json: bool) -> None:
    """Show entries, oldest first; without --from the latest ones."""

    with open_to_read(ledger, index=False) as opened:
        snapshot = opened.view
        size = snapshot.size
        for index in (raw, first):
            if index is not None and index >= size:
                raise InputError(f"there is no entry {index}: the ledger has {size} entries, from 0")
        if raw is not None:
            data = snapshot.header(raw)
            if data is None:
                raise DataError(f"entry {raw}: its header is missing; run `tracechain verify`")
            if as_json:
                print_json({"index": raw, "header": data.hex()})
            else:
                sys.stdout.buffer.write(data)
            return
        start = max(0, size - limit) if first is None else first
        stop = min(size, start + limit)
        authors = {author.key.id: author.label for author in opened.authors()}
        entries = [(index, read_entry(snapshot, index)) for index in range(start, stop)]
    if as_json:
        rows = [{"index": i, "fault": "header missing"} if e is None else e.as_json(authors) for i, e in entries]
        print_json({"ledger": str(ledger), "size": size, "entries": rows})
        return
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column("entry", justify="right", style="cyan", no_wrap=True)
    table.add_column("received", no_wrap=True, style="dim")
    table.add_column("author", no_wrap=True, max_width=16, style="dim")
    table.add_column("what", no_wrap=True, style="bold")
    table.add_column("", overflow="fold")
    for index, entry in entries:
        if entry is None:
            table.add_row(f"{index:,}", "", "", Text("missing", "red"), "its header is not there")
            continue
        header = entry.header
        received = "" if header is None else moment(header.time).removesuffix(" +08:00")
        author = "" if header is None else plain(authors.get(header.author, ""))
        name = Text(entry.name, "red" if entry.fault else "")
        table.add_row(f"{index:,}", received, author, name, entry.line or plain(entry.fault or ""))
    console().print(table)
    say(f"{size:,} entries; received is Beijing time (+08:00)", "dim")
