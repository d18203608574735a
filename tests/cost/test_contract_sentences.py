"""Each sentence has the same details in both languages, and its German is not the English one."""

from string import Formatter

import pytest

from iskra_server.base.language import Bilingual
from iskra_server.cost import contract_sentences
from iskra_server.outputs.notify import channel

TABLES = {
    "contracts": contract_sentences.__dict__["_MISTAKES"] | contract_sentences.__dict__["_DOUBTS"],
    "channels": channel.__dict__["_MISTAKES"],
}


def details(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


@pytest.mark.parametrize("rows", TABLES.values(), ids=TABLES)
def test_both_languages_name_the_same(rows: dict[str, Bilingual]) -> None:
    for fault, (english, german) in rows.items():
        # the reason of a port is English
        assert details(german) == details(english) - {"reason"}, fault
        assert german != english, fault
