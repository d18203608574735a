"""Adds a server: found by zeroconf or the Supervisor, or by its address. Asks it before anything is stored."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from homeassistant.config_entries import SOURCE_HASSIO, ConfigEntry, ConfigFlow, OptionsFlow
from homeassistant.const import CONF_HOST, CONF_PORT, CONF_SSL, CONF_TOKEN, CONF_VERIFY_SSL
from homeassistant.core import callback
from homeassistant.helpers.selector import (
    NumberSelector,
    NumberSelectorConfig,
    NumberSelectorMode,
    TextSelector,
    TextSelectorConfig,
    TextSelectorType,
)
from yarl import URL

from . import client_of
from .client import ClientError
from .const import CONF_UPDATE_EVERY_S, DEFAULT_PORT, DEFAULT_UPDATE_EVERY_S, DOMAIN
from .schema import vol

if TYPE_CHECKING:
    from homeassistant.config_entries import ConfigFlowResult
    from homeassistant.helpers.service_info.hassio import HassioServiceInfo
    from homeassistant.helpers.service_info.zeroconf import ZeroconfServiceInfo

_LOGGER = logging.getLogger(__name__)
_TITLE: Final = "ISKRA Electricity Server"
_HIDDEN: Final = TextSelector(TextSelectorConfig(type=TextSelectorType.PASSWORD))
_PORT: Final = vol.All(vol.Coerce(int), vol.Range(1, 65535))
_DEFAULTS: Final = {CONF_PORT: DEFAULT_PORT, CONF_TOKEN: "", CONF_SSL: False, CONF_VERIFY_SSL: True}
_YES: Final = "1"


class IskraConfigFlow(ConfigFlow, domain=DOMAIN):
    """The data of an entry: host, port, token ("" for none), ssl, verify_ssl. Its unique id is that of the server."""

    VERSION = 1

    def __init__(self) -> None:
        self._found: dict[str, Any] = {}
        self._needs_token = False

    @staticmethod
    @callback
    def async_get_options_flow(config_entry: ConfigEntry) -> OptionsFlow:
        return IskraOptionsFlow(config_entry)

    async def async_step_user(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        errors: dict[str, str] = {}
        if user_input is not None:
            data = _parsed(_DEFAULTS | user_input)
            server_id, errors = await self._ask(data)
            if not errors:
                if server_id:
                    await self.async_set_unique_id(server_id, raise_on_progress=False)
                    self._abort_if_unique_id_configured(updates=data)
                self._async_abort_entries_match({CONF_HOST: data[CONF_HOST], CONF_PORT: data[CONF_PORT]})
                return self.async_create_entry(title=_TITLE, data=data)
        return self.async_show_form(step_id="user", data_schema=_address_schema(user_input or {}), errors=errors)

    async def async_step_zeroconf(self, discovery_info: ZeroconfServiceInfo) -> ConfigFlowResult:
        properties = discovery_info.properties
        address = {
            CONF_HOST: str(discovery_info.ip_address),
            CONF_PORT: discovery_info.port or DEFAULT_PORT,
            CONF_SSL: properties.get("tls") == _YES,
        }
        self._needs_token = properties.get("token") == _YES
        return await self._discovered(address, properties.get("id") or "", discovery_info.hostname.rstrip("."))

    async def async_step_hassio(self, discovery_info: HassioServiceInfo) -> ConfigFlowResult:
        config = discovery_info.config
        address = {name: config[name] for name in (*_DEFAULTS, CONF_HOST) if name in config}
        server_id, errors = await self._ask(_DEFAULTS | address)
        if "base" in errors and errors["base"] != "invalid_auth":
            return self.async_abort(reason="cannot_connect")
        self._needs_token = bool(errors)
        return await self._discovered(address, server_id or "", discovery_info.name)

    async def _discovered(self, address: dict[str, Any], server_id: str, name: str) -> ConfigFlowResult:
        """A known server gets its new address; a new one is offered."""
        if server_id and (entry := await self.async_set_unique_id(server_id)):
            has_moved = await self._has_moved(entry, address)
            self._abort_if_unique_id_configured(updates=address if has_moved else None)
        self._found = _DEFAULTS | address
        self._async_abort_entries_match({name: self._found[name] for name in (CONF_HOST, CONF_PORT)})
        self.context["title_placeholders"] = {"name": name}
        return await self.async_step_discovery_confirm()

    async def _has_moved(self, entry: ConfigEntry, address: Mapping[str, Any]) -> bool:
        """Whether a known server answers at this address, and no longer at that of its entry.

        A server announces all addresses of its machine, also those that cannot be reached from here.
        """
        if entry.source == SOURCE_HASSIO:
            # inside the Supervisor the app has a name that stays, and its token; from outside it has neither
            return self.source == SOURCE_HASSIO
        # an entry that is ignored has no address; a token that was sent over TLS is never sent without
        if CONF_HOST not in entry.data or (entry.data[CONF_SSL] and not address.get(CONF_SSL)):
            return False
        told_there, _ = await self._ask(entry.data)
        if told_there == entry.unique_id:
            return False
        told_here, _ = await self._ask({**entry.data, **address})
        return told_here == entry.unique_id

    async def async_step_discovery_confirm(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        errors: dict[str, str] = {}
        if user_input is not None:
            data = self._found | user_input
            server_id, errors = await self._ask(data)
            if not errors:
                if server_id and server_id != self.unique_id:
                    await self.async_set_unique_id(server_id, raise_on_progress=False)
                    self._abort_if_unique_id_configured()
                return self.async_create_entry(title=_TITLE, data=data)
            self._needs_token = self._needs_token or errors["base"] == "invalid_auth"
        fields: dict[vol.Marker, Any] = {}
        if self._needs_token:
            fields[vol.Required(CONF_TOKEN)] = _HIDDEN
        if self._found[CONF_SSL]:
            fields[vol.Required(CONF_VERIFY_SSL, default=self._found[CONF_VERIFY_SSL])] = bool
        return self.async_show_form(
            step_id="discovery_confirm",
            data_schema=vol.Schema(fields),
            errors=errors,
            description_placeholders={"server": str(client_of(self.hass, self._found).url)},
        )

    async def async_step_reauth(self, entry_data: Mapping[str, Any]) -> ConfigFlowResult:
        return await self.async_step_reauth_confirm()

    async def async_step_reauth_confirm(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        entry, errors = self._entry(), dict[str, str]()
        if user_input is not None:
            data = {**entry.data, **user_input}
            server_id, errors = await self._ask(data)
            if not errors:
                if _is_another(entry, server_id):
                    # or nobody would ask again: its own server may come back, or accept another token
                    self.hass.config_entries.async_schedule_reload(entry.entry_id)
                    return self.async_abort(reason="another_server")
                return self.async_update_reload_and_abort(entry, data=data, reason="reauth_successful")
        return self.async_show_form(
            step_id="reauth_confirm",
            data_schema=vol.Schema({vol.Required(CONF_TOKEN): _HIDDEN}),
            errors=errors,
            description_placeholders={"server": str(client_of(self.hass, entry.data).url)},
        )

    async def async_step_reconfigure(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        entry, errors = self._entry(), dict[str, str]()
        if user_input is not None:
            data = _parsed(_DEFAULTS | user_input)
            server_id, errors = await self._ask(data)
            if not errors:
                if _is_another(entry, server_id):
                    return self.async_abort(reason="another_server")
                return self.async_update_reload_and_abort(
                    entry, unique_id=server_id or entry.unique_id, data=data, reason="reconfigure_successful"
                )
        return self.async_show_form(
            step_id="reconfigure", data_schema=_address_schema(user_input or entry.data), errors=errors
        )

    def _entry(self) -> ConfigEntry:
        """The entry that this flow changes."""
        entry = self.hass.config_entries.async_get_entry(self.context["entry_id"])
        assert entry
        return entry

    async def _ask(self, data: Mapping[str, Any]) -> tuple[str | None, dict[str, str]]:
        """The id of the server, None if it has none; and what is wrong with the address or token."""
        try:
            return (await client_of(self.hass, data).server()).id, {}
        except ClientError as error:
            _LOGGER.debug("No ISKRA Electricity Server at %s:%s: %s", data[CONF_HOST], data[CONF_PORT], error)
            return None, {"base": error.key}


class IskraOptionsFlow(OptionsFlow):
    """Changes apply at once: the coordinator looks the option up."""

    def __init__(self, entry: ConfigEntry) -> None:
        # Home Assistant sets config_entry itself, from 2024.11 on
        self._entry = entry

    async def async_step_init(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        if user_input is not None:
            return self.async_create_entry(title="", data=user_input)
        seconds = NumberSelector(
            NumberSelectorConfig(min=0, max=3600, step="any", mode=NumberSelectorMode.BOX, unit_of_measurement="s")
        )
        default = self._entry.options.get(CONF_UPDATE_EVERY_S, DEFAULT_UPDATE_EVERY_S)
        return self.async_show_form(
            step_id="init", data_schema=vol.Schema({vol.Required(CONF_UPDATE_EVERY_S, default=default): seconds})
        )


def _address_schema(values: Mapping[str, Any]) -> vol.Schema:
    """The form of an address, filled with these values."""
    shown = _DEFAULTS | dict(values)
    host = shown.get(CONF_HOST, vol.UNDEFINED)
    return vol.Schema(
        {
            vol.Required(CONF_HOST, default=host): str,
            vol.Required(CONF_PORT, default=shown[CONF_PORT]): _PORT,
            vol.Optional(CONF_TOKEN, description={"suggested_value": shown[CONF_TOKEN]}): _HIDDEN,
            vol.Required(CONF_SSL, default=shown[CONF_SSL]): bool,
            vol.Required(CONF_VERIFY_SSL, default=shown[CONF_VERIFY_SSL]): bool,
        }
    )


def _parsed(answers: dict[str, Any]) -> dict[str, Any]:
    """The answers; what was pasted from the address bar of a browser instead of a host, in its parts."""
    host = answers[CONF_HOST].strip()
    if "://" not in host:
        return answers | {CONF_HOST: host}
    try:
        url = URL(host)
        port = url.explicit_port or answers[CONF_PORT]
    except ValueError:
        return answers
    return answers | {CONF_HOST: url.host or host, CONF_PORT: port, CONF_SSL: url.scheme == "https"}


def _is_another(entry: ConfigEntry, server_id: str | None) -> bool:
    return bool(entry.unique_id and server_id and entry.unique_id != server_id)
