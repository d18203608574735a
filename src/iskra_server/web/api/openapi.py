"""GET /api/openapi.json: the OpenAPI 3.1 description of the endpoints, made from the types of their answers."""

from collections.abc import Sequence
from typing import Any

import msgspec

from iskra_server.web.http.endpoint import Endpoint, Parameter, Result

_REF = "#/components/schemas/{name}"


def document(endpoints: Sequence[Endpoint], version: str) -> bytes:
    """The description as JSON."""
    refs, components = _schemas(endpoints)
    return msgspec.json.encode(
        {
            "openapi": "3.1.0",
            "info": {
                "title": "ISKRA Electricity Server",
                "version": version,
                "description": "Exact readings of electricity meters. Read-only: "
                "the one POST checks a text and changes nothing.",
                "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
            },
            # relative to this document: a proxy, such as the ingress of Home Assistant, may serve all below a path
            "servers": [{"url": ".."}],
            "paths": {endpoint.path: {endpoint.method.lower(): _operation(endpoint, refs)} for endpoint in endpoints},
            "components": {"schemas": components},
        }
    )


def _schemas(endpoints: Sequence[Endpoint]) -> tuple[dict[type, dict[str, Any]], dict[str, Any]]:
    types = list(dict.fromkeys(result.content for endpoint in endpoints for result in endpoint.results.values()))
    refs, components = msgspec.json.schema_components(types, ref_template=_REF)
    return dict(zip(types, refs, strict=True)), components


def _operation(endpoint: Endpoint, refs: dict[type, dict[str, Any]]) -> dict[str, Any]:
    operation = {
        "operationId": endpoint.name,
        "summary": endpoint.summary,
        "parameters": [_parameter(parameter) for parameter in endpoint.parameters],
        "responses": {str(status): _response(result, refs) for status, result in endpoint.results.items()},
    }
    if body := endpoint.body:
        content = {media_type: {"schema": {"type": "string"}} for media_type in body.media_types}
        operation["requestBody"] = {"description": body.description, "required": True, "content": content}
    return operation


def _parameter(parameter: Parameter) -> dict[str, Any]:
    return {
        "name": parameter.name,
        "in": parameter.place,
        "required": parameter.place == "path",
        "description": parameter.description,
        "schema": parameter.schema,
    }


def _response(result: Result, refs: dict[type, dict[str, Any]]) -> dict[str, Any]:
    forms = filter(None, (result.media_type, result.alternative))
    return {"description": result.description, "content": {form: {"schema": refs[result.content]} for form in forms}}
