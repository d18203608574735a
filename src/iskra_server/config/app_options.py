"""The options of the app of Home Assistant: flat names for its user interface, each with the keys that it sets."""

from collections.abc import Mapping

# the user interface saves an option that was cleared as any of these; "auto" is the choice in a list that sets nothing
NOT_SET: tuple[object, ...] = (None, "", [], "auto")
OPTIONS: Mapping[str, tuple[str, ...]] = {
    # each entry has the keys of a meter
    "sources": ("meters",),
    "language": ("server.language", "outputs.mqtt.language"),
    "log_level": ("log.level",),
    "time_zone": ("server.time_zone",),
    "port": ("server.port",),
    "token": ("server.token",),
    "allowed_hosts": ("server.allowed_hosts",),
    "mqtt": ("outputs.mqtt.use_home_assistant",),
    "mqtt_url": ("outputs.mqtt.url",),
    "mqtt_password": ("outputs.mqtt.password",),
    "history_days": ("history.raw_days",),
    "database_url": ("history.database_url",),
    "ecotracker": ("outputs.ecotracker.enabled",),
    "shelly_pro_3em": ("outputs.shelly_pro_3em.enabled",),
    "shelly_em1": ("outputs.shelly_em1.enabled",),
    "shelly_3em": ("outputs.shelly_3em.enabled",),
    "vzlogger": ("outputs.vzlogger.enabled",),
    "sma_energy_meter": ("outputs.sma_energy_meter.enabled",),
    "sunspec": ("outputs.sunspec.enabled",),
    "shelly_modbus": ("outputs.shelly_modbus.enabled",),
    "emulated_meter": ("outputs.emulation.meter",),
    "batteries": ("outputs.emulation.batteries",),
    "target_w": ("outputs.emulation.target_w",),
}


def in_option_names(sentence: str) -> str:
    """A sentence about a key that an option sets, with the option's name."""
    for option, (key, *_) in OPTIONS.items():
        # the plain word "meters" means something else as well
        sentence = sentence.replace(key, option) if "." in key else sentence
    return sentence.replace("outputs.mqtt:", "mqtt_url:")
