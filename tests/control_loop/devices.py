"""The devices that batteries ask, and the server's own API beside them."""

from control_loop import meter_clients
from control_loop.control_loop import Device

# nothing here is for the network of this machine
_HOST = {"IES_EMULATION_HOST": "127.0.0.1"}


def _ecotracker(port: int) -> dict[str, str]:
    return {"IES_ECOTRACKER_ENABLED": "true", "IES_ECOTRACKER_PORT": str(port), **_HOST}


def _shelly(*, port: int = 0, udp_ports: str = "") -> dict[str, str]:
    ports = {"IES_SHELLY_PRO_3EM_PORT": str(port), "IES_SHELLY_PRO_3EM_UDP_PORTS": udp_ports}
    return {"IES_SHELLY_PRO_3EM_ENABLED": "true", **ports, **_HOST}


def _url(port: int) -> str:
    return f"http://127.0.0.1:{port}"


METERS_API = Device(
    "/api/v1/meters",
    lambda _: {},
    lambda server, _, address: meter_clients.meters_api(server.url, address),
)
ECOTRACKER = Device(
    "EcoTracker",
    _ecotracker,
    lambda _, port, address: meter_clients.ecotracker(_url(port), address),
)
SHELLY_UDP = Device(
    "Shelly UDP",
    lambda port: _shelly(udp_ports=str(port)),
    lambda _, port, address: meter_clients.shelly_udp(port, address),
)
SHELLY_HTTP = Device(
    "Shelly HTTP",
    lambda port: _shelly(port=port),
    lambda _, port, address: meter_clients.shelly_http(_url(port), address),
)
SHELLY_WEBSOCKET = Device(
    "Shelly WebSocket",
    lambda port: _shelly(port=port),
    lambda _, port, address: meter_clients.shelly_websocket(_url(port), address),
)
# all of them, and the API as a reference
DEVICES = (METERS_API, ECOTRACKER, SHELLY_UDP, SHELLY_HTTP, SHELLY_WEBSOCKET)
