"""The page of man: made of the commands, whole, and without a line that troff warns of."""

import re
import shutil
import subprocess

import pytest

from deb.man_page import man_page
from iskra_server.cli import COMMANDS

TEXT = man_page(1795796963)


def test_every_command_and_its_options_are_in_it() -> None:
    sections = re.findall(r'^\.SS "iskra\\-server (.+?) ', TEXT, re.MULTILINE)
    assert {section.replace(r"\-", "-") for section in sections} == set(COMMANDS)
    assert r"\fB\-\-log\-level\fR \fILEVEL\fR" in TEXT and "[bold]" not in TEXT


def test_its_date_is_the_given_one() -> None:
    assert TEXT.startswith('.TH ISKRA-SERVER 1 "2026-11-27" "iskra-server ')
    assert man_page(0).startswith('.TH ISKRA-SERVER 1 "1970-01-01"')


@pytest.mark.skipif(not shutil.which("groff"), reason="needs the Debian package groff-base")
def test_troff_warns_of_nothing() -> None:
    done = subprocess.run(
        ["groff", "-man", "-ww", "-Tutf8", "-rLL=100n"], input=TEXT, capture_output=True, text=True, check=True
    )
    assert done.stderr == ""
    # a bold letter is printed twice, an italic one over a line
    plain = re.sub(".\x08", "", done.stdout)
    assert "systemctl status iskra-server" in plain and "--log-level LEVEL" in plain
