"""Points for InfluxDB, VictoriaMetrics and QuestDB by line protocol; an outage loses none."""
