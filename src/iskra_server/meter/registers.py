"""The register table, one row per register: labels, units, API names, Home Assistant classes and metrics.

To add a register, add a row. `unit` is the unit in which the register is published; a meter may send a multiple, and a
few registers another unit (_OTHER_UNITS).
"""

from functools import lru_cache

from msgspec import Struct

from iskra_server.meter.obis import Obis
from iskra_server.meter.units import Unit, unit_named


class Description(Struct, frozen=True):
    """A row of the table: `key` is the name in every API, `en` and `de` are labels: also names of entities."""

    obis: Obis
    key: str
    en: str
    de: str
    unit: str | None
    device_class: str | None
    state_class: str | None

    @property
    def is_counter(self) -> bool:
        """True where a value may only increase: the guard checks these."""
        return self.state_class == "total_increasing"


def describe(obis: Obis) -> Description | None:
    """The row of a register, or None for one that is not in the table."""
    return REGISTERS.get(obis)


def key_of(obis: Obis) -> str:
    """The API name of a register; for one outside the table, its code in short form."""
    row = REGISTERS.get(obis)
    return row.key if row else obis.short


# a meter sends the same codes in every telegram
@lru_cache(maxsize=1024)
def unit_of(obis: Obis) -> Unit | None:
    """The unit of a register by the table; that of 1-0:1.8.0 also for 1-1:1.8.0 and the like. None where unknown."""
    row = REGISTERS.get(obis)
    if row is None and obis[0] == 1:
        row = REGISTERS.get(Obis(bytes((1, 0)) + obis[2:]))
    return unit_named(row.unit) if row and row.unit else None


def may_have(obis: Obis, unit: Unit) -> bool:
    """Whether a register may be sent in a unit: that of the table, one that some meters use instead, or any."""
    own = unit_of(obis)
    return own is None or unit == own or unit in _OTHER_UNITS.get(obis, ())


