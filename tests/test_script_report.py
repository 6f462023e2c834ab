"""What the stand-alone script says: on a terminal, as JSON, as a page, and in a QR code."""

from __future__ import annotations

import base64
import io
import json
import random
import re
import shutil
import subprocess
import unicodedata
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import qr_reading
import script_results as results
from tracechain import identifiers
from tracechain import verify_bundle as script
from tracechain.custody import Act, Custody, Flag, Violation
from tracechain.report.catalogue import violation
from tracechain.report.escaping import visible

ROOT = Path(__file__).resolve().parents[1]
FORMAT = (ROOT / "docs" / "format.md").read_text("utf-8")
ALL: dict[str, Callable[[], dict[str, Any]]] = {
    "clean": results.clean, "bad": results.bad, "excerpt": results.excerpt, "absence": results.absence,
    "without a key": results.without_key, "unreadable": results.unreadable, "hostile": results.hostile,
}  # fmt: skip
CHINESE = re.compile("[\u4e00-\u9fff]")
every_result = pytest.mark.parametrize("name", ALL)
both_languages = pytest.mark.parametrize("lang", ["zh", "en"])


# ---- words -------------------------------------------------------------------------------------


def test_every_code_of_the_format_has_words_in_its_order() -> None:
    section = FORMAT.partition("\n## 16. Findings\n")[2]
    codes = re.findall(r"`([A-Z][A-Z_]+)`", section.partition("The codes, in order:")[2])
    assert list(script._REPORT_CODES) == codes


def test_the_script_has_one_chinese_word_for_each_thing() -> None:
    """Those of the other pages; parts of the script were written apart."""
    text = Path(script.__file__).read_text("utf-8")
    for word in ("见证者", "会签", "封印", "验证密钥", "审计者", "经历", "核验包", "策略", "摘录"):
        assert word not in text
    assert text.count("撤销") == text.count("撤销发运") == 1  # what is done to keys is 吊销


def test_every_code_points_at_something() -> None:
    vague = [code for code in script._REPORT_CODES if script._report_meaning(code) == script._REPORT_MEANING_OTHER]
    assert set(vague) == {
        "ENTRY_MISSING", "ENTRY_DUPLICATED", "ENTRY_ORDER", "HEADER_MALFORMED", "HEADER_COUNTS", "GENESIS", "INDEX",
    }  # fmt: skip


def test_violations_are_those_of_the_library_in_its_words() -> None:
    assert sorted(script._REPORT_VIOLATIONS) == sorted(Violation)
    for one in Violation:
        assert script.report_violation(one) == (one.name, *violation(one))


def test_acts_states_and_business_steps_are_those_of_the_format() -> None:
    assert len(script._REPORT_ACTS) == len(Act)
    assert len(script._REPORT_CUSTODY) == len(Custody)
    assert [1 << at for at in range(4, 4 + len(script._REPORT_FLAGS))] == list(Flag)
    listed = re.findall(r"\d+ `(\w+)`", FORMAT.partition("**Business steps**: ")[2].partition("\n")[0])
    assert list(script._REPORT_STEPS_ENGLISH) == listed
    assert len(script._REPORT_STEPS) == len(listed)


def test_words_are_there_in_both_languages() -> None:
    tables: list[tuple[str, str]] = [
        *script._REPORT_ACTS, *script._REPORT_CUSTODY, *script._REPORT_FLAGS, *script._REPORT_PLAIN_STATES,
        *script._REPORT_CODES.values(), *script._REPORT_COUNTS.values(), *script._REPORT_KINDS.values(),
        *(words for _, words in script._REPORT_MEANINGS),
        *((en, zh) for _, en, zh in script._REPORT_VIOLATIONS.values()),
        *zip(script._REPORT_STEPS_ENGLISH, script._REPORT_STEPS, strict=True),
    ]  # fmt: skip
    for english, chinese in tables:
        assert english.isascii()
        assert CHINESE.search(chinese), chinese


@pytest.mark.parametrize(
    ("state", "english", "chinese"),
    [
        (0, "not commissioned", "无记录"),
        (8, "sold", "已售"),
        (4 | 1 << 4 | 1 << 5, "bonded, held, recalled", "保税在库、扣留、召回"),
        (5 | 1 << 8 | 10_408 << 9, "ordered, paid, expires 2028-06-30", "已下单、已支付、有效期至 2028-06-30"),
        (13, "custody 13", "状态 13"),
    ],
)
def test_states_of_packs_are_told_in_words(state: int, english: str, chinese: str) -> None:
    assert script.report_state(True, state) == (english, chinese)


