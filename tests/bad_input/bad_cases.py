# SPDX-License-Identifier: EUPL-1.2
"""The table of bad input: what is sent to which door, and what must come back."""

# ruff: noqa: PLR0917  (a cell of a table is known by its place)

import gzip
from dataclasses import dataclass, field
from typing import Any

from channels.base import STOP_TOKEN_MARK

NEWS = {"title": "Coupure d'eau", "body": "Jeudi.", "themes": ["eau"]}
FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True)
class Case:
    """One row. `status` is an exit code at the command line; `place` a pointer or a line; `fr` and
    `en` are pieces of the sentence, where the door speaks both."""

    name: str
    door: str
    sent: Any
    status: int
    code: str = ""
    place: str = ""
    fr: str = ""
    en: str = ""
    more: dict[str, Any] = field(default_factory=dict)


def api(name, sent, status, code, place, fr, en, **headers):
    """A POST of an announcement: the small one with these members, or these very bytes."""
    return Case(name, "api", sent, status, code, place, fr, en, headers)


def wrong(name, sent, code, place, fr, en, **headers):
    """The same, refused with 422."""
    return api(name, sent, 422, code, place, fr, en, **headers)


def below(name, path, status, code, fr, en, *, place="", method="GET", key="all"):
    """A request below /api/v1/announcements/, or (from the root) to another path of the API."""
    return Case(name, "below", path, status, code, place, fr, en, {"method": method, "key": key})


def hook(name, sent, status, code, place, fr, en, **headers):
    """A signed event; a header given here replaces the right one."""
    return Case(name, "hook", sent, status, code, place, fr, en, headers)


def unsigned(name, header, value):
    """An event with this header, which then is nobody's."""
    more = {f"webhook-{header}": value}
    return hook(name, {"data": NEWS}, 401, "unsigned", "", "La signature", "The signature", **more)


def late(name, seconds, fr, en):
    """An event from another time."""
    return hook(name, {"data": NEWS}, 401, "clock_skew", "", fr, en, skew=seconds)


def callback(name, sent, status, code, fr, en, **headers):
    """A post to Twilio's door, signed by nobody; `slow` has it never end, `door` is
    which of the two."""
    return Case(name, "callback", sent, status, code, "", fr, en, headers)


def stop(name, token, status, fr, en, body=b"choice=all"):
    """A POST to a stop link; `{stop}` is Amina's own."""
    return Case(name, "stop", token, status, "", "", fr, en, {"body": body})


def sandbox(name, method, path, body, status, place, en, **headers):
    """A request to the sandbox's API."""
    return Case(name, "sandbox", (method, path, body), status, "", place, "", en, headers)


def shell(name, arguments, en, code="", **files):
    """A command line; `{data}` is a folder where `files` are written first."""
    return Case(name, "shell", arguments.split(), 1, code, "", "", en, files)


def settings(name, text, en, place=""):
    """A hub.toml."""
    return Case(name, "settings", text, 1, "", place, "", en)


def catalogue(name, text, fr, en):
    """A catalogue.toml."""
    return Case(name, "catalogue", text, 1, "", "", fr, en)


def people(name, raw, fr, en, line=""):
    """A CSV of people."""
    return Case(name, "people", raw, 1, "", line, fr, en)


def drawn(*rings, kind="Polygon"):
    """A polygon."""
    return {"polygon": {"type": kind, "coordinates": list(rings)}}


