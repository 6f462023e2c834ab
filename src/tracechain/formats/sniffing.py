"""What kind of file this is, by its first bytes: nobody should have to say it, and a wrong guess must not pass."""

from __future__ import annotations

import re
from typing import Literal, TypeAlias

from tracechain.errors import InputError
from tracechain.formats.scans import MAX_LINE

__all__ = ["HEAD", "Format", "sniff"]

Format: TypeAlias = Literal["csv", "jsonl", "epcis", "submission"]

#: Bytes that `sniff` wants to see: a line longer than a scan file may have shows in them.
HEAD = MAX_LINE + 1
_SUBMISSION = b"\x93\xb8tracechain submission v0"
_FOREIGN = {
    b"PK\x03\x04": "a ZIP archive or a spreadsheet (.xlsx): save the sheet as CSV, UTF-8",
    b"\xd0\xcf\x11\xe0": "an old spreadsheet (.xls): save the sheet as CSV, UTF-8",
    b"\x1f\x8b": "compressed (gzip): unpack it first",
    b"%PDF": "a PDF document: a scan file is CSV, JSON Lines or EPCIS 2.0 JSON",
    b"<": "XML: EPCIS is read as 2.0 JSON, not as XML",
}
_EPCIS = re.compile(rb'"(?:@context|epcisBody|schemaVersion|EPCISDocument|EPCISQueryDocument)"')


def sniff(head: bytes, where: str) -> Format:
    """The format of a file that begins with `head` (its first HEAD bytes). InputError for what is none of ours."""
    if not head:
        raise InputError(f"{where} is empty: there is nothing to read")
    if head.startswith(_SUBMISSION):
        return "submission"
    for magic, said in _FOREIGN.items():
        if head.startswith(magic):
            raise InputError(f"{where} is {said}")
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise InputError(f"{where}: byte 0 begins UTF-16 text: save the file as UTF-8")
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip(b" \t\r\n")
    if not text:
        raise InputError(f"{where} holds nothing but spaces: there is nothing to read")
    if text.startswith(b"{"):
        return "epcis" if _EPCIS.search(text) else "jsonl"
    if text.startswith(b"["):
        raise InputError(f"{where} is a JSON array: write one object a line (JSON Lines), or an EPCIS 2.0 document")
    if b"\0" in head[:4096]:
        raise InputError(f"{where} is no text (it holds a NUL byte): CSV, JSON Lines or EPCIS 2.0 JSON wanted")
    return "csv"
