"""The methods of a Shelly that stands in for the meter, and their results.

It is read only. A request that would write is answered with success and changes nothing, that for a WebSocket to
another server (WS.SetConfig) included: this device never connects to anything.
Names of methods are compared without regard to case: clients write WiFi and Wifi.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from enum import Enum

from msgspec import Struct

from iskra_server.outputs.emulation.grid import GridReading
from iskra_server.outputs.emulation.shelly_identity import FIRMWARE, VERSION, ShellyIdentity
from iskra_server.outputs.emulation.shelly_measurements import em1_data, em1_status, em_data, em_status
from iskra_server.outputs.emulation.shelly_rpc import (
    INVALID_ARGUMENT,
    NO_CURRENT_READING,
    NO_HANDLER,
    NOT_FOUND,
    RpcError,
)

Params = Mapping[str, object]
Result = dict[str, object]
# of components that an energy meter has beside its channel
_COMPONENTS = ("Sys", "WiFi", "Eth", "Cloud", "WS", "BLE", "MQTT", "Modbus", "Script", "Temperature")
_RESTART = {"restart_required": False}


class Need(Enum):
    """What a method shows of the meter: nothing, its counters, or its power, for which an answer may wait."""

    NOTHING = 0
    COUNTERS = 1
    POWER = 2


class ShellyMoment(Struct, frozen=True):
    """What a result is made of: the record, None while there is none; `up_s` is the time since the start."""

    shelly: ShellyIdentity
    reading: GridReading | None
    now: datetime
    up_s: float


class Method(Struct, frozen=True):
    """`has_id`: it asks one component, which has the number 0."""

    name: str
    result: Callable[[ShellyMoment, Params], object]
    need: Need = Need.NOTHING
    has_id: bool = False


class Methods:
    """Those of one model."""

    def __init__(self, component: str) -> None:
        """`component` is EM or EM1."""
        self._methods = {method.name.lower(): method for method in _methods(component)}

    def need(self, name: str) -> Need:
        method = self._methods.get(name.lower())
        return method.need if method else Need.NOTHING

    def result(self, name: str, params: Params, moment: ShellyMoment) -> object:
        """The result, or an RpcError. Without a record where the method needs one, it is NO_CURRENT_READING."""
        method = self._methods.get(name.lower())
        if method is None:
            return RpcError(NO_HANDLER, f"No handler for {name}")
        if method.has_id and (error := _wrong_id(params.get("id", 0))):
            return error
        if method.need is not Need.NOTHING and moment.reading is None:
            return NO_CURRENT_READING
        return method.result(moment, params)


def _wrong_id(number: object) -> RpcError | None:
    """In a query it is text."""
    if isinstance(number, str) and number.isascii() and number.isdigit():
        number = int(number[:9])
    if isinstance(number, bool) or not isinstance(number, int):
        return RpcError(INVALID_ARGUMENT, "Invalid argument 'id': a whole number is expected")
    return RpcError(NOT_FOUND, f"Argument 'id', value {number} not found!") if number else None


def _methods(component: str) -> list[Method]:
    methods = [
        Method("Shelly.GetDeviceInfo", lambda moment, _: device_info(moment.shelly)),
        Method("Shelly.GetStatus", lambda moment, _: _statuses(moment), Need.POWER),
        Method("Shelly.GetConfig", lambda moment, _: _configs(moment)),
        Method("Shelly.GetComponents", _components),
        Method("Shelly.ListMethods", lambda _moment, _params: {"methods": [method.name for method in methods]}),
        Method(f"{component}.GetStatus", lambda moment, _: _measured(moment), Need.POWER, has_id=True),
        Method(f"{component}.GetConfig", lambda moment, _: _component_config(moment), has_id=True),
        Method(f"{component}Data.GetStatus", lambda moment, _: _counted(moment), Need.COUNTERS, has_id=True),
        Method(f"{component}Data.GetConfig", lambda _moment, _params: {"id": 0}, has_id=True),
        Method("Sys.GetStatus", lambda moment, _: _sys_status(moment)),
        Method("Sys.GetConfig", lambda moment, _: _sys_config(moment)),
        Method("WiFi.GetStatus", lambda _moment, _params: dict(_WIFI_STATUS)),
        Method("WiFi.GetConfig", lambda _moment, _params: dict(_WIFI_CONFIG)),
        Method("Cloud.GetStatus", lambda _moment, _params: {"connected": False}),
        Method("Cloud.GetConfig", lambda _moment, _params: dict(_OFF)),
        Method("WS.GetStatus", lambda _moment, _params: {"connected": False}),
        Method("WS.GetConfig", lambda _moment, _params: _WS_CONFIG),
        Method("Script.List", lambda _moment, _params: {"scripts": []}),
        Method("Script.GetCode", lambda _moment, params: _no_script(params)),
        Method("Temperature.GetStatus", lambda _moment, _params: {"id": 0, "tC": None, "tF": None}, has_id=True),
        Method("Shelly.Reboot", lambda _moment, _params: None),
        *(
            Method(f"{name}.SetConfig", lambda _moment, _params: dict(_RESTART))
            for name in (component, f"{component}Data", *_COMPONENTS)
        ),
    ]
    return methods


def device_info(shelly: ShellyIdentity) -> Result:
    model = shelly.model
    info: Result = {
        "name": None,
        "id": shelly.id,
        "mac": shelly.mac.upper(),
        "slot": 1,
        "model": model.number,
        "gen": model.generation,
        "fw_id": FIRMWARE,
        "ver": VERSION,
        "app": model.app,
        "auth_en": False,
        "auth_domain": None,
    }
    return info | ({"profile": model.profile} if model.profile else {})


def measured_status(moment: ShellyMoment) -> Result:
    """The status of what measures, by its key."""
    return {f"{moment.shelly.model.component.lower()}:0": _measured(moment)}


def counted_status(moment: ShellyMoment) -> Result:
    """The counters, by the key of their component."""
    return {f"{moment.shelly.model.component.lower()}data:0": _counted(moment)}


def _measured(moment: ShellyMoment) -> Result:
    assert moment.reading
    status = em_status if moment.shelly.model.component == "EM" else em1_status
    return status(moment.reading, typical=moment.shelly.typical)


def _counted(moment: ShellyMoment) -> Result:
    assert moment.reading
    data = em_data if moment.shelly.model.component == "EM" else em1_data
    return data(moment.reading)


def _statuses(moment: ShellyMoment) -> Result:
    return {
        "cloud": {"connected": False},
        **measured_status(moment),
        **counted_status(moment),
        "sys": _sys_status(moment),
        "wifi": _WIFI_STATUS,
        "ws": {"connected": False},
    }


def _configs(moment: ShellyMoment) -> Result:
    key = moment.shelly.model.component.lower()
    return {
        "cloud": _OFF,
        f"{key}:0": _component_config(moment),
        f"{key}data:0": {"id": 0},
        "sys": _sys_config(moment),
        "wifi": _WIFI_CONFIG,
        "ws": _WS_CONFIG,
    }


def _components(moment: ShellyMoment, params: Params) -> Result:
    """Virtual components are the only dynamic ones, and it has none."""
    is_dynamic = params.get("dynamic_only") in (True, "true")
    configs = {} if is_dynamic else _configs(moment)
    components = [{"key": key, "config": config} for key, config in configs.items()]
    return {"components": components, "cfg_rev": 1, "offset": 0, "total": len(components)}


def _component_config(moment: ShellyMoment) -> Result:
    if moment.shelly.model.component == "EM1":
        return {"id": 0, "name": None, "reverse": False, "ct_type": "50A"}
    return {
        "id": 0,
        "name": None,
        "blink_mode_selector": "active_energy",
        "phase_selector": "all",
        "monitor_phase_sequence": False,
        "reverse": {},
        "ct_type": "120A",
    }


def _sys_status(moment: ShellyMoment) -> Result:
    local = moment.now.astimezone()
    return {
        "mac": moment.shelly.mac.upper(),
        "restart_required": False,
        "time": f"{local:%H:%M}",
        "unixtime": int(moment.now.timestamp()),
        "uptime": int(moment.up_s),
        "cfg_rev": 1,
        "kvs_rev": 0,
        "schedule_rev": 0,
        "webhook_rev": 0,
        "available_updates": {},
        "reset_reason": 3,
    }


def _sys_config(moment: ShellyMoment) -> Result:
    device = {
        "name": None,
        "mac": moment.shelly.mac.upper(),
        "fw_id": FIRMWARE,
        "discoverable": True,
        "profile": moment.shelly.model.profile,
    }
    return {
        "device": {name: value for name, value in device.items() if name != "profile" or value},
        "location": {"tz": None, "lat": None, "lon": None},
        "debug": {"mqtt": {"enable": False}, "websocket": {"enable": False}, "udp": {"addr": None}},
        "ui_data": {},
        "rpc_udp": {"dst_addr": None, "listen_port": next(iter(moment.shelly.model.ports), None)},
        "sntp": {"server": None},
        "cfg_rev": 1,
    }


def _no_script(params: Params) -> RpcError:
    return RpcError(NOT_FOUND, f"Argument 'id', value {params.get('id')} not found!")


# by cable
_WIFI_STATUS: Result = {"sta_ip": None, "status": "disconnected", "ssid": None, "rssi": 0}
_WIFI_CONFIG: Result = {
    "ap": {"ssid": None, "is_open": True, "enable": False},
    "sta": {"ssid": None, "is_open": True, "enable": False, "ipv4mode": "dhcp"},
    "sta1": {"ssid": None, "is_open": True, "enable": False, "ipv4mode": "dhcp"},
}
_OFF: Result = {"enable": False, "server": None}
_WS_CONFIG: Result = {**_OFF, "ssl_ca": "ca.pem"}
