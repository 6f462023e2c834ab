"""Results of the stand-alone script as it fills them: clean, with findings, unreadable, and hostile in every text."""

from __future__ import annotations

import base64
import copy
import hashlib
from typing import Any

__all__ = ["HOSTILE", "absence", "bad", "clean", "excerpt", "hostile", "unreadable", "without_key"]

MADE = 1_795_150_000_000
DAY = 86_400_000
HOSTILE = (
    "</style><script>document.title='owned'</script>",
    "<img src=x onerror=\"document.title='owned'\">",
    "'\"><svg onload=document.title='owned'>",
    "\u202egnp.exe\u202c \u2066hidden\u2069",
    "line\u2028separator\u2029and\x1b[31m red\x07\x00\r\n",
    "\ud800 lone, zero\u200bwidth, \ufeff mark, e" + "\u0301" * 40,
    "<!-- <![CDATA[ ]]> --> &lt;b&gt; &amp;amp; %s {0}",
    "very long " * 400,
)


def digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


def b64(text: str) -> str:
    return base64.b64encode(digest(text)).decode()


def note(size: int, witnesses: int = 2) -> str:
    lines = ["bonded.example.cn/pilot", str(size), b64("root"), ""]
    lines.append(f"— bonded.example.cn/pilot {base64.b64encode(b'abcd' + digest('s') * 2).decode()}")
    names = ("nmpa.example.cn/w1", "gacc.example.cn/w1", "bda.example.cn/w1", "samr.example.cn/w1")[:witnesses]
    lines += [f"— {one} {base64.b64encode(b'abcd' + bytes(8) + digest(one) * 2).decode()}" for one in names]
    return "\n".join(lines) + "\n"


def steps(behind: int = 0) -> list[dict[str, Any]]:
    warehouse = "414/9521150000017/254/3"
    told: list[tuple[int, int, int, str | None, list[int], str]] = [
        (4 + 256 * 10408, 1 | 10408 << 9, 0, "414/9521234000013", [], "example.com/maker"),
        (5, 3 | 10408 << 9, 1, "414/9521234000013", [], "example.com/maker"),
        (6, 4 | 10408 << 9, 9, warehouse, [], "bonded.example.cn/warehouse-2"),
        (7, 5 | 10408 << 9, 12, None, [], "shop.example.cn/orders"),
        (7, 5 | 1 << 8 | 10408 << 9, 12, None, [], "shop.example.cn/orders"),
        (9, 6 | 10408 << 9, 12, warehouse, [], "customs.example.cn/gate"),
        (10, 8 | 10408 << 9, 12, warehouse, [], "shop.example.cn/orders"),
        (10, 8 | 10408 << 9, 14, warehouse, [6], "shop.example.cn/orders"),
        (12, 9 | 10408 << 9, 15, None, [], "sf.example.cn/courier"),
    ]
    found = []
    for number, (act, state, day, place, broken, author) in enumerate(told):
        received = MADE - 40 * DAY + day * DAY + number * 3_600_000
        found.append(
            {"index": 1204 + 911 * number, "received": received, "claimed": (received - 120_000) * 10**6, "offset": 480,
             "class": 3, "rules": 2, "pack": True, "act": act, "state": state, "violations": broken, "step": None,
             "place": place, "parent": "00/095212340000000013" if number == 1 else None, "author": author,
             "gone": number == 0, "behind": number >= len(told) - behind, "findings": []}
        )  # fmt: skip
    return found


def timeline(code: str, complete: bool | None = True, behind: int = 0) -> dict[str, Any]:
    return {
        "subject": f"01/09521234001072/21/{code}", "complete": complete, "size": 10_250, "received": MADE - 2 * DAY,
        "left_out": 0, "steps": steps(behind),
    }  # fmt: skip


