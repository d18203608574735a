"""What all endpoints that read history have in common."""

import pytest

from iskra_server.history.store.store import Store
from iskra_server.web.app import all_endpoints
from iskra_server.web.http.endpoint import Endpoint, integer_parameter, period_parameters
from iskra_server.web.http.query import DEFAULT_FROM
from samples import METER_ID
from web.past import info
from web.serving import Site

OF_HISTORY = [endpoint for endpoint in all_endpoints() if {429, 503} <= endpoint.results.keys()]


@pytest.mark.parametrize("endpoint", OF_HISTORY, ids=lambda endpoint: endpoint.name)
def test_a_parameter_that_is_not_described_is_refused_and_the_described_ones_are_listed(
    endpoint: Endpoint, store: Store
) -> None:
    store.write([], [info()])
    path = endpoint.path.replace("{id}", METER_ID.replace(" ", ""))
    answer = Site(history=store).get(f"{path}?bukcet=day")
    allowed = ", ".join(parameter.name for parameter in endpoint.parameters if parameter.place == "query")
    assert (answer.status_code, answer.json()["reason"]) == (400, "bad_request")
    known = f"allowed are {allowed}" if allowed else "there is none"
    assert answer.json()["detail"] == f"'bukcet' is not a parameter here; {known}."


@pytest.mark.parametrize("endpoint", OF_HISTORY, ids=lambda endpoint: endpoint.name)
def test_without_history_every_endpoint_that_reads_it_says_so(endpoint: Endpoint) -> None:
    answer = Site().get(endpoint.path.replace("{id}", "x"))
    assert (answer.status_code, answer.json()["reason"]) == (503, "no_history")


def test_limits_and_defaults_are_part_of_the_description() -> None:
    limit = integer_parameter("limit", "rows", 50, 1000)
    assert limit.description == "rows; default 50, at most 1,000"
    assert limit.schema == {"type": "integer", "minimum": 1, "maximum": 1000, "default": 50}
    begin, end = period_parameters("400 days")
    assert begin.schema["default"] == DEFAULT_FROM
    assert end.description.endswith("; at most 400 days")
