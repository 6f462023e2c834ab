"""EPCIS 2.0 documents in JSON / JSON-LD <-> events.

The rules are those of the standard's JSON Schema (required fields, unknown fields, ilmd only with ADD) and what the
schema lets through although the standard does not: times that no calendar has, bare names that CBV 2.0 does not
define, extension fields without a namespace.

JSON-LD: a prefix is looked up in the `@context` of the event, then of the document, then in the standard EPCIS
context. A name whose prefix is declared nowhere is an absolute IRI, as JSON-LD says. Contexts are never fetched, and
type coercion of vendor terms is not applied: values of extensions stay as they were written. So `ext:name` is kept as
(namespace that the prefix stands for, name); a full IRI is cut after its last `/`, `#` or `:`.

What an event does not keep: the order within sets, the zone in which other times than eventTime were written, the
number of zeros behind a decimal point, and what stands in the document around the events.
"""

from tracechain.formats.epcis.jsonld import MAX_DOCUMENT
from tracechain.formats.epcis.reader import iter_document, parse_document
from tracechain.formats.epcis.writer import format_document, format_json

__all__ = ["MAX_DOCUMENT", "format_document", "format_json", "iter_document", "parse_document"]
