"""The lines of a readout or a telegram (IEC 62056-21, 6.5 and DSMR 5.0.2, 5.2.2).

line      one data set or several, blanks behind them allowed
data set  [code] "(" content ")" and again "(" content ")"; one pair of parentheses may stand inside a content

1-0:1.8.1(003432.827*kWh)                      0-1:24.2.1(181106140010W)(01569.646*m3)
6.8(0029.055*MWh)6.26(01589.28*m3)9.4(088*C&082*C)                (00024.123) continues the line before
"""

import re
from collections.abc import Iterator

from msgspec import Struct

from iskra_server.codecs.errors import Malformed

_CONTENT = r"[^()]*+(?:\([^()]*+\)[^()]*+)*+"
_SET = re.compile(rf"([^\s()/!]*+)((?:\({_CONTENT}\))++) *+")
_SINGLE = re.compile(r"\(([^()]*+)\)")
_CONTENTS = re.compile(rf"\(({_CONTENT})\)")
_SHOWN = 40


class DataSet(Struct, frozen=True, gc=False):
    """A code, empty in a line that continues the one before, and the contents of its parentheses."""

    code: str
    contents: tuple[str, ...]


def data_sets(line: str) -> Iterator[DataSet]:
    """The data sets of a line; raises Malformed for anything else."""
    at = 0
    while at < len(line):
        match = _SET.match(line, at)
        if match is None:
            raise Malformed(f"no data set: {line[at : at + _SHOWN]!r}")
        code, contents = match.groups()
        single = _SINGLE.fullmatch(contents)
        yield DataSet(code, (single[1],) if single else tuple(_CONTENTS.findall(contents)))
        at = match.end()
