"""What a collector answers over HTTP, asked through a socket; promtool reads its metrics."""

import shutil
import subprocess
from collections.abc import Iterator

import httpx
import pytest

from iskra_server.base.hosts import Hosts
from iskra_server.base.secret import Secret
from iskra_server.fleet.central.collector_state import CollectorState
from iskra_server.runtime.collector_http import answering, collector_app
from iskra_server.runtime.http_server import listen
from iskra_server.web.http.gate import Gate
from running import ANSWER_S

PROMTOOL = shutil.which("promtool")
STATE = CollectorState(
    kept=7, waits=2, refused=1, live=5, live_dropped=3, waiting=4, batches=2, lag_sum_s=0.25, lag_s=0.2
)


class Collecting:
    """A collector whose state the test sets."""

    def __init__(self, client: httpx.Client) -> None:
        self.state = STATE
        self.get = client.get


@pytest.fixture(params=["", "0123456789abcdef"], ids=["open", "token"])
def token(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def collector(token: str) -> Iterator[Collecting]:
    listening = listen("127.0.0.1", 0)
    headers = {"authorization": f"Bearer {token}"} if token else {}
    with httpx.Client(
        base_url=f"http://127.0.0.1:{listening[0].getsockname()[1]}", headers=headers, timeout=ANSWER_S
    ) as client:
        collecting = Collecting(client)
        app = collector_app(lambda: collecting.state, Gate(Secret(token), (), Hosts()), "1.2.3")
        with answering(app, listening):
            yield collecting
        with pytest.raises(httpx.TransportError):
            client.get("/healthz")


def test_metrics_count_the_answers_and_the_lag(collector: Collecting) -> None:
    text = collector.get("/metrics").text
    for line in (
        'iskra_collector_messages_total{answer="kept"} 7',
        'iskra_collector_messages_total{answer="waits"} 2',
        'iskra_collector_messages_total{answer="refused"} 1',
        "iskra_collector_lag_seconds_total 0.25",
        "iskra_collector_oldest_message_age_seconds 0.2",
        "iskra_collector_waiting_messages 4",
        "iskra_collector_live_values_total 5",
        "iskra_collector_dropped_live_values_total 3",
        "iskra_collector_broker_up 1",
        "iskra_collector_database_up 1",
    ):
        assert line in text.splitlines()
    if PROMTOOL:
        done = subprocess.run([PROMTOOL, "check", "metrics"], input=text, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, "")


def test_it_is_healthy_until_the_broker_or_the_database_is_away(collector: Collecting) -> None:
    assert collector.get("/healthz").status_code == 200
    collector.state = CollectorState(sentence="PostgreSQL at db:5432 went away.", database_away_since_s=1.0)
    answer = collector.get("/healthz")
    assert (answer.status_code, answer.json()["detail"]) == (503, "PostgreSQL at db:5432 went away.")
    assert "iskra_collector_database_up 0" in collector.get("/metrics").text.splitlines()


def test_another_route_and_another_host_are_refused(collector: Collecting, token: str) -> None:
    assert collector.get("/api/v1/status").status_code == 404
    assert collector.get("/metrics", headers={"host": "evil.example"}).status_code == 421
    unnamed = collector.get("/metrics", headers={"authorization": ""})
    assert unnamed.status_code == (401 if token else 200)
