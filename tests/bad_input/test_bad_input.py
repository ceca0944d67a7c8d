# SPDX-License-Identifier: EUPL-1.2
"""Bad input, case by case: each gets its own clear answer, nothing is written, the daemon lives on.

The table is in `bad_cases`. The status is an exit code at the command line, and the sentence is
looked for in both languages, where the door speaks both.
"""

import ast
import asyncio
import io
import json
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest
from bad_cases import FORM, NEWS, TABLE

from hub.__main__ import main
from hub.flow.accept import submission
from hub.web.hooks.standard import sign
from subscribers.catalogue import load_catalogue
from subscribers.catalogue_file import import_catalogue
from subscribers.geometry import PolygonProblem
from subscribers.importer import ImportOptions, import_csv
from templates.refusals import Empty, TooLong, Unwritable

ROOT = Path(__file__).parents[2]
LEAST = 45


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("case", TABLE, ids=[case.name.replace(" ", "_") for case in TABLE])
async def test_bad_input_gets_its_own_answer_and_changes_nothing(stage, case, tmp_path):
    before = await stage.counts()
    await DOORS[case.door](stage, case, tmp_path)
    after = await stage.counts()
    if case.door == "people":
        after["audit"] = before["audit"]  # an import leaves its line, whatever it brought
    assert after == before
    assert (await stage.ask("GET", "/healthz")).json == {"status": "ok"}


# --------------------------------------------------------------------------- what a door answered


def check_problem(case, answer):
    """RFC 9457, naming the field, in both languages."""
    assert (answer.status, answer.kind) == (case.status, "application/problem+json"), answer.text
    told = answer.json
    assert told["status"] == case.status
    assert told["instance"].startswith("urn:request:")
    if told["code"] != case.code:
        (found, *_) = [e for e in told["errors"] if e["code"] == case.code] or [None]
        assert found, told["errors"]
        assert found["pointer"] == case.place
        told = {"detail_fr": found["message_fr"], "detail": found["message_en"]}
    assert case.fr in told["detail_fr"]
    assert case.en in told["detail"]
    assert case.fr
    assert case.en


def filled(stage, sent):
    """`{published}` and the like in texts become the ids of this hub."""
    if isinstance(sent, str):
        for name, value in stage.names.items():
            sent = sent.replace("{" + name + "}", value)
    elif isinstance(sent, dict):
        sent = {name: filled(stage, value) for name, value in sent.items()}
    return sent


async def at_api(stage, case, _folder):
    more = dict(case.more)
    key = getattr(stage, more.pop("key", "all"))
    body = case.sent if isinstance(case.sent, bytes) else NEWS | filled(stage, case.sent)
    check_problem(case, await stage.post(key, body, **more))


async def below_api(stage, case, _folder):
    key = getattr(stage, case.more["key"])
    path = filled(stage, case.sent)
    if path.startswith("/"):
        bearer = {"Authorization": f"Bearer {key}"}
        check_problem(case, await stage.ask(case.more["method"], path, headers=bearer))
    else:
        check_problem(case, await stage.with_key(key, case.more["method"], path))


async def at_hook(stage, case, _folder):
    more = dict(case.more)
    body = case.sent if isinstance(case.sent, bytes) else json.dumps(case.sent).encode()
    identity = more.pop("identity", "evt_1")
    stamp = str(int(stage.clock.wall().timestamp()) + more.pop("skew", 0))
    headers = {
        "Content-Type": "application/json",
        "webhook-id": identity,
        "webhook-timestamp": stamp,
        "webhook-signature": sign(identity, stamp, body, stage.secret),
    }
    answer = await stage.ask("POST", "/hooks/vigicrues", data=body, headers=headers | more)
    check_problem(case, answer)


async def at_callback(stage, case, _folder):
    async def never():
        yield case.sent
        await asyncio.sleep(60)

    headers = {"Content-Type": FORM} | case.more
    body = never() if headers.pop("slow", "") else case.sent
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("hub.web.callbacks.twilio._PATIENCE", 0.1)
        path = f"/callbacks/twilio/{headers.pop('door', 'status')}?token=1.1.00"
        check_problem(case, await stage.ask("POST", path, data=body, headers=headers))


async def at_stop(stage, case, _folder):
    path = f"/stop/{filled(stage, case.sent)}"
    for language, sentence in (("fr", case.fr), ("en", case.en)):
        headers = {"Content-Type": FORM, "Accept-Language": language}
        answer = await stage.ask("POST", path, data=case.more["body"], headers=headers)
        assert (answer.status, answer.kind) == (case.status, "text/html")
        assert sentence in answer.text


async def at_sandbox(stage, case, _folder):
    method, path, body = case.sent
    headers = {"Content-Type": "application/json"} | case.more
    answer = await stage.ask(method, f"/sandbox/api/{path}", data=body, headers=headers)
    assert (answer.status, answer.kind) == (case.status, "application/problem+json")
    assert case.en in answer.json["detail"]
    if case.place:
        assert answer.json["errors"][0]["pointer"].startswith(case.place)


async def at_full_disk(stage, case, folder):
    def pages(conn):
        return conn.exec_driver_sql("PRAGMA max_page_count").scalar_one()

    def end(conn, at):
        return conn.exec_driver_sql(f"PRAGMA max_page_count={at}").scalar_one()

    roomy = await stage.hub.ledger.transact(pages)
    await stage.hub.ledger.transact(lambda conn: end(conn, 1))  # as many as there are
    try:
        await at_api(stage, case, folder)
    finally:
        await stage.hub.ledger.transact(lambda conn: end(conn, roomy))


