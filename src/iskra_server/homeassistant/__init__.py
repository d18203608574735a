"""What Home Assistant is given besides MQTT discovery: the YAML of RESTful sensors."""