def clean() -> dict[str, Any]:
    """A whole bundle with everything a ledger can have, in which nothing was found."""
    size = 12_480
    return copy.deepcopy({
        "format": "tracechain verification v0",
        "script": {"sha256": digest("script").hex(), "python": "3.9.18"},
        "command": ["pilot-whole.zip", "--key", "pilot.vkey"],
        "made": MADE, "seconds": 3.24, "now": None, "verdict": "clean", "exit": 0, "error": None,
        "bundle": {"path": "/evidence/pilot-whole.zip", "kind": "whole", "asked": ["the whole log"],
                   "exported": MADE - DAY, "files": 311, "bytes": 7_340_032},
        "key": {"given": True, "vkey": f"bonded.example.cn/pilot+61626364+{b64('vkey')}", "stands": True},
        "checkpoint": {
            "note": note(size), "origin": "bonded.example.cn/pilot", "size": size, "root": b64("root"),
            "signatures": [
                {"name": "bonded.example.cn/pilot", "key_id": "61626364", "role": "log", "time": None, "stands": True},
                {"name": "nmpa.example.cn/w1", "key_id": "0a0b0c0d", "role": "witness", "time": MADE // 1000 - 80_000,
                 "stands": True},
                {"name": "gacc.example.cn/w1", "key_id": "1a1b1c1d", "role": "unknown", "time": None, "stands": None},
            ],
        },
        "ledger": {"id": digest("ledger").hex(), "origin": "bonded.example.cn/pilot", "created": MADE - 200 * DAY,
                   "first": MADE - 200 * DAY, "last": MADE - DAY},
        "since": {"size": 9_800, "root": b64("older"), "stands": True},
        "counts": {"entries": size, "events": 11_020, "records": 214, "statements": 1_221, "authors": 5,
                   "signatures": 1_260, "rows": 38_411, "subjects": 6_120, "links": 32_291, "contents": 12_180,
                   "contents_pruned": 300,
                   "rows_pruned": 120, "believed": 118, "seals": 3, "cosignatures": 9, "prunings": 2, "violations": 7,
                   "tiles": 50, "something_new": 4},
        "checked": [],
        "not_checked": [
            {"en": "Whether the rules were applied rightly: the acts and states agree with each other, but registers, "
                   "buyers and dates were not judged again. `tracechain replay` does that.",
             "zh": "规则是否适用正确：步骤与状态相互一致，但登记册、购买者和日期未重新判定。"
                   "可用 `tracechain replay` 判定。"},
            {"en": "What the 300 pruned contents stated: they are gone by rule, and only their fingerprints remain.",
             "zh": "已清理的 300 个内容所陈述之事：内容已依规清除，仅存指纹。"},
        ],
        "notes": [
            {"en": "Entries 12,100 to 12,479 are not witnessed yet.", "zh": "条目 12,100 至 12,479 尚未经见证。"},
        ],
        "findings": [], "beyond": 0, "by_code": {},
        "witnesses": {
            "policy": {"names": ["nmpa.example.cn/w1", "gacc.example.cn/w1", "bda.example.cn/w1", "samr.example.cn/w1"],
                       "text": "3 of 4"},
            "sufficient": True,
            "notes": [{"size": at, "by": (MADE - ago * DAY) // 1000, "from": (MADE - ago * DAY) // 1000 - 240,
                       "names": ["nmpa.example.cn/w1", "gacc.example.cn/w1", "bda.example.cn/w1"]}
                      for at, ago in ((2_000, 150), (5_400, 90), (9_800, 30), (12_100, 2))],
            "brackets": [
                {"start": start, "stop": stop, "from": None if begun is None else (MADE - begun * DAY) // 1000 - 240,
                 "by": None if ago is None else (MADE - ago * DAY) // 1000}
                for start, stop, begun, ago in
                ((0, 2_000, None, 150), (2_000, 5_400, 150, 90), (5_400, 9_800, 90, 30), (9_800, 12_100, 30, 2),
                 (12_100, size, 2, None))],
            "covered": 12_100, "early": 0,
        },
        "seals": [
            {"index": at + 2, "received": MADE - ago * DAY, "size": at, "ids": ids, "map_root": b64(f"map {at}"),
             "worked_out": worked,
             "auditors": [{"name": "audit.example.cn/2026", "stands": True}] if at > 9_000 else []}
            for at, ago, ids, worked in
            ((2_100, 149, 1_020, None), (6_000, 80, 3_300, True), (10_250, 25, 5_871, True))],
        "keys": {
            "log": {"name": "bonded.example.cn/pilot", "hash": digest("log").hex()}, "roots": [digest("r").hex()],
            "authors": [
                {"hash": digest(label).hex(), "label": label, "scope": scope, "authorised": at,
                 "authorised_ms": MADE - ago * DAY, "revoked": 9_111 if ended else None,
                 "revoked_ms": MADE - 33 * DAY if ended else None,
                 "reason": "the scanner was lost on the way" if ended else None, "statements": 200 + at,
                 "entries": 4_000 + at}
                for label, scope, at, ago, ended in (
                    ("bonded.example.cn/warehouse-2", ["event"], 1, 200, False),
                    ("shop.example.cn/orders", ["event"], 2, 199, False),
                    ("sf.example.cn/courier", ["event"], 3, 180, True),
                    ("sf.example.cn/courier-2", ["event"], 9_112, 33, False),
                    ("bonded.example.cn/quality", None, 4, 170, False),
                )],
        },
        "epochs": [{"index": 7_020, "received": MADE - 61 * DAY, "epoch": 1, "start": 7_020, "stop": 7_033,
                    "reason": "disk of the warehouse server replaced; backup of 03:00 put back", "settled": 7_240}],
        "prunings": [
            {"name": "2031-q1", "intent": 8_800, "intent_ms": MADE - 40 * DAY, "done": 9_900, "done_ms": MADE - 8 * DAY,
             "as_of": 20_700, "policy": 12, "policy_name": "beijing-pilot", "contents": 300, "rows": 0,
             "reason": "kept as long as S1 VII demands", "archive": digest("archive").hex(), "lawful": True},
            {"name": "2031-q2", "intent": 12_010, "intent_ms": MADE - 5 * DAY, "done": None, "done_ms": None,
             "as_of": 20_760, "policy": 12, "policy_name": "beijing-pilot", "contents": 150, "rows": 80,
             "reason": "kept as long as S1 VII demands", "archive": None, "lawful": None}],
        "absences": [], "disclosures": [], "timelines": [],
    })  # fmt: skip


def bad() -> dict[str, Any]:
    """A whole bundle in which several things were found."""
    result = clean()
    result["verdict"], result["exit"] = "findings", 1
    unit = "01/09521234001072/21/BJ0001"
    result["findings"] = [
        {"code": "CONTENT_COMMITMENT", "index": 3_026, "subject": None,
         "en": "The content of this entry is not what its header commits to: it was changed after it was signed.",
         "zh": "该条目的内容与其条目头所承诺的不一致：签名之后被改动。"},
        {"code": "ROW_LINK", "index": 4_848, "subject": unit,
         "en": "The row names entry 3,937 as the one before; the last one of this unit that was met is entry 3,026.",
         "zh": "该行称上一条目为 3,937，而此前遇到的该单元最后一个条目为 3,026。"},
        {"code": "PRUNE_EARLY", "index": 5_001, "subject": None,
         "en": "The content went on 2026-11-12 and had to be kept until 2031-12-31.",
         "zh": "该内容于 2026-11-12 被清除，而应保存至 2031-12-31。"},
        {"code": "TREE_ROOT", "index": None, "subject": None,
         "en": "The root of the 12,480 headers is not the root in the checkpoint.",
         "zh": "12,480 个条目头的树根不是检查点中的树根。"},
    ]  # fmt: skip
    result["beyond"] = 17
    result["by_code"] = {"CONTENT_COMMITMENT": 1, "ROW_LINK": 18, "PRUNE_EARLY": 1, "TREE_ROOT": 1}
    one = timeline("BJ0001", complete=False)
    one["size"] = 12_480
    one["steps"][4]["findings"] = ["ROW_LINK"]
    one["steps"][2]["findings"] = ["CONTENT_COMMITMENT"]
    result["timelines"] = [one]
    result["prunings"][0]["lawful"] = False
    result["epochs"][0]["settled"] = None
    return result


def excerpt() -> dict[str, Any]:
    """An excerpt of two units, with a disclosed value, an auditor's seal and no witness policy."""
    result = clean()
    units = ["unit (01)09521234001072(21)BJ0001", "unit (01)09521234001072(21)BJ0002"]
    result["bundle"] |= {"path": "units.zip", "kind": "excerpt", "asked": units}
    result["witnesses"] = None
    result["since"] = None
    result["counts"] = {"entries": 31, "proofs": 31, "signatures": 44, "links": 17, "histories": 2, "disclosures": 1}
    result["timelines"] = [timeline("BJ0001", behind=2), timeline("BJ0002")]
    result["disclosures"] = [{"index": 3_026, "name": "recipient.phone", "value": "139 0000 0000", "stands": True}]
    result["prunings"], result["epochs"], result["notes"] = [], [], []
    result["seals"] = result["seals"][-1:]
    result["seals"][0]["worked_out"] = None
    return result


def absence() -> dict[str, Any]:
    result = excerpt()
    result["bundle"] |= {
        "path": "absent",
        "kind": "absence",
        "asked": ["absent (01)09521234001072(21)BJ9999"],
        "bytes": None,
    }
    result["timelines"], result["disclosures"] = [], []
    result["counts"] = {"entries": 9, "proofs": 9, "signatures": 20, "absences": 2}
    result["absences"] = [
        {"code": "01/09521234001072/21/BJ9998", "before": "01/09521234001072/21/BJ0812", "after":
         "01/09521234001089/21/BJ0001", "stands": True},
        {"code": "nmpa/81234500000000000019", "before": "nmpa/81234500000000000017", "after": None, "stands": True},
    ]  # fmt: skip
    return result


def without_key() -> dict[str, Any]:
    result = clean()
    result["exit"], result["witnesses"] = 1, None
    result["key"] = {"given": False, "vkey": result["key"]["vkey"], "stands": True}
    return result


def unreadable() -> dict[str, Any]:
    """Nothing but why it could not be read: all else is empty, as it is when the container is refused."""
    empty: dict[str, Any] = dict.fromkeys(clean())
    return empty | {
        "format": "tracechain verification v0", "script": {"sha256": digest("script").hex(), "python": "3.13.1"},
        "made": MADE, "seconds": 0.1, "verdict": "unreadable", "exit": 2,
        "error": {"en": "bundle.zip has a name with .. in it: such a file is not opened.",
                  "zh": "bundle.zip 中有含 .. 的名称：此类文件不予打开。"},
        "bundle": {"path": "bundle.zip", "kind": None, "asked": [], "exported": None},
        "key": {"given": True, "vkey": "x", "stands": None}, "counts": {}, "not_checked": [],
        "findings": [], "beyond": 0,
        "by_code": {},
    }  # fmt: skip


def hostile() -> dict[str, Any]:
    """Every text of a result that comes from a bundle, taken from HOSTILE."""
    told = iter(HOSTILE * 200)

    def poison(value: Any, key: str = "") -> Any:
        if isinstance(value, dict):
            return {name: poison(one, name) for name, one in value.items()}
        if isinstance(value, list):
            return [poison(one, key) for one in value]
        fixed = ("verdict", "kind", "role", "format", "code")
        return next(told) if isinstance(value, str) and key not in fixed else value

    result: dict[str, Any] = poison(
        bad() | {"absences": absence()["absences"], "disclosures": excerpt()["disclosures"]}
    )
    result["verdict"] = "findings"
    for one in result["absences"]:
        one["code"] = next(told)
    result["findings"].append(
        {"code": HOSTILE[0], "index": None, "subject": HOSTILE[1], "en": HOSTILE[2], "zh": HOSTILE[3]}
    )
    result["counts"][HOSTILE[0]] = 1
    return result
