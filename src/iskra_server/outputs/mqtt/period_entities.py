"""Entities of energy and cost of today and of this month, and of prices.

`state_class: total` with `last_reset`: Home Assistant adds what a new period shows, also where it is more than the old
one ended with. Lifetime counters stay what the Energy dashboard should use: they lose nothing while Home Assistant is
away at midnight.
"""

from collections.abc import Iterable, Mapping, Sequence

from iskra_server.base.language import Language
from iskra_server.cost.contracts import Contract
from iskra_server.cost.tariffs import Tariff
from iskra_server.meter.obis import EXPORT, IMPORT
from iskra_server.meter.registers import key_of
from iskra_server.outputs.mqtt.entity_names import (
    SENSOR,
    Config,
    Device,
    Entity,
    identity_of,
    state_of,
)
from iskra_server.outputs.mqtt.period_totals import PERIODS
from iskra_server.outputs.mqtt.topics import Topics
from iskra_server.prices.cheapest import HOURS

_ENERGIES = (key_of(IMPORT), key_of(EXPORT))
# the smallest part of a currency that is shown; prices per kWh have two more
_MONEY_PLACES, _PRICE_PLACES, _RATE_PLACES = 2, 4, 3


def energy_entities(
    topics: Topics, device: Device, language: Language, places: Mapping[str, int], *, expire_s: int
) -> Iterable[Entity]:
    """`places`: the decimal places of each counter that the meter has sent."""
    topic = topics.energy(device.id)
    for counter in _ENERGIES:
        if counter not in places:
            continue
        for period in PERIODS:
            key = f"{counter}_{period}"
            since = "value_json.measured_since"
            is_later = f"value_json is defined and {since} is mapping and {key!r} in {since}"
            config = (
                identity_of(device, SENSOR, key, language)
                | state_of(key, topic, topics.server, topics.availability(device.id))
                | _of_period(period)
                | {
                    "device_class": "energy",
                    "unit_of_measurement": "kWh",
                    "suggested_display_precision": places[counter],
                    "expire_after": expire_s,
                    "json_attributes_topic": topic,
                    "json_attributes_template": (
                        f"{{{{ ({{'measured_since': {since}.{key}}} if {is_later} else {{}}) | tojson }}}}"
                    ),
                }
            )
            yield Entity(SENSOR, key, config)


def cost_entities(
    topics: Topics,
    device: Device,
    language: Language,
    contracts: Sequence[Contract],
    *,
    has_history: bool,
    has_power: bool,
    expire_s: int,
) -> Iterable[Entity]:
    """Of the contracts of a meter. Prices are known without history; `expire_s` is that of a state with power."""
    if not contracts:
        return
    topic, currency = topics.cost(device.id), contracts[0].currency
    has_rates = not all(contract.is_fixed for contract in contracts)
    for key in ("price_import", "price_export") if any(map(_pays_for_export, contracts)) else ("price_import",):
        config = (
            identity_of(device, SENSOR, key, language)
            | state_of(key, topic, topics.server)
            | {
                "unit_of_measurement": f"{currency}/kWh",
                "state_class": "measurement",
                "suggested_display_precision": _PRICE_PLACES,
                "icon": "mdi:cash",
            }
        )
        if has_rates and key == "price_import":
            config |= _attributes(topics.prices(device.id), "rates", "rates")
        yield Entity(SENSOR, key, config)
    if has_power:
        key = "cost_per_hour"
        config = (
            identity_of(device, SENSOR, key, language)
            | state_of(key, topics.state(device.id), topics.server, topics.availability(device.id))
            | {
                "unit_of_measurement": f"{currency}/h",
                "state_class": "measurement",
                "suggested_display_precision": _RATE_PLACES,
                "expire_after": expire_s,
                "icon": "mdi:cash-clock",
            }
        )
        yield Entity(SENSOR, key, config)
    for hours in HOURS if has_rates else ():
        key, topic_of_prices = f"cheapest_{hours}h", topics.prices(device.id)
        config = (
            identity_of(device, SENSOR, key, language)
            | state_of(key, topic_of_prices, topics.server)
            | {"device_class": "timestamp", "icon": "mdi:clock-star-four-points-outline"}
            | _attributes(topic_of_prices, "ends", f"{key}_ends", "price", f"{key}_price")
        )
        yield Entity(SENSOR, key, config)
    for period in PERIODS if has_history else ():
        key = f"cost_{period}"
        state = state_of(key, topic, topics.server)
        unpriced = f"value_json.{key}_unpriced_kwh"
        is_sent = f"value_json is defined and {unpriced} is defined"
        config = (
            identity_of(device, SENSOR, key, language)
            | state
            | _of_period(period)
            | {
                # unknown, with this attribute, while the price of some energy is not known
                "json_attributes_topic": topic,
                "json_attributes_template": (
                    f"{{{{ ({{'unpriced_kwh': {unpriced}}} if {is_sent} else {{}}) | tojson }}}}"
                ),
                # a price applies without a reading, but the cost of a meter that is silent does not go on
                "availability": [*state["availability"], {"topic": topics.availability(device.id)}],
                "device_class": "monetary",
                "unit_of_measurement": currency,
                "suggested_display_precision": _MONEY_PLACES,
            }
        )
        yield Entity(SENSOR, key, config)


def _pays_for_export(contract: Contract) -> bool:
    terms = contract.terms
    return bool(contract.feed_in) or (terms is not None and terms.feed_in != Tariff())


def _attributes(topic: str, *names: str) -> Config:
    """Attributes with values of a message, each name before the member of the message; absent ones are null."""
    pairs = zip(names[::2], names[1::2], strict=True)
    members = ", ".join(f"{name!r}: value_json.{member} | default(none)" for name, member in pairs)
    template = f"{{{{ ({{{members}}} if value_json is defined else {{}}) | tojson }}}}"
    return {"json_attributes_topic": topic, "json_attributes_template": template}


def _of_period(period: str) -> Config:
    begins = f"value_json.{period}_begins"
    return {
        "last_reset_value_template": f"{{{{ {begins} if value_json is defined and {begins} is defined else '' }}}}",
        "state_class": "total",
    }
