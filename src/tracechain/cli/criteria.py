"""Options that say which packs a recall is about: each is one criterion, and all of them have to be met."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeAlias

import click

from tracechain import criteria, identifiers
from tracechain.cli.moments import claimed_nanos
from tracechain.cli.subjects import named
from tracechain.criteria import Criterion
from tracechain.errors import InputError
from tracechain.event.times import MAX_TIME, MIN_TIME
from tracechain.registers.files import parse

__all__ = ["Asked", "criterion_of", "criterion_options", "product_of", "read_criterion", "spelt"]

#: What the options were given, by the names of their parameters; None or () where one was not.
Asked: TypeAlias = Mapping[str, Any]

_MOST = 1 << 20  # bytes of a file
_PRODUCT = re.compile("01/[0-9]{14}|nmpa/[0-9]{7}")
_DIGITS = re.compile("[0-9]{1,14}")
_TIME = "TIME"

#: (option, parameter, placeholder, several, help), in the order in which they are shown.
_OPTIONS: tuple[tuple[str, str, str, bool, str], ...] = (
    ("--gtin", "gtin", "GTIN", False, "Of this product; or an NMPA product, nmpa/ and 7 digits."),
    ("--lot", "lot", "LOT", False, "Of this lot of the product."),
    ("--maker", "maker", "MAKER", False, "Of products of this maker, by id or name."),
    ("--merchant", "merchant", "ID", False, "Of products of this merchant."),
    ("--code", "codes", "CODE", True, "These codes; may be given several times."),
    ("--through", "places", "PLACE", True, "Was seen at this place, itself or in a container."),
    ("--container", "containers", "CODE", True, "Was in this container, at any depth."),
    ("--carrier", "carriers", "ID", True, "Was carried by this party."),
    ("--from", "start", _TIME, False, "Since when, for --through, --container, --carrier: a day, or a time."),
    ("--to", "stop", _TIME, False, "Until when, likewise: to the end of a day."),
    ("--with", "shared", "CODE", True, "Was in one container with this code at the same time."),
    ("--commissioned-from", "made_from", _TIME, False, "Commissioned from then on."),
    ("--commissioned-to", "made_to", _TIME, False, "Commissioned up to the end of a day, or before a time."),
    ("--above", "above", "NUMBER", False, "Exposed to more than this: degrees Celsius, or see --measure."),
    ("--below", "below", "NUMBER", False, "Exposed to less than this."),
    ("--for", "longest", "DURATION", False, "For longer than this without a break, such as 30m or 1h30m [any time]."),
)  # fmt: skip
_MEASURES = click.Choice(criteria.values.MEASURES)


def criterion_options(command: Any) -> Any:
    """The options of commands that take a criterion; the command takes their parameters by keyword."""
    command = click.option(
        "--criterion", "criterion_file", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
        help="A criterion in a .json file, with `any` and `not` where they are needed.",
    )(command)  # fmt: skip
    command = click.option(
        "--measure", "measure", type=_MEASURES, help="What --above and --below are about [temperature].",
    )(command)  # fmt: skip
    for option, name, placeholder, several, words in reversed(_OPTIONS):
        command = click.option(option, name, metavar=placeholder, multiple=several, help=words)(command)
    return command


def criterion_of(asked: Asked) -> Criterion:
    """The criterion that the options say. InputError names the option that cannot be used."""
    parts = list(_parts(asked))
    if not parts:
        raise InputError("which packs? say it with --gtin, --lot, --code, --through, ... or --criterion FILE.json")
    return criteria.all_of(parts)


def spelt(asked: Asked) -> str:
    """The options as they were given, for the shell."""
    words: list[str] = []
    options = {option: name for option, name, *_ in _OPTIONS}
    for option, name in {**options, "--measure": "measure", "--criterion": "criterion_file"}.items():
        given = asked[name]
        for one in given if isinstance(given, tuple) else () if given is None else (given,):
            words += [option, str(one)]
    return shlex.join(words)


def _parts(asked: Asked) -> Iterator[Criterion]:
    product = None if asked["gtin"] is None else product_of(asked["gtin"], "--gtin")
    if asked["lot"] is not None:
        if product is None:
            raise InputError("--lot is a lot of a product: say which with --gtin")
        yield criteria.Lot(product, asked["lot"])
    elif product is not None:
        yield criteria.OfProduct(product)
    if asked["maker"] is not None:
        yield criteria.ByMaker(asked["maker"])
    if asked["merchant"] is not None:
        yield criteria.ByMerchant(criteria.checks.canonical_id(asked["merchant"]))
    if asked["codes"]:
        yield criteria.Codes(tuple(map(named, asked["codes"])))
    yield from _through(asked)
    for code in asked["shared"]:
        yield criteria.SharedContainer(named(code))
    yield from _commissioned(asked)
    yield from _measured(asked)
    if asked["criterion_file"] is not None:
        yield read_criterion(asked["criterion_file"])


def product_of(text: str, option: str) -> str:
    """The product of a GTIN in any spelling, or an NMPA product. InputError names the option."""
    try:
        if _DIGITS.fullmatch(text):
            return f"01/{identifiers.parse_gtin(text)}"
        product = text if _PRODUCT.fullmatch(text) else identifiers.canonical(text)
        if not _PRODUCT.fullmatch(product):
            raise InputError(f"{text[:60]!r} is the id of one thing, not of a product")
        return product
    except InputError as error:
        raise InputError(f"{option}: {error}") from None


def _through(asked: Asked) -> Iterator[Criterion]:
    start = claimed_nanos(asked["start"], "--from", begin=True)
    stop = claimed_nanos(asked["stop"], "--to")
    some = asked["places"] or asked["containers"] or asked["carriers"]
    if not some and (start is not None or stop is not None):
        raise InputError("--from and --to are for --through, --container and --carrier: say through what")
    kinds = (
        ("places", criteria.ThroughPlace), ("containers", criteria.ThroughContainer), ("carriers", criteria.ByCarrier),
    )  # fmt: skip
    for name, kind in kinds:
        for one in asked[name]:
            yield kind(criteria.checks.canonical_id(one), start, stop)


def _commissioned(asked: Asked) -> Iterator[Criterion]:
    given = asked["made_from"], asked["made_to"]
    if given == (None, None):
        return
    start = claimed_nanos(given[0], "--commissioned-from", begin=True)
    stop = claimed_nanos(given[1], "--commissioned-to")
    if stop is not None and given[1] is not None and len(given[1]) == 10:  # a whole day, of which a stop is no part
        stop = min(stop + 1, MAX_TIME)
    yield criteria.Commissioned(MIN_TIME if start is None else start, MAX_TIME if stop is None else stop)


def _measured(asked: Asked) -> Iterator[Criterion]:
    limits = {what: asked[what] for what in ("above", "below") if asked[what] is not None}
    if not limits:
        if asked["longest"] is not None or asked["measure"] is not None:
            raise InputError("--for and --measure are about a limit: say --above or --below")
        return
    measure = asked["measure"] or "temperature"
    yield criteria.from_json({"measured": {"measure": measure, **limits, "longer_than": asked["longest"] or "0s"}})


def read_criterion(path: Path) -> Criterion:
    """The criterion of a .json file; InputError names the file."""
    try:
        with path.open("rb") as file:
            data = file.read(_MOST + 1)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        raise InputError(f"{path} cannot be read: {getattr(error, 'strerror', None) or error}") from None
    if len(data) > _MOST:
        raise InputError(f"{path} is over {_MOST} bytes: that is no criterion that a record holds")
    value = parse(data, path.suffix.lower().removeprefix("."), str(path))
    try:
        return criteria.from_json(value)
    except InputError as error:
        raise InputError(f"{path}: {error}") from None
