# SPDX-License-Identifier: EUPL-1.2
"""Whether what was asked makes sense in this town, for this principal, at this moment.

Every problem is found in one go: whoever wrote it corrects once.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, assert_never

from channels.base import ChannelName, Rendered, Urgency
from hub.announcement import Announcement, State
from hub.flow.accept.principal import Principal
from hub.flow.accept.problems import ForbiddenError, Problem, RefusedError
from hub.flow.accept.submission import Submission
from hub.flow.site import Press
from subscribers.catalogue import Catalogue
from subscribers.geometry import PolygonProblem
from templates.content import Content, Kind
from templates.gsm import Family
from templates.phrases import sentence
from templates.refusals import Empty, Refusal, TooLong, Unwritable

GRACE: Final = timedelta(minutes=1)
"""A publish time this little past means now: clocks differ and forms take time to fill."""

HORIZON: Final = timedelta(days=366)
LIFE: Final = timedelta(days=3660)
"""Ten years: longer is a slip of the keyboard, and the year 9999 has no time zones."""


@dataclass(frozen=True, slots=True)
class Desk:
    """What a submission is held against."""

    catalogue: Catalogue
    press: Press
    channels: Sequence[ChannelName]  # those this town has configured
    now: datetime


def scrutinise(
    asked: Submission, principal: Principal, desk: Desk, first: Announcement | None
) -> Announcement:
    """The announcement it asks for, not written yet.

    `first` is what `about` names, where it was found. Raises `ForbiddenError` for what this
    principal may never publish, `RefusedError` for everything else.
    """
    beyond = _scope(asked, principal, desk.catalogue, first)
    if beyond:
        raise ForbiddenError(beyond)
    problems = [
        *_targets(asked, desk.catalogue, first),
        *_times(asked, desk.now),
        *_channels(asked, desk.channels),
        *_spelling(asked, desk.press),
        *_chain(asked, first),
        *_languages(asked),
    ]
    if problems:
        raise RefusedError(problems)
    announcement = _draft(asked, principal, desk, first)
    if problems := _words(announcement, desk):
        raise RefusedError(problems)
    return announcement


def _draft(
    asked: Submission, principal: Principal, desk: Desk, first: Announcement | None
) -> Announcement:
    return Announcement(
        id=0,
        code="",
        authority=principal.authority,
        kind=asked.kind,
        urgency=asked.urgency,
        state=State.DRAFT,
        contents=_contents(asked),
        themes=tuple(dict.fromkeys(asked.themes)),
        zones=tuple(dict.fromkeys(asked.zones)),
        polygon=asked.polygon,
        channels=tuple(c for c in desk.channels if asked.channels is None or c in asked.channels),
        created=desk.now,
        publish_at=asked.publish_at,
        published=None,
        expires=asked.expires,
        cancelled_at=None,
        first=None if first is None else first.first or first.id,
        first_code=None if first is None else first.chain,
        author=principal.name,
        post_link=asked.post_link,
        thread=asked.thread,
        spelling=tuple(each for each in Family if each in asked.sms_spelling),
    )


def _contents(asked: Submission) -> Mapping[str, Content]:
    link = None if asked.link is None else str(asked.link)
    return {
        language: Content(language, words.title, words.body, words.short, link, words.overrides)
        for language, words in {asked.language: asked, **asked.translations}.items()
    }


def within(principal: Principal, catalogue: Catalogue, key: str) -> bool:
    """Whether a theme, or one above it, is the principal's."""
    theme = catalogue.themes_by_key.get(key)
    if principal.themes is None or theme is None:
        return principal.themes is None
    lineage = {catalogue.themes[each].key for each in catalogue.theme_lineage([theme.id])}
    return not lineage.isdisjoint(principal.themes)


def _scope(
    asked: Submission, principal: Principal, catalogue: Catalogue, first: Announcement | None
) -> list[Problem]:
    """What follows an announcement takes its place on screens, so it needs the same rights."""
    urgencies = [("/urgency", asked.urgency)]
    themes = [(f"/themes/{i}", key) for i, key in enumerate(asked.themes)]
    if first is not None:
        urgencies.append(("/about", first.urgency))
        themes += [("/about", key) for key in first.themes]
    most = principal.highest_urgency
    problems = [
        Problem(
            at,
            "urgency_not_allowed",
            f"Cette clé peut publier jusqu'à « {most} ».",
            f"This key may publish up to '{most}'.",
        )
        for at, urgency in urgencies
        if not principal.may_say(urgency)
    ]
    problems += [
        Problem(
            at,
            "theme_not_allowed",
            f"Cette clé ne peut pas publier sous « {key} ».",
            f"This key may not publish under '{key}'.",
        )
        for at, key in themes
        if key in catalogue.themes_by_key and not within(principal, catalogue, key)
    ]
    return problems


