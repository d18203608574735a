"""What the counters of a meter showed, asked of the running server: its route `counters`, part by part."""

import json
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError
from urllib.parse import quote

from iskra_server.base.json_values import utc
from iskra_server.cli.ui import local_server
from iskra_server.cli.ui.usage_error import UsageError
from iskra_server.config import ServerConfig

PART_S = 90 * 86_400
_NOT_FOUND = 404


class RecordedCounters:
    """Answers are kept: several sensors show the same meter."""

    def __init__(self, server: ServerConfig) -> None:
        self._server = server
        self._answers: dict[str, dict[str, Any] | None] = {}

    def first_meter(self) -> str:
        """The meter that the total without a name is of. Raises UsageError."""
        meters = (self._ask("/api/v1/status", "meters") or {}).get("meters", ())
        name: str | None = meters[0]["meter_id"] if meters else None
        if name is None:
            raise UsageError("The server has not read its first meter yet; name one with --meter.")
        return name

    def between(
        self, meter: str, begin_s: int, end_s: int, advance: Callable[[], None] = lambda: None
    ) -> list[dict[str, Any]]:
        """The parts of a period; none if the server does not know the meter. Raises UsageError."""
        answers = []
        # the same parts for every sensor
        for part_s in range(begin_s // PART_S * PART_S, end_s, PART_S):
            period = f"from={utc(part_s)}&to={utc(part_s + PART_S)}"
            path = f"/api/v1/meters/{quote(meter, safe='')}/counters?{period}&tz=UTC"
            answer = self._ask(path, "counters")
            if answer is None:
                return []
            answers.append(answer)
            advance()
        return answers

    def first_s(self, meter: str) -> int | None:
        """When the history of a meter begins. Raises UsageError."""
        path = f"/api/v1/meters/{quote(meter, safe='')}/energy?from=1970&to=this_year&bucket=year&tz=UTC"
        answer = self._ask(path, "import")
        first = answer and answer["import"].get("first")
        return int(datetime.fromisoformat(first["at"]).timestamp()) if first else None

    def _ask(self, path: str, part: str) -> dict[str, Any] | None:
        """An answer that has this part; None if there is no such meter."""
        if path not in self._answers:
            self._answers[path] = self._asked(path, part)
        return self._answers[path]

    def _asked(self, path: str, part: str) -> dict[str, Any] | None:
        url = local_server.base_url(self._server)
        try:
            answer = json.loads(local_server.ask(self._server, path), parse_float=Decimal)
        except HTTPError as error:
            if error.code == _NOT_FOUND:
                return None
            raise UsageError(
                f"The server at {url} does not tell what it has recorded: {error.code} {error.reason}.", 1
            ) from None
        except ValueError:
            answer = None
        except (OSError, HTTPException):
            raise UsageError(
                f"The server at {url} does not answer; start it, or name its configuration with --config.", 1
            ) from None
        if isinstance(answer, dict) and part in answer:
            return answer
        raise UsageError(f"What answers at {url} is another program; name the server's configuration with --config.", 1)
