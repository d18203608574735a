"""Line protocol: points for InfluxDB, VictoriaMetrics and QuestDB, of which an outage costs none."""
