"""Policies in records and in TOML files: one spelling in the log, strict reading everywhere."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retention_samples import policies
from tracechain.encoding import pack, unpack_strict
from tracechain.errors import DecodeError, InputError
from tracechain.record import Record, decode_record, encode_record
from tracechain.retention import tables
from tracechain.retention.files import MAX_FILE, parse_policy, read_policy
from tracechain.retention.policy import Policy

PILOT = tables.pilot_policy()
ALL = Policy("all", tuple(tables.TABLES.values()), wait_days=45, archive=True)

# ---- records -------------------------------------------------------------------------------------


@given(policies())
def test_a_policy_survives_a_record(policy: Policy) -> None:
    record = decode_record(encode_record(policy.record()))
    again = Policy.from_record(record)
    assert again == policy
    assert pack(again.plain()) == pack(policy.plain())


@given(policies(), st.data())
def test_a_damaged_plain_form_is_refused_or_another_policy(policy: Policy, data: st.DataObject) -> None:
    whole = pack(policy.plain())
    place = data.draw(st.integers(0, len(whole) - 1))
    damaged = bytearray(whole)
    damaged[place] ^= data.draw(st.integers(1, 255))
    try:
        found = Policy.from_plain(unpack_strict(bytes(damaged)))
    except DecodeError:
        return
    assert pack(found.plain()) == bytes(damaged)
    assert found != policy


def _mutations(plain: Any) -> list[Any]:
    """The form with one item left out, doubled, replaced or exchanged with its neighbour, at every depth."""
    if not isinstance(plain, tuple):
        return [None, True, -1, 1 << 40, "x ", b"x", (), (plain,)]
    found: list[Any] = [(), (*plain, None), plain[:-1], (*plain, *plain[-1:]), plain[::-1]]
    for place, item in enumerate(plain):
        found += [(*plain[:place], other, *plain[place + 1 :]) for other in _mutations(item)]
    return found


@pytest.mark.parametrize("policy", [PILOT, ALL], ids=["pilot", "all"])
def test_whatever_is_written_otherwise_is_refused(policy: Policy) -> None:
    whole = policy.plain()
    mutations = [one for one in _mutations(whole) if one != whole or pack(one) != pack(whole)]
    assert len(mutations) >= 1000
    refused = 0
    for mutation in mutations:
        try:
            found = Policy.from_plain(mutation)
        except DecodeError:
            refused += 1
        else:
            assert pack(found.plain()) == pack(mutation)
    assert refused > len(mutations) // 2


@pytest.mark.parametrize(
    "record",
    [
        Record("retention", PILOT.plain()),
        Record("retention", PILOT.plain(), "urn:tracechain:retention:x"),
        Record("retention", PILOT.plain(), "urn:tracechain:retention", 1),
        Record("retentions", PILOT.plain(), "urn:tracechain:retention"),
        Record("retention", None, "urn:tracechain:retention"),
        Record("retention", (), "urn:tracechain:retention"),
        Record("retention", PILOT.plain()[:-1], "urn:tracechain:retention"),
    ],
)
def test_another_record_is_no_policy(record: Record) -> None:
    with pytest.raises(DecodeError):
        Policy.from_record(record)


def test_lists_have_one_order_in_a_record() -> None:
    whole: Any = PILOT.plain()
    name, (regime, _), *rest = whole
    rule = regime[2][0]
    turned = (*rule[:2], rule[2][::-1], *rule[3:])
    with pytest.raises(DecodeError, match="written otherwise"):
        Policy.from_plain((name, ((*regime[:2], (turned,)),), *rest))


def test_a_plain_form_that_nests_too_deep_is_refused() -> None:
    bound: Any = (1, 0, (1, 0, 0), None)
    for level in range(20):
        bound = (2 + level % 2, bound, (1, 1, (1, 0, 0), None))
    rule = ("r", "c", (), (), (), (), bound, None, None)
    with pytest.raises(DecodeError, match="deep"):
        Policy.from_plain(("p", (("r", "t", (rule,)),), 30, False, (), 0))


# ---- files ---------------------------------------------------------------------------------------


@given(policies(), st.booleans())
def test_a_policy_survives_a_file(policy: Policy, comments: bool) -> None:
    text = policy.to_toml(comments=comments)
    assert parse_policy(text) == policy
    assert ("#" in text) is comments


def test_a_policy_is_read_from_a_file_and_from_its_text(tmp_path: Path) -> None:
    path = tmp_path / "policy.toml"
    path.write_text(ALL.to_toml(), encoding="utf-8")
    assert read_policy(path) == read_policy(str(path)) == read_policy(ALL.to_toml()) == ALL


def test_a_file_says_what_each_key_is_for() -> None:
    text = PILOT.to_toml()
    comments = [line for line in text.splitlines() if line.startswith("#")]
    for key in ("record_classes", "fields", "keep_until", "delete_by", "restrict_after", "missing", "max", "at_least"):
        assert any(key in line for line in comments), key
    assert max(map(len, text.splitlines())) <= 120


HEAD = 'name = "shop"\n[[regime]]\nname = "own"\ntitle = "Our own"\n'
RULE = '[[regime.rule]]\nname = "kept"\nclause = "c"\n'


def parsed(rule: str) -> Policy:
    return parse_policy(HEAD + RULE + rule)


def test_what_is_left_out_has_a_default() -> None:
    policy = parsed('keep_until = { after = "event", term = "2 years" }\n')
    assert (policy.wait_days, policy.archive, policy.witnesses, policy.quorum) == (30, False, (), 0)
    same = parsed('keep_until = { after = "event", term = "2 years", missing = "permanent" }\n')
    assert same == policy


def test_record_classes_by_name_and_number() -> None:
    policy = parsed('record_classes = ["movement", 1, 300, "trading"]\nkeep_until = "permanent"\n')
    assert policy.regimes[0].rules[0].selector.record_classes == (1, 2, 300)
    assert '["trading", "movement", 300]' in policy.to_toml()


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ("", "regime[1].rule[1]: rule 'kept' says nothing"),
        ("keep_untl = 1\n", "regime[1].rule[1]: unknown key 'keep_untl', did you mean 'keep_until'?"),
        ("keep_until = 5\n", "regime[1].rule[1].keep_until is 5: it must be a table such as"),
        ('keep_until = "for ever"\n', "keep_until is 'for ever'"),
        ("keep_until = {}\n", "keep_until has the keys []"),
        ('keep_until = { after = "expiri", term = "2 years" }\n',
         "keep_until.after is 'expiri': it must be one of receipt, event, transaction, expiry, release, published"),
        ('keep_until = { after = "expiri", term = "2 years" }\n', "release, published, did you mean 'expiry'?"),
        ('keep_until = { after = "expiry" }\n', "keep_until: 'term' is missing"),
        ('keep_until = { after = "expiry", term = 2 }\n', 'keep_until.term is 2: it must be a text, such as "2 years"'),
        ('keep_until = { after = "expiry", term = "two years" }\n', "keep_until.term: 'two years' is no term: write"),
        ('keep_until = { after = "expiry", term = "2 years", mising = "1 day" }\n', "did you mean 'missing'?"),
        ('keep_until = { after = "expiry", term = "2 years", missing = "never" }\n', "keep_until.missing: 'never'"),
        ('keep_until = { after = "receipt", term = "2 years", missing = "1 day" }\n', "missing: the day of receipt"),
        ('keep_until = { after = "expiry", term = "2 years", max = [] }\n', "unknown key 'max'"),
        ("keep_until = { max = 5 }\n", "keep_until.max is 5: it must be a list"),
        ('keep_until = { max = ["permanent"] }\n', "keep_until: Latest has 1 parts"),
        ('keep_until = { max = ["permanent", 7] }\n', "keep_until.max[2] is 7"),
        ('keep_until = { min = ["permanent", { max = ["permanent", { after = "event", term = "x" }] }] }\n',
         "keep_until.min[2].max[2].term: 'x'"),
        ('keep_until = { max = [], min = [] }\n', "unknown key 'min'"),
        ('keep_until = { bound = "permanent" }\n', "keep_until: 'at_least' is missing"),
        ('keep_until = { bound = "permanent", at_least = "permanent" }\n', "keep_until.at_least"),
        ('keep_until = { bound = "permanent", at_least = { after = "event", term = "1 day" } }\n', "a bound that ends"),
        ('record_classes = "trading"\nkeep_until = "permanent"\n', 'it must be a list of names or numbers'),
        ('record_classes = ["tradng"]\nkeep_until = "permanent"\n', "record_classes[1] is 'tradng'"),
        ('record_classes = [70000]\nkeep_until = "permanent"\n', "record_classes[1] is 70000"),
        ('record_classes = [true]\nkeep_until = "permanent"\n', "record_classes[1] is True"),
        ('record_classes = []\nkeep_until = "permanent"\n', "record_classes is empty: leave it out"),
        ('fields = []\nkeep_until = "permanent"\n', "fields is empty"),
        ('fields = [5]\nkeep_until = "permanent"\n', "fields is [5]: it must be a list of texts"),
        ('fields = ["Phone"]\nkeep_until = "permanent"\n', "field 'Phone': name it with"),
        ('delete_by = { after = "event", term = "1 year" }\n', "delete_by is for personal fields"),
        (f"keep_until = {'{ max = [' * 9}5{'] }' * 9}\n", "...: bounds stand within each other more"),
    ],
)  # fmt: skip
def test_a_fault_is_told_with_its_place(rule: str, words: str) -> None:
    with pytest.raises(InputError) as caught:
        parsed(rule)
    assert words in str(caught.value)
    assert str(caught.value).startswith("policy: ")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "policy: 'name' is missing"),
        ("\n", "policy: 'name' is missing"),
        ('name = "a"\n', "'regime' is missing"),
        ('name = "a"\nregime = 5\n', "regime is 5: write [[regime]] above each"),
        ('name = "a"\nregime = []\n', "write [[regime]] above each"),
        ('name = "a"\n[regime]\nname = "x"\n', "write [[regime]] above each"),
        ('name = "a"\nregime = [5]\n', "regime[1]: 5: it must be a table of name, title, rule"),
        ('name = "a"\n[[regime]]\nname = "x"\ntitle = "t"\nrule = []\n', "regime[1].rule is []: write [[regime.rule]]"),
        ('name = "a"\n[[regime]]\nname = "x"\ntitle = "t"\n', "regime[1]: 'rule' is missing"),
        ('name = "a"\nnme = 5\n', "unknown key 'nme', did you mean 'name'?"),
        ("name = 5\n" + HEAD.partition("\n")[2] + RULE + 'keep_until = "permanent"\n', "the name of a policy is 5"),
        ("wait_days = 0\n" + HEAD + RULE + 'keep_until = "permanent"\n', "wait_days is 0: it must be 1 to 3660"),
        ("wait_days = 1.5\n" + HEAD + RULE + 'keep_until = "permanent"\n', "wait_days is Decimal('1.5')"),
        ("archive = 1\n" + HEAD + RULE + 'keep_until = "permanent"\n', "archive is 1: it must be true or false"),
        ('witnesses = "x"\n' + HEAD + RULE + 'keep_until = "permanent"\n', "witnesses is 'x': it must be a list"),
        ('witnesses = ["x"]\n' + HEAD + RULE + 'keep_until = "permanent"\n', "not a verifier key"),
        ("name = \n", "is no TOML: Invalid value (at line 1"),
        ("name = 'a'\nname = 'b'\n", "is no TOML"),
        ("a = " + "[" * 5000, "nests too deep"),
        ("name = '\ud800'\n", "lone surrogate"),
    ],
)  # fmt: skip
def test_a_fault_of_the_whole_is_told(text: str, words: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_policy(text)
    assert words in str(caught.value)


def test_all_faults_are_told_at_once() -> None:
    text = HEAD + RULE + "keep_until = 5\n" + RULE.replace("kept", "other") + 'keep = "x"\n'
    with pytest.raises(InputError) as caught:
        parse_policy(text, "shop.toml")
    lines = str(caught.value).splitlines()
    assert [line.partition(" is ")[0].partition(": unknown")[0] for line in lines] == [
        "shop.toml: regime[1].rule[1].keep_until", "shop.toml: regime[1].rule[2]",
    ]  # fmt: skip


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"missing\.toml cannot be read: No such file"):
        read_policy(tmp_path / "missing.toml")
    with pytest.raises(InputError, match="cannot be read"):
        read_policy("a\0b")
    large = tmp_path / "large.toml"
    large.write_bytes(b"#" * (MAX_FILE + 1))
    with pytest.raises(InputError, match="is over 1048576 bytes"):
        read_policy(large)
    (tmp_path / "bytes.toml").write_bytes(b"name = '\xff'")
    with pytest.raises(InputError, match="not UTF-8 at byte 8"):
        read_policy(tmp_path / "bytes.toml")


def test_a_mangled_file_is_refused_or_read_never_worse() -> None:
    chance = random.Random(20260301)
    text = ALL.to_toml(comments=False)
    signs = '"[]{}=,.\n#0aé\x00'
    for _ in range(400):
        place = chance.randrange(len(text))
        mangled = text[:place] + chance.choice(signs) + text[place + chance.randrange(3) :]
        try:
            policy = parse_policy(mangled)
        except InputError:
            continue
        assert parse_policy(policy.to_toml()) == policy
