"""JSON-LD as far as EPCIS needs it: exact JSON, contexts, names of extension fields and their values."""

from __future__ import annotations

import json
import re
import unicodedata
from decimal import Decimal
from typing import Any

from attrs import frozen

from tracechain.errors import InputError
from tracechain.event import Array, Extension, Object, Value
from tracechain.event.values import MAX_DEPTH

__all__ = [
    "MAX_DOCUMENT",
    "SCHEME",
    "STANDARD_PREFIXES",
    "VERSION",
    "Context",
    "extensions_of",
    "load",
    "member",
    "shown",
    "typed",
]

MAX_DOCUMENT = 1 << 28  # bytes

# What the standard EPCIS context declares.
STANDARD_PREFIXES = {
    "epcis": "https://ref.gs1.org/epcis/",
    "cbv": "https://ref.gs1.org/cbv/",
    "cbvmda": "urn:epcglobal:cbv:mda:",
    "gs1": "https://gs1.org/voc/",
    "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
    "owl": "http://www.w3.org/2002/07/owl#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
    "dcterms": "http://purl.org/dc/terms/",
}
DELIMITERS = tuple(":/?#[]@")
SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:")
VERSION = re.compile(r"2(\.[0-9]+)*")


def load(data: bytes | str) -> Any:
    """JSON with exact numbers, without duplicate keys, NaN and absurd sizes."""
    if len(data) > MAX_DOCUMENT:
        raise InputError(f"{len(data)} bytes are over the limit of {MAX_DOCUMENT}: split the document")
    if isinstance(data, bytes):
        try:
            data = data.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise InputError(f"byte {error.start} is not UTF-8: save the document as UTF-8") from None
    try:
        return json.loads(data, parse_float=Decimal, parse_constant=refuse_constant, object_pairs_hook=unique_keys)
    except RecursionError:
        raise InputError("objects and arrays are nested too deep") from None
    except InputError:
        raise
    except (ValueError, ArithmeticError) as error:
        raise InputError(f"it is no JSON: {error}") from None


def refuse_constant(text: str) -> None:
    """Hook of the JSON decoder."""
    raise InputError(f"{text} is no JSON number")


def unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Hook of the JSON decoder: an object, of which each key comes once."""
    result = dict(pairs)
    if len(result) != len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise InputError(f"the key {key!r:.100} comes twice in one object: keep one")
            seen.add(key)
    return result


def member(parent: dict[str, Any], name: str, kind: type) -> Any:
    """`parent[name]`, which must be there and of `kind`."""
    if name not in parent:
        raise InputError(f"{name} is missing")
    return typed(parent[name], kind, name)


WORDS: dict[type, str] = {dict: "an object", list: "an array", str: "text"}


def typed(value: Any, kind: type, what: str) -> Any:
    """`value` if it is of `kind` (dict, list or str), else InputError."""
    if not isinstance(value, kind):
        raise InputError(f"{what} is {shown(value)}: it must be {WORDS[kind]}")
    return unicodedata.normalize("NFC", value) if isinstance(value, str) and not value.isascii() else value


def shown(value: Any) -> str:
    """`value` for a message, not too long."""
    text = repr(value)
    return text if len(text) <= 100 else text[:97] + "..."


@frozen
class Context:
    """Prefixes and terms that `@context` declares beyond the standard ones, and the default vocabulary."""

    prefixes: dict[str, str]
    vocab: str | None

    def derive(self, declared: Any) -> Context:
        """This context with what an `@context` value adds."""
        prefixes, vocab = dict(self.prefixes), self.vocab
        for part in declared if isinstance(declared, list) else [declared]:
            if isinstance(part, str):
                continue  # an address, most often of the EPCIS context itself: never fetched
            for name, target in typed(part, dict, "@context").items():
                iri = target.get("@id") if isinstance(target, dict) else target
                if name == "@vocab":
                    vocab = None if iri is None else typed(iri, str, "@vocab in @context")
                elif name.startswith("@") or iri is None:
                    continue
                else:
                    iri = typed(iri, str, f"{name!r:.100} in @context")
                    found = Context(prefixes, vocab).expand(iri)
                    if SCHEME.match(found) is None:
                        if not iri.startswith("@"):
                            raise InputError(f"@context: {name!r:.100} stands for {shown(iri)}, no absolute IRI")
                        continue
                    prefixes[name] = found
        return Context(prefixes, vocab)

    def prefix(self, name: str) -> str | None:
        """What a prefix stands for."""
        return self.prefixes.get(name) or STANDARD_PREFIXES.get(name)

    def expand(self, text: str) -> str:
        """A compact IRI written out; other text as it is."""
        prefix, colon, rest = text.partition(":")
        if colon and not rest.startswith("//") and (iri := self.prefix(prefix)) is not None:
            return iri + rest
        return text

    def name(self, key: str) -> tuple[str, str]:
        """(namespace, name) of a field's key; the namespace is empty for a bare name that nothing defines."""
        prefix, colon, rest = key.partition(":")
        if colon:
            if rest and not rest.startswith("//") and (iri := self.prefix(prefix)) is not None:
                return iri, rest
            return cut(key)
        term = self.prefixes.get(key)
        if term is not None and not term.endswith(DELIMITERS):
            return cut(term)
        return ("" if self.vocab is None or key.startswith("@") else self.vocab), key

    def kind(self, text: str) -> str:
        """The bare name of an event type."""
        return self.expand(text).removeprefix(STANDARD_PREFIXES["epcis"])


def cut(iri: str) -> tuple[str, str]:
    """An absolute IRI as (namespace, name)."""
    end = max(iri.rfind("/"), iri.rfind("#"), iri.rfind(":")) + 1
    if end == len(iri):
        raise InputError(f"the name {iri!r:.100} ends where a name should begin")
    return iri[:end], iri[end:]


def extensions_of(body: dict[str, Any], known: Any, context: Context, what: str) -> tuple[Extension, ...]:
    """The fields of `body` that are not `known`: vendor extensions, which need a namespace."""
    found = []
    for key, value in body.items():
        if key not in known:
            namespace, name = context.name(key)
            if not namespace:
                raise InputError(
                    f"{what} has no field {key!r:.100}: check the spelling, or give it a namespace (prefix:{key:.40})"
                )
            read = read_value(value, context, f"{what}, {key:.100}")
            found.append(Extension(nfc(namespace), nfc(name), read))
    return tuple(found)


def nfc(text: str) -> str:
    """`text` in normal form C."""
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def read_value(value: Any, context: Context, what: str, depth: int = 0) -> Value:
    """The value of an extension, whatever it is."""
    if isinstance(value, str):
        return nfc(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return Decimal(value)
    if isinstance(value, list | dict) and depth == MAX_DEPTH:
        raise InputError(f"{what} nests more than {MAX_DEPTH} deep")
    if isinstance(value, list):
        return Array(tuple(read_value(item, context, what, depth + 1) for item in value))
    if isinstance(value, dict):
        inner = context.derive(value["@context"]) if "@context" in value else context
        fields = []
        for key, item in value.items():
            if key != "@context":
                namespace, name = inner.name(key)
                fields.append(Extension(nfc(namespace), nfc(name), read_value(item, inner, what, depth + 1)))
        return Object(tuple(fields))
    assert value is None or isinstance(value, bool | Decimal)  # all that JSON can say
    return value
