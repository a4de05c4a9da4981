"""The page at /docs: the OpenAPI document as a manual, without a script or anything from another machine."""

from __future__ import annotations

import json
from collections.abc import Iterator
from html import escape
from typing import Any

_STYLE = """
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 56rem; margin: 2rem auto; padding: 0 1rem; }
h2 { margin-top: 2.5rem; border-top: 1px solid #8886; padding-top: 1rem; }
h2 code { font-size: 1em; } .method { color: #0b62c4; font-weight: 700; margin-right: .5em; }
pre { background: #8881; padding: .75rem; border-radius: .5rem; overflow-x: auto; }
table { border-collapse: collapse; width: 100%; display: block; overflow-x: auto; }
td, th { text-align: left; vertical-align: top; padding: .25rem .75rem .25rem 0; border-bottom: 1px solid #8883; }
@media (prefers-color-scheme: dark) { .method, a { color: #7ab7ff; } }
"""


_BOUNDS = (
    ("minimum", "from", ""),
    ("maximum", "to", ""),
    ("minLength", "of at least", " characters"),
    ("maxLength", "of at most", " characters"),
)


def page(openapi: dict[str, Any]) -> str:
    """Return the manual as an HTML page."""
    info = openapi["info"]
    title = escape(info["title"])
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}: API</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{_STYLE}</style></head>'
        f"<body><h1>{title}: the HTTP API</h1><p>{_prose(info['description'])}</p>"
        '<p>Machine-readable: <a href="/openapi.json">/openapi.json</a> (OpenAPI). Errors are problems (RFC 9457): '
        '<code>application/problem+json</code> with a stable <code>type</code>, see <a href="#Problem">Problem</a>.</p>'
        f"{_keys(openapi)}{_contents(openapi)}{''.join(_operations(openapi))}"
        f"<h1>What goes over the wire</h1>{''.join(_schemas(openapi))}</body></html>"
    )


def _keys(openapi: dict[str, Any]) -> str:
    schemes = openapi["components"].get("securitySchemes", {})
    if not schemes:
        return ""
    return (
        "<p>Where API keys are in force, a request names one: <code>Authorization: Bearer KEY</code> or "
        "<code>X-API-Key: KEY</code>. What changes documents needs a key of the scope <code>write</code>.</p>"
    )


def _contents(openapi: dict[str, Any]) -> str:
    groups: dict[str, list[str]] = {tag["name"]: [] for tag in openapi["tags"]}
    for path, method, operation in _each(openapi):
        entry = f"{_link(path, method)} {escape(operation['summary'])}"
        groups[operation["tags"][0]].append(f"<li>{entry}</li>")
    return "".join(
        f"<h3>{escape(tag[:1].upper() + tag[1:])}</h3><ul>{''.join(entries)}</ul>"
        for tag, entries in groups.items()
    )


