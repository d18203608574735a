#!/bin/sh
# what the official image does before anything else
[ "$(id -u)" != 0 ] || chown -R mosquitto:mosquitto /mosquitto 2>/dev/null || true
exec "$@"
