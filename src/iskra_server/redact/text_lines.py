"""The lines of P1 telegrams and D0 readouts without what names the meter or a person.

identities (96.1.x, 42.0.0, 0.0.x, codes of sub-meters too)    their pseudonyms
measured values, times, counts, states, versions               kept
every other content, and what is no data set at all            digits become 0, letters x
"""

import re

from iskra_server.codecs.errors import Malformed
from iskra_server.codecs.text import codes, registers
from iskra_server.codecs.text.codes import P1_VERSIONS
from iskra_server.codecs.text.lines import DataSet, data_sets
from iskra_server.codecs.text.numbers import number
from iskra_server.codecs.text.times import moment
from iskra_server.meter.obis import Obis
from iskra_server.redact.pseudonyms import Pseudonyms, is_name

_ABSTRACT, _DEVICE_NAME, _CONTROL = 96, 42, 0
_HIGHEST_MEASURED = 90
# group D: energies, powers, maxima, numbers of sags and swells
_KINDS = frozenset((*range(2, 9), 32, 36))
# a shorter name is also in other lines by chance
_MIN_NAME = 6
# groups C and D of states, counts, versions, kinds of sub-meters
_STATES = frozenset(
    (
        *((96, 3), (96, 4), (96, 5), (96, 6), (96, 7), (96, 8), (96, 14), (97, 97)),
        *((0, 1), (0, 2), (0, 3), (24, 1), (24, 3), (24, 4)),
    )
)
_STATE = re.compile(r"[\w.+-]{1,16}", re.ASCII)
# groups C and D of times, or of values with their time
_TIMED = frozenset(((1, 0), (0, 1), (0, 2), (0, 9), (24, 2), (24, 3), (96, 2), (96, 7)))
_LISTS = (98, 99)
# group D of what has a time: maximum, times of sags and swells
_TIMED_KINDS = (6, 32, 36)
_TIME = re.compile(r"\d\d:?\d\d:?\d\d|\d{6,13}[SW]", re.ASCII)
# nothing, a number with a point, a number too short to be a serial number
_HARMLESS = re.compile(r"[ .:-]*|0*|[+-]?\d*\.\d+|[+-]?\d{1,4}", re.ASCII)
_COUNT = re.compile(r"[+-]?\d{1,12}", re.ASCII)
_HEX = re.compile(r"(?:[0-9A-Fa-f]{2}){4,}", re.ASCII)
_HIDDEN = str.maketrans(dict.fromkeys("123456789", "0") | dict.fromkeys(map(chr, range(0x80, 0x100)), "x"))
_LETTERS = re.compile(r"[^\W\d_]")
# of an identification line: models have shorter numbers; \2 is an ability
_SERIAL_IN_IDENT = re.compile(r"(?<!\\)\d{7,}", re.ASCII)


def masked_ident(ident: str, pseudonyms: Pseudonyms) -> str:
    """An identification line, whose serial number is replaced where it has one."""

    def pseudonym(match: re.Match[str]) -> str:
        pseudonyms.forbid(match[0].encode())
        return pseudonyms.of_text(match[0])

    return _SERIAL_IN_IDENT.sub(pseudonym, ident)


def masked_lines(text: str, pseudonyms: Pseudonyms) -> str:
    """The lines between identification and end, with their line ends."""
    _learn(text, pseudonyms)
    code = ""
    lines: list[str] = []
    for line in text.split("\n"):
        content, end = (line.removesuffix("\r"), "\r" * line.endswith("\r"))
        # "!" may stand directly behind the last data set
        if content.rstrip(" ").endswith("!"):
            content, mark, rest = content.rpartition("!")
            end = mark + rest + end
        masked, code = _line(content, code, pseudonyms)
        lines.append(masked + end)
    return "\n".join(lines)


def _learn(text: str, pseudonyms: Pseudonyms) -> None:
    """Let the search for leftovers look for what names the meter; other lines may have it too."""
    for line in text.splitlines():
        try:
            for sent in data_sets(line.rstrip(" !")):
                code = codes.parse(sent.code)
                if code and _is_identity(code.obis):
                    for name in map(str.strip, sent.contents):
                        pseudonyms.of_text(name)
                        pseudonyms.forbid(name.encode("latin-1"))
        except Malformed:
            continue


def _line(line: str, code: str, pseudonyms: Pseudonyms) -> tuple[str, str]:
    """A masked line, and its last code: a line that begins with a parenthesis continues it."""
    try:
        sets = list(data_sets(line))
    except Malformed:
        return _hidden(line), code
    masked: list[str] = []
    for sent in sets:
        code = sent.code or code
        contents = _contents(DataSet(code, sent.contents), pseudonyms)
        masked.append(sent.code + "".join(f"({content})" for content in contents))
    return "".join(masked) + " " * (len(line) - len(line.rstrip(" "))), code


def _contents(sent: DataSet, pseudonyms: Pseudonyms) -> list[str]:
    code = codes.parse(sent.code)
    obis = code.obis if code else None
    return [_content(content, obis, pseudonyms) for content in sent.contents]


def _content(content: str, obis: Obis | None, pseudonyms: Pseudonyms) -> str:
    if obis is not None and _is_identity(obis):
        return pseudonyms.of_text(content)
    is_named = len(content) >= _MIN_NAME and pseudonyms.get(content.strip().encode("latin-1")) is not None
    if _is_kept(content, obis) and not is_named:
        return content
    return pseudonyms.of_text(content) if is_named or is_name(content.strip()) else _hidden(content)


def _is_identity(obis: Obis) -> bool:
    if obis in P1_VERSIONS:
        return False
    a, _, c, d, _, _ = obis
    return (c, d) in ((_ABSTRACT, 1), (_CONTROL, 0)) or (a == 0 and c == _DEVICE_NAME)


def _is_kept(content: str, obis: Obis | None) -> bool:
    """Whether a content says nothing but what was measured, when, or in which state."""
    measured = number(content)
    if _HARMLESS.fullmatch(content) or (measured and measured.unit is not None) or number(f"0*{content}"):
        return True
    if obis is None:
        return False
    a, _, c, d, _, _ = obis
    if registers.register(obis, (content,)) is None:
        return True
    is_list = c in _LISTS
    is_timed = (c, d) in _TIMED or d in _TIMED_KINDS or is_list
    if is_timed and (moment(content) or _TIME.fullmatch(content) or (is_list and codes.parse(content))):
        return True
    if (c, d) in _STATES or obis in P1_VERSIONS:
        return _STATE.fullmatch(content) is not None or codes.parse(content) is not None
    return a == 1 and 0 < c < _HIGHEST_MEASURED and d in _KINDS and _COUNT.fullmatch(content) is not None


def _hidden(text: str) -> str:
    """A text of the same form that says nothing."""
    if _HEX.fullmatch(text):
        return "30" * (len(text) // 2)
    return _LETTERS.sub("x", text.translate(_HIDDEN))
