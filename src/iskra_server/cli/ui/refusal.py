"""How a command says no."""


class Refused(Exception):
    """One sentence for the user that names the thing and the fix; the command ends with `status`."""

    def __init__(self, sentence: str, status: int = 2) -> None:
        super().__init__(sentence)
        self.status = status
