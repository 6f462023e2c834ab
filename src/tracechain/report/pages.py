"""From a template to one page that needs nothing else: its style and its script stand in it, and the browser is told,
by their hashes, to run and apply no others and to fetch nothing at all.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from functools import lru_cache
from hashlib import sha256
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from tracechain.errors import InputError
from tracechain.report import catalogue
from tracechain.report.catalogue import LANGUAGES, Both, Language
from tracechain.report.escaping import to_script, visible
from tracechain.report.words import Name

__all__ = ["check_language", "render"]

#: What each page may load: nothing, but the one script and the one style that stand in it.
_POLICY = (
    "default-src 'none'; script-src '{script}'; style-src '{style}'; base-uri 'none'; form-action 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)
_TAGS = {"en": "en", "zh": "zh-Hans"}


def check_language(language: str) -> Language:
    """The language, if there are texts in it; InputError otherwise."""
    for known in LANGUAGES:
        if known == language:
            return known
    raise InputError(f"language is {language!r:.40}: a page is written in {' or '.join(LANGUAGES)}")


def render(
    template: str, *, language: Language, title: Both, styles: Sequence[str], scripts: Sequence[str], data: Any,
    **context: Any,
) -> str:  # fmt: skip
    """A page of `template`, with assets by name in the order given, and `data` for its scripts."""
    style = "".join(_asset(name) for name in ("page.css", *styles))
    parts = "".join(_asset(name) for name in ("page.js", *scripts))
    # One function around all: nothing of the page's own is a global, and all of it is strict.
    script = f'(() => {{\n"use strict";\n{parts}}})();\n'
    policy = _POLICY.format(script=_hash(script), style=_hash(style))
    at = LANGUAGES.index(language)
    page = _environment().get_template(template)
    return page.render(
        at=at, language=language, tag=_TAGS[language], title=title, policy=Markup(policy), style=Markup(style),  # noqa: S704 - ours
        script=Markup(script), data=Markup(to_script({"language": language, **data})), **context,  # noqa: S704 - escaped by to_script
    )  # fmt: skip


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(sha256(text.encode()).digest()).decode()}"


@lru_cache
def _asset(name: str) -> str:
    return files("tracechain.report").joinpath("assets", name).read_text("utf-8")


@lru_cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("tracechain.report"), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    environment.globals |= {
        "t": _t, "both": _both, "both_texts": catalogue.both, "attribute": _attribute, "named": _named, "titled":
        _titled, "chain": _chain, "spans": _spans, "mark": _mark,
    }  # fmt: skip
    environment.filters |= {"number": "{:,}".format, "visible": visible}
    return environment


def _both(texts: Both) -> Markup:
    """A text in both languages, of which the style shows one; Markup in it stays Markup."""
    english, chinese = texts
    if english == chinese:
        return Markup.escape(english)
    return Markup('<span class="en" lang="en">{}</span><span class="zh" lang="zh-Hans">{}</span>').format(
        english, chinese
    )


def _t(key: str, **values: Any) -> Markup:
    """A text of the catalogue with values: texts are escaped, Name and pairs of texts take both languages."""
    forms = []
    for at in range(len(LANGUAGES)):
        filled = {name: _one(value, at) for name, value in values.items()}
        forms.append(Markup(catalogue.form(key, at, values.get("n"))).format(**filled))  # noqa: S704 - the catalogue is ours
    return _both((forms[0], forms[1]))


def _one(value: Any, at: int) -> Any:
    if isinstance(value, Name):
        return value.words[at]
    if isinstance(value, tuple):
        return value[at]
    return f"{value:,}" if isinstance(value, int) else value


def _named(name: Name) -> Markup:
    """A name with its id behind it, where that says more; the long token of a buyer only where one points at it."""
    if not name.id or name.token:
        return _titled(name)
    return Markup('{} <span class="id">{}</span>').format(_both(name.words), name.id)


def _titled(name: Name) -> Markup:
    """A name that shows its id where one points at it."""
    if not name.id:
        return _both(name.words)
    return Markup('<span title="{}">{}</span>').format(name.id, _both(name.words))


def _attribute(attributes: str, texts: Both, at: int) -> Markup:
    """Attributes in both languages, which the script of the page exchanges."""
    parts = [Markup('data-attribute="{}" data-en="{}" data-zh="{}"').format(attributes, *texts)]
    parts += [Markup('{}="{}"').format(attribute, texts[at]) for attribute in attributes.split()]
    return Markup(" ").join(parts)


def _chain(names: Sequence[Name]) -> Markup:
    """Containers from the innermost outwards."""
    return Markup(' <span aria-hidden="true">›</span> ').join(_named(name) for name in names)


def _spans(texts: Both) -> Markup:
    """A text in both languages inside an SVG text."""
    if texts[0] == texts[1]:
        return Markup.escape(texts[0])
    return Markup('<tspan class="en">{}</tspan><tspan class="zh">{}</tspan>').format(*texts)


def _mark(kind: str, x: float, y: float) -> Markup:
    """The mark of a sighting: kinds differ in form, not in colour alone."""
    match kind:
        case "own":
            shape = '<circle class="dot own" cx="{x:g}" cy="{y:g}" r="5"/>'
        case "container":
            shape = '<circle class="dot container" cx="{x:g}" cy="{y:g}" r="4.5"/>'
        case "kin":
            shape = '<path class="dot kin" d="M{x:g} {y:g}m0 -6l6 6l-6 6l-6 -6z"/>'
        case _:
            shape = '<path class="dot voided" d="M{x:g} {y:g}m-4.5 -4.5l9 9m0 -9l-9 9"/>'
    return Markup(shape.format(x=x, y=y))  # noqa: S704 - numbers in forms of ours
