"""The configuration: its sections, their keys, reading them (load), and which of several values wins (layers)."""

from iskra_server.config.contract_sections import (
    ContractConfig,
    EnergyConfig,
    FeedInConfig,
    GridConfig,
    OfferConfig,
    PricesConfig,
    WindowConfig,
)
from iskra_server.config.emulation_sections import EmulationConfig
from iskra_server.config.findings import ConfigError, Finding
from iskra_server.config.keys import LISTS, SECTIONS, TABLES, Key, describe, describe_tables, expected, secrets_of
from iskra_server.config.load import Loaded, load, load_with_origins
from iskra_server.config.notify_sections import AlertsConfig, NotifyConfig
from iskra_server.config.output_sections import (
    CollectConfig,
    InfluxConfig,
    MqttConfig,
    OutputsConfig,
    UplinkConfig,
)
from iskra_server.config.price_section import SpotPricesConfig
from iskra_server.config.sections import (
    Config,
    HistoryConfig,
    LogConfig,
    MeterConfig,
    ServerConfig,
    TokenConfig,
)
from iskra_server.config.virtual_section import VirtualConfig

__all__ = [
    "LISTS",
    "SECTIONS",
    "TABLES",
    "AlertsConfig",
    "CollectConfig",
    "Config",
    "ConfigError",
    "ContractConfig",
    "EmulationConfig",
    "EnergyConfig",
    "FeedInConfig",
    "Finding",
    "GridConfig",
    "HistoryConfig",
    "InfluxConfig",
    "Key",
    "Loaded",
    "LogConfig",
    "MeterConfig",
    "MqttConfig",
    "NotifyConfig",
    "OfferConfig",
    "OutputsConfig",
    "PricesConfig",
    "ServerConfig",
    "SpotPricesConfig",
    "TokenConfig",
    "UplinkConfig",
    "VirtualConfig",
    "WindowConfig",
    "describe",
    "describe_tables",
    "expected",
    "load",
    "load_with_origins",
    "secrets_of",
]
