# SPDX-License-Identifier: EUPL-1.2
"""The people's tables: what hangs on a row is found without reading a whole table."""

import pytest

from subscribers.tables import metadata

CASCADES = [
    pytest.param(table, key.parent, id=f"{table.name}.{key.parent.name}")
    for table in metadata.sorted_tables
    for key in sorted(table.foreign_keys, key=lambda each: each.parent.name)
    if key.ondelete == "CASCADE"
]


@pytest.mark.parametrize(("table", "column"), CASCADES)
def test_what_goes_with_a_row_is_found_by_an_index(table, column):
    first = [next(iter(index.columns)) for index in table.indexes]
    first += [next(iter(each.columns)) for each in table.constraints if len(each.columns)]
    held = [each for each in first if each is column]
    assert held, "each row that is erased would have the database read this whole table"
