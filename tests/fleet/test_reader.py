"""A reader as a user runs it, and what it says of quarters that the central server did not keep."""

import subprocess
from pathlib import Path
from typing import Any

import pytest

from command import COMMAND, environment
from fleet.centre import Centre, Heard, keep
from history.entries import METER, QUARTER, quarter_reading
from iskra_server.fleet.protocol import Receipt
from iskra_server.history.store.store import Store
from outputs.mqtt.broker import Mosquitto
from running import serving, until
from samples import METER_ID

REASON = "1-0:1.8.0*255 goes back"


def refuse_the_second(message: Heard) -> Receipt:
    return Receipt("refused", REASON) if QUARTER + 1 in message.quarters else Receipt("kept")


@pytest.mark.slow
def test_a_refused_quarter_is_seen_everywhere_and_sent_again_while_the_server_runs(
    tmp_path: Path, broker: Mosquitto
) -> None:
    def call(*args: str, **variables: str) -> subprocess.CompletedProcess[str]:
        made = environment(tmp_path, **variables)
        return subprocess.run([COMMAND, *args], capture_output=True, text=True, env=made, check=False, timeout=60)

    store = Store(f"sqlite:///{tmp_path}/iskra.sqlite")
    store.write([quarter_reading(QUARTER + place) for place in range(3)], [METER])
    store.close()
    uplink = {"IES_UPLINK_URL": broker.url.replace("//", "//house-7@"), "IES_DATA_DIR": str(tmp_path)}
    environ = {"IES_HISTORY_ENABLED": "true"} | uplink
    with (
        Centre(broker.port, refuse_the_second) as centre,
        serving("serve", "tcp://127.0.0.1:1", environ=environ) as server,
    ):

        def state() -> dict[str, Any]:
            found: dict[str, Any] = server.get("/api/v1/status").json()["outputs"][0]
            return found

        until(lambda: server.get("/api/v1/status").json()["outputs"])
        until(lambda: (state()["refused"], state()["waiting"]) == (1, 0))
        said = state()
        assert (said["ok"], said["delivered"]) == (False, 2)
        assert said["confirmed_at"]
        assert f"refuses 1 quarter-hour of {METER_ID}: {REASON}. Nothing is lost:" in said["sentence"]
        metrics = server.get("/metrics").text
        assert 'iskra_output_up{output="uplink"} 0' in metrics
        assert 'iskra_output_refused_quarters{output="uplink"} 1' in metrics
        assert 'iskra_output_last_confirmed_timestamp_seconds{output="uplink"} ' in metrics
        port = server.url.rpartition(":")[2]
        doctor = call("doctor", "tcp://127.0.0.1:1", "--seconds", "1", IES_SERVER_PORT=port, **uplink)
        assert f"uplink: The central server refuses 1 quarter-hour of {METER_ID}" in doctor.stdout
        assert f"Quarter-hours of {METER_ID} stay here: {REASON}" in server.log
        centre.decide = keep
        day = call("uplink", "status", **uplink).stdout.splitlines()[-1].rpartition(" ")[2]
        assert "will be sent again" in call("uplink", "resend", "--from", day, **uplink).stdout
        until(lambda: state()["refused"] == 0 and state()["ok"])
        assert call("uplink", "status", **uplink).returncode == 0
        assert {message.reader for message in centre.heard} == {"house-7"}
