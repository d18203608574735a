import json
from pathlib import Path

from msgspec.structs import replace

from cli.recorded import history
from command import OnTerminal, Run
from history.entries import METER, OTHER, SIMULATED
from iskra_server.history.store.store import Store
from outputs.mqtt.broker import Mosquitto, Subscriber, retained


def test_meters_are_listed(call: Run, tmp_path: Path) -> None:
    history(tmp_path)
    history(tmp_path, meter=OTHER)
    done = call("meters")
    assert done.returncode == 0
    assert [line.split("  ")[0] for line in done.stdout.splitlines()] == [METER.meter_id, OTHER.meter_id]


def test_a_program_gets_json(call: Run, tmp_path: Path) -> None:
    history(tmp_path)
    (line,) = call("meters", "--json").stdout.splitlines()
    meter = json.loads(line)
    assert meter.pop("first_seen") == meter.pop("last_seen")
    assert meter == {
        "meter_id": METER.meter_id,
        "server_id": METER.server_id,
        "simulated": False,
        "replaced_by": None,
    }


def test_a_terminal_gets_a_table(terminal: OnTerminal, tmp_path: Path) -> None:
    history(tmp_path)
    shown = terminal("meters")
    assert shown.end() == 0
    assert "first seen" in shown.text
    assert METER.meter_id in shown.text


def test_a_terminal_gets_an_id_as_it_is(terminal: OnTerminal, tmp_path: Path) -> None:
    """D0 and P1 meters name themselves in any characters."""
    name = "[red]1[/red] :heart: [2]"
    history(tmp_path, meter=replace(METER, meter_id=name))
    shown = terminal("meters", columns=120)
    assert shown.end() == 0 and name in shown.text


def test_a_simulated_meter_says_so(call: Run, tmp_path: Path) -> None:
    history(tmp_path, meter=SIMULATED, file="simulated.sqlite")
    assert call("meters", IES_METERS="simulator:MT175").stdout.endswith("SIMULATED\n")


def test_a_meter_is_replaced(call: Run, tmp_path: Path) -> None:
    path = history(tmp_path)
    history(tmp_path, meter=OTHER)
    done = call("meters", "replace", METER.meter_id, OTHER.meter_id)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"{OTHER.meter_id} continues the history of {METER.meter_id}.\n"
    store = Store(f"sqlite:///{path}")
    assert [meter.replaced_by for meter in store.meters()] == [OTHER.meter_id, None]
    store.close()
    assert f"replaced by {OTHER.meter_id}" in call("meters").stdout.splitlines()[0]


def test_a_meter_that_history_does_not_know_is_not_replaced(call: Run, tmp_path: Path) -> None:
    history(tmp_path)
    done = call("meters", "replace", METER.meter_id, "x")
    assert done.returncode == 2
    assert done.stderr == f"iskra-server: The meter x is not in history; it holds {METER.meter_id}.\n"


def test_a_replacement_is_taken_back(call: Run, tmp_path: Path) -> None:
    """Two meters that were read at the same time for days are the wrong pair, or in the wrong order."""
    path = history(tmp_path)
    store = Store(f"sqlite:///{path}")
    info = next(meter for meter in store.meters() if meter.meter_id == METER.meter_id)
    store.write([], [replace(OTHER, first_s=info.last_s - 2 * 86_400)])
    store.close()
    pair = METER.meter_id[-8:], OTHER.meter_id[-8:]
    done = call("meters", "replace", *pair)
    undo = f"iskra-server meters replace '{METER.meter_id}' '{OTHER.meter_id}' --undo"
    assert (done.returncode, done.stderr) == (0, "")
    assert "nothing counts after that" in done.stdout
    assert done.stdout.endswith(f"{undo}\n")
    done = call("meters", "replace", *pair, "--undo")
    assert done.stdout == f"{OTHER.meter_id} does not continue the history of {METER.meter_id} any more.\n"
    assert "replaced" not in call("meters").stdout
    again = call("meters", "replace", *pair, "--undo")
    assert (again.returncode, again.stdout) == (1, "")
    assert f"{OTHER.meter_id} does not continue the history of {METER.meter_id}." in again.stderr


def test_a_history_without_a_meter_is_no_answer(call: Run, tmp_path: Path) -> None:
    folder = tmp_path / ".local/share/iskra-server"
    Store(f"sqlite:///{folder}/iskra.sqlite").close()
    done = call("meters")
    assert (done.returncode, done.stdout) == (1, "History holds no meter yet.\n")


def test_a_meter_is_removed_from_the_broker(call: Run, tmp_path: Path) -> None:
    broker = Mosquitto(tmp_path).start()
    try:
        with Subscriber(broker.port) as subscriber:
            subscriber.say("iskra-server/0a01/availability", "offline", retain=True)
            subscriber.say("iskra-server/0a01/diagnostics", '{"id":"1 ISK 00 00000001"}', retain=True)
        done = call("meters", "remove", "1 ISK 00 00000001", IES_MQTT_URL=broker.url)
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout == f"1 ISK 00 00000001 is removed from {broker.url}; its history is kept.\n"
        assert retained(broker.port) == {}
        done = call("meters", "remove", "1 ISK 00 00000001", IES_MQTT_URL=broker.url)
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr.endswith(f"There is no meter 1 ISK 00 00000001 at {broker.url}; it has none.\n")
    finally:
        broker.kill()


def test_without_a_broker_there_is_nothing_to_remove(call: Run) -> None:
    done = call("meters", "remove", "x")
    assert done.returncode == 2
    assert done.stderr.startswith("iskra-server: No MQTT broker is configured (outputs.mqtt.url)")


def test_a_wrong_broker_is_one_sentence(call: Run) -> None:
    done = call("meters", "remove", "x", IES_MQTT_URL="http://pi")
    assert done.returncode == 2
    assert done.stderr == (
        "iskra-server: outputs.mqtt: the url must be like mqtt://user@host:1883, or mqtts:// for TLS.\n"
    )
