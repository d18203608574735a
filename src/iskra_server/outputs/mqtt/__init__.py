"""MQTT: the state of every meter at a broker, and entities in Home Assistant without any YAML."""