def _each(openapi: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    order = [tag["name"] for tag in openapi["tags"]]
    found = [
        (path, method, operation)
        for path, methods in openapi["paths"].items()
        for method, operation in methods.items()
    ]
    yield from sorted(found, key=lambda each: order.index(each[2]["tags"][0]))


def _link(path: str, method: str) -> str:
    name = escape(_anchor(path, method))
    return f'<a href="#{name}"><b>{method.upper()}</b> <code>{escape(path)}</code></a>'


def _anchor(path: str, method: str) -> str:
    return f"{method}-{path.strip('/').translate({ord('/'): '-', ord('{'): None, ord('}'): None})}"


def _operations(openapi: dict[str, Any]) -> Iterator[str]:
    for path, method, operation in _each(openapi):
        name = escape(_anchor(path, method))
        yield f'<h2 id="{name}"><span class="method">{method.upper()}</span><code>{escape(path)}</code></h2>'
        text = _prose(operation.get("description", ""))
        yield f"<p><b>{escape(operation['summary'])}.</b> {text}</p>"
        rows = [
            (each["name"], each["schema"], each.get("description", ""))
            for each in operation.get("parameters", ())
        ]
        if rows:
            yield _table(rows)
        for media, content in operation.get("requestBody", {}).get("content", {}).items():
            yield _body(media, content["schema"], openapi)
        yield f"<ul>{''.join(_responses(operation))}</ul>{_answer(operation, openapi)}"


def _body(media: str, schema: dict[str, Any], openapi: dict[str, Any]) -> str:
    """What a request sends: a schema with an example, or the fields of a form."""
    if "properties" in schema:
        rows = [(name, each, each.get("description", "")) for name, each in schema["properties"].items()]
        return f"<p>Body: <code>{escape(media)}</code></p>{_table(rows)}"
    named = openapi["components"]["schemas"].get(schema.get("$ref", "").rsplit("/", 1)[-1], {})
    examples = "".join(_block(each) for each in named.get("examples", ()))
    return f"<p>Body: <code>{escape(media)}</code> {_type(schema)}</p>{examples}"


def _responses(operation: dict[str, Any]) -> Iterator[str]:
    errors = []
    for status, response in operation["responses"].items():
        if status[0] in "45":
            errors.append(f"<b>{escape(status)}</b> {escape(response['description'])}")
            continue
        kinds = ", ".join(
            f"<code>{escape(media)}</code> {_type(content['schema']) if 'schema' in content else 'events'}"
            for media, content in response.get("content", {}).items()
        )
        yield f"<li><b>{escape(status)}</b> {escape(response['description'])}{': ' if kinds else ''}{kinds}</li>"
    if errors:
        yield f'<li>or a <a href="#Problem">Problem</a>: {", ".join(errors)}</li>'


def _answer(operation: dict[str, Any], openapi: dict[str, Any]) -> str:
    """An example of the answer of an operation that succeeds."""
    responses = [response for status, response in operation["responses"].items() if status[0] == "2"]
    examples = [
        content.get("example") or _example_of(content.get("schema", {}), openapi)
        for response in responses
        for content in response.get("content", {}).values()
    ]
    return "".join(_block(example) for example in examples if example)


def _example_of(schema: dict[str, Any], openapi: dict[str, Any]) -> Any:
    """An example of what a schema describes, made of the examples of its fields."""
    if "$ref" in schema:
        return _example_of(openapi["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]], openapi)
    for key in ("examples", "enum"):
        if key in schema:
            return schema[key][0]
    if "properties" in schema:
        return {name: _example_of(each, openapi) for name, each in schema["properties"].items()}
    if "anyOf" in schema:
        return _example_of(schema["anyOf"][0], openapi)
    if schema.get("type") == "array":
        return [_example_of(schema["items"], openapi)]
    return schema.get("const", schema.get("default"))


def _schemas(openapi: dict[str, Any]) -> Iterator[str]:
    for name, schema in sorted(openapi["components"]["schemas"].items()):
        yield f'<h2 id="{escape(name)}"><code>{escape(name)}</code></h2><p>{_prose(schema.get("description", ""))}</p>'
        yield _table(
            [
                (key, value, value.get("description", ""))
                for key, value in schema.get("properties", {}).items()
            ]
        )


def _table(rows: list[tuple[str, dict[str, Any], str]]) -> str:
    lines = "".join(
        f"<tr><td><code>{escape(name)}</code></td><td>{_type(schema)}</td><td>{_prose(text)}{_such_as(schema)}</td></tr>"
        for name, schema, text in rows
    )
    return f"<table><tr><th>Name</th><th>Type</th><th>Meaning</th></tr>{lines}</table>"


def _such_as(schema: dict[str, Any]) -> str:
    """A field's example, where a short one tells something."""
    example = next((each for each in schema.get("examples", ()) if each), None)
    if example is None or isinstance(example, dict | list):
        return ""
    return f" <small>e.g. <code>{escape(json.dumps(example, ensure_ascii=False))}</code></small>"


def _type(schema: dict[str, Any]) -> str:
    """A schema's type in a few words, as HTML."""
    if "$ref" in schema:
        name = escape(schema["$ref"].rsplit("/", 1)[1])
        return f'<a href="#{name}">{name}</a>'
    if "anyOf" in schema:
        return " or ".join(_type(each) for each in schema["anyOf"])
    if "enum" in schema or "const" in schema:
        return " or ".join(
            f"<code>{escape(json.dumps(each))}</code>" for each in schema.get("enum", [schema.get("const")])
        )
    kind = escape(str(schema.get("type", "any")))
    if kind == "array":
        return f"list of {_type(schema.get('items', {}))}"
    bounds = [f"{word} {schema[key]}{unit}" for key, word, unit in _BOUNDS if key in schema]
    default = f", default {escape(json.dumps(schema['default']))}" if "default" in schema else ""
    return " ".join((kind, *bounds)) + default


def _block(example: Any) -> str:
    text = example if isinstance(example, str) else json.dumps(example, indent=2, ensure_ascii=False)
    return f"<pre>{escape(text)}</pre>"


def _prose(text: str) -> str:
    """Escaped text in which `words` in backticks are code."""
    parts = escape(text).split("`")
    return "".join(f"<code>{part}</code>" if number % 2 else part for number, part in enumerate(parts))
