"""The languages in which this program speaks to people, and sentences in both of them."""

from typing import Literal, get_args

Language = Literal["en", "de"]
LANGUAGES: tuple[Language, ...] = get_args(Language)
# a sentence or a part of one, in English and in German
Bilingual = tuple[str, str]
NOTHING: Bilingual = ("", "")


def in_both(row: Bilingual, **details: object) -> Bilingual:
    """The row of a table of sentences with its details; one that is bilingual itself is given in each language."""
    english, german = (
        text.format_map(
            {name: detail[place] if isinstance(detail, tuple) else detail for name, detail in details.items()}
        )
        for place, text in enumerate(row)
    )
    return english, german


def after_each_other(*sentences: Bilingual) -> Bilingual:
    """Those that say something, each once."""
    english, german = zip(*dict.fromkeys((NOTHING, *sentences)), strict=True)
    return " ".join(filter(None, english)), " ".join(filter(None, german))


class BilingualError(Exception):
    """`str` is the English text; what other programs say, such as "Connection refused", is the same in German."""

    def __init__(self, text: str | Bilingual) -> None:
        english, self.german = text if isinstance(text, tuple) else (text, text)
        super().__init__(english)

    @property
    def both(self) -> Bilingual:
        return str(self), self.german