WEST, EAST, SOUTH, NORTH = -0.46, -0.45, 48.98, 48.985
SQUARE = [[WEST, SOUTH], [EAST, SOUTH], [EAST, NORTH], [WEST, NORTH], [WEST, SOUTH]]
BOW_TIE = [[WEST, SOUTH], [EAST, NORTH], [EAST, SOUTH], [WEST, NORTH], [WEST, SOUTH]]
INFINITE = b'{"title":"x","body":"y","themes":["eau"],"polygon":'
INFINITE += b'{"type":"Polygon","coordinates":[[[1e999,1]]]}}'
MANY = {f"a{chr(97 + n)}": {"title": "x", "body": "y"} for n in range(21)}
HALF = b'{"title":"\\ud83d","body":"x","themes":["eau"]}'
CSV = "ref,phone,themes,channels,consent_source,consent_date,consent_text_version\n"
PERSON = "z1,06 39 98 77 01,eau,sms,guichet,2026-03-02,2026-01\n"
TOWN = '[authority]\nkey="valmont"\nname="V"\ntimezone="Europe/Paris"\nlanguage="fr"\n'
THEME = '[[themes]]\nkey="a"\nparent="{}"\nnames={{fr="A"}}\n'
LONG = NEWS | {"body": "Coupure d'eau. " * 1_200, "short": "x", "channels": ["email"]}
SAY = "announce --title x --body y --theme eau"

