"""The vectors of witnesses, read by the library, and their times and brackets worked out from the format's words."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tracechain import verify_bundle as script
from tracechain.checkpoint import format_vkey, parse_checkpoint, parse_note, parse_vkey
from tracechain.errors import CheckpointError, InputError
from tracechain.witnessing import (
    RefusedRequestError,
    Sufficient,
    brackets,
    check_request,
    cosignatures,
    format_request,
    open_witnessed,
    parse_policy,
    parse_request,
    sufficient,
)

VECTORS = Path(__file__).parent / "vectors"
CASES = {path.stem: json.loads(path.read_text("utf-8")) for path in sorted(VECTORS.glob("witness-*.json"))}


def chosen(kind: str, *, refused: bool = False) -> pytest.MarkDecorator:
    found = [(name, one) for name, one in CASES.items() if one["kind"] == kind and ("refused" in one) == refused]
    assert len(found) > 1
    return pytest.mark.parametrize("case", [one for _, one in found], ids=[name for name, _ in found])


@chosen("witness policy")
def test_a_policy_knows_its_witnesses_and_when_they_are_enough(case: dict[str, Any]) -> None:
    policy = parse_policy(case["policy"])
    assert [format_vkey(key) for key in policy.verifiers] == case["witnesses"]
    assert [format_vkey(key) for key in policy.logs] == case["logs"]
    assert policy.demands == case["demands"]
    keys = {key.name: key for key in policy.verifiers}
    for one in case["times"]:
        found = policy.times({keys[name]: time for name, time in one["cosigned"].items() if name in keys})
        assert found == (None if one["by_from"] is None else tuple(one["by_from"]))


@chosen("witness policy", refused=True)
def test_what_is_no_policy(case: dict[str, Any]) -> None:
    with pytest.raises(InputError):
        parse_policy(case["policy"])


@chosen("witnessed note")
def test_whether_a_note_is_sufficient(case: dict[str, Any]) -> None:
    policy, log = parse_policy(case["policy"]), parse_vkey(case["log"])
    signed = cosignatures(parse_note(case["note"]), policy.verifiers)
    assert {key.name: time for key, time in signed.times} == case["cosigned"]
    assert len(signed.wrong) == case["wrong"]
    found = sufficient(case["note"], log, policy)
    assert (None if found is None else [found.by_s, found.from_s]) == case["by_from"]


@chosen("witnessed note", refused=True)
def test_a_note_that_does_not_count(case: dict[str, Any]) -> None:
    with pytest.raises(CheckpointError):
        open_witnessed(case["note"], parse_vkey(case["log"]))


@chosen("witness request")
def test_what_a_witness_answers(case: dict[str, Any]) -> None:
    request = parse_request(case["request"])
    assert format_request(request) == case["request"]
    assert (request.old, [one.hex() for one in request.hashes]) == (case["old"], case["hashes"])
    last = None if case["last"] is None else parse_checkpoint(parse_note(case["last"]).text)
    if case["number"] == 200:
        signed = check_request(request, parse_vkey(case["log"]), last)
        assert signed == parse_checkpoint(parse_note(request.note).text)
        return
    with pytest.raises(RefusedRequestError) as caught:
        check_request(request, parse_vkey(case["log"]), last)
    assert (int(caught.value.number), caught.value.size) == (case["number"], case["size"])


@chosen("witness brackets")
def test_between_which_times_each_entry_came(case: dict[str, Any]) -> None:
    notes = [(one["size"], one["by"], one["from"]) for one in case["notes"]]
    found = brackets([Sufficient(*one) for one in notes], case["size"])
    said = [(run["start"], run["stop"], run["after"], run["before"]) for run in case["brackets"]]
    assert [(run.start, run.stop, run.after_s, run.before_s) for run in found] == said
    for index in range(case["size"]):
        ((_, _, after, before),) = [run for run in said if run[0] <= index < run[1]]
        assert after == max((since for size, _, since in notes if size <= index), default=None)
        assert before == min((by for size, by, _ in notes if size > index), default=None)


def test_numbers_are_those_of_tlog_witness() -> None:
    numbers = {one["number"] for one in CASES.values() if one["kind"] == "witness request"}
    assert numbers == {200, 400, 403, 404, 409, 422}


# ---- the stand-alone script, which shares no code with the library ---------------------------------------


@pytest.mark.parametrize("name", [name for name, one in CASES.items() if one["kind"] == "witness policy"])
def test_the_script_reads_policies_alike(name: str) -> None:
    case = CASES[name]
    if "refused" in case:
        with pytest.raises(script.Bad):
            script.parse_witness_policy(case["policy"].encode())
        return
    policy = script.parse_witness_policy(case["policy"].encode())
    own = {key.name: name for name, key in policy.witnesses.items()}
    for one in case["times"]:
        found = policy.times({own[name]: time for name, time in one["cosigned"].items() if name in own})
        assert found == (None if one["by_from"] is None else tuple(one["by_from"]))


@pytest.mark.parametrize("name", [name for name, one in CASES.items() if one["kind"] == "witnessed note"])
def test_the_script_judges_notes_alike(name: str) -> None:
    case = CASES[name]
    findings = script.Findings()
    size = parse_checkpoint(parse_note(CASES["witness-note-one"]["note"]).text).size
    opened = script.open_witnessed(case["note"].encode(), script.parse_verifier(case["log"]), size, findings)
    assert (opened is None) == ("refused" in case)
    if opened is None:
        return
    policy = script.parse_witness_policy(case["policy"].encode())
    cosigned = script.cosignatures(opened[0], policy, findings, size)
    assert {policy.witnesses[name].name: time for name, time in cosigned.items()} == case["cosigned"]
    assert policy.times(cosigned) == (None if case["by_from"] is None else tuple(case["by_from"]))


@chosen("witness brackets")
def test_the_script_brackets_alike(case: dict[str, Any]) -> None:
    notes = [script.Sufficient(one["size"], one["by"], one["from"], []) for one in case["notes"]]
    said = [(run["start"], run["stop"], run["after"], run["before"]) for run in case["brackets"]]
    assert script.brackets(notes, case["size"]) == said
