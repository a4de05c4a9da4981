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


def page(openapi: dict[str, Any]) -> str:
    """Return the manual as an HTML page."""
    info = openapi["info"]
    body = "\n".join(_operations(openapi))
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(info["title"])}: API</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{_STYLE}</style></head>'
        f"<body><h1>{escape(info['title'])}: the HTTP API</h1><p>{_prose(info['description'])}</p>"
        '<p>Machine-readable: <a href="/openapi.json">/openapi.json</a> (OpenAPI). Errors are problems (RFC 9457): '
        f"<code>application/problem+json</code> with a stable <code>type</code>.</p>{body}"
        f"{''.join(_schemas(openapi))}</body></html>"
    )


def _operations(openapi: dict[str, Any]) -> Iterator[str]:
    for path, methods in openapi["paths"].items():
        for method, operation in methods.items():
            yield f'<h2><span class="method">{method.upper()}</span><code>{escape(path)}</code></h2>'
            yield f"<p><b>{escape(operation['summary'])}.</b> {_prose(operation.get('description', ''))}</p>"
            rows = [
                (each["name"], each["schema"], each.get("description", ""))
                for each in operation.get("parameters", ())
            ]
            if rows:
                yield _table(rows)
            content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
            if content:
                yield f"<p>Body: {_type(content['schema'])}</p>{_example(content['schema'], openapi)}"
            yield f"<ul>{''.join(_responses(operation))}</ul>"


def _responses(operation: dict[str, Any]) -> Iterator[str]:
    for status, response in operation["responses"].items():
        kinds = ", ".join(
            f"<code>{escape(media)}</code> {_type(content.get('schema', {}))}"
            for media, content in response.get("content", {}).items()
        )
        yield f"<li><b>{escape(status)}</b> {escape(response['description'])}: {kinds}</li>"


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
        f"<tr><td><code>{escape(name)}</code></td><td>{_type(schema)}</td><td>{_prose(text)}</td></tr>"
        for name, schema, text in rows
    )
    return f"<table><tr><th>Name</th><th>Type</th><th>Meaning</th></tr>{lines}</table>"


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
    bounds = [
        f"{word} {schema[key]}" for key, word in (("minimum", "from"), ("maximum", "to")) if key in schema
    ]
    default = f", default {escape(json.dumps(schema['default']))}" if "default" in schema else ""
    return " ".join((kind, *bounds)) + default


def _example(schema: dict[str, Any], openapi: dict[str, Any]) -> str:
    named = openapi["components"]["schemas"].get(schema.get("$ref", "").rsplit("/", 1)[-1], {})
    return "".join(f"<pre>{escape(json.dumps(each, indent=2))}</pre>" for each in named.get("examples", ()))


def _prose(text: str) -> str:
    """Escaped text in which `words` in backticks are code."""
    parts = escape(text).split("`")
    return "".join(f"<code>{part}</code>" if number % 2 else part for number, part in enumerate(parts))
