"""Scan files of the sale: buyers, amounts, payments, returns, relabelling, sensors, and events taken back."""

from __future__ import annotations

import json
import re
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scan_texts import OTHER, PACK, PACK_ID, TIME, one, read_json, refused
from tracechain.event import (
    ErrorDeclaration,
    SensorMetadata,
    SensorReport,
    TransactionEvent,
    TransformationEvent,
    ilmd_value,
    parse_time,
)
from tracechain.event.sale import EXPIRY, EXPORT_RETURN_DOCUMENT, LOT, PAYMENT_DOCUMENT, amount, documents, label
from tracechain.formats.scans import ScanError

TOKEN = "00112233445566778899aabbccddeeff"


def test_an_order_has_a_buyer_and_an_amount() -> None:
    event = one(event="order", doc="PO-1", buyer=TOKEN, amount="1299.50")
    assert event.person == bytes.fromhex(TOKEN)
    assert amount(event) == Decimal("1299.5")
    assert documents(event, "po") == ("urn:tracechain:doc:PO-1",)
    assert one(event="deliver", buyer=TOKEN.upper()).person == event.person


IDENTITIES = ["Wang Xiaoming", "王小明", "13800138000", "110101199003070000", TOKEN[:-1], TOKEN + "0", TOKEN[:-1] + "g"]


@pytest.mark.parametrize("identity", IDENTITIES)
def test_a_buyer_who_is_no_token_is_refused_and_not_repeated(identity: str) -> None:
    with pytest.raises(ScanError, match="never write the identity") as caught:
        one(event="deliver", buyer=identity)
    assert caught.value.column == "buyer"
    assert identity not in str(caught.value)
    assert caught.value.value is None
    with pytest.raises(ScanError) as caught:
        read_json(json.dumps({"event": "deliver", "time": TIME, "code": PACK, "buyer": identity}))
    assert identity not in str(caught.value)


def test_a_buyer_who_is_a_number_or_differs_within_a_group_is_not_repeated_either() -> None:
    with pytest.raises(ScanError, match="never the identity") as caught:
        read_json(json.dumps({"event": "deliver", "time": TIME, "code": PACK, "buyer": 13800138000}))
    assert "13800138000" not in str(caught.value)
    rows = f"deliver,{TIME},{PACK},a,{TOKEN}\ndeliver,{TIME},{OTHER},a,13800138000\n"
    error = refused(f"event,time,code,group,buyer\n{rows}", "line 3, column buyer")
    assert "13800138000" not in str(error)
    assert error.value is None


@pytest.mark.parametrize(
    "text", ["0", "0.00", "-5", "+5", "5,000", "1e3", "1.005", ".5", "5.", "007", "¥5", "５", "1_000", "NaN", "9" * 16]
)
def test_an_amount_is_exact_and_over_zero(text: str) -> None:
    with pytest.raises(ScanError, match="no amount in yuan over 0") as caught:
        one(event="order", doc="PO-1", amount=text)
    assert (caught.value.column, caught.value.value) == ("amount", text)


@given(st.decimals(Decimal("0.01"), Decimal(10) ** 15 - 1, places=2))
def test_every_amount_is_kept_to_the_fen(value: Decimal) -> None:
    assert amount(one(event="order", doc="PO-1", amount=f"{value:f}")) == value


def test_a_payment_names_the_order_and_the_payment() -> None:
    event = one(event="payment", doc="po:PO-1 WX-99")
    assert documents(event, "po") == ("urn:tracechain:doc:PO-1",)
    assert documents(event, PAYMENT_DOCUMENT) == ("urn:tracechain:doc:WX-99",)
    assert one(event="payment", doc="payment:WX-99 po:PO-1") == event
    for doc in ("WX-99", "po:PO-1"):
        with pytest.raises(ScanError, match=r"needs a doc: the purchase order, po:... and the payment"):
            one(event="payment", doc=doc)


def test_a_cancelled_order_releases_the_packs() -> None:
    event = one(event="cancel", doc="PO-1")
    assert isinstance(event, TransactionEvent)
    assert (event.action, documents(event, "po")) == ("DELETE", ("urn:tracechain:doc:PO-1",))


def test_a_return_is_applied_for() -> None:
    event = one(event="apply_return", doc="R-7", buyer=TOKEN)
    assert isinstance(event, TransactionEvent)
    assert (event.action, documents(event, "rma")) == ("ADD", ("urn:tracechain:doc:R-7",))


