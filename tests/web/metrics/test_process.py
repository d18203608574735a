import os
import time

from iskra_server.web.metrics.process import Process


def values() -> dict[str, float]:
    return {family.name: float(family.series[0].value) for family in Process().families()}


def test_what_the_process_costs_is_told() -> None:
    found = values()
    assert 0 < found["process_cpu_seconds"] <= time.process_time()
    assert 10e6 < found["process_resident_memory_bytes"] < 10e9
    assert 3 <= found["process_open_fds"] <= found["process_max_fds"]


def test_a_file_that_is_opened_is_counted() -> None:
    before = values()["process_open_fds"]
    with open(os.devnull) as _:
        assert values()["process_open_fds"] == before + 1


def test_the_start_lies_in_the_past_and_does_not_tremble() -> None:
    process = Process()

    def start() -> object:
        (value,) = (family.series[0].value for family in process.families() if "start" in family.name)
        return value

    first = start()
    assert isinstance(first, float)
    assert 0 < time.time() - first < 86_400
    assert {start() for _ in range(50)} == {first}
