"""What lies beside the data in every bundle: what it says of itself, a word to who opens it, and the script.

Neither README.txt nor the script proves anything: they come from the audited party like all the rest, and say so.
"""

from __future__ import annotations

from importlib.resources import files
from typing import Final

from tracechain.bundle.container import Writer
from tracechain.bundle.manifest import ABSENCE_KIND, EXCERPT_KIND, FORMAT, WHOLE_KIND, Manifest
from tracechain.bundle.names import MANIFEST, README, SCRIPT

__all__ = ["put_beside", "readme", "script"]

_PACKAGE: Final = __name__.partition(".")[0]

_WHAT: Final = {
    WHOLE_KIND: ("整本账本：全部条目。", "the whole ledger: all of its entries."),
    EXCERPT_KIND: ("账本摘录：所选条目及其证明。", "an excerpt from a ledger: chosen entries, with their proofs."),
    ABSENCE_KIND: (
        "不存在证明：所列代码从未记入账本。其中出现相邻的有效代码，仅供监管机关使用。",
        "proof that codes were never in the ledger. It names neighbouring valid codes: for regulators only.",
    ),
}

_README: Final = """\
追溯链账本数据包（{format}，{kind}）
{zh}

如何核验（只需 Python 3.9 或更高版本，无需联网）：

    python -I verify_bundle.py 本数据包 --key 账本公钥

请勿使用随本数据包附带的 verify_bundle.py，它与数据来自同一方。请从监管机关或 tracechain 的发布渠道取得脚本，
核对其 SHA-256，并使用您自己保存的账本公钥、见证人公钥和以前的检查点（--since）。
退出码：0 无异常，1 有异常或未核验真实性，2 无法读取。

----

A bundle of a tracechain ledger ({format}, {kind}):
{en}

How to check it (Python 3.9 or later is all it takes, no network):

    python -I verify_bundle.py THIS_BUNDLE --key VKEY

Do not run the verify_bundle.py that lies here: it comes from the same hands as the data. Get the script from your
authority or from tracechain's releases, compare its SHA-256, and bring the ledger's key, the witnesses' keys and the
checkpoint that you kept last time (--since) yourself.
Exit code: 0 clean, 1 findings or authenticity not checked, 2 unreadable.
"""


def readme(manifest: Manifest) -> str:
    """README.txt, in Chinese and in English."""
    zh, en = _WHAT[manifest.kind]
    return _README.format(format=FORMAT, kind=manifest.kind, zh=zh, en=en)


def script() -> bytes | None:
    """verify_bundle.py as it is installed; None where it is not."""
    found = files(_PACKAGE).joinpath(SCRIPT)
    return found.read_bytes() if found.is_file() else None


def put_beside(writer: Writer, manifest: Manifest) -> None:
    """Write bundle.json, README.txt and the script."""
    writer.put(MANIFEST, manifest.encode())
    writer.put(README, readme(manifest).encode())
    found = script()
    if found is not None:
        writer.put(SCRIPT, found)
