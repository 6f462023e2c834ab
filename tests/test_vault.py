"""The vault: identities, private values, what is withheld and what was erased; private fields and their commitments."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tracechain import encoding
from tracechain.errors import DataError, DecodeError, InputError, RestrictedError
from tracechain.private import (
    MAX_VALUE,
    PrivateValue,
    commit_private,
    decode_identity,
    encode_identity,
    private_fields,
)
from tracechain.store import Kept, Restriction, Vault
from tracechain.store.vault import Revealed

ANNA, BEN = b"token of Anna...", b"token of Ben...."
SALT = bytes(range(32))
PHONE = PrivateValue(SALT, "phone", "+86 10 5555 0199")
STREET = PrivateValue(SALT[::-1], "street", "Xinhua Road 7\nBeijing")
WHY = Restriction(20_780, "the order is under investigation")


@pytest.fixture
def vault(tmp_path: Path) -> Iterator[Vault]:
    vault = Vault(tmp_path, writable=True, create=True)
    yield vault
    vault.close()


# ---- commitments (format.md section 4.1) -------------------------------------------------------


def test_a_commitment_is_the_hash_that_the_format_says() -> None:
    tag = b"TCH0 private" + bytes(4)
    packed = b"\x92" + b"\xa5phone" + b"\xb0+86 10 5555 0199"
    assert commit_private(SALT, "phone", "+86 10 5555 0199") == sha256(tag + SALT + packed).digest()
    binary = b"\x92" + b"\xa5photo" + b"\xc4\x03\x00\x01\x02"
    assert commit_private(SALT, "photo", b"\0\1\2") == sha256(tag + SALT + binary).digest()
    assert PHONE.commitment == PHONE.field.commitment == commit_private(SALT, PHONE.name, PHONE.value)


_COMMITTED = st.tuples(
    st.binary(min_size=32, max_size=32), st.sampled_from("ab"), st.sampled_from(["", "a", b"", b"a"])
)


@given(_COMMITTED, _COMMITTED)
def test_commitments_are_equal_only_for_what_is_equal(one: Any, other: Any) -> None:
    assert (commit_private(*one) == commit_private(*other)) == (one == other)


@pytest.mark.parametrize(
    ("salt", "name", "value", "said"),
    [
        (b"short", "phone", "x", "32 random bytes"),
        (SALT, "", "x", "is empty"),
        (SALT, "two\nlines", "x", "control character"),
        (SALT, "phone", 5, "only text and bytes"),
        (SALT, "phone", None, "only text and bytes"),
        (SALT, "phone", "\0", "control character"),
        (SALT, "phone", "e\u0301", "normal form C"),
        (SALT, "phone", "x" * (MAX_VALUE + 1), "over the limit"),
        (SALT, "phone", b"x" * (MAX_VALUE + 1), "over the limit"),
    ],
)
def test_what_cannot_be_committed_to_is_refused(salt: Any, name: Any, value: Any, said: str) -> None:
    with pytest.raises(InputError, match=said):
        commit_private(salt, name, value)


def test_the_fields_of_an_event_have_salts_of_their_own_and_do_not_show_values() -> None:
    fields, kept = private_fields({"phone": "same", "mobile": "same"}, os.urandom)
    assert [field.name for field in fields] == [value.name for value in kept] == ["mobile", "phone"]
    assert [field.commitment for field in fields] == [value.commitment for value in kept]
    assert kept[0].salt != kept[1].salt
    assert fields[0].commitment != fields[1].commitment
    assert "same" not in repr(kept)


_VALUES = st.one_of(st.text("aé\n", max_size=5), st.binary(max_size=5))
_IDENTITIES = st.dictionaries(st.text("abé", min_size=1, max_size=3), _VALUES, min_size=1, max_size=4)


@given(_IDENTITIES)
def test_an_identity_reads_back(identity: dict[str, str | bytes]) -> None:
    assert decode_identity(encode_identity(identity)) == identity


@pytest.mark.parametrize(
    "identity", [{}, {"": "x"}, {"name": 5}, {"name": "\x07"}, {f"n{k}": "x" * 16_000 for k in range(5)}]
)
def test_an_identity_that_cannot_be_kept_is_refused(identity: Any) -> None:
    with pytest.raises(InputError):
        encode_identity(identity)


@pytest.mark.parametrize(
    "plain",
    [None, (), ("name", "x"), (("name",),), (("name", 5),), (("b", "x"), ("a", "x")), (("a", "x"), ("a", "x"))],
)
def test_an_identity_is_read_strictly(plain: Any) -> None:
    with pytest.raises(DecodeError):
        decode_identity(encoding.pack(plain))


# ---- putting and reading -----------------------------------------------------------------------


def test_the_vault_keeps_what_it_is_given(tmp_path: Path) -> None:
    vault = Vault(tmp_path, writable=True, create=True)
    vault.put_person(ANNA, {"name": "Anna", "id": b"\0\1"})
    vault.put_private([PHONE, STREET], ANNA)
    vault.close()
    vault = Vault(tmp_path, writable=False)
    assert vault.person(ANNA) == {"id": b"\0\1", "name": "Anna"}
    assert vault.person(BEN) is None
    assert vault.private(PHONE.commitment) == PHONE
    assert vault.private(bytes(32)) is None
    assert vault.owned(ANNA) == tuple(sorted([PHONE.commitment, STREET.commitment]))
    assert vault.owner(PHONE.commitment) == ANNA
    assert vault.owner(bytes(32)) is None
    assert vault.persons() == [ANNA]
    assert sorted(name for _, name, _ in vault.privates()) == ["phone", "street"]
    assert vault.standing(ANNA) == vault.standing(PHONE.commitment) == Kept.KEPT
    assert vault.standing(BEN) == Kept.UNKNOWN
    assert vault.names(ANNA) == ("id", "name")
    assert vault.names(PHONE.commitment) == ("phone",)
    assert vault.names(BEN) == vault.names(bytes(32)) == ()
    with pytest.raises(InputError, match="opened for reading"):
        vault.put_person(BEN, {"name": "Ben"})
    vault.close()


@pytest.mark.parametrize("key", [b"", b"x" * 15, b"x" * 17, b"x" * 31, b"x" * 33, "x" * 16, None])
def test_a_key_is_16_or_32_bytes(vault: Vault, key: Any) -> None:
    for use in (
        lambda: vault.put_person(key, {"name": "x"}),
        lambda: vault.put_private([PHONE], key or b""),
        lambda: vault.person(key),
        lambda: vault.private(key),
        lambda: vault.standing(key),
        lambda: vault.restriction(key),
        lambda: vault.names(key),
        lambda: vault.owned(key),
        lambda: vault.owner(key),
        lambda: vault.reveal(key, ground="g"),
        lambda: vault.revealed(key),
        lambda: vault.lift([key]),
        lambda: vault.withhold([key], WHY),
        lambda: vault.erase([key], 1),
        lambda: vault.erased_by(key),
    ):
        with pytest.raises(InputError):
            use()
    vault.put_person(ANNA, {"name": "still works"})


def test_it_is_known_since_when_something_is_kept(vault: Vault) -> None:
    vault.clock = lambda: 1_795_219_200_123
    vault.put_person(ANNA, {"name": "Anna"})
    vault.put_private([PHONE])
    vault.clock = lambda: 1_795_219_200_124
    vault.put_person(ANNA, {"name": "Anna"})
    assert vault.since(ANNA) == 1_795_219_200_124
    assert vault.since(PHONE.commitment) == 1_795_219_200_123
    assert vault.since(BEN) is None


def test_an_identity_is_replaced_and_a_value_is_of_one_person(vault: Vault) -> None:
    vault.put_person(ANNA, {"name": "Anna"})
    vault.put_person(ANNA, {"name": "Anna", "street": "moved"})
    assert vault.person(ANNA) == {"name": "Anna", "street": "moved"}
    vault.put_private([PHONE])
    vault.put_private([PHONE], ANNA)  # whose it is was not known before
    vault.put_private([PHONE], ANNA)
    with pytest.raises(InputError, match="another person"):
        vault.put_private([PHONE], BEN)
    assert vault.owned(BEN) == ()


def test_changes_are_all_made_or_none(vault: Vault) -> None:
    def change(token: bytes) -> None:
        with vault.changing() as changes:
            changes.put_person(ANNA, {"name": "Anna"})
            changes.put_private(PHONE, ANNA)
            changes.put_person(token, {"name": "Ben"})

    with pytest.raises(InputError, match="16 random bytes"):
        change(b"no token")
    assert vault.persons() == []
    assert vault.privates() == []
    change(BEN)
    assert vault.persons() == [ANNA, BEN]


def test_persons_are_found_by_what_is_known_of_them(vault: Vault) -> None:
    vault.put_person(ANNA, {"name": "Anna", "phone": PHONE.value})
    vault.put_person(BEN, {"name": "Ben Anna", "note": PHONE.value})
    vault.put_private([PHONE, STREET], BEN)
    assert vault.find("Anna") == [ANNA]
    assert vault.find(PHONE.value) == sorted([ANNA, BEN])
    assert vault.find(PHONE.value, "phone") == sorted([ANNA, BEN])
    assert vault.find(PHONE.value, "note") == [BEN]
    assert vault.find(STREET.value) == [BEN]
    assert vault.find("nna") == vault.find(b"Anna") == vault.find("name") == []
    vault.withhold([BEN], WHY)
    assert vault.find("Ben Anna") == [BEN]  # he must be found when he asks


def test_a_row_that_was_altered_is_found(vault: Vault) -> None:
    vault.put_private([PHONE])
    with vault.changing() as changes:
        changes.put("private", PHONE.commitment, bytes(8) + encoding.pack((SALT, "phone", "another", None)))
    with pytest.raises(DataError, match="not what was committed to"):
        vault.private(PHONE.commitment)
    with vault.changing() as changes:
        changes.put("private", PHONE.commitment, bytes(8) + encoding.pack((SALT, "phone")))
    with pytest.raises(DataError, match="damaged"):
        vault.private(PHONE.commitment)


# ---- withholding -------------------------------------------------------------------------------


def test_what_is_withheld_is_shown_only_on_a_ground_and_that_is_written_down(vault: Vault) -> None:
    vault.put_person(ANNA, {"name": "Anna"})
    vault.put_private([PHONE], ANNA)
    vault.withhold([PHONE.commitment], WHY)
    with pytest.raises(RestrictedError, match="under investigation"):
        vault.private(PHONE.commitment)
    assert vault.standing(PHONE.commitment) == Kept.RESTRICTED
    assert vault.restriction(PHONE.commitment) == WHY
    assert vault.person(ANNA) == {"name": "Anna"}
    for ground in ("", "  ", None, "\x07"):
        with pytest.raises(InputError):
            vault.reveal(PHONE.commitment, ground=ground)  # type: ignore[arg-type]  # what is tested
    assert vault.revealed(PHONE.commitment) == ()
    vault.clock = lambda: 5
    assert vault.reveal(PHONE.commitment, ground="court order 7") == PHONE
    vault.clock = lambda: 6
    assert vault.reveal(PHONE.commitment, ground="court order 8") == PHONE
    assert vault.revealed(PHONE.commitment) == (Revealed(5, "court order 7"), Revealed(6, "court order 8"))
    assert vault.reveal(BEN, ground="who is it") is None
    assert vault.revealed(BEN) == ()
    vault.lift([PHONE.commitment])
    assert vault.private(PHONE.commitment) == PHONE
    with pytest.raises(InputError, match="not withheld"):
        vault.lift([PHONE.commitment])


def test_a_person_who_is_withheld_is_so_with_all_values(vault: Vault) -> None:
    vault.put_person(ANNA, {"name": "Anna"})
    vault.put_private([PHONE], ANNA)
    vault.withhold([ANNA], WHY)
    vault.put_private([STREET], ANNA)
    for read in (
        lambda: vault.person(ANNA),
        lambda: vault.private(PHONE.commitment),
        lambda: vault.private(STREET.commitment),
    ):
        with pytest.raises(RestrictedError):
            read()
    assert vault.restriction(STREET.commitment) == WHY
    assert vault.names(STREET.commitment) == ("street",)
    vault.erase([ANNA], 7)  # the values stay withheld when only the identity goes
    assert vault.standing(STREET.commitment) == Kept.RESTRICTED
    vault.erase([STREET.commitment, PHONE.commitment, ANNA], 8)
    assert vault.restriction(ANNA) is None


# ---- erasing -----------------------------------------------------------------------------------


def test_what_was_erased_is_gone_and_does_not_come_back(vault: Vault) -> None:
    vault.put_person(ANNA, {"name": "Anna"})
    vault.put_private([PHONE, STREET], ANNA)
    assert not vault.uncompacted()
    assert vault.erase([PHONE.commitment, ANNA], 12) == 2
    assert vault.uncompacted()
    assert vault.person(ANNA) is None
    assert vault.private(PHONE.commitment) is None
    assert vault.private(STREET.commitment) == STREET
    assert vault.owned(ANNA) == (STREET.commitment,)
    assert vault.standing(ANNA) == vault.standing(PHONE.commitment) == Kept.ERASED
    assert vault.erased_by(ANNA) == 12
    assert vault.erased_by(STREET.commitment) is None
    assert vault.erase([ANNA, BEN], 13) == 0
    assert vault.erased_by(ANNA) == 12
    with pytest.raises(InputError, match="was erased"):
        vault.put_person(ANNA, {"name": "Anna"})
    with pytest.raises(InputError, match="was erased"):
        vault.put_private([PHONE])
    with pytest.raises(InputError, match="was erased"):
        vault.put_private([PrivateValue(bytes(32), "phone", "new")], ANNA)


def test_an_announcement_stays_until_it_is_settled(vault: Vault) -> None:
    vault.announce([b"first", b"second"], 10)
    vault.announce([b"first"], 9)
    pending = vault.pending()
    assert (pending[0].size, pending[0].content) == (9, b"first")
    assert {(one.size, one.content) for one in pending} == {(9, b"first"), (10, b"first"), (10, b"second")}
    for one in pending:
        vault.settle(one)
    assert vault.pending() == []


# ---- any sequence of changes, against a model ---------------------------------------------------

_TOKENS = [bytes([65 + k]) * 16 for k in range(3)]
_PRIVATES = [PrivateValue(bytes([k]) * 32, f"field {k % 2}", f"value {k % 3}") for k in range(5)]
_COMMITMENTS = [one.commitment for one in _PRIVATES]
_BY_COMMITMENT = {one.commitment: one for one in _PRIVATES}
_KEYS = [*_TOKENS, *_COMMITMENTS]


class VaultMachine(RuleBasedStateMachine):
    """The vault beside plain dicts."""

    @initialize()
    def make(self) -> None:
        self.folder = Path(tempfile.mkdtemp())
        self.vault = Vault(self.folder, writable=True, create=True)
        self.persons: dict[bytes, dict[str, str]] = {}
        self.private: dict[bytes, bytes | None] = {}
        self.withheld: dict[bytes, Restriction] = {}
        self.erased: dict[bytes, int] = {}
        self.shown: dict[bytes, list[Revealed]] = {}
        self.index = 0

    def teardown(self) -> None:
        if hasattr(self, "vault"):
            self.vault.close()
            shutil.rmtree(self.folder)

    @rule(token=st.sampled_from(_TOKENS), name=st.sampled_from(["Anna", "Ben", "value 1"]))
    def put_person(self, token: bytes, name: str) -> None:
        try:
            self.vault.put_person(token, {"name": name})
        except InputError:
            assert token in self.erased
        else:
            assert token not in self.erased
            self.persons[token] = {"name": name}

    @rule(values=st.lists(st.sampled_from(_PRIVATES), max_size=3), token=st.none() | st.sampled_from(_TOKENS))
    def put_private(self, values: list[PrivateValue], token: bytes | None) -> None:
        held = dict(self.private)
        refused = False
        for value in values:
            owner = held.get(value.commitment)
            refused |= value.commitment in self.erased or token in self.erased or owner not in (None, token)
            held[value.commitment] = token
        try:
            self.vault.put_private(values, token)
        except InputError:
            assert refused
        else:
            assert not refused
            self.private = held

    @rule(keys=st.lists(st.sampled_from(_KEYS), max_size=3), day=st.integers(0, 9))
    def withhold(self, keys: list[bytes], day: int) -> None:
        restriction = Restriction(day, "because")
        self.vault.withhold(keys, restriction)
        there = {*self.persons, *self.private, *self.private.values()}
        self.withheld |= {key: restriction for key in keys if key in there}

    @precondition(lambda self: self.withheld)
    @rule(data=st.data())
    def lift(self, data: st.DataObject) -> None:
        key = data.draw(st.sampled_from(sorted(self.withheld)))
        self.vault.lift([key])
        del self.withheld[key]

    @rule(keys=st.lists(st.sampled_from(_KEYS), max_size=3))
    def erase(self, keys: list[bytes]) -> None:
        self.index += 1
        gone = {key for key in keys if key in self.persons or key in self.private}
        assert self.vault.erase(keys, self.index) == len(gone)
        for key in keys:
            self.erased.setdefault(key, self.index)
            owner = self.private.get(key)
            self.persons.pop(key, None)
            self.private.pop(key, None)
            if key in _COMMITMENTS:
                self.withheld.pop(key, None)
            for token in (key, owner):
                if token in _TOKENS and token not in self.persons and token not in self.private.values():
                    self.withheld.pop(token, None)

    @rule(key=st.sampled_from(_KEYS))
    def reveal(self, key: bytes) -> None:
        self.index += 1
        self.vault.clock = lambda: self.index
        found = self.vault.reveal(key, ground="asked")
        there: Any = self.persons.get(key) if key in _TOKENS else _BY_COMMITMENT[key] if key in self.private else None
        assert found == there
        if there is not None:
            self.shown.setdefault(key, []).append(Revealed(self.index, "asked"))

    @rule(writable=st.booleans())
    def reopen(self, writable: bool) -> None:
        self.vault.close()
        if not writable:
            vault = Vault(self.folder, writable=False)
            assert vault.persons() == sorted(self.persons)
            vault.close()
        self.vault = Vault(self.folder, writable=True)

    @invariant()
    def agrees(self) -> None:
        if not hasattr(self, "vault"):
            return
        assert self.vault.persons() == sorted(self.persons)
        assert {c: t for c, _, t in self.vault.privates()} == self.private
        for key in _KEYS:
            there = key in self.persons or key in self.private
            owner = self.private.get(key)
            why = self.withheld.get(key) or (None if owner is None else self.withheld.get(owner))
            expected = Kept.ERASED if key in self.erased else Kept.UNKNOWN
            if there:
                expected = Kept.KEPT if why is None else Kept.RESTRICTED
            assert self.vault.standing(key) == expected
            assert self.vault.restriction(key) == why
            assert self.vault.erased_by(key) == self.erased.get(key)
            assert list(self.vault.revealed(key)) == self.shown.get(key, [])
            read = self.vault.person if key in _TOKENS else self.vault.private
            if expected == Kept.RESTRICTED:
                with pytest.raises(RestrictedError):
                    read(key)
            elif key in _TOKENS:
                assert read(key) == self.persons.get(key)
            else:
                assert read(key) == (_BY_COMMITMENT[key] if there else None)
        for token in _TOKENS:
            assert list(self.vault.owned(token)) == sorted(c for c, t in self.private.items() if t == token)
        for value in ("Anna", "value 1"):
            expect = {t for t, identity in self.persons.items() if value in identity.values()}
            expect |= {t for c, t in self.private.items() if t is not None and _BY_COMMITMENT[c].value == value}
            assert self.vault.find(value) == sorted(expect)


TestVault = VaultMachine.TestCase
TestVault.settings = settings(max_examples=25, stateful_step_count=25)
