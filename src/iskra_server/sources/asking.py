"""Whether and when a port may be asked: what has happened there since it was plugged in."""

from msgspec import Struct

from iskra_server.sources.serial import plugged_device

# after a request without an answer; the last one again and again
_ASK_AGAIN_S = (300.0, 1800.0, 21_600.0)
_ASK_AFTER_ECHO_S = 3600.0


class Asking(Struct):
    """`has_heard`: a byte has arrived unasked. `has_answered`: a meter has. `outcome` is that of the last request."""

    has_heard: bool = False
    has_answered: bool = False
    times: int = 0
    next_s: float = 0.0
    outcome: str = ""

    def note(self, outcome: str, now_s: float) -> None:
        wait_s = _ASK_AFTER_ECHO_S if outcome == "echo" else _ASK_AGAIN_S[min(self.times, len(_ASK_AGAIN_S) - 1)]
        self.outcome, self.times, self.next_s = outcome, self.times + 1, now_s + wait_s


class PluggedPort:
    """A port by its name; what has happened there is forgotten when it is plugged in again."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._device: tuple[int, int] | None = None
        self._asking = Asking()

    @property
    def asking(self) -> Asking:
        device = plugged_device(self.path)
        if device != self._device:
            self._device, self._asking = device, Asking()
        return self._asking
