import msgspec

from iskra_server.base.build import Build
from iskra_server.outputs.state import OutputState
from iskra_server.web.api.status import server_status
from iskra_server.web.app import create_app
from iskra_server.web.http.settings import WebSettings
from web.serving import NEVER, ServerStub, Site, arrived, status, writing


def test_the_server_is_ok_if_every_source_is() -> None:
    assert server_status([status(), status()], "").ok
    assert not server_status([status(), status(is_open=False)], "").ok


def test_the_server_is_not_ok_without_a_source() -> None:
    assert not server_status([], "").ok


def test_the_valid_ratio_is_null_before_the_first_telegram() -> None:
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


def test_the_status_says_why_history_is_not_written() -> None:
    site = Site(arrived())
    server = ServerStub(history_state=lambda: writing("It is full."))
    site.app = create_app(WebSettings("1", has_history=True), server)
    assert site.get("/api/v1/status").json()["history"] == "It is full."


def test_the_status_names_the_server() -> None:
    site = Site(arrived())
    build = Build("d7" * 20, "2026-11-27T16:29:23+00:00")
    for known, commit, date in ((None, None, None), (build, build.commit, build.date)):
        site.app = create_app(WebSettings("1.2.3", build=known), ServerStub(server_id="ab" * 16))
        server = site.get("/api/v1/status").json()["server"]
        assert server == {"id": "ab" * 16, "version": "1.2.3", "commit": commit, "commit_date": date}


def test_the_status_has_the_state_of_every_output() -> None:
    state = OutputState("influx", ok=False, sentence="It is away.", waiting=3)
    site = Site(arrived())
    site.app = create_app(WebSettings("1"), ServerStub(output_states=lambda: [state]))
    (output,) = site.get("/api/v1/status").json()["outputs"]
    assert (output["ok"], output["sentence"], output["waiting"]) == (False, "It is away.", 3)
