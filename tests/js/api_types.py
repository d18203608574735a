"""Generates the types of the server's answers for tsc from OpenAPI: python tests/js/api_types.py > FILE.

Exact numbers are text on the page (exact.js), so they are strings here.
"""

import json
import re
from typing import Any

from iskra_server.web.api.openapi import document
from iskra_server.web.app import all_endpoints

_EXACT = re.compile(r"value|\w+_(?:wh|w|amount)")
_OF_METER = "/api/v1/meters/{id}/"
_PLAIN = {"integer": "number", "null": "null", "object": "object"}


def declarations() -> str:
    description = json.loads(document(all_endpoints(), ""))
    schemas = description["components"]["schemas"]
    answers = {path: _answer(next(iter(operations.values()))) for path, operations in description["paths"].items()}
    meter_answers = {path.removeprefix(_OF_METER): kind for path, kind in answers.items() if path.startswith(_OF_METER)}
    other_answers = {path.removeprefix("/"): kind for path, kind in answers.items() if "{" not in path}
    lines = [f"  interface {name} {_type(schema)}" for name, schema in schemas.items()]
    lines += [f"  interface Answers {_object(other_answers)}", f"  interface MeterAnswers {_object(meter_answers)}"]
    return "\n".join(["declare namespace Api {", *lines, "}", ""])


def _answer(operation: dict[str, Any]) -> str:
    content = operation["responses"]["200"]["content"]
    return _type(content["application/json"]["schema"]) if "application/json" in content else "never"


def _object(properties: dict[str, str]) -> str:
    return "{ " + " ".join(f"{json.dumps(name)}: {kind};" for name, kind in properties.items()) + " }"


def _type(schema: dict[str, Any], name: str = "") -> str:
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if "enum" in schema:
        return " | ".join(json.dumps(value) for value in schema["enum"])
    if "anyOf" in schema:
        return " | ".join(_type(choice, name) for choice in schema["anyOf"])
    kind = schema.get("type", "unknown")
    if isinstance(kind, list):
        return " | ".join(_type({"type": type_}, name) for type_ in kind)
    return _single_type(schema, name)


def _single_type(schema: dict[str, Any], name: str) -> str:
    kind = str(schema.get("type", "unknown"))
    if kind == "array":
        return f"({_type(schema['items'], name)})[]"
    if "properties" in schema:
        return "{ " + " ".join(_property(schema, field) for field in schema["properties"]) + " }"
    if "additionalProperties" in schema:
        return f"Record<string, {_type(schema['additionalProperties'])}>"
    if kind == "number" and _EXACT.fullmatch(name):
        return "string"
    return _PLAIN.get(kind, kind)


def _property(schema: dict[str, Any], field: str) -> str:
    property_ = schema["properties"][field]
    is_sent = field in schema["required"] or "default" in property_
    return f"{json.dumps(field)}{'' if is_sent else '?'}: {_type(property_, field)};"


if __name__ == "__main__":
    print(declarations(), end="")
