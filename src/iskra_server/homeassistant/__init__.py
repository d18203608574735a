"""Home Assistant besides MQTT discovery: the YAML of RESTful sensors."""
