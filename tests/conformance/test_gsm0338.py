# SPDX-License-Identifier: EUPL-1.2
"""The alphabet of SMS, against Unicode's table of GSM 03.38."""

from pathlib import Path

import pytest

from templates import gsm

TABLE = Path(__file__).parents[2].parent / "shared" / "data" / "gsm0338" / "GSM0338.TXT"


def _table() -> dict[int, str]:
    if not TABLE.exists():
        pytest.skip(f"{TABLE.name} is not here: the conformance data is kept beside the project")
    rows = (line.split("#")[0].split() for line in TABLE.read_text("utf-8").splitlines())
    return {int(row[0], 16): chr(int(row[1], 16)) for row in rows if row}


def test_every_character_of_the_table_is_in_the_alphabet() -> None:
    table = _table()
    escape = {0x1B}  # stands for a no-break space only where an extension is unknown
    cedilla = {0x09}  # the table says small; 3GPP TS 23.038 says capital
    basic = {each for code, each in table.items() if code <= 0x7F and code not in escape | cedilla}
    assert basic | {"Ç"} == gsm.BASIC
    assert {each for code, each in table.items() if code > 0x7F} == gsm.EXTENSION


def test_the_basic_table_has_its_127_characters_and_the_escape() -> None:
    assert len(gsm.BASIC) == 127
    assert len(gsm.EXTENSION) == 10
