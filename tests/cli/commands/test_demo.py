"""`demo` is `serve` with a simulated meter; that it serves is shown in test_serve.py."""

import pytest

from command import Run
from running import serving, until


def test_demo_names_its_limits(run: Run) -> None:
    done = run("demo", "--rate", "0")
    assert done.returncode == 2
    assert "--rate" in done.stderr


@pytest.mark.parametrize(
    ("profile", "protocol"),
    [("MT171", "d0"), ("MT174", "d0"), ("M550", "p1"), ("AM550-KELAG", "dlms"), ("AM550-CH-encrypted", "dlms")],
)
def test_demo_shows_a_meter_of_every_protocol(profile: str, protocol: str) -> None:
    with serving("demo", "--profile", profile) as server:
        until(lambda: server.get("/api/electricity/cumulated").status_code == 200)
        meters = server.get("/api/v1/meters").json()["meters"]
    assert [meter["protocol"] for meter in meters] == [protocol] * len(meters)
    assert all(meter["simulated"] for meter in meters)
