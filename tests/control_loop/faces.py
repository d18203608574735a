"""The faces that batteries ask, and the server's own API beside them."""

from control_loop import meter_clients
from control_loop.control_loop import Face

_PRO_3EM = "IES_SHELLY_PRO_3EM_"


def _shelly(**settings: object) -> dict[str, str]:
    return {_PRO_3EM + name.upper(): str(value) for name, value in {"enabled": "true", **settings}.items()}


def _url(port: int) -> str:
    return f"http://127.0.0.1:{port}"


METERS_API = Face(
    "/api/v1/meters",
    lambda _: {},
    lambda server, _, address: meter_clients.meters_api(server.url, address),
)
ECOTRACKER = Face(
    "EcoTracker",
    lambda port: {"IES_ECOTRACKER_ENABLED": "true", "IES_ECOTRACKER_PORT": str(port)},
    lambda _, port, address: meter_clients.ecotracker(_url(port), address),
)
SHELLY_UDP = Face(
    "Shelly UDP",
    lambda port: _shelly(port=0, udp_ports=port),
    lambda _, port, address: meter_clients.shelly_udp(port, address),
)
SHELLY_HTTP = Face(
    "Shelly HTTP",
    lambda port: _shelly(port=port, udp_ports=""),
    lambda _, port, address: meter_clients.shelly_http(_url(port), address),
)
SHELLY_WEBSOCKET = Face(
    "Shelly WebSocket",
    lambda port: _shelly(port=port, udp_ports=""),
    lambda _, port, address: meter_clients.shelly_websocket(_url(port), address),
)
