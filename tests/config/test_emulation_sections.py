"""The sections of emulated devices."""

from msgspec import structs

from iskra_server.config import Config, EmulationConfig
from iskra_server.config.emulation_sections import EcoTrackerConfig
from iskra_server.config.output_sections import OutputsConfig


def test_every_emulated_device_is_off_by_default() -> None:
    outputs = OutputsConfig()
    sections = [getattr(outputs, field.name) for field in structs.fields(outputs)]
    enabled = [section.enabled for section in sections if hasattr(section, "enabled")]
    assert len(enabled) == 9 and not any(enabled)


def test_batteries_find_it_at_the_ports_of_the_real_devices() -> None:
    outputs = Config().outputs
    assert EcoTrackerConfig().port == 80
    assert (outputs.shelly_pro_3em.port, outputs.shelly_pro_3em.udp_ports) == (80, "1010, 2220")
    assert (outputs.vzlogger.port, outputs.sunspec.port, outputs.shelly_modbus.port) == (8081, 502, 502)


def test_the_rules_that_change_a_value_are_off_by_default() -> None:
    rules = EmulationConfig()
    assert (rules.target_w, rules.dead_band_w, rules.batteries, rules.stale_after_s) == (0, 0, 1, 10)
