"""Electricity meters that an ISKRA Electricity Server reads, as devices of Home Assistant."""

from __future__ import annotations

from typing import TYPE_CHECKING

from homeassistant.const import CONF_HOST, CONF_PORT, CONF_SSL, CONF_TOKEN, CONF_VERIFY_SSL, Platform
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ConfigEntryAuthFailed, ConfigEntryNotReady
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.aiohttp_client import async_get_clientsession

from .client import Client, ClientError, TokenError
from .const import DOMAIN
from .coordinator import Coordinator
from .issues import async_set_another_server
from .services import async_setup_services

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from homeassistant.helpers.device_registry import DeviceEntry
    from homeassistant.helpers.typing import ConfigType

    from .coordinator import IskraConfigEntry

PLATFORMS = (Platform.BINARY_SENSOR, Platform.BUTTON, Platform.EVENT, Platform.SENSOR)
CONFIG_SCHEMA = cv.config_entry_only_config_schema(DOMAIN)


def client_of(hass: HomeAssistant, data: Mapping[str, Any]) -> Client:
    """A client for the address and token of a config entry or a form."""
    return Client(
        async_get_clientsession(hass, verify_ssl=data[CONF_VERIFY_SSL]),
        host=data[CONF_HOST],
        port=data[CONF_PORT],
        token=data[CONF_TOKEN],
        is_https=data[CONF_SSL],
    )


async def async_setup(hass: HomeAssistant, _config: ConfigType) -> bool:
    async_setup_services(hass)
    return True


async def async_setup_entry(hass: HomeAssistant, entry: IskraConfigEntry) -> bool:
    coordinator = Coordinator(hass, entry, client_of(hass, entry.data))
    try:
        await coordinator.async_prepare()
    except TokenError as error:
        raise ConfigEntryAuthFailed(str(error), translation_domain=DOMAIN, translation_key="invalid_auth") from error
    except ClientError as error:
        raise ConfigEntryNotReady(
            str(error),
            translation_domain=DOMAIN,
            translation_key=error.key,
            translation_placeholders={"server": str(coordinator.client.url), "reason": str(error)},
        ) from error
    entry.runtime_data = coordinator
    await hass.config_entries.async_forward_entry_setups(entry, PLATFORMS)
    coordinator.async_start()
    return True


async def async_unload_entry(hass: HomeAssistant, entry: IskraConfigEntry) -> bool:
    return await hass.config_entries.async_unload_platforms(entry, PLATFORMS)


async def async_remove_entry(hass: HomeAssistant, entry: IskraConfigEntry) -> None:
    """Nothing is left of one that could not be set up."""
    async_set_another_server(hass, entry, None)


async def async_remove_config_entry_device(hass: HomeAssistant, entry: IskraConfigEntry, device: DeviceEntry) -> bool:
    """A meter that no source of the server reads any more may be removed, such as one that was replaced."""
    coordinator: Coordinator | None = getattr(entry, "runtime_data", None)
    if coordinator is None:
        # not loaded: nobody knows what the server reads
        return False
    present = (meter_id for meter_id in coordinator.meters if coordinator.is_present(meter_id))
    kept = {(DOMAIN, coordinator.server_key), *((DOMAIN, meter_id) for meter_id in present)}
    if not device.identifiers.isdisjoint(kept):
        return False
    # should it return, it is a new device
    hass.config_entries.async_schedule_reload(entry.entry_id)
    return True
