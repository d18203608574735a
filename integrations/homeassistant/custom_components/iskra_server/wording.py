"""The server's sentences in the language of Home Assistant: German, else English."""

from __future__ import annotations

from typing import TYPE_CHECKING

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


def _is_german(hass: HomeAssistant) -> bool:
    return hass.config.language.partition("-")[0] == "de"
