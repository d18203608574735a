from msgspec import structs

from iskra_server.diagnosis.facts import StreamQuality
from iskra_server.diagnosis.status import run_checks
from iskra_server.reading.hub import Hub
from iskra_server.reading.reception import DayCounts
from iskra_server.web.app import create_app
from iskra_server.web.http.settings import Settings
from web.serving import NEVER, Site, arrived, status


def test_the_telegrams_of_the_last_seconds_are_told_source_by_source() -> None:
    site = Site(arrived())
    now = StreamQuality(seconds=10, valid=9, damaged=1, cut=1, byte_count=4210, valid_ratio=0.9)
    site.statuses = [run_checks(structs.replace(status().facts, last_10s=now)), status(port="/dev/ttyUSB1", **NEVER)]
    answer = site.get("/api/v1/quality")
    assert answer.headers["cache-control"] == "no-store"
    first, second = answer.json()["sources"]
    assert first == {
        **{"seconds": 10, "valid": 9, "damaged": 1, "cut": 1, "byte_count": 4210, "valid_ratio": 0.9},
        **{"framing": None, "overruns": None, "bytes_per_s": None},
        **{"source": "auto", "port": "/dev/ttyUSB0", "meter_id": "1 ISK 00 12345678"},
    }
    assert (second["port"], second["meter_id"], second["valid"], second["valid_ratio"]) == (
        "/dev/ttyUSB1",
        None,
        0,
        None,
    )


def test_the_day_of_every_source_is_told() -> None:
    slots = DayCounts()
    slots.count_valid(10.0)
    slots.count_damaged(10.0)
    days = [("auto", slots.day(10.0)), ("tcp://x:1", slots.day(400.0))]
    site = Site()
    site.app = create_app(hub=Hub(), statuses=list, settings=Settings("1"), days=lambda: days)
    answer = site.get("/api/v1/quality/day")
    assert answer.headers["cache-control"] == "no-store"
    first, second = answer.json()["sources"]
    assert (first["source"], first["slot_s"], first["valid"][-2:], first["damaged"][-1]) == ("auto", 300, [0, 1], 1)
    assert (second["source"], second["valid"][-2:]) == ("tcp://x:1", [1, 0])
