"""The methods of a Shelly: golden results, errors, and requests that would write."""

from datetime import UTC, datetime

import pytest
from msgspec.json import encode

from emulating import MAC, grid_reading
from iskra_server.outputs.emulation.grid import GridReading
from iskra_server.outputs.emulation.shelly_identity import EM_GEN3, PRO_3EM, PRO_EM50, ShellyIdentity, ShellyModel
from iskra_server.outputs.emulation.shelly_methods import Methods, Need, Params, ShellyMoment
from iskra_server.outputs.emulation.shelly_rpc import NO_CURRENT_READING, RpcError

NOW = datetime(2026, 11, 27, 10, 0, tzinfo=UTC)
# what batteries, evcc, openWB and Home Assistant call
CALLED = (
    *("Shelly.GetDeviceInfo", "Shelly.GetStatus", "Shelly.GetConfig", "Shelly.GetComponents", "Shelly.ListMethods"),
    *("EM.GetStatus", "EM.GetConfig", "EMData.GetStatus", "EMData.GetConfig", "Sys.GetStatus", "Sys.GetConfig"),
    *("WiFi.GetStatus", "WiFi.GetConfig", "Cloud.GetStatus", "Cloud.GetConfig", "Cloud.SetConfig", "WS.GetConfig"),
    *("WS.SetConfig", "Script.List", "Temperature.GetStatus"),
)


def call(name: str, model: ShellyModel = PRO_3EM, *, reading: GridReading | None = None, **params: object) -> object:
    return called(name, params, model, reading)


def called(name: str, params: Params, model: ShellyModel, reading: GridReading | None) -> object:
    moment = ShellyMoment(ShellyIdentity(model, MAC), reading, NOW, 90.4)
    return Methods(model.component).result(name, params, moment)


@pytest.mark.parametrize("name", CALLED)
def test_every_method_that_clients_call_has_a_result_in_any_case(name: str) -> None:
    reading = grid_reading()
    result = call(name, reading=reading)
    assert not isinstance(result, RpcError) and encode(result)
    for other in (name.lower(), name.upper(), name.replace("WiFi", "Wifi").replace("WS", "Ws")):
        assert call(other, reading=reading) == result


def test_what_it_is() -> None:
    assert encode(call("Shelly.GetDeviceInfo")) == (
        b'{"name":null,"id":"shellypro3em-02ab34cd56ef","mac":"02AB34CD56EF","slot":1,"model":"SPEM-003CEBEU","gen":2,'
        b'"fw_id":"20250924-062729/1.7.1-gd336f31","ver":"1.7.1","app":"Pro3EM","auth_en":false,"auth_domain":null,'
        b'"profile":"triphase"}'
    )
    assert encode(call("Shelly.GetDeviceInfo", PRO_EM50)) == (
        b'{"name":null,"id":"shellyproem50-02ab34cd56ef","mac":"02AB34CD56EF","slot":1,"model":"SPEM-002CEBEU50",'
        b'"gen":2,"fw_id":"20250924-062729/1.7.1-gd336f31","ver":"1.7.1","app":"ProEM50","auth_en":false,'
        b'"auth_domain":null}'
    )
    gen3 = call("Shelly.GetDeviceInfo", EM_GEN3)
    assert isinstance(gen3, dict)
    assert (gen3["id"], gen3["gen"]) == ("shellyemg3-02ab34cd56ef", 3)


def test_the_configurations_byte_by_byte() -> None:
    assert encode(call("Cloud.GetConfig")) == b'{"enable":false,"server":null}'
    assert encode(call("WS.GetConfig")) == b'{"enable":false,"server":null,"ssl_ca":"ca.pem"}'
    assert encode(call("EM.GetConfig", id=0)) == (
        b'{"id":0,"name":null,"blink_mode_selector":"active_energy","phase_selector":"all",'
        b'"monitor_phase_sequence":false,"reverse":{},"ct_type":"120A"}'
    )
    # evcc reads `reverse` as true or false
    assert encode(call("EM1.GetConfig", PRO_EM50, id="0")) == b'{"id":0,"name":null,"reverse":false,"ct_type":"50A"}'


