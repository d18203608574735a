"""What a real Home Assistant asks its Supervisor at its start, beside what an app asks: of a system with one app."""

from typing import Any

APP = "local_iskra_server"
_OFF = dict.fromkeys(
    (
        *("advanced", "build", "icon", "logo", "update_available", "documentation", "auth_api", "docker_api"),
        *("full_access", "homeassistant_api", "host_network", "host_pid", "hassio_api", "detached", "host_ipc"),
        *("host_uts", "host_dbus", "changelog", "stdin", "gpio", "usb", "kernel_modules", "devicetree", "video"),
        *("audio", "auto_update", "system_managed", "signed", "watchdog"),
    ),
    False,
)
_ON = dict.fromkeys(("available", "protected", "uart", "udev", "ingress", "ingress_panel"), True)
_NOTHING = dict.fromkeys(
    (
        *("homeassistant", "url", "long_description", "network", "network_description", "webui", "audio_input"),
        *("audio_output", "ingress_entry", "ingress_url", "system_managed_config_entry", "schema"),
    )
)
_INFO: dict[str, Any] = {
    **_OFF,
    **_ON,
    **_NOTHING,
    **{key: [] for key in ("dns", "machine", "privileged", "devices")},
    **{"description": "Meter", "name": "ISKRA Electricity Server", "repository": "local", "slug": APP},
    **{"stage": "stable", "version": "1.0.0", "version_latest": "1.0.0", "arch": ["amd64"], "apparmor": "profile"},
    **{"rating": 6, "hassio_role": "default", "state": "started", "hostname": "local-iskra-server", "boot": "auto"},
    **{"boot_config": "auto", "options": {}, "startup": "services", "services": ["mqtt:want"], "translations": {}},
    **{"discovery": ["iskra_server"], "ingress_port": 8099, "ip_address": "172.30.33.5"},
}
_PANEL = {"enable": True, "icon": "mdi:meter-electric", "title": "Strom", "admin": False}
_PROBLEMS: dict[str, Any] = {key: [] for key in ("unsupported", "unhealthy", "issues", "suggestions", "checks")}
_VERSION = {"version": "2026.11.0", "version_latest": "2026.11.0", "update_available": False, "auto_update": False}
# anything else is answered with nothing
CORE_ANSWERS: dict[str, Any] = {
    "/store": {"addons": [], "repositories": []},
    "/resolution/info": _PROBLEMS,
    "/ingress/panels": {"panels": {APP: _PANEL}},
    f"/addons/{APP}/info": _INFO,
    **dict.fromkeys(("/core/info", "/os/info"), _VERSION),
    "/supervisor/info": {"addons": [], **_VERSION},
    "/mounts": {"default_backup_mount": None, "mounts": []},
}
