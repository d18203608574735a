import os
import time

from iskra_server.web.metrics.process import process_families


def values() -> dict[str, float]:
    return {family.name: float(family.series[0].value) for family in process_families()}


def test_usage_of_the_process_is_reported() -> None:
    usage = values()
    assert 0 < usage["process_cpu_seconds"] <= time.process_time()
    assert 10e6 < usage["process_resident_memory_bytes"] < 10e9
    assert 3 <= usage["process_open_fds"] <= usage["process_max_fds"]


def test_an_opened_file_is_counted() -> None:
    before = values()["process_open_fds"]
    with open(os.devnull) as _:
        assert values()["process_open_fds"] == before + 1


def test_the_start_time_lies_in_the_past_and_is_constant() -> None:
    start_s = values()["process_start_time_seconds"]
    assert 0 < time.time() - start_s < 86_400
    assert {values()["process_start_time_seconds"] for _ in range(50)} == {start_s}
