// Written by docs/site/reference.py from the configuration, docker-compose.yml and the app: make docs

/** What the value of each key must be. @type {Record<string, import('./check.js').Limits>} */
export const KEYS = {
  "server.host": {"kind": "text", "filled": true},
  "server.port": {"kind": "whole", "min": 1, "max": 65535},
  "server.readout_interval": {"kind": "number", "min": 0, "max": 86400},
  "server.time_zone": {"kind": "text"},
  "server.token": {"kind": "text"},
  "server.allowed_hosts": {"kind": "text"},
  "server.tls_cert": {"kind": "text"},
  "server.tls_key": {"kind": "text"},
  "server.announce": {"kind": "flag"},
  "server.language": {"kind": "choice", "choices": ["auto", "en", "de"]},
  "server.ingress_port": {"kind": "whole", "min": 0, "max": 65535},
  "server.ingress_address": {"kind": "text", "filled": true},
  "meters.url": {"kind": "text", "filled": true},
  "meters.name": {"kind": "text"},
  "meters.role": {"kind": "choice", "choices": ["grid", "production"]},
  "meters.production_counter": {"kind": "choice", "choices": ["export", "import"]},
  "meters.stale_after_s": {"kind": "number", "above": 0, "max": 86400},
  "meters.max_power_w": {"kind": "whole", "min": 1, "max": 10000000},
  "meters.counters_stale_after_s": {"kind": "number", "above": 0, "max": 86400},
  "meters.factor": {"kind": "number", "above": 0, "max": 1000000},
  "meters.key": {"kind": "text"},
  "meters.auth_key": {"kind": "text"},
  "meters.system_title": {"kind": "text"},
  "meters.layouts": {"kind": "text"},
  "contracts.energy_price": {"kind": "number", "min": 0, "max": 1000000000},
  "contracts.base_fee": {"kind": "number", "min": 0, "max": 1000000000},
  "contracts.base_fee_per": {"kind": "choice", "choices": ["month", "year"]},
  "contracts.grid_fee": {"kind": "number", "min": 0, "max": 1000000000},
  "contracts.grid_fee_per": {"kind": "choice", "choices": ["month", "year"]},
  "contracts.metering_fee": {"kind": "number", "min": 0, "max": 1000000000},
  "contracts.metering_fee_per": {"kind": "choice", "choices": ["month", "year"]},
  "contracts.vat_percent": {"kind": "number", "min": 0, "max": 100},
  "contracts.feed_in": {"kind": "number", "min": 0, "max": 1000000000},
  "contracts.name": {"kind": "text"},
  "contracts.meter": {"kind": "text"},
  "contracts.begins": {"kind": "date"},
  "contracts.instalment": {"kind": "number", "min": 0, "max": 1000000000},
  "contracts.currency": {"kind": "text", "filled": true},
  "outputs.mqtt.url": {"kind": "text"},
  "outputs.mqtt.password": {"kind": "text"},
  "outputs.mqtt.use_home_assistant": {"kind": "flag"},
  "outputs.mqtt.client_id": {"kind": "text"},
  "outputs.mqtt.base_topic": {"kind": "text", "filled": true},
  "outputs.mqtt.discovery": {"kind": "choice", "choices": ["classic", "device", "off"]},
  "outputs.mqtt.discovery_prefix": {"kind": "text", "filled": true},
  "outputs.mqtt.language": {"kind": "choice", "choices": ["en", "de"]},
  "outputs.mqtt.state_every_s": {"kind": "number", "min": 0, "max": 86400},
  "outputs.mqtt.counters_every_s": {"kind": "number", "min": 0, "max": 86400},
  "outputs.mqtt.ca_file": {"kind": "text"},
  "outputs.mqtt.cert_file": {"kind": "text"},
  "outputs.mqtt.key_file": {"kind": "text"},
  "outputs.influx.url": {"kind": "text"},
  "outputs.influx.token": {"kind": "text"},
  "outputs.influx.user": {"kind": "text"},
  "outputs.influx.password": {"kind": "text"},
  "outputs.influx.database": {"kind": "text"},
  "outputs.influx.org": {"kind": "text"},
  "outputs.influx.bucket": {"kind": "text"},
  "outputs.influx.every_s": {"kind": "number", "min": 0, "max": 86400},
  "outputs.influx.flush_s": {"kind": "number", "min": 0.1, "max": 3600},
  "outputs.influx.spool_mb": {"kind": "whole", "min": 1, "max": 100000},
  "outputs.emulation.meter": {"kind": "text"},
  "outputs.emulation.host": {"kind": "text", "filled": true},
  "outputs.emulation.clients": {"kind": "text"},
  "outputs.emulation.stale_after_s": {"kind": "number", "above": 0, "max": 300},
  "outputs.emulation.wait_fresh_s": {"kind": "number", "min": 0, "max": 10},
  "outputs.emulation.min_interval_s": {"kind": "number", "min": 0, "max": 60},
  "outputs.emulation.target_w": {"kind": "number", "min": -10000, "max": 10000},
  "outputs.emulation.dead_band_w": {"kind": "number", "min": 0, "max": 1000},
  "outputs.emulation.batteries": {"kind": "whole", "min": 1, "max": 20},
  "outputs.ecotracker.enabled": {"kind": "flag"},
  "outputs.ecotracker.port": {"kind": "whole", "min": 1, "max": 65535},
  "outputs.shelly_pro_3em.enabled": {"kind": "flag"},
  "outputs.shelly_pro_3em.port": {"kind": "whole", "min": 0, "max": 65535},
  "outputs.shelly_pro_3em.udp_ports": {"kind": "text"},
  "outputs.shelly_pro_3em.name_case": {"kind": "choice", "choices": ["lower", "upper"]},
  "outputs.shelly_pro_3em.typical_values": {"kind": "flag"},
  "outputs.shelly_em1.enabled": {"kind": "flag"},
  "outputs.shelly_em1.model": {"kind": "choice", "choices": ["pro-em50", "em-gen3"]},
  "outputs.shelly_em1.port": {"kind": "whole", "min": 0, "max": 65535},
  "outputs.shelly_em1.udp_port": {"kind": "whole", "min": -1, "max": 65535},
  "outputs.shelly_em1.typical_values": {"kind": "flag"},
  "outputs.shelly_3em.enabled": {"kind": "flag"},
  "outputs.shelly_3em.port": {"kind": "whole", "min": 1, "max": 65535},
  "outputs.vzlogger.enabled": {"kind": "flag"},
  "outputs.vzlogger.port": {"kind": "whole", "min": 1, "max": 65535},
  "outputs.vzlogger.obis": {"kind": "flag"},
  "outputs.sma_energy_meter.enabled": {"kind": "flag"},
  "outputs.sma_energy_meter.model": {"kind": "choice", "choices": ["em1", "em2"]},
  "outputs.victron.enabled": {"kind": "flag"},
  "outputs.victron.url": {"kind": "text"},
  "outputs.victron.password": {"kind": "text"},
  "outputs.victron.topic": {"kind": "text", "filled": true},
  "outputs.victron.ca_file": {"kind": "text"},
  "outputs.sunspec.enabled": {"kind": "flag"},
  "outputs.sunspec.port": {"kind": "whole", "min": 1, "max": 65535},
  "outputs.sunspec.unit": {"kind": "whole", "min": 1, "max": 247},
  "outputs.sunspec.zero_if_missing": {"kind": "flag"},
  "outputs.sunspec.wait_fresh_s": {"kind": "number", "min": 0, "max": 2},
  "outputs.shelly_modbus.enabled": {"kind": "flag"},
  "outputs.shelly_modbus.port": {"kind": "whole", "min": 1, "max": 65535},
  "outputs.shelly_modbus.wait_fresh_s": {"kind": "number", "min": 0, "max": 2},
  "notify.kind": {"kind": "choice", "choices": ["ntfy", "webhook", "gotify", "email"]},
  "notify.url": {"kind": "text"},
  "notify.name": {"kind": "text", "max": 100},
  "notify.token": {"kind": "text"},
  "notify.user": {"kind": "text"},
  "notify.password": {"kind": "text"},
  "notify.sender": {"kind": "text", "max": 254},
  "notify.recipients": {"kind": "text", "max": 2000},
  "notify.ca_file": {"kind": "text"},
  "notify.language": {"kind": "choice", "choices": ["en", "de"]},
  "notify.events": {"kind": "text", "max": 200},
  "notify.page_url": {"kind": "text", "max": 500},
  "notify.max_per_day": {"kind": "whole", "min": 1, "max": 1000},
  "alerts.silent_after_minutes": {"kind": "number", "above": 0, "max": 1440},
  "alerts.load_above_w": {"kind": "whole", "min": 0, "max": 10000000},
  "alerts.load_for_minutes": {"kind": "number", "above": 0, "max": 1440},
  "alerts.base_load_percent": {"kind": "number", "min": 0, "max": 1000},
  "alerts.repeat_after_minutes": {"kind": "number", "min": 0, "max": 43200},
  "alerts.digest_hour": {"kind": "whole", "min": 0, "max": 23},
  "contracts.energy.price": {"kind": "number", "min": -1000000000, "max": 1000000000},
  "contracts.energy.default": {"kind": "number", "min": -1000000000, "max": 1000000000},
  "contracts.energy.zone": {"kind": "text"},
  "contracts.energy.per": {"kind": "choice", "choices": ["quarter", "hour"]},
  "contracts.energy.percent": {"kind": "number", "min": -100, "max": 1000},
  "contracts.energy.percent_negative": {"kind": "number", "min": -100, "max": 1000},
  "contracts.energy.fixed": {"kind": "number", "min": -1000000000, "max": 1000000000},
  "contracts.energy.kind": {"kind": "choice", "choices": ["fixed", "windows", "spot", "registers"]},
  "contracts.energy.windows.name": {"kind": "text"},
  "contracts.energy.windows.months": {"kind": "text"},
  "contracts.energy.windows.days": {"kind": "text"},
  "contracts.energy.windows.from": {"kind": "text"},
  "contracts.energy.windows.to": {"kind": "text"},
  "contracts.energy.windows.price": {"kind": "number", "min": -1000000000, "max": 1000000000},
  "contracts.grid.price": {"kind": "number", "min": -1000000000, "max": 1000000000},
  "contracts.grid.default": {"kind": "number", "min": -1000000000, "max": 1000000000},
  "contracts.grid.kind": {"kind": "choice", "choices": ["fixed", "windows", "registers"]},
  "contracts.grid.module": {"kind": "choice", "choices": ["0", "1", "3"]},
  "contracts.grid.credit": {"kind": "number", "min": 0, "max": 1000000000},
  "contracts.grid.windows.name": {"kind": "text"},
  "contracts.grid.windows.months": {"kind": "text"},
  "contracts.grid.windows.days": {"kind": "text"},
  "contracts.grid.windows.from": {"kind": "text"},
  "contracts.grid.windows.to": {"kind": "text"},
  "contracts.grid.windows.price": {"kind": "number", "min": -1000000000, "max": 1000000000},
  "contracts.feed_in.price": {"kind": "number", "min": -1000000000, "max": 1000000000},
  "contracts.feed_in.default": {"kind": "number", "min": -1000000000, "max": 1000000000},
  "contracts.feed_in.zone": {"kind": "text"},
  "contracts.feed_in.per": {"kind": "choice", "choices": ["quarter", "hour"]},
  "contracts.feed_in.percent": {"kind": "number", "min": -100, "max": 1000},
  "contracts.feed_in.percent_negative": {"kind": "number", "min": -100, "max": 1000},
  "contracts.feed_in.fixed": {"kind": "number", "min": -1000000000, "max": 1000000000},
  "contracts.feed_in.kind": {"kind": "choice", "choices": ["fixed", "windows", "spot"]},
  "contracts.feed_in.unpaid_when_negative": {"kind": "flag"},
  "contracts.feed_in.windows.name": {"kind": "text"},
  "contracts.feed_in.windows.months": {"kind": "text"},
  "contracts.feed_in.windows.days": {"kind": "text"},
  "contracts.feed_in.windows.from": {"kind": "text"},
  "contracts.feed_in.windows.to": {"kind": "text"},
  "contracts.feed_in.windows.price": {"kind": "number", "min": -1000000000, "max": 1000000000},
};