def _targets(asked: Submission, catalogue: Catalogue, first: Announcement | None) -> list[Problem]:
    """What follows an announcement may go where that one went, archived since or not: whoever was
    alerted is told that it is over."""
    themes, zones = ((), ()) if first is None else (first.themes, first.zones)
    problems = [
        *_unknown("themes", asked.themes, catalogue.themes_by_key, themes),
        *_unknown("zones", asked.zones, catalogue.zones_by_key, zones),
    ]
    if asked.polygon is not None:
        touched = catalogue.zones_touching(asked.polygon)
        if isinstance(touched, PolygonProblem):
            problems.append(
                Problem("/polygon", touched.value, touched.sentence.fr, touched.sentence.en)
            )
        elif not touched:
            fr = "Ce polygone ne touche aucun lieu de la ville."
            en = "This polygon touches no place of the town."
            problems.append(Problem("/polygon", "outside", fr, en))
    return problems


def _unknown(
    field: str, keys: Sequence[str], known: Mapping[str, Any], kept: Sequence[str]
) -> list[Problem]:
    names = {"themes": ("thème", "theme"), "zones": ("lieu", "zone")}[field]
    return [
        Problem(
            f"/{field}/{i}",
            f"unknown_{names[1]}",
            f"Il n'y a pas de {names[0]} « {key} ».",
            f"There is no {names[1]} '{key}'.",
        )
        for i, key in enumerate(keys)
        if key not in known or (known[key].archived and key not in kept)
    ]


def _times(asked: Submission, now: datetime) -> list[Problem]:
    problems = []
    start = asked.publish_at or now
    if asked.publish_at is not None and asked.publish_at < now - GRACE:
        fr = f"La date d'envoi est passée. Choisissez une date après {now:%Y-%m-%dT%H:%MZ}."
        en = f"The publish time is past. Choose a time after {now:%Y-%m-%dT%H:%MZ}."
        problems.append(Problem("/publish_at", "past", fr, en))
    if start > now + HORIZON:
        problems.append(
            Problem("/publish_at", "too_far", "Au plus un an à l'avance.", "At most a year ahead.")
        )
    if asked.expires is not None and asked.expires <= max(start, now):
        fr = "La fin de validité doit être après l'envoi."
        en = "The end of validity must come after the publish time."
        problems.append(Problem("/expires", "before_publication", fr, en))
    if asked.expires is not None and asked.expires > now + LIFE:
        fr, en = "Au plus dix ans de validité.", "Valid for ten years at most."
        problems.append(Problem("/expires", "too_far", fr, en))
    return problems


def _channels(asked: Submission, configured: Sequence[ChannelName]) -> list[Problem]:
    return [
        Problem(
            f"/channels/{i}",
            "channel_not_configured",
            f"Le canal « {name} » n'est pas configuré.",
            f"The channel '{name}' is not configured.",
        )
        for i, name in enumerate(asked.channels or ())
        if name not in configured
    ]


def _spelling(asked: Submission, press: Press) -> list[Problem]:
    if not asked.sms_spelling or press.offers_spelling or press.economical:
        return []
    fr = "Cette ville ne remplace aucun caractère dans ses SMS."
    en = "This town replaces no character in its SMS."
    return [Problem("/sms_spelling", "spelling_not_offered", fr, en)]


def _chain(asked: Submission, first: Announcement | None) -> list[Problem]:
    if asked.kind is Kind.FIRST:
        if asked.about is None:
            return []
        fr = "`about` va avec `kind` update, correction ou all_clear."
        en = "`about` goes with `kind` update, correction or all_clear."
        return [Problem("/about", "about_without_kind", fr, en)]
    if first is None or first.published is None:
        fr = "Donnez dans `about` l'identifiant d'une annonce déjà publiée."
        en = "Give in `about` the id of an announcement that was published."
        return [Problem("/about", "unknown_announcement", fr, en)]
    if (asked.urgency is Urgency.DRILL) != (first.urgency is Urgency.DRILL):
        fr = "Un exercice ne peut suivre qu'un exercice."
        en = "Only a drill may follow a drill."
        return [Problem("/urgency", "drill_mixed", fr, en)]
    return []


def _languages(asked: Submission) -> list[Problem]:
    if asked.language not in asked.translations:
        return []
    fr = f"Le texte est déjà écrit en « {asked.language} » : retirez cette traduction."
    en = f"The text is written in '{asked.language}' already: remove this translation."
    return [Problem(f"/translations/{asked.language}", "language_twice", fr, en)]


def _words(announcement: Announcement, desk: Desk) -> list[Problem]:
    """Print every channel in every language: what cannot leave is refused now, not at night."""
    problems: dict[tuple[str, str], Problem] = {}
    original = next(iter(announcement.contents))
    for channel in announcement.channels:
        for language in announcement.contents:
            printed = desk.press.print(announcement, desk.catalogue, channel, language)
            if isinstance(printed, Rendered):
                continue
            prefix = "" if language == original else f"/translations/{language}"
            field = prefix + _field(printed, channel, announcement.contents[language])
            problem = Problem(
                field,
                type(printed).__name__.lower(),
                sentence(printed, "fr"),
                sentence(printed, "en"),
            )
            problems.setdefault((field, problem.code), problem)
    return list(problems.values())


def _field(refusal: Refusal, channel: ChannelName, content: Content) -> str:
    if channel in content.overrides:
        return f"/overrides/{channel}"
    match refusal:
        case Empty() | Unwritable():
            return f"/{refusal.field}"
        case TooLong():
            return "/short" if content.short else "/body"
        case _:  # pragma: no cover
            assert_never(refusal)
