# SPDX-License-Identifier: EUPL-1.2
"""The people's tables: what hangs on a row is found without reading a whole table."""

from typing import Any

import pytest
from sqlalchemy import Column, PrimaryKeyConstraint, Table, UniqueConstraint

from subscribers.tables import metadata

INDEXED = (PrimaryKeyConstraint, UniqueConstraint)
CASCADES = [
    pytest.param(table, key.parent, id=f"{table.name}.{key.parent.name}")
    for table in metadata.sorted_tables
    for key in sorted(table.foreign_keys, key=lambda each: each.parent.name)
    if key.ondelete == "CASCADE"
]


@pytest.mark.parametrize(("table", "column"), CASCADES)
def test_what_goes_with_a_row_is_found_by_an_index(table: Table, column: Column[Any]) -> None:
    first = [next(iter(index.columns)) for index in table.indexes]
    keys = [each for each in table.constraints if isinstance(each, INDEXED)]
    first += [next(iter(each.columns)) for each in keys]
    assert any(each is column for each in first), (
        "each row that is erased would have the database read this whole table"
    )
