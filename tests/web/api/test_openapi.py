import json
import re
from typing import Any
from urllib.parse import urljoin

import pytest
from starlette.routing import Route

from iskra_server.history.store.store import Store
from iskra_server.web.api.openapi import document
from iskra_server.web.app import FLEET, all_endpoints
from iskra_server.web.http.pages import PAGES
from web.serving import Site, arrived

DESCRIPTION: dict[str, Any] = json.loads(document(all_endpoints(), "1.2.3"))


def described(path: str, status: int) -> dict[str, Any]:
    answer: dict[str, Any] = DESCRIPTION["paths"][path]["get"]["responses"][str(status)]
    return answer


def test_every_route_is_described_and_every_description_has_a_route() -> None:
    site = Site()
    served = {route.path for route in site.app.routes if isinstance(route, Route)}
    central = {path for path in DESCRIPTION["paths"] if path.startswith("/api/v1/fleet/")}
    expected = {*PAGES, "/static/{hash}/{path:path}", "/api/openapi.json", FLEET, *DESCRIPTION["paths"]} - central
    assert served == expected
    assert {site.get(path).status_code for path in central} == {503}
    assert site.get("/api/v1/fleet/more").status_code == 404


def test_the_document_is_served_with_the_servers_version() -> None:
    answer = Site().get("/api/openapi.json")
    assert answer.headers["content-type"] == "application/json"
    assert answer.json()["info"]["version"] == "1.2.3"
    assert answer.json()["openapi"].startswith("3.1")


def test_the_server_is_where_the_document_is_below_any_prefix() -> None:
    (server,) = DESCRIPTION["servers"]
    for prefix in ("", "/api/hassio_ingress/token"):
        assert urljoin(f"http://pi{prefix}/api/openapi.json", server["url"]).rstrip("/") == f"http://pi{prefix}"


def test_every_reference_has_a_schema() -> None:
    schemas = DESCRIPTION["components"]["schemas"]
    references = re.findall(r'"#/components/schemas/(\w+)"', json.dumps(DESCRIPTION))
    assert references and set(references) <= schemas.keys()


def test_values_are_described_as_numbers() -> None:
    schemas = DESCRIPTION["components"]["schemas"]
    assert schemas["Cumulated"]["properties"]["value"] == {"type": "number"}
    assert "simulated" not in schemas["Cumulated"]["required"]
    assert "number" in schemas["MeterRegister"]["properties"]["value"]["type"]


def test_energy_is_described_as_it_is_sent() -> None:
    schemas = DESCRIPTION["components"]["schemas"]
    assert schemas["EnergyBucket"]["properties"]["import_wh"] == {"type": "number"}
    assert {"import_wh", "export_wh"} & set(schemas["EnergyBucket"]["required"]) == set()
    assert {"import", "export"} <= schemas["Energy"]["properties"].keys()


def test_path_parameters_are_required_and_stand_in_the_path() -> None:
    for endpoint in all_endpoints():
        named = {parameter.name for parameter in endpoint.parameters if parameter.place == "path"}
        assert named == set(re.findall(r"{(\w+)}", endpoint.path))


@pytest.mark.parametrize(
    ("path", "url", "status"),
    [
        ("/api/electricity/cumulated", "/api/electricity/cumulated", 200),
        ("/api/electricity/cumulated", "/api/electricity/cumulated?meter=x", 404),
        ("/api/v1/meters/{id}", "/api/v1/meters/1ISK0012345678", 200),
        ("/api/v1/meters/{id}", "/api/v1/meters/x", 404),
        ("/api/v1/meters", "/api/v1/meters", 200),
        ("/api/v1/status", "/api/v1/status", 200),
        ("/healthz", "/healthz?meter=x", 400),
        ("/api/v1/meters/{id}/energy", "/api/v1/meters/1ISK0012345678/energy", 200),
        ("/api/v1/meters/{id}/energy", "/api/v1/meters/1ISK0012345678/energy?bucket=x", 400),
        ("/api/v1/meters/{id}/power", "/api/v1/meters/1ISK0012345678/power", 200),
        ("/api/v1/meters/{id}/registers", "/api/v1/meters/1ISK0012345678/registers", 200),
        ("/api/v1/meters/{id}/registers", "/api/v1/meters/x/registers", 404),
    ],
)
def test_answers_have_the_described_form(store: Store, path: str, url: str, status: int) -> None:
    answer = Site(arrived(), history=store).get(url)
    ((media_type, content),) = described(path, status)["content"].items()
    assert (answer.status_code, answer.headers["content-type"]) == (status, media_type)
    schema = DESCRIPTION["components"]["schemas"][content["schema"]["$ref"].rsplit("/", 1)[1]]
    assert set(schema["required"]) <= answer.json().keys() <= schema["properties"].keys()