/** docker-compose.yml, as it is shipped. @type {any} */
export const COMPOSE = {
  "name": "iskra-server",
  "services": {
    "iskra-server": {
      "image": "${ISKRA_IMAGE:-iskra-electricity-server:latest}",
      "build": ".",
      "restart": "unless-stopped",
      "init": true,
      "ports": [
        "${ISKRA_PORT:-18080}:8080"
      ],
      "volumes": [
        "data:/data",
        "/dev:/dev:ro"
      ],
      "device_cgroup_rules": [
        "c 188:* rmw",
        "c 166:* rmw",
        "c 204:* rmw",
        "c 4:64 rmw"
      ],
      "group_add": [
        "20"
      ],
      "env_file": [
        {
          "path": ".env",
          "required": false
        }
      ],
      "environment": {
        "TZ": "${TZ:-Europe/Berlin}",
        "IES_MQTT_URL": "${IES_MQTT_URL:-${IES_MQTT_PASSWORD:+mqtt://iskra@mqtt}}"
      },
      "read_only": true,
      "cap_drop": [
        "ALL"
      ],
      "security_opt": [
        "no-new-privileges:true"
      ],
      "logging": {
        "driver": "json-file",
        "options": {
          "max-size": "1m",
          "max-file": "3"
        }
      }
    },
    "mqtt": {
      "profiles": [
        "mqtt"
      ],
      "image": "eclipse-mosquitto:2",
      "restart": "unless-stopped",
      "init": true,
      "user": "1883:1883",
      "ports": [
        "1883:1883"
      ],
      "volumes": [
        "mqtt:/mosquitto/data"
      ],
      "tmpfs": [
        "/tmp"
      ],
      "environment": {
        "IES_MQTT_PASSWORD": "${IES_MQTT_PASSWORD:-}"
      },
      "command": [
        "sh",
        "-euc",
        "if [ -z \"$$IES_MQTT_PASSWORD\" ]; then\n  echo \"The broker needs a password: write IES_MQTT_PASSWORD=... into .env, then docker compose up -d\" >&2\n  exit 1\nfi\numask 077\nprintf '%s\\n' \"$$IES_MQTT_PASSWORD\" \"$$IES_MQTT_PASSWORD\" |\n  mosquitto_passwd -c /tmp/accounts iskra >/dev/null\nprintf '%s\\n' >/tmp/mosquitto.conf 'listener 1883' 'allow_anonymous false' 'password_file /tmp/accounts' \\\n  'persistence true' 'persistence_location /mosquitto/data/'\nexec mosquitto -c /tmp/mosquitto.conf\n"
      ],
      "read_only": true,
      "cap_drop": [
        "ALL"
      ],
      "security_opt": [
        "no-new-privileges:true"
      ],
      "logging": {
        "driver": "json-file",
        "options": {
          "max-size": "1m",
          "max-file": "3"
        }
      }
    }
  },
  "volumes": {
    "data": null,
    "mqtt": null
  }
};

/** The options of the app by the key of the configuration that each sets. @type {Record<string, string>} */
export const APP_OPTIONS = {
  "server.language": "language",
  "log.level": "log_level",
  "server.token": "token",
  "outputs.mqtt.use_home_assistant": "mqtt",
  "outputs.mqtt.url": "mqtt_url",
  "outputs.mqtt.password": "mqtt_password",
  "history.raw_days": "history_days"
};

/** What an entry of its option contracts may have. */
export const CONTRACT_OPTIONS = [
  "base_fee",
  "base_fee_per",
  "begins",
  "currency",
  "energy_price",
  "feed_in",
  "instalment",
  "meter",
  "name"
];
