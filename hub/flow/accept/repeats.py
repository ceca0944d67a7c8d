# SPDX-License-Identifier: EUPL-1.2
"""A submission that is to come again: its first time, and what is kept for the others."""

from datetime import datetime, timedelta

from sqlalchemy import Connection

from hub.announcement import Announcement
from hub.flow.accept.problems import Problem, RefusedError
from hub.flow.accept.recurrence import Repeat, local_day
from hub.flow.accept.submission import Submission
from hub.ledger import recurrences
from subscribers.catalogue import load_catalogue


def timed(asked: Submission, timezone: str, now: datetime) -> Submission:
    """The same with its first time as `publish_at`; as it is where it does not come again.

    Raises `RefusedError`.
    """
    rule = asked.repeat
    if rule is None:
        return asked
    problems = _problems(asked, rule)
    found = None if problems else rule.after(now, local_day(now, timezone), timezone)
    if not problems and found is None:
        fr = "Cette répétition est déjà finie : elle n'a plus de date à venir."
        en = "This repetition is over already: it has no date to come."
        problems.append(Problem("/repeat", "repeat_over", fr, en))
    if found is None:
        raise RefusedError(problems)
    moment = found[1]
    return asked.model_copy(update={"publish_at": moment, "expires": expiry(rule, moment)})


def _problems(asked: Submission, rule: Repeat) -> list[Problem]:
    problems = [
        Problem(
            f"/{field}",
            "repeat_alone",
            f"Ce qui se répète n'a pas de `{field}` : écrivez-le dans `repeat`.",
            f"What is repeated has no `{field}`: say it in `repeat`.",
        )
        for field in ("publish_at", "expires", "about")
        if getattr(asked, field) is not None
    ]
    if rule.weekdays and rule.every != "week":
        fr = "Les jours de la semaine vont avec `every` week."
        en = "Days of the week go with `every` week."
        problems.append(Problem("/repeat/weekdays", "repeat_weekdays", fr, en))
    return problems


def expiry(rule: Repeat, moment: datetime) -> datetime | None:
    """When one time's announcement is over."""
    return None if rule.valid_hours is None else moment + timedelta(hours=rule.valid_hours)


def keep(conn: Connection, first: Announcement, asked: Submission, source: str, key: str) -> None:
    """Remember that `first` comes again, in the transaction that writes it."""
    rule = asked.repeat
    if rule is None or first.publish_at is None:
        return
    timezone = load_catalogue(conn, first.authority).timezone
    following = rule.after(first.publish_at, local_day(first.created, timezone), timezone)
    recurrences.insert(
        conn,
        first,
        asked.model_dump(mode="json", exclude={"repeat", "publish_at", "expires"}),
        rule.model_dump(mode="json"),
        source=source,
        source_key=key,
        following=None if following is None else following[1],
    )
