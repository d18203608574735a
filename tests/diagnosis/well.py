"""Facts of a source of which all is well, but for the changes."""

from typing import Any

from msgspec import structs

from iskra_server.diagnosis.facts import CHECK_S, Facts, StreamQuality


def quality(good: int = 0, damaged: int = 0, *, cut: int = 0, seconds: int = CHECK_S) -> StreamQuality:
    share = round(good / (good + damaged), 4) if good + damaged else None
    return StreamQuality(seconds, good, damaged, cut, 400 * (good + damaged), share)


def facts(**changes: Any) -> Facts:
    return structs.replace(WELL, **changes)


WELL = Facts(
    name="",
    source="auto",
    port="/dev/ttyUSB0",
    is_open=True,
    simulated=False,
    byte_count=4440,
    data_age_s=0.5,
    telegrams=99,
    faults={"checksum": 1, "noise": 50},
    quarantined=0,
    meter_id="1 ISK 00 12345678",
    age_s=0.5,
    stale_after_s=60.0,
    locked=False,
    last_10s=quality(10, seconds=10),
    last_5min=quality(99, 1),
)
