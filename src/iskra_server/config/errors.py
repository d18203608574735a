"""What is wrong with a configuration."""


class ConfigError(Exception):
    """One sentence: the key, the file or variable, what was expected. What cannot be printed in it becomes a "?"."""

    def __init__(self, sentence: str) -> None:
        super().__init__("".join(each if each.isprintable() else "?" for each in sentence))
