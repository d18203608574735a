"""The diagnostics download: what the server tells, without token and meter numbers."""

from __future__ import annotations

import json
import re
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

from homeassistant.components.diagnostics import async_redact_data
from homeassistant.const import CONF_HOST, CONF_TOKEN
from homeassistant.core import HomeAssistant

if TYPE_CHECKING:
    from .coordinator import Coordinator, IskraConfigEntry

_HIDDEN: Final = (CONF_HOST, CONF_TOKEN)
# registers with text that names no meter
_HARMLESS: Final = ("manufacturer", "tariff", "firmware_version", "p1_version", "breaker_state", "status_word")
# a shorter number also occurs by chance
_MIN_DIGITS: Final = 5
_REDACTED: Final = "**REDACTED**"


async def async_get_config_entry_diagnostics(hass: HomeAssistant, entry: IskraConfigEntry) -> dict[str, Any]:
    coordinator = entry.runtime_data
    meters = [asdict(meter) | {"is_current": coordinator.is_current(meter.id)} for meter in coordinator.meters.values()]
    for meter in meters:
        for register in meter["registers"].values():
            if register["places"] is None and register["name"] not in _HARMLESS:
                register["state"] = _REDACTED
    told = {"is_connected": coordinator.is_connected, "server": asdict(coordinator.server), "meters": meters}
    return {
        "entry": async_redact_data(dict(entry.data), _HIDDEN),
        "options": dict(entry.options),
        **json.loads(_masked(json.dumps(told, default=str), coordinator)),
    }


def _masked(text: str, coordinator: Coordinator) -> str:
    """Every form of a meter's number replaced by "meter 1" and so on, long ones first: a number may be part of one."""
    numbers: dict[str, int] = {}
    for number, meter in enumerate(coordinator.meters.values(), 1):
        for form in (meter.id, "".join(meter.id.split()), meter.server_id or "", *meter.id.split()):
            if sum(map(str.isdigit, form)) >= _MIN_DIGITS:
                numbers.setdefault(form, number)
    for form in sorted(numbers, key=len, reverse=True):
        text = re.sub(re.escape(form), f"meter {numbers[form]}", text, flags=re.IGNORECASE)
    return text.replace(coordinator.client.url.host or _REDACTED, _REDACTED)