def test_the_whole_status_has_every_component() -> None:
    status, config = call("Shelly.GetStatus", reading=grid_reading()), call("Shelly.GetConfig")
    assert isinstance(status, dict) and isinstance(config, dict)
    assert status.keys() == config.keys() == {"cloud", "em:0", "emdata:0", "sys", "wifi", "ws"}
    assert status["em:0"] == call("EM.GetStatus", reading=grid_reading())
    assert status["sys"]["unixtime"] == 1_795_773_600 and status["sys"]["uptime"] == 90
    one = call("Shelly.GetStatus", EM_GEN3, reading=grid_reading())
    assert isinstance(one, dict) and {"em1:0", "em1data:0"} < one.keys()


def test_it_has_no_virtual_components_and_no_scripts() -> None:
    assert call("Shelly.GetComponents", dynamic_only=True) == {
        "components": [],
        "cfg_rev": 1,
        "offset": 0,
        "total": 0,
    }
    components = call("Shelly.GetComponents")
    assert isinstance(components, dict) and components["total"] == len(components["components"]) == 6
    assert call("Script.GetCode", id=1) == RpcError(-105, "Argument 'id', value 1 not found!")


def test_the_list_of_methods_decides_which_meter_evcc_reads() -> None:
    three, one = call("Shelly.ListMethods"), call("Shelly.ListMethods", PRO_EM50)
    assert isinstance(three, dict) and isinstance(one, dict)
    assert "EM.GetStatus" in three["methods"] and "EM1.GetStatus" not in three["methods"]
    assert "EM1.GetStatus" in one["methods"] and "EM.GetStatus" not in one["methods"]


@pytest.mark.parametrize(
    ("name", "params", "error"),
    [
        ("Switch.Set", {}, RpcError(404, "No handler for Switch.Set")),
        ("EM1.GetStatus", {}, RpcError(404, "No handler for EM1.GetStatus")),
        ("", {}, RpcError(404, "No handler for ")),
        ("EM.GetStatus", {"id": 1}, RpcError(-105, "Argument 'id', value 1 not found!")),
        ("EM.GetStatus", {"id": "7"}, RpcError(-105, "Argument 'id', value 7 not found!")),
        ("EMData.GetStatus", {"id": -1}, RpcError(-105, "Argument 'id', value -1 not found!")),
        *(
            ("EM.GetStatus", {"id": wrong}, RpcError(-103, "Invalid argument 'id': a whole number is expected"))
            for wrong in ("x", "", True, None, 0.5, [0], "²")
        ),
    ],
)
def test_errors_have_the_codes_of_the_device(name: str, params: dict[str, object], error: RpcError) -> None:
    assert called(name, params, PRO_3EM, grid_reading()) == error


@pytest.mark.parametrize("name", ["EM.GetStatus", "EMData.GetStatus", "Shelly.GetStatus"])
def test_without_a_current_reading_there_is_no_number(name: str) -> None:
    assert call(name) == NO_CURRENT_READING
    assert NO_CURRENT_READING.code == 1


@pytest.mark.parametrize("name", ["Cloud.SetConfig", "WS.SetConfig", "EM.SetConfig", "Sys.SetConfig", "WiFi.SetConfig"])
def test_what_would_write_succeeds_and_changes_nothing(name: str) -> None:
    changes = {"enable": True, "server": "ws://192.168.1.30:8080/path"}
    assert call(name, config=changes) == {"restart_required": False}
    assert call("Shelly.Reboot") is None
    assert (call("WS.GetConfig"), call("WS.GetStatus")) == (
        {"enable": False, "server": None, "ssl_ca": "ca.pem"},
        {"connected": False},
    )


def test_an_answer_waits_for_a_telegram_only_where_it_shows_the_power() -> None:
    methods = Methods("EM")
    needs = {name: methods.need(name) for name in CALLED}
    assert {name for name, need in needs.items() if need is Need.POWER} == {"EM.GetStatus", "Shelly.GetStatus"}
    assert {name for name, need in needs.items() if need is Need.COUNTERS} == {"EMData.GetStatus"}
    assert methods.need("emdata.getstatus") is Need.COUNTERS and methods.need("unknown") is Need.NOTHING
