"""A connection to PostgreSQL that waits for no answer longer than a limit: a server that was stopped says nothing."""

import time
from typing import Any

from psycopg import Connection, Error, OperationalError
from psycopg.abc import RV, PQGen

# for an answer, by our own clock; longer than what a statement may take by the server's
ANSWER_S = 35.0
# how often psycopg looks whether it was interrupted
_INTERVAL_S = 0.1


class TimeLimitedConnection(Connection[Any]):
    """It closes itself when an answer takes longer than `answer_s`, which raises OperationalError."""

    answer_s = ANSWER_S

    def wait(self, gen: PQGen[RV], interval: float = _INTERVAL_S, timeout: float | None = None) -> RV:
        began = time.monotonic()
        try:
            return super().wait(gen, interval, self.answer_s if timeout is None else timeout)
        except Error as error:
            if timeout is not None or time.monotonic() - began < self.answer_s:
                raise
            self.close()
            raise OperationalError(f"it has not answered for {self.answer_s:.0f} s") from error