def test_acts_are_told_by_rule_set_and_subject() -> None:
    assert script.report_act(2, True, 4 + 256 * 10_408)[0] == "commissioned"
    assert script.report_act(1, True, 1) == ("ended", "终止")
    assert script.report_act(2, False, 7) == ("act 7", "步骤 7")
    assert script.report_act(2, True, 99)[0] == "act 99"


# ---- texts of the bundle -----------------------------------------------------------------------


@given(st.text())
def test_what_is_shown_steers_nothing_and_is_what_the_library_shows(text: str) -> None:
    shown = script.report_visible(text)
    assert not {unicodedata.category(one) for one in shown} & {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
    assert shown == visible(text)
    shown.encode()


@pytest.mark.parametrize(
    "subject",
    [
        "01/09521234001072/21/BJ0001", "01/09521234001072/10/LOT-A7", "00/095212340000000013",
        "414/9521234000013/254/17",
        "01/09521234001072/21/a%2Fb%28c", "nmpa/81234500000000000019", "urn:tracechain:seal", "https://example.com/a/b",
    ],
)  # fmt: skip
def test_ids_are_read_as_the_library_reads_them(subject: str) -> None:
    assert script.report_human(subject) == identifiers.format_human(subject)


@given(st.text(max_size=600))
def test_any_text_may_stand_for_an_id(text: str) -> None:
    assert len(script.report_human(text)) <= 600 * 10


@given(st.integers(-(2**63), 2**64 - 1))
def test_any_number_may_stand_for_a_time(number: int) -> None:
    for shown in (script.report_time(number), script._report_claimed(number, 330), script.report_day(number)):
        assert shown.isprintable()


@given(st.integers(0, 29_000_000_000))
def test_times_are_those_of_beijing(seconds: int) -> None:
    ms = seconds * 1000 + 999
    local = datetime.fromtimestamp(ms // 1000, timezone(timedelta(hours=8)))
    assert script.report_time(ms) == local.strftime("%Y-%m-%d %H:%M:%S +08:00")


# ---- QR code -----------------------------------------------------------------------------------


@pytest.mark.parametrize("version", range(1, 41))
def test_a_qr_code_of_each_version_is_the_standard_s(version: int) -> None:
    most = qr_reading.CAPACITY[version - 1]
    data = bytes(random.Random(version).choices(range(32, 127), k=most))
    modules = script.report_qr(data)
    assert len(modules) == 4 * version + 17
    assert qr_reading.read(modules) == (data, None)


def test_one_byte_more_takes_the_next_version_and_none_is_over_forty() -> None:
    for version in (1, 9, 10, 26, 39):
        assert len(script.report_qr(bytes(qr_reading.CAPACITY[version - 1] + 1))) == 4 * version + 21
    with pytest.raises(ValueError, match="do not fit"):
        script.report_qr(bytes(2332))


@given(st.binary(max_size=120))
def test_any_bytes_come_out_of_a_qr_code(data: bytes) -> None:
    found, designator = qr_reading.read(script.report_qr(data))
    assert found == data
    assert designator == (None if data.isascii() else 26)


def test_the_reader_of_the_tests_finds_one_wrong_module() -> None:
    """Otherwise the tests above could not fail."""
    modules = script.report_qr(b"tracechain")
    for row in range(len(modules)):
        for column in range(len(modules)):
            changed = [list(one) for one in modules]
            changed[row][column] = not changed[row][column]
            with pytest.raises(AssertionError):
                assert qr_reading.read(changed) == (b"tracechain", None)


def picture(modules: list[list[bool]], scale: int = 4) -> bytes:
    """As a PGM with the quiet zone."""
    side = (len(modules) + 8) * scale
    blank = [False] * (len(modules) + 8)
    rows = [blank] * 4 + [[False] * 4 + one + [False] * 4 for one in modules] + [blank] * 4
    lines = [b"".join((b"\x00" if dark else b"\xff") * scale for dark in row) * scale for row in rows]
    return b"P5 %d %d 255\n" % (side, side) + b"".join(lines)


@pytest.mark.skipif(shutil.which("zbarimg") is None, reason="no zbarimg here: apt-get install zbar-tools")
@pytest.mark.parametrize("version", [1, 2, 6, 7, 9, 10, 21, 32, 40])
def test_an_independent_reader_reads_the_qr_codes(version: int, tmp_path: Path) -> None:
    most = qr_reading.CAPACITY[version - 1]
    text = "— 检查点 —"[: most // 4].encode() + b"x" * (most // 2)
    (tmp_path / "code.pgm").write_bytes(picture(script.report_qr(text)))
    found = subprocess.run(
        ["zbarimg", "--raw", "--quiet", "-Sbinary", tmp_path / "code.pgm"], check=True, capture_output=True
    )
    assert found.stdout == text


# ---- verdict -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "kind", "english", "answers"),
    [
        ("clean", "good", "VERIFIED, WITNESSED", ["good", "good", "good", "open"]),
        ("bad", "bad", "21 FINDINGS", ["bad", "bad", "bad", "open"]),
        ("excerpt", "good", "VERIFIED, UNWITNESSED", ["good", "good", "good", "open"]),
        ("absence", "good", "VERIFIED, UNWITNESSED", ["good", "good", "good", "open"]),
        ("without a key", "open", "CONSISTENT, AUTHENTICITY NOT CHECKED", ["open", "open", "open", "open"]),
        ("unreadable", "bad", "UNREADABLE", None),
    ],
)
def test_the_verdict_says_what_was_found(name: str, kind: str, english: str, answers: list[str] | None) -> None:
    result = ALL[name]()
    assert script.report_verdict(result)[:2] == (kind, (english, script.report_verdict(result)[1][1]))
    if answers is not None:
        assert [one[0] for one in script._report_questions(result)] == answers


def change(result: dict[str, Any], code: str) -> dict[str, Any]:
    found = {"code": code, "index": 3, "subject": None, "en": "so", "zh": "如此"}
    return result | {"verdict": "findings", "exit": 1, "findings": [found], "by_code": {code: 1}}


@pytest.mark.parametrize("code", sorted(script._REPORT_CODES))
def test_no_finding_leaves_every_question_answered_well(code: str) -> None:
    kinds = [one[0] for one in script._report_questions(change(results.clean(), code))]
    assert kinds[1] == "bad"
    if code in ("TREE_ROOT", "CHECKPOINT_SIGNATURE", "ROLLBACK", "FORK", "CONSISTENCY", "PROOF"):
        assert kinds[0] == "bad"
        assert code == "CONSISTENCY" or kinds[2] != "good"
    if code in ("ENTRY_MISSING", "CONTENT_MISSING", "PRUNE_EARLY", "AUTHOR_GAP", "CHAIN_INCOMPLETE", "SUBJECT_LOST"):
        assert kinds[2] == "bad"
    if code in ("FORK", "WITNESS_SIGNATURE", "WITNESS_TIME"):
        assert kinds[3] == "bad"


def test_an_excerpt_is_complete_only_as_far_as_its_seal_and_auditors_say() -> None:
    result = results.excerpt()
    asked = script._report_questions(result)[2]
    assert asked[0] == "good"
    assert asked[2][0] == "Up to entry 10,249"
    assert "audit.example.cn/2026" in asked[3][0]
    result["seals"][0]["auditors"] = []
    assert script._report_questions(result)[2][0] == "open"
    result["timelines"][0]["complete"] = None
    assert script._report_questions(result)[2][2][0] == "Not for all"
    result["seals"] = []
    assert script._report_questions(result)[2][2][0] == "Not shown"


def test_witnesses_that_do_not_suffice_are_no_witnesses() -> None:
    result = results.clean()
    result["witnesses"] |= {"sufficient": False, "notes": [], "brackets": [], "covered": 0}
    assert script.report_verdict(result)[1][0] == "VERIFIED, UNWITNESSED"
    assert script._report_questions(result)[3][0] == "bad"
    result = results.clean()
    result["witnesses"]["covered"] = result["checkpoint"]["size"]
    assert script._report_questions(result)[3][0] == "good"


# ---- terminal, JSON, progress ------------------------------------------------------------------


@every_result
@both_languages
@pytest.mark.parametrize("width", [40, 80, 200])
def test_no_line_of_the_terminal_is_too_wide_or_steers_it(name: str, lang: str, width: int) -> None:
    text = script.report_text(ALL[name](), lang, width=width)
    assert text.endswith("\n")
    for line in text.split("\n"):
        assert script._report_columns(line) <= min(width, 110), line
        assert not {unicodedata.category(one) for one in line} & {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


@every_result
@both_languages
def test_colours_are_all_that_a_terminal_gets_beside_the_text(name: str, lang: str) -> None:
    coloured = script.report_text(ALL[name](), lang, colour=True)
    assert "\x1b[" in coloured
    plain = re.sub(r"\x1b\[[0-9;]*m", "", coloured)
    assert plain == script.report_text(ALL[name](), lang)


@both_languages
def test_a_terminal_is_told_everything_that_matters(lang: str) -> None:
    result = results.bad()
    text = script.report_text(result, lang, width=110)
    joined = "".join(text.split())
    for one in result["findings"]:
        assert "".join(one[lang].split()) in joined
        assert one["code"] in text
    assert "(01)09521234001072(21)BJ0001" in text
    assert result["script"]["sha256"] in text
    for one in result["not_checked"] + result["notes"]:
        assert "".join(one[lang].split()) in joined
    assert "17" in text
    assert ("退出码" if lang == "zh" else "exit code") in text


@pytest.mark.parametrize(
    ("english", "chinese", "said"),
    [
        ("the log was set back", "日志被回滚", ("The log was set back.", "日志被回滚。")),
        ("tile/0/000 is missing (so)", "缺少 tile/0/000", ("tile/0/000 is missing (so).", "缺少 tile/0/000。")),
        ("It ended.", "已结束。", ("It ended.", "已结束。")),
        ("", "", ("", "")),
    ],
)
def test_findings_are_told_as_sentences(english: str, chinese: str, said: tuple[str, str]) -> None:
    assert script._report_said({"en": english, "zh": chinese}) == said


def test_one_language_stands_alone_on_a_terminal() -> None:
    assert not CHINESE.search(script.report_text(results.clean(), "en"))
    assert CHINESE.search(script.report_text(results.clean(), "zh"))


def test_counts_are_told_for_one_and_for_more_and_zeros_are_left_out() -> None:
    result = results.clean()
    result["counts"] = {"entries": 1, "seals": 1, "tiles": 2, "witnessed": 0, "violations": 0, "something_new": 3}
    told = [(english, count) for (english, _), count in script._report_counted(result)]
    assert told == [
        ("entry", 1), ("tiles of the tree", 2), ("seal checked", 1),
        ("broken rules that the ledger itself recorded", 0), ("something_new", 3),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "english"),
    [
        ("3 of 4", "3 of 4"),
        ("3 / 4", "3 of 4"),
        ("witness a x\nquorum a\n", "a policy of 4 witnesses"),
        ("", "a policy of 4 witnesses"),
    ],
)
def test_a_witness_policy_is_told_in_a_few_words(text: str, english: str) -> None:
    result = results.clean()
    result["witnesses"]["policy"]["text"] = text
    assert script._report_policy(result["witnesses"])[0] == english
    page = Taken(script.report_page(result, "en"))
    assert english in page.text
    assert " ".join(text.split()) in page.text or text == "3 / 4"


def test_only_so_many_findings_are_listed_one_by_one() -> None:
    result = results.bad()
    result["findings"] = [result["findings"][1] | {"index": at, "en": f"It is {at}."} for at in range(700)]
    result["by_code"] = {"ROW_LINK": 717}
    text = script.report_text(result, "en")
    assert "and 650 other ones: see --report" in text
    assert "and 17 more that were only counted" in text
    page = script.report_page(result, "en")
    assert page.count("<b>", page.index('<ol class="findings">'), page.index("</ol>")) == 500
    assert "And 217 more that are not listed here." in page


@both_languages
def test_what_was_found_at_many_places_is_told_once(lang: str) -> None:
    result = results.bad()
    found = result["findings"][1]
    result["findings"] = [found | {"index": at} for at in range(100, 160)] + result["findings"]
    result["by_code"]["ROW_LINK"] += 60
    text = script.report_text(result, lang)
    assert "".join(text.split()).count("".join(found[lang].split())) == 1
    assert {"en": "and 53 more places", "zh": "另有 53 处"}[lang] in " ".join(text.split())
    assert script.report_verdict(result)[1][0] == "81 FINDINGS"
    page = Taken(script.report_page(result, lang)).text
    assert page.count(found[lang]) == 1
    assert {"en": "entry 139 · (01)09521234001072(21)BJ0001", "zh": "条目 139 · (01)"}[lang] in page
    assert {"en": "and 21 more", "zh": "另有 21 处"}[lang] in page
    assert "And 17 more that are not listed here." in page


@given(st.text(alphabet=st.characters(exclude_categories=["C", "Zl", "Zp"])), st.integers(4, 90))
def test_wrapping_loses_nothing_and_keeps_the_width(text: str, width: int) -> None:
    lines = script._report_wrap(text, width)
    assert "".join("".join(lines).split()) == "".join(text.split())
    assert all(script._report_columns(one) <= width for one in lines)


def test_closing_punctuation_begins_no_line() -> None:
    text = "所核验的内容均与日志密钥所签一致，并经见证方确认。" * 9
    for width in range(20, 60):
        assert not any(line[0] in "，。" for line in script._report_wrap(text, width))


@every_result
def test_json_is_the_result_itself_in_ascii(name: str) -> None:
    result = ALL[name]()
    text = script.report_json(result)
    assert text.isascii()
    assert json.loads(text) == result


def test_progress_is_drawn_on_a_terminal_and_taken_away() -> None:
    stream = io.StringIO()
    progress = script.ReportProgress(stream, "zh", on=True)
    progress.phase("entries", "条目", 200)
    progress.to(200)
    assert "条目" in stream.getvalue()
    assert "100%" in stream.getvalue()
    progress.phase("units", "单元", 0)
    progress.close()
    assert stream.getvalue().endswith("\r\x1b[K")


def test_progress_says_nothing_where_there_is_no_terminal() -> None:
    stream = io.StringIO()
    progress = script.ReportProgress(stream)
    progress.phase("entries", "条目", 200)
    progress.to(100)
    progress.close()
    assert stream.getvalue() == ""


def test_the_language_is_that_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    assert script.report_default_lang() == "en"
    monkeypatch.setenv("LANG", "zh_CN.UTF-8")
    assert script.report_default_lang() == "zh"
    monkeypatch.setenv("LC_ALL", "de_DE.UTF-8")
    assert script.report_default_lang() == "en"


# ---- page --------------------------------------------------------------------------------------

VOID = {"meta", "input", "br"}


class Taken(HTMLParser):
    """A page taken apart; what is opened is closed in its order."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.style = ""
        self.open: list[str] = []
        self.feed(page)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        assert len(dict(attrs)) == len(attrs)
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] == "style":
            self.style += data
        else:
            self.texts.append(data)

    @property
    def text(self) -> str:
        return " ".join("".join(f" {one}" for one in self.texts).split())


@every_result
@both_languages
def test_a_page_is_inert_and_may_load_nothing(name: str, lang: str) -> None:
    page = script.report_page(ALL[name](), lang)
    page.encode()
    taken = Taken(page)
    known = {
        "html", "head", "meta", "title", "style", "body", "input", "div", "header", "main", "footer", "section",
        "article", "h1", "h2", "h3", "p", "span", "b", "ul", "ol", "li", "dl", "dt", "dd", "table", "thead", "tbody",
        "tr", "th", "td", "figure", "pre", "label", "svg", "rect", "path", "line", "circle", "text", "tspan",
    }  # fmt: skip
    assert {tag for tag, _ in taken.tags} <= known
    for tag, attributes in taken.tags:
        assert not any(one.startswith("on") or one in ("style", "src", "href") for one in attributes), tag
    (policy,) = (a["content"] for _, a in taken.tags if a.get("http-equiv") == "Content-Security-Policy")
    digest = base64.b64encode(sha256(taken.style.encode()).digest()).decode()
    assert policy == f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    assert not re.search(r"url\(|@import|https?:", taken.style)


def test_hostile_texts_are_shown_as_texts() -> None:
    page = script.report_page(results.hostile())
    taken = Taken(page)
    for one in results.HOSTILE[:3]:
        assert one in taken.text
    assert not {unicodedata.category(one) for one in page} & {"Cf", "Cs", "Co", "Zl", "Zp"}
    assert {tag for tag, _ in taken.tags} <= {tag for one in ("bad", "excerpt", "absence") for tag, _ in
                                              Taken(script.report_page(ALL[one]())).tags}  # fmt: skip


@given(st.recursive(st.none() | st.text(max_size=8), lambda inner: st.lists(inner, max_size=3), max_leaves=8))
def test_nothing_gets_into_a_page_as_markup(value: Any) -> None:
    made = str(script._report_el("p", value, title=str(value)))
    taken = Taken(made)
    assert [tag for tag, _ in taken.tags] == ["p"]


@both_languages
def test_a_page_tells_everything_that_matters_in_both_languages(lang: str) -> None:
    result = results.bad()
    taken = Taken(script.report_page(result, lang))
    for one in result["findings"] + result["not_checked"] + result["notes"]:
        assert one["en"] in taken.text
        assert one["zh"] in taken.text
    shown = ("21 FINDINGS", "发现 21 项问题", "(01)09521234001072(21)BJ0001", "sf.example.cn/courier-2",
             "the scanner was lost on the way", "2031-q2", "not lawful", "not settled", "SECONDARY_SALE",
             result["script"]["sha256"], "And 17 more")  # fmt: skip
    for text in shown:
        assert text in taken.text
    checked = [a["id"] for tag, a in taken.tags if tag == "input" and "checked" in a]
    assert checked == [f"lang-{lang}"]


@both_languages
def test_a_history_whose_beginning_was_pruned_says_so(lang: str) -> None:
    result = results.excerpt()
    said = {"zh": "此前尚有记录：条目 1,107", "en": "It began earlier: what entry 1,107"}[lang]
    assert said not in script.report_text(result, lang)
    result["timelines"][0]["earlier"] = 1_107
    assert said in script.report_text(result, lang)
    assert said in Taken(script.report_page(result, lang)).text


def test_what_a_result_leaves_out_a_page_leaves_out() -> None:
    text = Taken(script.report_page(results.unreadable(), "en")).text
    for heading in ("Findings", "Units in question", "Prunings", "Seals", "The checkpoint", "What was checked"):
        assert heading not in text
    text = Taken(script.report_page(results.absence(), "en")).text
    assert "Codes that were never in the ledger" in text
    assert "81234500000000000019" in text


def drawn(page: str) -> list[list[bool]]:
    """The modules of the QR code in a page, as its rectangles cover them."""
    side = int(re.search(r'<svg class="qr" viewBox="0 0 (\d+) \1"', page)[1])  # type: ignore[index]  # the test fails without it
    path = re.search(r'<path d="((?:M\d+ \d+h\d+v1h-\d+z)+)" fill="#000">', page)
    assert path is not None
    modules = [[False] * side for _ in range(side)]
    for x, y, width in re.findall(r"M(\d+) (\d+)h(\d+)v1h-\3z", path[1]):
        modules[int(y)][int(x) : int(x) + int(width)] = [True] * int(width)
    quiet = [[modules[row][column] for column in range(side)] for row in range(side)]
    assert not any(map(any, quiet[:4] + quiet[-4:]))
    return [row[4:-4] for row in quiet[4:-4]]


@pytest.mark.parametrize("witnesses", [0, 2, 4])
def test_the_qr_code_of_a_page_is_the_checkpoint_byte_for_byte(witnesses: int) -> None:
    result = results.clean()
    result["checkpoint"]["note"] = results.note(12_480, witnesses)
    page = script.report_page(result)
    assert qr_reading.read(drawn(page)) == (result["checkpoint"]["note"].encode(), 26)
    text = re.search('<pre class="note">(.*?)</pre>', page, re.DOTALL)
    assert text is not None
    assert text[1] == result["checkpoint"]["note"]  # nothing in it is to be escaped


def test_a_checkpoint_that_no_qr_code_holds_is_printed_all_the_same() -> None:
    result = results.clean()
    result["checkpoint"]["note"] += "— padding.example " + "A" * 3_000 + "\n"
    text = Taken(script.report_page(result, "en")).text
    assert "too long for a QR code" in text
    assert "A" * 3_000 in text


def test_sheets_of_paper_carry_the_root_only_if_it_is_one() -> None:
    result = results.clean()
    assert f"12480 · {result['checkpoint']['root']}" in Taken(script.report_page(result)).style
    result["checkpoint"]["root"] = '"} body { display: none } @page { content: "' + "A" * 44
    assert "display: none } @page" not in Taken(script.report_page(result)).style
