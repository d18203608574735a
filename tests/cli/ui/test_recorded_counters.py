from decimal import Decimal

import pytest

from iskra_server.cli.ui.recorded_counters import PART_S, RecordedCounters
from iskra_server.cli.ui.usage_error import UsageError
from iskra_server.config import ServerConfig
from iskra_server.history.store.store import Store
from running import free_port
from web.past import INFO, NAME, Q, counted
from web.serving import Site


@pytest.fixture
def asked(store: Store, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A server with a history that is asked directly; the paths of the questions."""
    store.write(counted([1000, 1364]), [INFO])
    site, paths = Site(history=store), list[str]()

    def ask(_: ServerConfig, path: str) -> bytes:
        paths.append(path)
        answer = site.get(path)
        answer.raise_for_status()
        return answer.content

    monkeypatch.setattr("iskra_server.cli.ui.local_server.ask", ask)
    return paths


def test_a_period_comes_in_parts_that_are_asked_for_once(asked: list[str]) -> None:
    counters, steps = RecordedCounters(ServerConfig()), list[int]()
    for _ in range(2):
        parts = counters.between(NAME, Q * 900 - PART_S, Q * 900 + 900, lambda: steps.append(1))
        assert len(parts) == 2
    assert (len(asked), len(steps)) == (2, 4)
    shown = [value for part in parts for value in part["counters"][0]["shown_wh"] if value is not None]
    assert shown == [Decimal("100.0"), Decimal("136.4")]


def test_the_beginning_of_the_history(asked: list[str]) -> None:
    assert RecordedCounters(ServerConfig()).first_s(NAME) == Q * 900
    assert len(asked) == 1


def test_a_server_that_is_not_there_is_one_sentence() -> None:
    with pytest.raises(UsageError, match="does not answer; start it"):
        RecordedCounters(ServerConfig(port=free_port())).first_meter()


@pytest.mark.parametrize("body", [b"<html>", b"[]", b'{"result": 1}', b"\xff"])
def test_another_program_at_this_port_is_one_sentence(body: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("iskra_server.cli.ui.local_server.ask", lambda *_: body)
    for ask in (
        RecordedCounters.first_meter,
        lambda counters: counters.between(NAME, 0, 900),
        lambda counters: counters.first_s(NAME),
    ):
        with pytest.raises(UsageError, match="is another program"):
            ask(RecordedCounters(ServerConfig()))
