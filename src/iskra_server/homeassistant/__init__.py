"""Home Assistant besides MQTT discovery: the YAML of RESTful sensors, and the Supervisor of its apps."""
