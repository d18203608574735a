"""The server's sentences in the language of Home Assistant: German, else English."""

from __future__ import annotations

from typing import TYPE_CHECKING

from homeassistant.helpers.translation import async_get_translations

from .const import DOMAIN

if TYPE_CHECKING:
    from homeassistant.core import HomeAssistant

    from .model import MeterRegister, Source, Words


def words(hass: HomeAssistant, source: Source) -> Words:
    return source.words["de" if _is_german(hass) else "en"]


def sentence(hass: HomeAssistant, source: Source) -> str:
    """The diagnosis and the next step."""
    told = words(hass, source)
    return f"{told.sentence} {told.next_step}".strip()


def label(hass: HomeAssistant, register: MeterRegister) -> str:
    """The server's own name of a register that this integration does not know."""
    return register.label_de if _is_german(hass) else register.label


async def async_exceptions(hass: HomeAssistant) -> dict[str, str]:
    """The messages below `exceptions` of the translations, by their key."""
    texts = await async_get_translations(hass, hass.config.language, "exceptions", [DOMAIN])
    return {path.split(".")[3]: text for path, text in texts.items() if path.endswith(".message")}


def _is_german(hass: HomeAssistant) -> bool:
    return hass.config.language.partition("-")[0] == "de"
