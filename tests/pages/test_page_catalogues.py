# SPDX-License-Identifier: EUPL-1.2
"""No page shows a word that its catalogue does not hold, in either language."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from html.parser import HTMLParser
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po
from jinja2 import Environment, nodes
from jinja2.ext import babel_extract

from channels.base import ChannelName, Lane, Reason, Urgency
from hub.announcement import State
from hub.flow.accept import mapped
from hub.flow.office import agenda, attending, probing, to_do, ways_now
from hub.flow.send.providers import Condition
from hub.ledger import assumptions
from hub.reports.recipients import GROUPS
from hub.web.admin import home as rooms
from hub.web.admin import journal, retention, sources, texts
from hub.web.console import home
from hub.web.console.figures import statistics_sheet
from hub.web.console.following import reporting, watching
from hub.web.console.writing import check
from subscribers.catalogue_map import Found
from subscribers.import_batch import VerdictKind
from templates.completeness import Element
from templates.content import Kind, NoteKind
from templates.gsm import Family
from templates.letters import LetterKind
from templates.pages import pages, wording
from templates.pages.pages import ERROR_STATUSES
from templates.pages.wording import (
    LANGUAGES,
    TIMED_STATES,
    ShownState,
    catalogues,
    channel_name,
    reason_sentence,
    state_label,
    translations,
)

TEMPLATES = sorted(Path(pages.__file__).parent.rglob("*.html"))
DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
KEYED = frozenset(
    [f"reason.{reason}" for reason in Reason]
    + [f"state.{state}" for state in ShownState]
    + [f"state.{state}.at" for state in TIMED_STATES]
    + [f"{prefix}.{name}" for prefix in ("channel", "by") for name in ChannelName]
    + [f"urgency.{urgency}" for urgency in Urgency]
    + [f"kind.{kind}" for kind in Kind]
    + ["note.digest", *(f"note.{kind}" for kind in NoteKind)]
    + [f"day.{day}" for day in DAYS]
    + [f"complete.{element}{part}" for element in Element for part in ("", ".add")]
    + [f"costly.{family}" for family in (*Family, "other")]
    + [f"spelling.{family}" for family in Family]
    + [f"accessibility.{found}" for found in ("not", "partly", "fully")]
    + [f"error.{n}.{part}" for n in ERROR_STATUSES for part in ("title", "what", "advice")]
)
CURVED = ("curve.received", "curve.handed_over")
KEYED |= {
    "flash.assumptions_saved",
    *CURVED,
    *(f"sheet.{name}" for name in statistics_sheet.COLUMNS),
    *(f"rows.{by}" for by in statistics_sheet.By),
    *(f"assumption.{name}{part}" for name in assumptions.NAMES for part in ("", ".source")),
}
KEYED |= {
    *(f"task.{task}" for task in to_do.Task),
    *(f"going.{state}" for state in ("paused", "waiting")),
    *(f"how.{how}" for how in ways_now.How),
    *(f"way.{how}" for how in ways_now.WAITING),
    *(f"standing.{each}" for each in agenda.Standing),
    *(f"{prefix}.{kind}" for prefix in ("verdict", "line") for kind in VerdictKind),
    *(f"stopwhy.{why}" for why in attending.Why),
    *(f"flash.{key}" for key in ("nobody_found", "stopped_for_them")),
    *(f"first.{step}{part}" for step in home.FIRST_DAY for part in ("", ".why")),
}
FAULTS = ("well", "down", "limit", "silent", "lost", "duplicate", "unordered")
SEEN = (*FAULTS[1:], "latency", "failing", "off", "full")
SWITCHED = [
    f"switch.{name}{part}" for name in ("off", "full", "limit") for part in ("", ".end", ".seen")
]
KEYED |= {
    *(f"fault.{name}" for name in FAULTS),
    *(f"fault.{name}.seen" for name in SEEN),
    *(f"fault.wrong.{name}" for name in ("latency", "failing", "time")),
    *SWITCHED,
}
# an announcement's one page
HEAPS = ("parked", "failed", "again", "doubt", "held", "unsent")
LIVE = ("paused", "resumed", "stopped", "duplicated", "redriven", "abandoned", "nothing_parked")
KEYED |= {
    *(f"life.{state}" for state in State),
    *(f"heap.{name}{part}" for name in HEAPS for part in ("", ".says")),
    *(f"did.{verb}" for verb in watching.DEEDS),
    *(f"flash.{name}" for name in (*LIVE, "repeat_stopped")),
    *(f"group.{name}" for name in GROUPS),
    *(f"figure.{name}" for name in reporting.FIGURES),
    *(f"column.{name}" for name in reporting.COLUMNS),
    *(f"event.{name}" for name in ("begun", "tried", "sent", "failed", "delivered")),
    *(f"follow.{kind}" for kind in (Kind.UPDATE, Kind.CORRECTION, Kind.ALL_CLEAR)),
}
KEYED |= {f"admin.{key}{part}" for key in rooms.ROOMS for part in ("", ".says")}
ROLES = ("read", "write", "approve", "contacts", "admin", "operate")
KEYED |= {f"role.{role}{part}" for role in ROLES for part in ("", ".hint")}
KEYED |= {  # what a form of the way in came to
    f"flash.{word}"
    for word in (
        *("signed_out", "codes_wrong", "codes_wait", "recovery_used", "language_kept"),
        *("others_ended", "password_changed", "proof_removed", "playing"),
        *("roles_changed", "member_proof_removed", "account_closed"),
        *("passkey_kept", "passkey_refused", "passkey_removed", "passkey_unknown"),
    )
}
WRITING = (
    "attached",
    "detached",
    "saved",
    "dropped",
    "not_editable",
    "in_another",
    "model_saved",
    "model_away",
    "model_back",
)
KEYED |= {f"flash.{name}" for name in WRITING}
# the check page, and what its forms come to
CHECKED = ("asked", "waiting", "planned", "sent", "returned", "rejected", "taken_up", "withdrawn")
KEYED |= {
    *(f"undone.{name}" for name in ChannelName),
    *(f"decide.{name}" for name in check.DECISIONS),
    *(f"flash.{name}" for name in (*CHECKED, "undone", "too_late", "decided_already")),
}
# the journal of everything, and its file
KEYED |= {
    *(f"journal.{name}" for name in journal.HEADINGS),
    *(f"did.{verb}" for verb in journal.DEEDS_ELSEWHERE),
    "flash.key_revoked",
}
# what keeps running: the queue, channels, sources, health
PLANT = ("released", "not_held", "channel_paused", "channel_resumed", "secret_kept", "no_secret")
KEYED |= {
    *("flash.streets_added", "flash.streets_same"),
    *(f"flash.{word}" for word in ("source_revoked", "source_changed", "rules_kept", "rules_gone")),
    *(f"mode.{mode}{part}" for mode in sources.MODES for part in ("", ".says")),
    *(f"rule.{name}{part}" for name in mapped.FIELDS for part in ("", ".hint")),
}
KEYED |= {f"provider.{each}" for each in Condition}
KEYED |= {*(f"lane.{lane.name.lower()}" for lane in Lane), *(f"flash.{name}" for name in PLANT)}
# the pages that set the town up
TOWN = ("catalogue_added", "catalogue_kept", "catalogue_away", "catalogue_back", "map_written")
TOWN += ("identity_kept", "text_kept", "text_house")
KEYED |= {
    *(f"flash.{name}" for name in TOWN),
    *(f"map.{found}" for found in Found),
    *(f"text.{name}" for name in texts.NAMES),
    *(f"kept.{name}" for name in retention.PERIODS),
}
TRIED = ("trial_asked", "trial_none", "trial_wait", "password_asked")  # letters
KEYED |= {f"flash.{name}" for name in TRIED}
KEYED |= {f"letter.{kind}" for kind in LetterKind if kind is not LetterKind.PROBE}
KEYED |= {f"trial.{each}" for each in probing.Answer if each is not probing.Answer.UNFIT}
SPOKEN_ATTRIBUTES = {"alt", "aria-label", "data-label", "placeholder", "title"}


def catalogue(language: str) -> Catalog:
    """All the files of a language; no sentence stands in two of them."""
    whole = Catalog(locale=language)
    for path in catalogues(language):
        with path.open("rb") as po:
            for message in read_po(po, locale=language, abort_invalid=True):
                if message.id:
                    assert message.id not in whole, f"{message.id} again in {path.name}"
                    whole[message.id] = message
    return whole


def ids_in(language: str) -> dict[str, tuple[str, ...]]:
    """Every msgid (the singular of a plural) with its translations."""
    found: dict[str, tuple[str, ...]] = {}
    for message in catalogue(language):
        if not message.id:
            continue
        single = message.id if isinstance(message.id, str) else message.id[0]
        words = message.string
        found[single] = (words,) if isinstance(words, str) else tuple(words or ())
    return found


def extracted() -> set[str]:
    """Every literal msgid the templates ask for."""
    found: set[str] = set()
    for template in TEMPLATES:
        with template.open("rb") as source:
            for _, _, message, _ in babel_extract(source, ["_", "gettext", "ngettext"], [], {}):
                single = message[0] if isinstance(message, tuple) else message
                if single:
                    found.add(single)
    return found


def test_french_holds_every_sentence_and_no_other() -> None:
    assert set(ids_in("fr")) == extracted() | KEYED


def test_english_holds_every_key_and_nothing_pages_do_not_ask_for() -> None:
    english = set(ids_in("en"))
    assert english >= KEYED
    assert english <= extracted() | KEYED


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_entry_is_blank(language: str) -> None:
    blank = [key for key, words in ids_in(language).items() if not all(words)]
    assert blank == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_translation_asks_for_the_same_values_as_its_msgid(language: str) -> None:
    def names(text: str) -> set[str]:
        return set(re.findall(r"%\((\w+)\)s", text))

    for key, words in ids_in(language).items():
        asked = {"time"} if key.endswith(".at") else names(key)
        assert all(names(text) == asked for text in words), key


def test_french_puts_no_plain_space_before_high_punctuation() -> None:
    loose = [
        text for words in ids_in("fr").values() for text in words if re.search(r" [:;?!»]|« ", text)
    ]
    assert loose == []


class _Words(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_data(self, data: str) -> None:
        self.keep(data)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name in SPOKEN_ATTRIBUTES:
                self.keep(value or "")

    def keep(self, text: str) -> None:
        if re.search(r"[^\W\d_]", text):
            self.found.append(text.strip())


def words_outside_catalogue(source: str) -> list[str]:
    """Letters a template would print without asking the catalogue."""
    tree = Environment(extensions=["jinja2.ext.i18n"]).parse(source)

    def texts() -> Iterator[str]:
        for output in tree.find_all(nodes.Output):
            for node in output.nodes:
                # A digit holds an expression's place, so that the tags around it stay whole.
                yield node.data if isinstance(node, nodes.TemplateData) else "0"

    reader = _Words()
    reader.feed("".join(texts()))
    reader.close()
    return reader.found


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_templates_hold_no_word_of_their_own(template: Path) -> None:
    assert words_outside_catalogue(template.read_text(encoding="utf-8")) == []


def test_a_forgotten_word_is_found() -> None:
    assert words_outside_catalogue('<p title="Fermer">{{ _("Text") }} et fin</p>') == [
        "Fermer",
        "0 et fin",
    ]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("reason", Reason)
def test_every_reason_is_one_sentence(reason: Reason, language: str) -> None:
    sentence = reason_sentence(reason, language)
    assert sentence.endswith(".")
    assert "reason." not in sentence


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_state_has_its_own_label(language: str) -> None:
    labels = [state_label(state, language) for state in ShownState]
    assert len(set(labels)) == len(labels)
    assert not any(label.startswith("state.") for label in labels)


def test_states_say_the_hour_they_wait_for() -> None:
    eight = datetime(2026, 11, 27, 8, 0, tzinfo=timezone(timedelta(hours=1)))
    assert state_label(ShownState.DEFERRED_QUIET, "fr", eight) == "Reporté à 8\u00a0h\u00a000"
    assert state_label(ShownState.DIGEST, "en", eight) == "In the 08:00 digest"
    assert state_label(ShownState.DELIVERED, "fr", eight) == "Reçu"


def test_an_hour_without_a_zone_is_refused() -> None:
    naive = datetime(2026, 11, 27, 8, 0, tzinfo=UTC).replace(tzinfo=None)
    with pytest.raises(ValueError, match="time zone"):
        state_label(ShownState.DIGEST, "fr", naive)


def test_zero_and_one_are_singular_in_french_only() -> None:
    def count(language: str, n: int) -> str:
        say = translations(language).ngettext
        return say("%(shown)s failed", "%(shown)s failed", n) % {"shown": n}

    assert [count("fr", n) for n in (0, 1, 2)] == ["0 échec", "1 échec", "2 échecs"]
    messages = "%(shown)s message", "%(shown)s messages"
    assert translations("en").ngettext(*messages, 0) == messages[1]


def test_a_language_we_do_not_speak_gets_french() -> None:
    assert wording.offered("de") == "fr"
    assert channel_name(ChannelName.WEBPUSH, "de") == "Notification"
    assert reason_sentence(Reason.MAILBOX_FULL, "de") == "La boîte de réception est pleine."