# fmt: off
# code, key, English, German, unit, Home Assistant device class and state class
_ROWS: tuple[tuple[str, str, str, str, str | None, str | None, str | None], ...] = (
    ("1-0:1.8.0", "energy_import", "Energy import", "Zählerstand Bezug", "Wh", "energy", "total_increasing"),
    ("1-0:1.8.1", "energy_import_t1", "Energy import tariff 1", "Zählerstand Bezug Tarif 1", "Wh", "energy", "total_increasing"),
    ("1-0:1.8.2", "energy_import_t2", "Energy import tariff 2", "Zählerstand Bezug Tarif 2", "Wh", "energy", "total_increasing"),
    ("1-0:1.8.3", "energy_import_t3", "Energy import tariff 3", "Zählerstand Bezug Tarif 3", "Wh", "energy", "total_increasing"),
    ("1-0:1.8.4", "energy_import_t4", "Energy import tariff 4", "Zählerstand Bezug Tarif 4", "Wh", "energy", "total_increasing"),
    ("1-0:1.8.5", "energy_import_t5", "Energy import tariff 5", "Zählerstand Bezug Tarif 5", "Wh", "energy", "total_increasing"),
    ("1-0:1.8.6", "energy_import_t6", "Energy import tariff 6", "Zählerstand Bezug Tarif 6", "Wh", "energy", "total_increasing"),
    ("1-0:1.8.7", "energy_import_t7", "Energy import tariff 7", "Zählerstand Bezug Tarif 7", "Wh", "energy", "total_increasing"),
    ("1-0:1.8.8", "energy_import_t8", "Energy import tariff 8", "Zählerstand Bezug Tarif 8", "Wh", "energy", "total_increasing"),
    ("1-0:2.8.0", "energy_export", "Energy export", "Zählerstand Einspeisung", "Wh", "energy", "total_increasing"),
    ("1-0:2.8.1", "energy_export_t1", "Energy export tariff 1", "Zählerstand Einspeisung Tarif 1", "Wh", "energy", "total_increasing"),
    ("1-0:2.8.2", "energy_export_t2", "Energy export tariff 2", "Zählerstand Einspeisung Tarif 2", "Wh", "energy", "total_increasing"),
    ("1-0:2.8.3", "energy_export_t3", "Energy export tariff 3", "Zählerstand Einspeisung Tarif 3", "Wh", "energy", "total_increasing"),
    ("1-0:2.8.4", "energy_export_t4", "Energy export tariff 4", "Zählerstand Einspeisung Tarif 4", "Wh", "energy", "total_increasing"),
    ("1-0:2.8.5", "energy_export_t5", "Energy export tariff 5", "Zählerstand Einspeisung Tarif 5", "Wh", "energy", "total_increasing"),
    ("1-0:2.8.6", "energy_export_t6", "Energy export tariff 6", "Zählerstand Einspeisung Tarif 6", "Wh", "energy", "total_increasing"),
    ("1-0:2.8.7", "energy_export_t7", "Energy export tariff 7", "Zählerstand Einspeisung Tarif 7", "Wh", "energy", "total_increasing"),
    ("1-0:2.8.8", "energy_export_t8", "Energy export tariff 8", "Zählerstand Einspeisung Tarif 8", "Wh", "energy", "total_increasing"),
    ("1-0:15.8.0", "energy_absolute", "Energy import and export, sum", "Zählerstand Bezug und Einspeisung", "Wh", "energy", "total_increasing"),
    ("1-0:16.8.0", "energy_net", "Energy balance", "Zählerstand Saldo", "Wh", "energy", "total"),
    ("1-0:3.8.0", "reactive_energy_import", "Reactive energy import", "Blindenergie Bezug", "varh", "reactive_energy", "total_increasing"),
    ("1-0:4.8.0", "reactive_energy_export", "Reactive energy export", "Blindenergie Lieferung", "varh", "reactive_energy", "total_increasing"),
    ("1-0:3.8.1", "reactive_energy_import_t1", "Reactive energy import tariff 1", "Blindenergie Bezug Tarif 1", "varh", "reactive_energy", "total_increasing"),
    ("1-0:3.8.2", "reactive_energy_import_t2", "Reactive energy import tariff 2", "Blindenergie Bezug Tarif 2", "varh", "reactive_energy", "total_increasing"),
    ("1-0:4.8.1", "reactive_energy_export_t1", "Reactive energy export tariff 1", "Blindenergie Lieferung Tarif 1", "varh", "reactive_energy", "total_increasing"),
    ("1-0:4.8.2", "reactive_energy_export_t2", "Reactive energy export tariff 2", "Blindenergie Lieferung Tarif 2", "varh", "reactive_energy", "total_increasing"),
    ("1-0:5.8.0", "reactive_energy_q1", "Reactive energy Q1", "Blindenergie Q1", "varh", "reactive_energy", "total_increasing"),
    ("1-0:6.8.0", "reactive_energy_q2", "Reactive energy Q2", "Blindenergie Q2", "varh", "reactive_energy", "total_increasing"),
    ("1-0:7.8.0", "reactive_energy_q3", "Reactive energy Q3", "Blindenergie Q3", "varh", "reactive_energy", "total_increasing"),
    ("1-0:8.8.0", "reactive_energy_q4", "Reactive energy Q4", "Blindenergie Q4", "varh", "reactive_energy", "total_increasing"),
    ("1-0:9.8.0", "apparent_energy_import", "Apparent energy import", "Scheinenergie Bezug", "VAh", None, "total_increasing"),
    ("1-0:10.8.0", "apparent_energy_export", "Apparent energy export", "Scheinenergie Lieferung", "VAh", None, "total_increasing"),
    ("1-0:21.8.0", "energy_import_l1", "Energy import L1", "Zählerstand Bezug L1", "Wh", "energy", "total_increasing"),
    ("1-0:22.8.0", "energy_export_l1", "Energy export L1", "Zählerstand Einspeisung L1", "Wh", "energy", "total_increasing"),
    ("1-0:41.8.0", "energy_import_l2", "Energy import L2", "Zählerstand Bezug L2", "Wh", "energy", "total_increasing"),
    ("1-0:42.8.0", "energy_export_l2", "Energy export L2", "Zählerstand Einspeisung L2", "Wh", "energy", "total_increasing"),
    ("1-0:61.8.0", "energy_import_l3", "Energy import L3", "Zählerstand Bezug L3", "Wh", "energy", "total_increasing"),
    ("1-0:62.8.0", "energy_export_l3", "Energy export L3", "Zählerstand Einspeisung L3", "Wh", "energy", "total_increasing"),
    ("1-0:16.7.0", "power", "Power", "Leistung", "W", "power", "measurement"),
    ("1-0:15.7.0", "power_absolute", "Power, absolute value", "Leistung (Betrag)", "W", "power", "measurement"),
    ("1-0:1.7.0", "power_import", "Power import", "Leistung Bezug", "W", "power", "measurement"),
    ("1-0:2.7.0", "power_export", "Power export", "Leistung Einspeisung", "W", "power", "measurement"),
    ("1-0:36.7.0", "power_l1", "Power L1", "Leistung L1", "W", "power", "measurement"),
    ("1-0:21.7.0", "power_import_l1", "Power import L1", "Leistung Bezug L1", "W", "power", "measurement"),
    ("1-0:22.7.0", "power_export_l1", "Power export L1", "Leistung Einspeisung L1", "W", "power", "measurement"),
    ("1-0:56.7.0", "power_l2", "Power L2", "Leistung L2", "W", "power", "measurement"),
    ("1-0:41.7.0", "power_import_l2", "Power import L2", "Leistung Bezug L2", "W", "power", "measurement"),
    ("1-0:42.7.0", "power_export_l2", "Power export L2", "Leistung Einspeisung L2", "W", "power", "measurement"),
    ("1-0:76.7.0", "power_l3", "Power L3", "Leistung L3", "W", "power", "measurement"),
    ("1-0:61.7.0", "power_import_l3", "Power import L3", "Leistung Bezug L3", "W", "power", "measurement"),
    ("1-0:62.7.0", "power_export_l3", "Power export L3", "Leistung Einspeisung L3", "W", "power", "measurement"),
    ("1-0:3.7.0", "reactive_power_import", "Reactive power import", "Blindleistung Bezug", "var", "reactive_power", "measurement"),
    ("1-0:4.7.0", "reactive_power_export", "Reactive power export", "Blindleistung Lieferung", "var", "reactive_power", "measurement"),
    ("1-0:23.7.0", "reactive_power_import_l1", "Reactive power import L1", "Blindleistung Bezug L1", "var", "reactive_power", "measurement"),
    ("1-0:24.7.0", "reactive_power_export_l1", "Reactive power export L1", "Blindleistung Lieferung L1", "var", "reactive_power", "measurement"),
    ("1-0:43.7.0", "reactive_power_import_l2", "Reactive power import L2", "Blindleistung Bezug L2", "var", "reactive_power", "measurement"),
    ("1-0:44.7.0", "reactive_power_export_l2", "Reactive power export L2", "Blindleistung Lieferung L2", "var", "reactive_power", "measurement"),
    ("1-0:63.7.0", "reactive_power_import_l3", "Reactive power import L3", "Blindleistung Bezug L3", "var", "reactive_power", "measurement"),
    ("1-0:64.7.0", "reactive_power_export_l3", "Reactive power export L3", "Blindleistung Lieferung L3", "var", "reactive_power", "measurement"),
    ("1-0:9.7.0", "apparent_power_import", "Apparent power import", "Scheinleistung Bezug", "VA", "apparent_power", "measurement"),
    ("1-0:10.7.0", "apparent_power_export", "Apparent power export", "Scheinleistung Lieferung", "VA", "apparent_power", "measurement"),
    ("1-0:31.7.0", "current_l1", "Current L1", "Strom L1", "A", "current", "measurement"),
    ("1-0:51.7.0", "current_l2", "Current L2", "Strom L2", "A", "current", "measurement"),
    ("1-0:71.7.0", "current_l3", "Current L3", "Strom L3", "A", "current", "measurement"),
    ("1-0:91.7.0", "current_neutral", "Current neutral", "Strom Neutralleiter", "A", "current", "measurement"),
    ("1-0:32.7.0", "voltage_l1", "Voltage L1", "Spannung L1", "V", "voltage", "measurement"),
    ("1-0:52.7.0", "voltage_l2", "Voltage L2", "Spannung L2", "V", "voltage", "measurement"),
    ("1-0:72.7.0", "voltage_l3", "Voltage L3", "Spannung L3", "V", "voltage", "measurement"),
    ("1-0:31.6.0", "current_max_l1", "Maximum current L1", "Maximalstrom L1", "A", "current", "measurement"),
    ("1-0:51.6.0", "current_max_l2", "Maximum current L2", "Maximalstrom L2", "A", "current", "measurement"),
    ("1-0:71.6.0", "current_max_l3", "Maximum current L3", "Maximalstrom L3", "A", "current", "measurement"),
    ("1-0:14.7.0", "frequency", "Frequency", "Netzfrequenz", "Hz", "frequency", "measurement"),
    ("1-0:13.7.0", "power_factor", "Power factor", "Leistungsfaktor", None, "power_factor", "measurement"),
    ("1-0:33.7.0", "power_factor_l1", "Power factor L1", "Leistungsfaktor L1", None, "power_factor", "measurement"),
    ("1-0:53.7.0", "power_factor_l2", "Power factor L2", "Leistungsfaktor L2", None, "power_factor", "measurement"),
    ("1-0:73.7.0", "power_factor_l3", "Power factor L3", "Leistungsfaktor L3", None, "power_factor", "measurement"),
    ("1-0:81.7.1", "angle_u2_u1", "Angle U L2 to L1", "Phasenwinkel U L2 zu L1", "°", None, "measurement"),
    ("1-0:81.7.2", "angle_u3_u1", "Angle U L3 to L1", "Phasenwinkel U L3 zu L1", "°", None, "measurement"),
    ("1-0:81.7.4", "angle_i1_u1", "Angle I to U L1", "Phasenwinkel I zu U L1", "°", None, "measurement"),
    ("1-0:81.7.15", "angle_i2_u2", "Angle I to U L2", "Phasenwinkel I zu U L2", "°", None, "measurement"),
    ("1-0:81.7.26", "angle_i3_u3", "Angle I to U L3", "Phasenwinkel I zu U L3", "°", None, "measurement"),
    ("1-0:1.4.0", "power_demand", "Average power of 15 minutes", "Leistungsmittelwert (15 min)", "W", "power", "measurement"),
    ("1-0:1.6.0", "power_demand_max", "Peak power this month", "Höchstleistung diesen Monat", "W", "power", None),
    ("1-0:2.6.0", "power_demand_export_max", "Peak power export this month", "Höchstleistung Einspeisung diesen Monat", "W", "power", None),
    ("0-0:17.0.0", "power_limit", "Power limiter threshold", "Leistungsbegrenzung", "W", "power", None),
    ("1-0:31.4.0", "fuse_threshold_l1", "Fuse supervision threshold L1", "Sicherungsschwelle L1", "A", "current", None),
    ("1-0:51.4.0", "fuse_threshold_l2", "Fuse supervision threshold L2", "Sicherungsschwelle L2", "A", "current", None),
    ("1-0:71.4.0", "fuse_threshold_l3", "Fuse supervision threshold L3", "Sicherungsschwelle L3", "A", "current", None),
    ("0-0:96.14.0", "tariff", "Active tariff", "Aktiver Tarif", None, None, None),
    ("0-0:96.3.10", "breaker_state", "Breaker state", "Schaltzustand", None, None, None),
    ("0-0:96.13.0", "message", "Text message", "Kundeninformationstext", None, None, None),
    ("0-0:96.13.1", "message_code", "Message code", "Kundeninformationscode", None, None, None),
    ("0-0:96.7.21", "failures_short", "Power failures, short", "Kurze Stromausfälle", None, None, "total_increasing"),
    ("0-0:96.7.9", "failures_long", "Power failures, long", "Lange Stromausfälle", None, None, "total_increasing"),
    ("1-0:99.97.0", "failure_log", "Power failure log", "Ausfallprotokoll", None, None, None),
    ("1-0:32.32.0", "voltage_sags_l1", "Voltage sags L1", "Spannungseinbrüche L1", None, None, "total_increasing"),
    ("1-0:32.36.0", "voltage_swells_l1", "Voltage swells L1", "Überspannungen L1", None, None, "total_increasing"),
    ("1-0:52.32.0", "voltage_sags_l2", "Voltage sags L2", "Spannungseinbrüche L2", None, None, "total_increasing"),
    ("1-0:52.36.0", "voltage_swells_l2", "Voltage swells L2", "Überspannungen L2", None, None, "total_increasing"),
    ("1-0:72.32.0", "voltage_sags_l3", "Voltage sags L3", "Spannungseinbrüche L3", None, None, "total_increasing"),
    ("1-0:72.36.0", "voltage_swells_l3", "Voltage swells L3", "Überspannungen L3", None, None, "total_increasing"),
    ("1-3:0.2.8", "p1_version", "P1 version", "P1-Version", None, None, None),
    ("0-0:96.1.4", "p1_version_be", "P1 version (BE)", "P1-Version (BE)", None, None, None),
    ("0-0:1.0.0", "telegram_time", "Telegram timestamp", "Zeitstempel", None, None, None),
    ("1-0:0.9.1", "meter_clock", "Meter time", "Zählerzeit", None, None, None),
    ("1-0:0.9.2", "meter_date", "Meter date", "Zählerdatum", None, None, None),
    ("0-0:0.9.1", "clock_time", "Meter clock, time", "Uhrzeit des Zählers", None, None, None),
    ("0-0:0.9.2", "clock_date", "Meter clock, date", "Datum des Zählers", None, None, None),
    ("1-0:96.1.0", "device_id", "Server/meter id", "Geräte-Identifikation (DIN 43863-5)", None, None, None),
    ("1-0:0.0.9", "server_id", "Server id", "Geräteeinzelidentifikation", None, None, None),
    ("1-0:0.0.0", "owner_number", "Property/owner number", "Eigentumsnummer", None, None, None),
    ("0-0:0.0.0", "device_address", "Device address", "Geräteadresse", None, None, None),
    ("1-0:0.0.1", "device_identification", "Device identification (DIN 43863-5)", "Geräte-Identifikation", None, None, None),
    ("0-0:96.1.1", "equipment_id", "Equipment id (hex ASCII)", "Gerätenummer", None, None, None),
    ("0-0:96.1.0", "device_number", "Device number", "Gerätenummer", None, None, None),
    ("0-0:42.0.0", "logical_device_name", "COSEM logical device name", "Logischer Gerätename", None, None, None),
    ("0-0:96.1.6", "checksum", "Checksum", "Prüfsumme", None, None, None),
    ("1-0:0.2.0", "firmware_version", "Firmware version", "Firmware-Version", None, None, None),
    ("129-129:199.130.3", "manufacturer", "Manufacturer id", "Hersteller-Identifikation", None, None, None),
    ("129-129:199.130.5", "public_key", "Public key (48 bytes)", "Öffentlicher Schlüssel", None, None, None),
    ("1-0:96.50.1*1", "manufacturer_id", "Manufacturer id", "Herstellerkennung", None, None, None),
    ("1-0:96.5.0", "status_word", "Operating status word", "Statuswort", None, None, None),
    ("0-0:97.97.0", "error_register", "Error register", "Fehlerregister", None, None, None),
    ("0-1:24.1.0", "mbus1_type", "M-Bus device type, channel 1", "M-Bus-Gerätetyp, Kanal 1", None, None, None),
    ("0-1:96.1.0", "mbus1_id", "M-Bus device id, channel 1", "M-Bus-Gerätenummer, Kanal 1", None, None, None),
    ("0-1:96.1.1", "mbus1_equipment_id", "M-Bus equipment id, channel 1", "M-Bus-Gerätekennung, Kanal 1", None, None, None),
    ("0-1:24.2.1", "mbus1_reading", "M-Bus last reading, channel 1", "M-Bus-Zählerstand, Kanal 1", "m³", None, "total_increasing"),
    ("0-1:24.2.3", "mbus1_reading_uncorrected", "M-Bus last reading, not temperature corrected, channel 1", "M-Bus-Zählerstand ohne Temperaturkorrektur, Kanal 1", "m³", None, "total_increasing"),
    ("0-1:24.3.0", "mbus1_reading_hourly", "M-Bus reading of the last hour, channel 1", "M-Bus-Zählerstand der letzten Stunde, Kanal 1", "m³", None, "total_increasing"),
    ("0-1:24.4.0", "mbus1_valve", "M-Bus valve or switch, channel 1", "M-Bus-Ventil oder Schalter, Kanal 1", None, None, None),
    ("0-1:96.3.10", "relay1_state", "Relay state, channel 1", "Schaltzustand Relais, Kanal 1", None, None, None),
    ("0-2:24.1.0", "mbus2_type", "M-Bus device type, channel 2", "M-Bus-Gerätetyp, Kanal 2", None, None, None),
    ("0-2:96.1.0", "mbus2_id", "M-Bus device id, channel 2", "M-Bus-Gerätenummer, Kanal 2", None, None, None),
    ("0-2:96.1.1", "mbus2_equipment_id", "M-Bus equipment id, channel 2", "M-Bus-Gerätekennung, Kanal 2", None, None, None),
    ("0-2:24.2.1", "mbus2_reading", "M-Bus last reading, channel 2", "M-Bus-Zählerstand, Kanal 2", "m³", None, "total_increasing"),
    ("0-2:24.2.3", "mbus2_reading_uncorrected", "M-Bus last reading, not temperature corrected, channel 2", "M-Bus-Zählerstand ohne Temperaturkorrektur, Kanal 2", "m³", None, "total_increasing"),
    ("0-2:24.3.0", "mbus2_reading_hourly", "M-Bus reading of the last hour, channel 2", "M-Bus-Zählerstand der letzten Stunde, Kanal 2", "m³", None, "total_increasing"),
    ("0-2:24.4.0", "mbus2_valve", "M-Bus valve or switch, channel 2", "M-Bus-Ventil oder Schalter, Kanal 2", None, None, None),
    ("0-2:96.3.10", "relay2_state", "Relay state, channel 2", "Schaltzustand Relais, Kanal 2", None, None, None),
    ("0-3:24.1.0", "mbus3_type", "M-Bus device type, channel 3", "M-Bus-Gerätetyp, Kanal 3", None, None, None),
    ("0-3:96.1.0", "mbus3_id", "M-Bus device id, channel 3", "M-Bus-Gerätenummer, Kanal 3", None, None, None),
    ("0-3:96.1.1", "mbus3_equipment_id", "M-Bus equipment id, channel 3", "M-Bus-Gerätekennung, Kanal 3", None, None, None),
    ("0-3:24.2.1", "mbus3_reading", "M-Bus last reading, channel 3", "M-Bus-Zählerstand, Kanal 3", "m³", None, "total_increasing"),
    ("0-3:24.2.3", "mbus3_reading_uncorrected", "M-Bus last reading, not temperature corrected, channel 3", "M-Bus-Zählerstand ohne Temperaturkorrektur, Kanal 3", "m³", None, "total_increasing"),
    ("0-3:24.3.0", "mbus3_reading_hourly", "M-Bus reading of the last hour, channel 3", "M-Bus-Zählerstand der letzten Stunde, Kanal 3", "m³", None, "total_increasing"),
    ("0-3:24.4.0", "mbus3_valve", "M-Bus valve or switch, channel 3", "M-Bus-Ventil oder Schalter, Kanal 3", None, None, None),
    ("0-3:96.3.10", "relay3_state", "Relay state, channel 3", "Schaltzustand Relais, Kanal 3", None, None, None),
    ("0-4:24.1.0", "mbus4_type", "M-Bus device type, channel 4", "M-Bus-Gerätetyp, Kanal 4", None, None, None),
    ("0-4:96.1.0", "mbus4_id", "M-Bus device id, channel 4", "M-Bus-Gerätenummer, Kanal 4", None, None, None),
    ("0-4:96.1.1", "mbus4_equipment_id", "M-Bus equipment id, channel 4", "M-Bus-Gerätekennung, Kanal 4", None, None, None),
    ("0-4:24.2.1", "mbus4_reading", "M-Bus last reading, channel 4", "M-Bus-Zählerstand, Kanal 4", "m³", None, "total_increasing"),
    ("0-4:24.2.3", "mbus4_reading_uncorrected", "M-Bus last reading, not temperature corrected, channel 4", "M-Bus-Zählerstand ohne Temperaturkorrektur, Kanal 4", "m³", None, "total_increasing"),
    ("0-4:24.3.0", "mbus4_reading_hourly", "M-Bus reading of the last hour, channel 4", "M-Bus-Zählerstand der letzten Stunde, Kanal 4", "m³", None, "total_increasing"),
    ("0-4:24.4.0", "mbus4_valve", "M-Bus valve or switch, channel 4", "M-Bus-Ventil oder Schalter, Kanal 4", None, None, None),
    ("0-4:96.3.10", "relay4_state", "Relay state, channel 4", "Schaltzustand Relais, Kanal 4", None, None, None),
)
# fmt: on

# units that meters send as well: heat is counted in GJ or kWh, and a limit set for current or apparent power
_OTHER_UNITS: dict[Obis, frozenset[Unit]] = {
    Obis.parse("0-0:17.0.0"): frozenset(map(unit_named, ("A", "VA"))),
    **{
        Obis.parse(f"0-{channel}:{code}"): frozenset(map(unit_named, ("J", "Wh")))
        for channel in range(1, 5)
        for code in ("24.2.1", "24.2.3", "24.3.0")
    },
}

_DESCRIPTIONS = tuple(Description(Obis.parse(row[0]), *row[1:]) for row in _ROWS)

REGISTERS: dict[Obis, Description] = {row.obis: row for row in _DESCRIPTIONS}
BY_KEY: dict[str, Description] = {row.key: row for row in _DESCRIPTIONS}

# never published, masked in recordings: identification that can be misused
SECRET = frozenset({BY_KEY["public_key"].obis})
