# SPDX-License-Identifier: EUPL-1.2
"""`hub repeat`: what comes again is listed, and stopped."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

Rows = Callable[..., list[tuple[Any, ...]]]


def test_what_comes_again_is_listed_and_stopped(hub: Any, tmp_path: Path, rows: Rows) -> None:
    assert hub("repeat", "list").out == "Nothing comes again.\n"
    ((theme,), *_) = rows("SELECT key FROM theme")
    rule = {"every": "week", "weekdays": ["monday", "friday"], "at": "09:30"}
    asked = {"title": "Marché", "body": "Ce matin.", "themes": [theme], "repeat": rule}
    (tmp_path / "weekly.json").write_text(json.dumps(asked), "utf-8")
    ended = hub("announce", "--file", str(tmp_path / "weekly.json"), "--json")
    assert ended.code == 0, ended.err
    code = json.loads(ended.out)["id"]
    line = hub("repeat", "list").out
    assert line.startswith(f"{code}  every week (monday, friday) at 09:30  next ")
    assert hub("repeat", "stop", code).out == f"{code} comes no more.\n"
    assert "  over  " in hub("repeat", "list").out
    assert rows("SELECT state FROM announcement") == [("cancelled",)]
    refused = hub("repeat", "stop", "nobody")
    assert (refused.code, refused.err) == (1, "hub: There is no announcement nobody.\n")
