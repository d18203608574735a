"""What another program or a meter says, in one line that fits into a sentence of ours."""

MAX_CHARACTERS = 200


def one_line(text: str, max_characters: int = MAX_CHARACTERS) -> str:
    """Printable characters, one blank between words."""
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())[:max_characters]
