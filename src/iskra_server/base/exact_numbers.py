"""Exact numbers as people of a language write them, with every digit: 1 234.5678; 1 234,5678."""

from decimal import Decimal

from iskra_server.base.language import Language

# groups of three digits and the decimal point; a narrow space breaks no line
_SEPARATORS = {"en": str.maketrans({",": "\u202f"}), "de": str.maketrans({",": "\u202f", ".": ","})}


def exact_number(value: Decimal | int, language: Language) -> str:
    """With a true minus sign."""
    return f"{Decimal(value):,f}".replace("-", "−").translate(_SEPARATORS[language])
