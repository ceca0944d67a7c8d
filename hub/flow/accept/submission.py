# SPDX-License-Identifier: EUPL-1.2
"""The shape of what a door hands in. Every door speaks it: API, webhook and CLI."""

import json
import re
import unicodedata
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Final, Literal

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    HttpUrl,
    StrictBool,
    StringConstraints,
    ValidationError,
)
from pydantic_core import ErrorDetails

from channels.base import ChannelName, Urgency
from hub.flow.accept.problems import Problem, RefusedError, UnreadableError
from hub.flow.accept.recurrence import Repeat
from subscribers.geometry import PolygonProblem
from templates.content import Kind
from templates.gsm import Family

MAX_TEXT: Final = 20_000
MAX_PROBLEMS: Final = 100  # a body of a megabyte can be wrong in a hundred thousand places
_WRITTEN_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d[Tt ]")


def _one_line(text: str) -> str:
    if any(unicodedata.category(c) in ("Cc", "Zl", "Zp") for c in text):
        raise ValueError("one_line")
    return text


def _printable(text: str) -> str:
    if any(unicodedata.category(c) == "Cc" and c not in "\n\r\t" for c in text):
        raise ValueError("control_characters")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _written(moment: Any) -> Any:
    """Pydantic alone would read a bare number as seconds, or as milliseconds where it is large."""
    if isinstance(moment, datetime) or (isinstance(moment, str) and _WRITTEN_DATE.match(moment)):
        return moment
    raise ValueError("datetime_type")


def _drawing(drawn: dict[str, Any]) -> dict[str, Any]:
    """Type and coordinates alone, numbers no deeper than a MultiPolygon's (RFC 7946 section 3.1):
    everything after this may hash, store and print it."""
    kind, coordinates = drawn.get("type"), drawn.get("coordinates")
    if kind not in ("Polygon", "MultiPolygon") or not _numbers(coordinates, 4):
        raise ValueError(PolygonProblem.WRONG_TYPE.value)
    return {"type": kind, "coordinates": coordinates}


def _numbers(value: Any, depth: int) -> bool:
    if isinstance(value, list):
        return depth > 0 and all(_numbers(each, depth - 1) for each in value)
    if type(value) not in (int, float):
        return False
    if not abs(value) <= 1e6:  # infinite, or too long for a float
        raise ValueError(PolygonProblem.OUT_OF_RANGE.value)
    return True


Moment = Annotated[AwareDatetime, BeforeValidator(_written)]
Line = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=200),
    AfterValidator(_one_line),
]
Words = Annotated[
    str, StringConstraints(min_length=1, max_length=MAX_TEXT), AfterValidator(_printable)
]
Key = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")]
Language = Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$")]


