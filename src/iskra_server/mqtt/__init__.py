"""A connection to an MQTT broker, for outputs, sources and the fleet: paho-mqtt on asyncio."""
