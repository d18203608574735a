import msgspec

from iskra_server.outputs.state import OutputState
from iskra_server.reading.hub import Hub
from iskra_server.web.api.status import server_status
from iskra_server.web.app import create_app
from iskra_server.web.http.settings import Settings
from web.serving import NEVER, Site, arrived, status


def test_all_is_well_while_every_source_is() -> None:
    assert server_status([status(), status()], "").ok
    assert not server_status([status(), status(is_open=False)], "").ok


def test_without_a_source_nothing_is_well() -> None:
    assert not server_status([], "").ok


def test_the_share_of_good_telegrams_is_told_or_not_known() -> None:
    shown = server_status([status(telegrams=2, faults={"checksum": 1, "noise": 9}), status(telegrams=0, **NEVER)], "")
    assert [source.valid_ratio for source in shown.meters] == [0.6667, None]


def test_the_first_failed_check_has_its_sentence() -> None:
    site = Site(arrived())
    site.statuses = [status(data_age_s=None, **{k: v for k, v in NEVER.items() if k != "data_age_s"})]
    answer = msgspec.json.decode(site.get("/api/v1/status").content)
    (source,) = answer["meters"]
    assert (answer["ok"], source["failed_check"]) == (False, "data")
    assert "infrared window" in source["sentence"]
    assert [check["state"] for check in source["checks"][:5]] == ["passed", "passed", "passed", "failed", "unknown"]


def test_what_keeps_history_from_being_written_is_told() -> None:
    site = Site(arrived())
    site.app = create_app(
        hub=Hub(), statuses=list, settings=Settings("1"), history=lambda: None, history_sentence=lambda: "It is full."
    )
    assert site.get("/api/v1/status").json()["history"] == "It is full."


def test_how_an_output_stands_is_told() -> None:
    state = OutputState("influx", ok=False, sentence="It is away.", waiting=3)
    site = Site(arrived())
    site.app = create_app(hub=Hub(), statuses=list, settings=Settings("1"), outputs=lambda: [state])
    (output,) = site.get("/api/v1/status").json()["outputs"]
    assert (output["ok"], output["sentence"], output["waiting"]) == (False, "It is away.", 3)