async def flooded(stage, case, _folder):
    headers = {"Content-Type": "application/json"}
    for _ in range(31):
        answer = await stage.ask("POST", f"/hooks/{case.sent}", data=b"{}", headers=headers)
    assert int(answer.headers["Retry-After"]) > 0
    check_problem(case, answer)


# --------------------------------------------------------------------------- the command line


def run(arguments):
    """A command line in this process: its exit code, and all it said."""
    said = io.StringIO()
    with redirect_stdout(said), redirect_stderr(said), pytest.raises(SystemExit) as ended:
        main(arguments)
    return int(ended.value.code or 0), said.getvalue()


async def at_shell(stage, case, folder):
    for name, content in case.more.items():
        (folder / name).write_bytes(content)
    arguments = [each.replace("{data}", str(folder)) for each in case.sent]
    arguments += ["--config", str(stage.config)]
    code, said = await asyncio.to_thread(run, arguments)
    assert code == case.status, said
    assert case.en in said
    assert "Traceback" not in said


async def at_settings(_stage, case, folder):
    config = folder / "hub.toml"
    config.write_bytes(case.sent if isinstance(case.sent, bytes) else case.sent.encode())
    code, said = await asyncio.to_thread(run, ["serve", "--config", str(config)])
    assert code == case.status, said
    assert case.en in said
    assert case.place in said
    assert "Traceback" not in said


class Undone(Exception):
    """Ends a transaction that only looks."""


async def at_catalogue(stage, case, folder):
    file = folder / "catalogue.toml"
    file.write_text(case.sent, "utf-8")
    command = ["catalogue", "import", str(file), "--config", str(stage.config)]
    code, said = await asyncio.to_thread(run, command)
    assert code == case.status, said
    assert case.en in said
    found = []

    def look(conn):
        found.extend(import_catalogue(conn, case.sent).problems)
        raise Undone

    with pytest.raises(Undone):
        await stage.hub.ledger.transact(look)
    assert any(case.fr in sentence.fr and case.en in sentence.en for sentence in found)


async def at_people(stage, case, folder):
    file = folder / "people.csv"
    file.write_bytes(case.sent)
    command = ["import", str(file), "--config", str(stage.config)]
    code, said = await asyncio.to_thread(run, command)
    assert code == case.status, said
    assert case.en in said
    town = await stage.hub.ledger.read(lambda conn: load_catalogue(conn, stage.hub.town.authority))
    options = ImportOptions(b"s" * 32, recorded_by="tests", dry_run=True)
    begin = stage.hub.ledger._read_engine.begin
    verdicts = list(import_csv(io.BytesIO(case.sent), begin, town, options, now=stage.clock.now()))
    (verdict,) = [each for each in verdicts if case.fr in str(each.sentence and each.sentence.fr)]
    assert case.en in verdict.sentence.en
    if case.place:
        assert str(verdict.line) == case.place


DOORS = {
    "api": at_api,
    "below": below_api,
    "hook": at_hook,
    "callback": at_callback,
    "stop": at_stop,
    "sandbox": at_sandbox,
    "shell": at_shell,
    "settings": at_settings,
    "catalogue": at_catalogue,
    "people": at_people,
    "full": at_full_disk,
    "flood": flooded,
}


# --------------------------------------------------------------------------- the table itself


def test_the_table_has_enough_rows_and_a_door_of_each_kind():
    assert len(TABLE) >= LEAST
    assert {case.door for case in TABLE} == set(DOORS)
    assert len({case.name for case in TABLE}) == len(TABLE)


def codes_in_the_source():
    """Every code that a problem is given in flow and web, beginnings of codes included."""
    for folder in ("hub/flow", "hub/web"):
        for path in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                name = getattr(getattr(node, "func", None), "id", "")
                if name in {"Problem", "ProblemError"}:
                    yield from beginnings(node.args[1])


def beginnings(code):
    match code:
        case ast.Constant(value=str(text)):
            yield text
        case ast.JoinedStr(values=[ast.Constant(value=str(text)), *_]):
            yield text


OF_PAGES = {
    *("other_site", "other_visit", "other_session", "signed_out", "not_your_role", "may_not_write"),
    *("unreadable_form", "too_many_streams", "no_second_proof", "not_editable"),
    *("nobody_to_return_to", "last_administrator", "oneself"),
}
"""Told to people as a sentence on a page; tests/web provokes them."""


def test_every_code_a_door_can_give_is_in_the_table():
    """But `internal`, a bug's, `busy`, a locked ledger's, what pages tell, and what a preview alone
    can refuse: tests/web provokes them."""
    given = {case.code for case in TABLE}
    wanted = {*codes_in_the_source(), *submission._SENTENCES, *PolygonProblem}
    wanted |= {"not_json", "not_utf8", "method_not_allowed"}
    wanted |= {kind.__name__.lower() for kind in (Empty, TooLong, Unwritable)}
    missing = {each for each in wanted if not any(code.startswith(each) for code in given)}
    assert missing == {"internal", "busy", "spelling_not_offered"} | OF_PAGES