def test_an_export_return_is_known_by_its_document() -> None:
    event = one(event="export_return", doc="ER-7")
    assert documents(event, EXPORT_RETURN_DOCUMENT) == ("urn:tracechain:doc:ER-7",)
    assert one(event="export_return", doc="export_return:ER-7") == event
    with pytest.raises(ScanError, match="needs a doc: the return"):
        one(event="export_return", doc="rma:ER-7")


def test_a_relabelling_has_an_old_and_a_new_code() -> None:
    event = one(event="relabel", new_code=OTHER, lot="LOT-A7", expiry="2028-06-30")
    assert isinstance(event, TransformationEvent)
    assert (event.epcs, event.output_epcs) == ((PACK_ID,), ("01/09521234001072/21/BJ0002",))
    assert (label(event, LOT), label(event, EXPIRY)) == ("LOT-A7", "2028-06-30")
    assert (ilmd_value(event, "lotNumber"), event.extensions) == ("LOT-A7", ())
    assert one(event="relabel", new_code="(01)09521234001072(17)280630(10)LOT-A7(21)BJ0002") == event


def test_what_the_old_label_said_stands_beside_the_new_one() -> None:
    event = one(event="relabel", code="(01)09521234001072(10)LOT-A7(21)BJ0001", new_code=OTHER, lot="LOT-B1")
    assert ilmd_value(event, "lotNumber") == "LOT-B1"
    assert [(one.name, one.value) for one in event.extensions] == [("lotNumber", "LOT-A7")]


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"event": "relabel", "new_code": PACK}, "the new code is the old one"),
        ({"event": "relabel", "new_code": "010952123400107321BJ0002"}, "check digit should be 2"),
        ({"event": "relabel", "new_code": "(01)09521234001072(10)A(21)2", "lot": "B"}, "it says 'B'"),
        ({"event": "relabel", "new_code": OTHER, "expiry": "2027-02-29"}, "no day of the calendar"),
        ({"event": "relabel", "new_code": OTHER, "parent": "095212340000000013"}, "has no parent"),
        ({"event": "sell", "new_code": OTHER}, "'sell' has no new_code"),
        ({"event": "sell", "temperature": "4.5"}, "'sell' has no temperature"),
        ({"event": "sell", "humidity": "45"}, "'sell' has no humidity"),
        ({"event": "sensor", "temperature": "-274"}, "degrees Celsius"),
        ({"event": "sensor", "temperature": "4,5"}, "degrees Celsius"),
        ({"event": "sensor", "humidity": "100.1"}, "per cent"),
        ({"event": "sensor", "humidity": "-1"}, "per cent"),
        ({"error": "did_not_occur"}, "column declared"),
        ({"declared": TIME}, "column error"),
        ({"error": "didnt_occur", "declared": TIME}, "did you mean 'did_not_occur'"),
        ({"error": "did_not_occur", "declared": "2026-11-21"}, "column declared"),
        ({"error": "did_not_occur", "declared": "2026-11-21T08:30:00"}, "column declared: '2026-11-21T08:30:00' has"),
    ],
)
def test_columns_that_do_not_fit_the_event_are_refused(fields: dict[str, str], words: str) -> None:
    with pytest.raises(ScanError, match=re.escape(words)):
        one(**fields)


def test_relabellings_are_never_of_several_codes() -> None:
    rows = f"relabel,{TIME},{PACK},a,urn:x:1\nrelabel,{TIME},{OTHER},a,urn:x:1\n"
    refused(f"event,time,code,group,new_code\n{rows}", "line 2, column new_code", "one old code and one new code")


def test_a_sensor_reports_what_it_measured_at_that_time() -> None:
    event = one(event="sensor", temperature="-18.5", humidity="45", place="4149521234000013")
    (element,) = event.sensors
    assert element.metadata == SensorMetadata(time=parse_time(TIME))
    assert element.reports == (
        SensorReport(type="Temperature", value=Decimal("-18.5"), uom="CEL"),
        SensorReport(type="RelativeHumidity", value=Decimal(45), uom="P1"),
    )
    assert (event.epcs, event.biz_step) == ((PACK_ID,), "sensor_reporting")
    (element,) = one(event="sensor", humidity="45").sensors
    assert [report.type for report in element.reports] == ["RelativeHumidity"]


def test_an_event_is_declared_an_error() -> None:
    event = one(event="decommission", error="did_not_occur", declared="2026-11-22T09:00:00Z")
    assert event.error_declaration == ErrorDeclaration(
        declaration_time=parse_time("2026-11-22T09:00:00Z"), reason="did_not_occur"
    )
    assert (event.event_time, event.biz_step) == (parse_time(TIME), "decommissioning")
