"""Home Assistant's recorder with the statistics of one series, for `talking`."""

from datetime import datetime
from typing import Any

from homeassistant.talking import running


class Recorder:
    """Holds what is imported, as the real one does: a row is replaced as a whole."""

    def __init__(self) -> None:
        self.metadata: list[dict[str, Any]] = []
        self.blocks: list[int] = []
        self.rows: dict[str, dict[str, Any]] = {}

    def __call__(self, asked: dict[str, Any]) -> Any:
        if asked["type"] == "recorder/import_statistics":
            self.metadata.append(asked["metadata"])
            self.blocks.append(len(asked["stats"]))
            self.rows |= {row["start"]: row for row in asked["stats"]}
            return None
        if asked["type"] == "recorder/adjust_sum_statistics":
            begin_s = _milliseconds(asked["start_time"])
            for start, row in self.rows.items():
                if _milliseconds(start) >= begin_s:
                    row["sum"] += asked["adjustment"]
            return None
        if asked["type"] == "recorder/statistics_during_period":
            return {asked["statistic_ids"][0]: [self._row(start) for start in sorted(self.rows)]}
        return running(asked)

    def _row(self, start: str) -> dict[str, Any]:
        values = {name: value for name, value in self.rows[start].items() if name != "start"}
        if reset := values.get("last_reset"):
            values["last_reset"] = _milliseconds(reset)
        return {"start": _milliseconds(start), "mean": None, **values}


def _milliseconds(moment: str) -> int:
    return int(datetime.fromisoformat(moment).timestamp() * 1000)
