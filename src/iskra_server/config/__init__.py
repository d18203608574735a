"""The configuration: its sections, their keys, reading them (load), and which of several values wins (layers)."""

from iskra_server.config.keys import LISTS, SECTIONS, Key, describe, expected, secrets_of
from iskra_server.config.layers import ConfigError
from iskra_server.config.load import Loaded, load, load_with_origins
from iskra_server.config.notify_sections import AlertsConfig, NotifyConfig
from iskra_server.config.sections import (
    CollectConfig,
    Config,
    ContractConfig,
    HistoryConfig,
    InfluxConfig,
    LogConfig,
    MeterConfig,
    MqttConfig,
    ServerConfig,
    TokenConfig,
    UplinkConfig,
)

__all__ = [
    "LISTS",
    "SECTIONS",
    "AlertsConfig",
    "CollectConfig",
    "Config",
    "ConfigError",
    "ContractConfig",
    "HistoryConfig",
    "InfluxConfig",
    "Key",
    "Loaded",
    "LogConfig",
    "MeterConfig",
    "MqttConfig",
    "NotifyConfig",
    "ServerConfig",
    "TokenConfig",
    "UplinkConfig",
    "describe",
    "expected",
    "load",
    "load_with_origins",
    "secrets_of",
]