# fmt: off
TABLE = [
    # ------------------------------------------------------------------ bytes that are no JSON
    api("broken JSON", b'{"title": "Eau",', 400, "not_json", "", "JSON valide (ligne 1", "line 1"),
    api("nothing at all", b"", 400, "not_json", "", "colonne 1", "column 1"),
    api("a byte order mark", b"\xef\xbb\xbf{}", 400, "not_json", "", "JSON valide", "valid JSON"),
    api("Latin-1", b'{"title": "\xc9t\xe9"}', 400, "not_utf8", "", "octet 11", "byte 11"),
    api("NaN, which is no JSON", b'{"a": NaN}', 400, "not_json", "", "nombre", "number"),
    api("a hundred thousand brackets", b"[" * 100_000, 400, "not_json", "", "imbri", "nesting"),
    api("an endless number", b"[" + b"9" * 5_000 + b"]", 400, "not_json", "", "nombre", "number"),
    api("a body of 5 MB", b" " * 5_000_000, 413, "too_large", "", "dépasse 1048576", "1048576"),
    api("a gzip that unfolds to 50 MB", gzip.compress(b" " * 50_000_000), 413, "too_large", "",
        "dépasse", "larger", **{"Content-Encoding": "gzip"}),
    api("a broken gzip", b"no gzip", 400, "broken_body", "", "abîmée", "broken",
        **{"Content-Encoding": "gzip"}),
    api("a form", b"title=Eau", 415, "unsupported_media_type", "", "Envoyez du application/json",
        "Send application/json", **{"Content-Type": FORM}),
    # ------------------------------------------------------------------ the shape
    wrong("a list", b"[]", "model_type", "", "Envoyez un objet.", "Send an object."),
    wrong("no title", b'{"body":"x","themes":["eau"]}', "missing", "/title", "oblig", "required"),
    wrong("a title that is null", {"title": None}, "string_type", "/title", "un texte", "a text"),
    wrong("a title of spaces", {"title": " \t"}, "string_too_short", "/title", "moins", "least"),
    wrong("a title of 201", {"title": "x" * 201}, "string_too_long", "/title", "200", "200"),
    wrong("a body of 20,001", {"body": "x" * 20_001}, "string_too_long", "/body", "20000", "20000"),
    wrong("an unknown field", {"titre": "x"}, "extra_forbidden", "/titre", "n'existe", "no such"),
    wrong("half a character as a name", b'{"\\ud800": 1}', "string_unicode", "", "surrogate",
          "half"),
    wrong("half a character as a language", {"translations": {"\ud800": {}}},
          "string_unicode", "/translations/\ufffd\ufffd\ufffd", "surrogate", "half"),
    wrong("half a character", HALF, "string_unicode", "/title", "surrogate", "lone surrogate"),
    wrong("header injection", {"title": "Eau\r\nBcc: x@example.org"}, "one_line", "/title",
          "Une seule ligne", "single line"),
    wrong("a line separator", {"title": "Eau\u2028là"}, "one_line", "/title", "seule", "single"),
    wrong("a bell", {"body": "Eau\x07"}, "control_characters", "/body", "contrôle", "control"),
    wrong("a NUL for one channel", {"overrides": {"sms": "x\x00"}}, "control_characters",
          "/overrides/sms", "contrôle", "control"),
    wrong("an unknown channel", {"channels": ["fax"]}, "enum", "/channels/0", "parmi", "one of"),
    wrong("an unknown urgency", {"urgency": "panic"}, "enum", "/urgency", "parmi", "one of"),
    wrong("another type", {"type": "poll"}, "literal_error", "/type", "Choisissez", "Choose"),
    wrong("themes as a text", {"themes": "eau"}, "list_type", "/themes", "une liste", "a list"),
    wrong("no theme", {"themes": []}, "too_short", "/themes", "une valeur", "one value"),
    wrong("21 themes", {"themes": ["eau"] * 21}, "too_long", "/themes", "20 au plus", "at most 20"),
    wrong("21 translations", {"translations": MANY}, "too_long", "/translations", "20", "20"),
    wrong("overrides as a list", {"overrides": []}, "dict_type", "/overrides", "objet", "object"),
    wrong("a theme in capitals", {"themes": ["EAU"]}, "string_pattern_mismatch", "/themes/0",
          "bonne forme", "right form"),
    wrong("a truth in words", {"thread": "yes"}, "bool_type", "/thread", "true ou", "true or"),
    wrong("a repetition without end or sense", {"repeat": {"every": "day", "weekdays": ["monday"]}},
          "repeat_weekdays", "/repeat/weekdays", "semaine", "week"),
    wrong("a repetition of the past", {"repeat": {"every": "day", "until": "2020-01-01"}},
          "repeat_over", "/repeat", "déjà finie", "over already"),
    wrong("a repetition and a time", {"repeat": {"every": "day"},
          "publish_at": "2099-01-01T08:00:00Z"}, "repeat_alone", "/publish_at", "`repeat`",
          "`repeat`"),
    wrong("a count in words", {"repeat": {"every": "day", "count": "3"}}, "int_type",
          "/repeat/count", "entier", "whole"),
    wrong("no time at all", {"repeat": {"every": "day", "count": 0}}, "greater_than_equal",
          "/repeat/count", "au moins 1", "at least 1"),
    wrong("every hundred days", {"repeat": {"every": "day", "interval": 100}}, "less_than_equal",
          "/repeat/interval", "au plus 52", "at most 52"),
    wrong("a day that is a number", {"repeat": {"every": "day", "until": 20261126}}, "date_day",
          "/repeat/until", "un jour", "a day"),
    wrong("a link that runs", {"link": "javascript:alert(1)"}, "url_scheme", "/link", "https://",
          "https://"),
    wrong("a link that is none", {"link": "mairie"}, "url_parsing", "/link", "complète", "whole"),
    wrong("a link of 3,000", {"link": "https://example.org/" + "x" * 3_000}, "url_too_long",
          "/link", "trop longue", "too long"),
    # ------------------------------------------------------------------ dates
    wrong("no offset", {"expires": "2026-11-26T08:00:00"}, "timezone_aware", "/expires",
          "décalage", "offset"),
    wrong("a number as a date", {"expires": 1_795_680_000}, "datetime_type", "/expires",
          "une date comme", "a date like"),
    wrong("a thirteenth month", {"expires": "2026-13-01T08:00:00Z"}, "datetime_from_date_parsing",
          "/expires", "une date comme", "a date like"),
    wrong("a past date", {"publish_at": "2026-11-20T08:00:00+01:00"}, "past", "/publish_at",
          "La date d'envoi est passée", "is past"),
    wrong("in two years", {"publish_at": "2028-11-20T08:00:00+01:00"}, "too_far", "/publish_at",
          "un an", "a year"),
    wrong("expired validity", {"expires": "2026-11-20T08:00:00+01:00"}, "before_publication",
          "/expires", "après l'envoi", "after the publish time"),
    wrong("the end of time", {"expires": "9999-12-31T23:59:59-12:00"}, "too_far", "/expires",
          "dix ans", "ten years"),
    # ------------------------------------------------------------------ the town
    wrong("an unknown theme", {"themes": ["piscine"]}, "unknown_theme", "/themes/0",
          "pas de thème « piscine »", "no theme 'piscine'"),
    wrong("an unknown zone", {"zones": ["centre", "lune"]}, "unknown_zone", "/zones/1",
          "pas de lieu « lune »", "no zone 'lune'"),
    wrong("a polygon that crosses itself", drawn(BOW_TIE), "crosses_itself", "/polygon",
          "se croise", "crosses itself"),
    wrong("an open polygon", drawn(SQUARE[:-1]), "not_closed", "/polygon", "fermé", "closed"),
    wrong("a point", drawn(kind="Point"), "wrong_type", "/polygon", "Polygon", "Polygon"),
    wrong("brackets in a polygon", drawn([[[[[[1]]]]]]), "wrong_type", "/polygon", "GeoJSON",
          "GeoJSON"),
    wrong("degrees beyond the globe", drawn([[x, y + 90] for x, y in SQUARE]), "out_of_range",
          "/polygon", "hors du globe", "off the globe"),
    wrong("an infinite point", INFINITE, "out_of_range", "/polygon", "globe", "globe"),
    wrong("10,001 points", drawn([[0.0, 0.0]] * 10_001), "too_many_points", "/polygon", "10 000",
          "10,000"),
    wrong("an area elsewhere", drawn([[x + 5, y] for x, y in SQUARE]), "outside", "/polygon",
          "aucun lieu", "no place"),
    # ------------------------------------------------------------------ words, and what they follow
    wrong("Markdown that renders to nothing", {"body": "[x]: https://example.org"}, "empty",
          "/body", "est vide", "is empty"),
    wrong("too much for X", {"channels": ["x"], "body": "mot " * 200}, "toolong", "/body",
          "caractères pour X", "characters on X"),
    wrong("the personal link's place", {"body": STOP_TOKEN_MARK}, "unwritable", "/body", "repère",
          "mark"),
    wrong("one language twice", {"translations": {"fr": {"title": "x", "body": "y"}}},
          "language_twice", "/translations/fr", "déjà", "already"),
    wrong("an update of nothing", {"kind": "update", "about": "zzzzzz"}, "unknown_announcement",
          "/about", "déjà publiée", "was published"),
    wrong("`about` alone", {"about": "{published}"}, "about_without_kind", "/about", "kind",
          "kind"),
    wrong("the real end of a drill", {"kind": "all_clear", "about": "{drill}"}, "drill_mixed",
          "/urgency", "exercice", "drill"),
    # ------------------------------------------------------------------ who asks
    api("no key", {}, 401, "unauthorised", "", "clé d'API", "API key", Authorization=""),
    api("no such key", {}, 401, "unauthorised", "", "clé", "key", Authorization="Bearer hub_x"),
    api("a key of bytes", {}, 401, "unauthorised", "", "clé", "key", Authorization="Bearer \udcff"),
    api("beyond the key's themes", {"themes": ["culture"]}, 403, "theme_not_allowed", "/themes/0",
        "« culture »", "'culture'", key="meek"),
    api("beyond the key's urgency", {"urgency": "urgent"}, 403, "urgency_not_allowed", "/urgency",
        "jusqu'à", "up to", key="meek"),
    api("an idempotency key with a space", {}, 400, "bad_idempotency_key", "", "255", "255",
        **{"Idempotency-Key": "a b"}),
    api("an idempotency key of 256", {}, 400, "bad_idempotency_key", "", "255", "255",
        **{"Idempotency-Key": "a" * 256}),
    wrong("a key used before", {}, "idempotency_key_reused", "", "déjà servi", "was used",
          **{"Idempotency-Key": "used"}),
    # ------------------------------------------------------------------ what became of it
    below("an unknown announcement", "zzzzzz", 404, "not_found", "rien à", "Nothing is here"),
    below("a code that cannot be one", "no-such", 404, "not_found", "rien", "Nothing"),
    below("a page of nothing", "{published}/deliveries?limit=0", 400, "bad_limit", "de 1",
          "from 1"),
    below("a page after a word", "{published}/deliveries?after=x", 400, "bad_after", "dernier",
          "last delivery"),
    below("a state nobody is in", "{published}/deliveries?state=lost", 400, "unknown_state",
          "« lost »", "'lost'"),
    below("deleting", "{published}", 405, "method_not_allowed", "méthode", "method",
          method="DELETE"),
    below("cancelling twice", "{cancelled}/cancel", 409, "conflict", "L'état de l'annonce",
          "does not allow", method="POST"),
    below("a reason there is not", "{published}/redrive?reason=mood", 400, "unknown_reason",
          "motif", "reason", method="POST"),
    below("half a truth", "{published}/redrive?abandon=perhaps", 400, "bad_abandon", "true ou",
          "true or", method="POST"),
    below("redriving without the right", "{waiting}/redrive", 403, "may_not_publish", "habilitée",
          "may not publish", method="POST", key="meek"),
    below("closing a channel with a limited key", "/api/v1/channels/sms/pause", 403,
          "may_not_operate", "tout publier", "everything", method="POST", key="meek"),
    below("closing a channel that is another town's to close", "/api/v1/channels/sms/pause", 403,
          "not_the_hubs", "qui tient le service", "runs the hub", method="POST", key="neighbour"),
    below("closing a channel there is not", "/api/v1/channels/fax/pause", 404, "not_found", "rien",
          "Nothing", method="POST"),
    below("approving without the right", "{waiting}/approve", 403, "may_not_publish", "habilitée",
          "somebody who may", method="POST", key="meek"),
    below("approving what is over", "{over}/approve", 422, "expired", "plus valable",
          "no longer valid", place="/expires", method="POST"),
    # ------------------------------------------------------------------ webhooks
    unsigned("a wrong signature", "signature", "v1,AAAA"),
    unsigned("no signature", "signature", ""),
    unsigned("an id with a full stop", "id", "a.b"),
    unsigned("a replay under another id", "id", "evt_2"),
    unsigned("a time that is none", "timestamp", "noon"),
    late("a clock ten minutes slow", -600, "Réglez l'horloge", "Set the clock"),
    late("a clock ten minutes fast", 600, "cinq minutes", "five minutes"),
    late("a clock in the year 33658", 997_000_000_000, "horloge", "clock"),
    hook("an id used before", {"data": NEWS | {"title": "Autre"}}, 422, "idempotency_key_reused",
         "/data", "déjà servi", "was used", identity="used"),
    hook("an empty event", {"type": "x"}, 422, "model_type", "/data", "un objet", "an object"),
    hook("a wrong field inside", {"data": NEWS | {"themes": 7}}, 422, "list_type", "/data/themes",
         "une liste", "a list"),
    # ------------------------------------------------------------------ what Twilio posts
    callback("a status nobody signed", b"MessageStatus=sent", 403, "unsigned", "signé", "signed"),
    callback("a status with a made-up signature", b"MessageStatus=sent", 403, "unsigned", "signé",
             "signed", **{"X-Twilio-Signature": "AAAA"}),
    callback("an SMS nobody signed", b"Body=STOP&From=%2B33639980001", 403, "unsigned", "signé",
             "signed", door="inbound"),
    callback("a status in JSON", b"{}", 415, "unsupported_media_type", "urlencoded", "urlencoded",
             **{"Content-Type": "application/json"}),
    callback("a status of 20 kB", b"a" * 20_000, 413, "too_large", "16384", "16384"),
    callback("a status that never ends", b"", 408, "too_slow", "à temps", "in time", slow="yes"),
    hook("a signed body that is no JSON", b"{", 400, "not_json", "", "JSON valide", "valid JSON"),
    hook("an event of 300 kB", b" " * 300_000, 413, "too_large", "", "262144", "262144"),
    hook("XML", b"<alert/>", 415, "unsupported_media_type", "", "json", "json",
         **{"Content-Type": "application/cap+xml"}),
    # ------------------------------------------------------------------ stop links
    stop("a truncated link", "AQAAAAAA", 410, "n’y a rien à arrêter", "There is nothing to stop"),
    stop("a forged link", "x" * 32, 410, "rien à arrêter", "nothing to stop"),
    stop("a link that is no text", "%FF%FE", 410, "rien à arrêter", "nothing to stop"),
    stop("a form of 70 kB", "{stop}", 413, "Erreur", "Error", b"choice=" + b"x" * 70_000),
    # ------------------------------------------------------------------ the sandbox's API
    sandbox("a parameter misspelt", "GET", "messages?sinse=1", None, 400, "#/sinse", "no such"),
    sandbox("a wait of an hour", "GET", "messages?wait=3600", None, 400, "#/wait", "from 0 to 30"),
    sandbox("a channel nobody has", "GET", "messages?channel=fax", None, 400, "#/channel", "one"),
    sandbox("a fault that is none", "PUT", "faults", b'{"sms": {"rates": {"rain": 1}}}', 422,
            "/sms", "throttle"),
    sandbox("a form to it", "POST", "inbound", b"x", 415, "", "json", **{"Content-Type": FORM}),
    sandbox("e-mail from a citizen", "POST", "inbound",
            b'{"from":"a","body":"b","channel":"email"}', 422, "#/channel", "sms or x"),
    # ------------------------------------------------------------------ the command line
    shell("announcing nothing", "announce", "title: This field is required."),
    shell("announcing in Latin-1", "announce --file {data}/a", "not valid UTF-8", a=b'{"\xe9"'),
    shell("announcing a past date", f"{SAY} --publish-at 2020-01-01T00:00:00Z", "publish_at: The"),
    shell("a channel the town has not", f"{SAY} --channel sms",
          "channels.0: The channel 'sms' is not configured.", "channel_not_configured"),
    shell("cancelling what is unknown", "cancel zzzzzz", "There is no announcement zzzzzz."),
    settings("a setting misspelt", "[server]\nprot = 1\n", "server.prot", "line 2"),
    settings("settings that are no TOML", "[server\n", "is not TOML"),
    settings("a port that is a word", '[server]\nport = "web"\n', "server.port", "line 2"),
    settings("settings in Latin-1", b"# \xe9\n", "is not UTF-8 text"),
    # ------------------------------------------------------------------ catalogue and people
    catalogue("a catalogue that is no TOML", "[authority", "n'est pas du TOML", "Not a TOML file"),
    catalogue("a theme below nothing", TOWN + THEME.format("b"), "le parent « b » n'existe pas",
              "there is no parent “b”"),
    catalogue("a theme above itself", TOWN + THEME.format("a"), "son propre ancêtre",
              "its own ancestor"),
    people("people in Latin-1", (CSV + PERSON.replace("guichet", "été")).encode("latin-1"),
           "n'est pas en UTF-8 (ligne 2", "is not UTF-8 (line 2"),
    people("an empty file", b"", "Le fichier est vide", "The file is empty"),
    people("no proof of consent", b"phone,themes,channels\n0639987701,eau,sms\n",
           "preuve de consentement", "proof of consent"),
    people("a landline", (CSV + PERSON.replace("06 39", "01 39")).encode(), "Colonne phone",
           "Column phone", "2"),
    people("an open quote", (CSV + PERSON.replace("eau", '"eau')).encode(), "guillemet", "quote"),
    # ------------------------------------------------------------------ last: they wear the hub out
    Case("a full disk", "full", LONG, 507, "disk_full", "", "rien n'a été", "nothing was accepted"),
    Case("a stranger who insists", "flood", "inconnu", 429, "too_many_requests", "",
         "30 par minute", "30 a minute"),
]
# fmt: on