class Text(BaseModel):
    """What is said in one language."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: Line = Field(description="One line, at most 200 characters.")
    body: Words = Field(description="Markdown.")
    short: Words | None = Field(None, description="Replaces the body where room is dear (SMS, X).")
    overrides: dict[ChannelName, Words] = Field(
        default_factory=dict, description="A whole text for one channel, taken as written."
    )


class Submission(Text):
    """An announcement as it is asked for."""

    language: Language = Field("fr", description="The language of title, body, short.")
    translations: dict[Language, Text] = Field(
        default_factory=dict,
        max_length=20,
        description="The same announcement in other languages.",
    )
    link: HttpUrl | None = Field(None, description="More about it, http or https.")
    themes: list[Key] = Field(min_length=1, max_length=20, description="Keys of themes.")
    zones: list[Key] = Field(
        default_factory=list, max_length=500, description="Keys of zones; none: the whole town."
    )
    polygon: Annotated[dict[str, Any], AfterValidator(_drawing)] | None = Field(
        None, description="A GeoJSON Polygon or MultiPolygon, longitude first (RFC 7946)."
    )
    urgency: Urgency = Urgency.INFORMATION
    channels: list[ChannelName] | None = Field(
        None, min_length=1, description="Only these channels; by default all that are configured."
    )
    publish_at: Moment | None = Field(None, description="RFC 3339, with its offset.")
    expires: Moment | None = Field(None, description="Nothing leaves from then on.")
    kind: Kind = Field(Kind.FIRST, description="What it is to the announcement named in `about`.")
    about: str | None = Field(None, max_length=12, description="Id of the first announcement.")
    post_link: StrictBool = Field(
        True, description="On X: with the link to the page (it costs more)."
    )
    thread: StrictBool = Field(False, description="On X: split a long text into a numbered thread.")
    sms_spelling: list[Family] = Field(
        default_factory=list,
        max_length=len(Family),
        description="Costly characters that its SMS replaces with plain ones, by family.",
    )
    repeat: Repeat | None = Field(
        None, description="Come again by this rule, instead of once at `publish_at`."
    )
    type: Literal["announcement"] = "announcement"

    def canonical(self) -> str:
        """What is asked as one text, to tell a repeat from a clash; a member added to the model
        later leaves that of older submissions alone."""
        later = {"repeat": self.repeat, "sms_spelling": self.sms_spelling}
        return self.model_dump_json(exclude={name for name, given in later.items() if not given})


_SENTENCES: Final[Mapping[str, tuple[str, str]]] = {
    "missing": ("Ce champ est obligatoire.", "This field is required."),
    "extra_forbidden": ("Ce champ n'existe pas.", "There is no such field."),
    "string_type": ("Écrivez un texte.", "Write a text."),
    "string_too_short": ("Écrivez au moins un caractère.", "Write at least one character."),
    "string_too_long": (
        "Le texte est trop long : {max_length} caractères au plus.",
        "The text is too long: at most {max_length} characters.",
    ),
    "string_unicode": (
        "Le texte contient un demi-caractère Unicode (surrogate). Envoyez de l'UTF-8 valide.",
        "The text holds half a Unicode character (a lone surrogate). Send valid UTF-8.",
    ),
    "string_pattern_mismatch": (
        "Cette clé n'a pas la bonne forme : {pattern}.",
        "This key does not have the right form: {pattern}.",
    ),
    "enum": ("Choisissez parmi {expected}.", "Choose one of {expected}."),
    "literal_error": ("Choisissez parmi {expected}.", "Choose one of {expected}."),
    "int_type": ("Écrivez un nombre entier.", "Write a whole number."),
    "greater_than_equal": ("Écrivez au moins {ge}.", "Write at least {ge}."),
    "less_than_equal": ("Écrivez au plus {le}.", "Write at most {le}."),
    "list_type": ("Envoyez une liste.", "Send a list."),
    "dict_type": ("Envoyez un objet.", "Send an object."),
    "model_type": ("Envoyez un objet.", "Send an object."),
    "bool_type": ("Écrivez true ou false.", "Write true or false."),
    "too_short": ("Donnez au moins une valeur.", "Give at least one value."),
    "too_long": (
        "Il y a trop de valeurs : {max_length} au plus.",
        "Too many: at most {max_length}.",
    ),
    "timezone_aware": (
        "Ajoutez le décalage horaire, par exemple 2026-11-26T08:00:00+01:00.",
        "Add the offset, for example 2026-11-26T08:00:00+01:00.",
    ),
    "url_parsing": ("Écrivez une adresse complète, https://…", "Write a whole address, https://…"),
    "url_too_long": (
        "L'adresse est trop longue : {max_length} caractères au plus.",
        "The address is too long: at most {max_length} characters.",
    ),
    "url_scheme": ("Le lien doit commencer par https://.", "The link must start with https://."),
    "one_line": (
        "Une seule ligne, sans caractère de contrôle.",
        "A single line, without control characters.",
    ),
    "control_characters": (
        "Le texte contient un caractère de contrôle. Retirez-le.",
        "The text holds a control character. Remove it.",
    ),
    **{
        each.value: (each.sentence.fr, each.sentence.en)
        for each in (PolygonProblem.WRONG_TYPE, PolygonProblem.OUT_OF_RANGE)
    },
}
_DATES: Final = (
    "Écrivez une date comme 2026-11-26T08:00:00+01:00.",
    "Write a date like 2026-11-26T08:00:00+01:00.",
)
_DAYS: Final = ("Écrivez un jour comme 2026-11-26.", "Write a day like 2026-11-26.")
_OTHERWISE: Final = (
    "Cette valeur n'est pas acceptée : {msg}.",
    "This value is not accepted: {msg}.",
)


def pointer(location: tuple[int | str, ...]) -> str:
    """A JSON pointer (RFC 6901)."""
    steps = (str(step).replace("~", "~0").replace("/", "~1") for step in location)
    return "".join(f"/{step}" for step in steps)


def _problem(error: ErrorDetails) -> Problem:
    kind = error["type"]
    context: dict[str, Any] = dict(error.get("ctx") or {})
    if kind == "value_error":
        kind = str(context["error"])
    location = tuple(step for step in error["loc"] if step != "[key]")
    if kind.startswith("datetime"):
        fr, en = _DATES
    elif kind.startswith("date"):
        fr, en = _DAYS
    else:
        fr, en = _SENTENCES.get(kind, _OTHERWISE)
    context["msg"] = error["msg"]
    return Problem(pointer(location), kind, fr.format_map(context), en.format_map(context))


def parse(payload: object) -> Submission:
    """Check the shape. Raises `RefusedError` naming every field that is wrong."""
    try:
        return Submission.model_validate(payload)
    except ValidationError as error:
        wrong = error.errors(include_url=False)[:MAX_PROBLEMS]
        raise RefusedError([_problem(each) for each in wrong]) from None


def parse_json(raw: bytes) -> Submission:
    """Check bytes from a door. Raises `RefusedError`."""
    return parse(read_json(raw))


def read_json(raw: bytes) -> Any:
    """The JSON of a body. Raises `UnreadableError` saying where it breaks."""
    try:
        return json.loads(raw.decode("utf-8"), parse_constant=_no_constant)
    except UnicodeDecodeError as error:
        where = error.start
        raise UnreadableError(
            [_unreadable("not_utf8", f"octet {where}", f"byte {where}")]
        ) from None
    except json.JSONDecodeError as error:
        fr, en = (
            f"ligne {error.lineno}, colonne {error.colno}",
            f"line {error.lineno}, column {error.colno}",
        )
        raise UnreadableError([_unreadable("not_json", fr, en)]) from None
    except (ValueError, RecursionError):
        raise UnreadableError(
            [_unreadable("not_json", "nombre ou imbrication", "number or nesting")]
        ) from None


def _no_constant(name: str) -> None:
    raise ValueError(name)  # NaN and Infinity are no JSON (RFC 8259 section 6)


def _unreadable(code: str, fr: str, en: str) -> Problem:
    what = {"not_utf8": "UTF-8", "not_json": "JSON"}[code]
    return Problem(
        "", code, f"Ce n'est pas du {what} valide ({fr}).", f"This is not valid {what} ({en})."
    )


def iso(moment: datetime | None) -> str | None:
    """RFC 3339 in UTC, or None."""
    return (
        None if moment is None else moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    )
