"""Lines keep what was measured, and lose what names a meter or a person."""

import pytest

from iskra_server.redact.pseudonyms import Pseudonyms
from iskra_server.redact.text_lines import masked_ident, masked_lines


@pytest.mark.parametrize(
    "line",
    [
        *("1-0:1.8.0(001234.567*kWh)", "1.8.0*255(00123456)", "1-0:1.6.0*255(02.468*kW)(2611100930)"),
        *("0-0:96.14.0(0002)", "0.9.2(0261122)", "F.F(0000001C)", "0.1.0*1(18-01-03 08:22)", "2.8.0( -.--)"),
        *("6.8(0029.055*MWh)6.26(01589.28*m3)", "0-1:24.2.1(700101010000W)(00000000)", "1-0:32.32.0(00024)"),
        *("0-1:24.3.0(090212160000)(00)(60)(1)(0-1:24.2.1)(m3)\r\n(00001.001)", "1.7.0((ER11))", "1-3:0.2.8(50)"),
        *("1-0:99.97.0(1)(0-0:96.7.19)(260417201458S)(0000000236*s)", "1-0:32.7.0(237.1*V)  ", "0-0:96.1.4(50217)"),
        *("1-0:42.7.0(00.000*kW)", "!", ""),
    ],
)
def test_measured_values_times_states_and_counts_are_kept(line: str) -> None:
    assert masked_lines(line, Pseudonyms()) == line


@pytest.mark.parametrize(
    ("line", "masked"),
    [
        ("0-0:96.1.1(3149534B30303730333437363137)", "0-0:96.1.1(3149534B30303030303030303031)"),
        ("0-0:96.1.0(70347617)", "0-0:96.1.0(00000001)"),
        ("0-1:96.1.2(541448820043215678)", "0-1:96.1.2(000000000000000001)"),
        ("0.0.1*255(1ISK0070347617)", "0.0.1*255(1ISK0000000001)"),
        ("C.1.0(70347617)", "C.1.0(00000001)"),
        ("0.0.0*01(70347617)", "0.0.0*01(00000001)"),
        ("0-0:96.13.0(48656C6C6F204D72)", "0-0:96.13.0(3030303030303030)"),
        ("0-0:96.13.1(Maier 17)", "0-0:96.13.1(xxxxx 00)"),
        ("(70347617)", "(00000001)"),
        ("9.9.9(70347617)", "9.9.9(00000001)"),
        ("9.21(70347617)", "9.21(00000001)"),
        (
            "owner Müller 70347617",
            "owner Müller 70347617".translate(str.maketrans("ownerMüll734617", "xxxxxxxxx000000")),
        ),
        ("0.0.0(70347617)!", "0.0.0(00000001)!"),
    ],
)
def test_what_names_somebody_is_replaced_in_the_same_form(line: str, masked: str) -> None:
    assert masked_lines(line, Pseudonyms()) == masked


def test_a_name_is_replaced_in_every_line() -> None:
    """Also where the code says that it was measured, and before the line that names the meter."""
    lines = "1.8.0(70347617)\r\n0-0:96.14.0(70347617)\r\nC.1.0(70347617)\r\n"
    assert masked_lines(lines, Pseudonyms()) == lines.replace("70347617", "00000001")


@pytest.mark.parametrize(
    ("ident", "masked"),
    [
        (r"/ISk5\2MT382-1000", r"/ISk5\2MT382-1000"),
        ("/ISk5MT174-0001", "/ISk5MT174-0001"),
        (r"/Lux5\253694471_D", r"/Lux5\200000001_D"),
        ("/EMH5----eHZ-70347617", "/EMH5----eHZ-00000001"),
    ],
)
def test_an_identification_keeps_its_model_and_loses_a_serial_number(ident: str, masked: str) -> None:
    assert masked_ident(ident, Pseudonyms()) == masked
