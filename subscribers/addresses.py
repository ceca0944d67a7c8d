# SPDX-License-Identifier: EUPL-1.2
"""Addresses as people write them, and the one form of each that we keep.

Parsed, never merely checked: a function returns the normalised address, or the problem.
"""

import base64
import binascii
import ipaddress
import re
import unicodedata
from collections.abc import Iterator, Sequence
from enum import StrEnum
from typing import Final
from urllib.parse import SplitResult, urlsplit

import phonenumbers
from email_validator import EmailNotValidError, validate_email
from phonenumbers import PhoneNumberType

from channels.base import Recipient
from subscribers.wording import Sentence

# France and its overseas territories (DOMAIN.md section 5); the first is the town's own.
FRENCH_REGIONS: Final = ("FR", "RE", "YT", "GP", "MF", "BL", "GF", "MQ", "NC", "PF", "PM", "WF")
# These share one ten-digit plan: 06 92 … is written alike in Saint-Denis and in Paris.
_TEN_DIGIT_REGIONS: Final = frozenset({"FR", "RE", "YT", "GP", "MF", "BL", "GF", "MQ"})
# 06 39 98 xx xx, kept by the regulator (Arcep) for fiction: no operator has it, so the library
# calls it invalid; demos and tests live there.
_FICTION: Final = range(639980000, 639990000)
_PHONE_CHARACTERS: Final = re.compile(r"\+?[\d\s().\-/]{4,40}")
_X_ID: Final = re.compile(r"[1-9]\d{0,19}")
_ENDPOINT_LIMIT: Final = 2048
X_PUBLIC: Final = "public"  # the town crier's contact point: the town's own account

_P256_P: Final = 2**256 - 2**224 + 2**192 + 2**96 - 1
_P256_B: Final = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B


class AddressProblem(StrEnum):
    """Why an address was not taken; `sentence` says it to the person."""

    NOT_A_NUMBER = "not_a_number"
    LANDLINE = "landline"
    PREMIUM = "premium"
    COUNTRY = "country"
    NO_AT_SIGN = "no_at_sign"
    NOT_AN_EMAIL = "not_an_email"
    NOT_AN_ENDPOINT = "not_an_endpoint"
    NOT_PUSH_KEYS = "not_push_keys"
    NOT_AN_X_ACCOUNT = "not_an_x_account"

    @property
    def sentence(self) -> Sentence:
        """What is wrong and how to put it right."""
        return _SENTENCES[self]


_SENTENCES: Final = {
    AddressProblem.NOT_A_NUMBER: Sentence(
        "Écrivez un numéro de mobile, par exemple 06 12 34 56 78.",
        "Enter a mobile number, for example 06 12 34 56 78.",
    ),
    AddressProblem.LANDLINE: Sentence(
        "Ce numéro est fixe : il ne reçoit pas de SMS. Donnez un mobile ou choisissez l'e-mail.",
        "This is a landline: it cannot get text messages. Give a mobile or choose e-mail.",
    ),
    AddressProblem.PREMIUM: Sentence(
        "Ce numéro est un numéro spécial. Donnez un numéro de mobile personnel.",
        "This is a special-rate number. Give a personal mobile number.",
    ),
    AddressProblem.COUNTRY: Sentence(
        "Nous n'envoyons pas de SMS vers ce pays. Choisissez l'e-mail.",
        "We do not send text messages to this country. Choose e-mail.",
    ),
    AddressProblem.NO_AT_SIGN: Sentence(
        "Il manque un @ dans l'adresse e-mail.", "The e-mail address is missing an @."
    ),
    AddressProblem.NOT_AN_EMAIL: Sentence(
        "Écrivez une adresse e-mail comme nom@exemple.fr.",
        "Enter an e-mail address such as name@example.org.",
    ),
    AddressProblem.NOT_AN_ENDPOINT: Sentence(
        "Ce navigateur n'a pas donné d'adresse de notification sûre. Activez-les à nouveau.",
        "This browser gave no secure notification address. Turn notifications on again.",
    ),
    AddressProblem.NOT_PUSH_KEYS: Sentence(
        "Ce navigateur n'a pas donné de clés de notification lisibles. Activez-les à nouveau.",
        "This browser gave no readable notification keys. Turn notifications on again.",
    ),
    AddressProblem.NOT_AN_X_ACCOUNT: Sentence(
        "Donnez le numéro du compte X (des chiffres), ou « public » pour le compte de la ville.",
        "Give the X account's number (digits), or “public” for the town's own account.",
    ),
}


def normalise_phone(text: str, regions: Sequence[str] = FRENCH_REGIONS) -> str | AddressProblem:
    """A mobile number as E.164 (``+33639981234``).

    `regions` are ISO 3166 codes: the first is how a number without + is read, all of them give
    the country codes we send to (an allow-list against SMS pumping).
    """
    plain = unicodedata.normalize("NFKC", text).strip()
    if not _PHONE_CHARACTERS.fullmatch(plain):
        return AddressProblem.NOT_A_NUMBER
    problem = AddressProblem.NOT_A_NUMBER
    for number in _readings(plain, regions):
        found = _mobile(number, regions)
        if not isinstance(found, AddressProblem):
            return found
        if problem is AddressProblem.NOT_A_NUMBER:
            problem = found
    return problem


def _readings(plain: str, regions: Sequence[str]) -> Iterator[phonenumbers.PhoneNumber]:
    home, *others = regions
    shared = [region for region in others if region in _TEN_DIGIT_REGIONS]
    for region in [home, *(shared if home in _TEN_DIGIT_REGIONS else [])]:
        try:
            yield phonenumbers.parse(plain, region)
        except phonenumbers.NumberParseException:
            return
        if plain.startswith("+"):  # says its country itself
            return


def _mobile(number: phonenumbers.PhoneNumber, regions: Sequence[str]) -> str | AddressProblem:
    country, national = number.country_code, number.national_number
    if country not in {phonenumbers.country_code_for_region(region) for region in regions}:
        return AddressProblem.COUNTRY
    if country == 33 and national in _FICTION:
        return f"+33{national}"
    if not phonenumbers.is_valid_number(number):
        return AddressProblem.NOT_A_NUMBER
    match phonenumbers.number_type(number):
        case PhoneNumberType.MOBILE | PhoneNumberType.FIXED_LINE_OR_MOBILE:
            return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
        case PhoneNumberType.FIXED_LINE | PhoneNumberType.VOIP:
            return AddressProblem.LANDLINE
        case _:
            return AddressProblem.PREMIUM


def normalise_email(text: str) -> str | AddressProblem:
    """An e-mail address with its domain in lower-case ASCII (IDNA); no DNS is asked.

    The part before the @ keeps its case: only its host knows what it means (RFC 5321 2.4).
    """
    if "@" not in text:
        return AddressProblem.NO_AT_SIGN
    try:
        parsed = validate_email(text.strip(), check_deliverability=False, allow_smtputf8=False)
    except EmailNotValidError:
        return AddressProblem.NOT_AN_EMAIL
    return f"{parsed.local_part}@{parsed.ascii_domain}"


def normalise_x(text: str) -> str | AddressProblem:
    """An X account's number, or "public" for the town crier."""
    plain = text.strip()
    if plain == X_PUBLIC or _X_ID.fullmatch(plain):
        return plain
    return AddressProblem.NOT_AN_X_ACCOUNT


def normalise_push(
    endpoint: str, p256dh: str, auth: str, *, allow_loopback: bool = False
) -> Recipient | AddressProblem:
    """A browser's push subscription (RFC 8030, RFC 8291): https endpoint, a point of P-256, 16
    bytes. `allow_loopback` also takes http on this machine (the sandbox). Which hosts may be
    called is the channel's business."""
    if not _is_endpoint(endpoint, allow_loopback):
        return AddressProblem.NOT_AN_ENDPOINT
    point, secret = _base64url(p256dh), _base64url(auth)
    if point is None or secret is None or len(secret) != 16 or not _on_p256(point):
        return AddressProblem.NOT_PUSH_KEYS
    return Recipient(endpoint, {"p256dh": p256dh.rstrip("="), "auth": auth.rstrip("=")})


def _is_endpoint(endpoint: str, allow_loopback: bool) -> bool:
    if len(endpoint) > _ENDPOINT_LIMIT or not endpoint.isascii() or not endpoint.isprintable():
        return False
    try:
        parts = urlsplit(endpoint)
        port = parts.port
    except ValueError:
        return False
    if not parts.hostname or parts.username or parts.fragment or " " in endpoint:
        return False
    if allow_loopback and _is_loopback(parts):
        return parts.scheme in {"http", "https"}
    return parts.scheme == "https" and port in {None, 443}


def _is_loopback(parts: SplitResult) -> bool:
    host = parts.hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _base64url(text: str) -> bytes | None:
    plain = text.rstrip("=")
    if not re.fullmatch(r"[A-Za-z0-9_-]*", plain):
        return None
    try:
        return base64.urlsafe_b64decode(plain + "=" * (-len(plain) % 4))
    except binascii.Error:
        return None


def _on_p256(point: bytes) -> bool:
    """Whether 65 bytes are an uncompressed point of P-256 (SEC 1, 2.3.3 and FIPS 186-4)."""
    if len(point) != 65 or point[0] != 4:
        return False
    x, y = int.from_bytes(point[1:33], "big"), int.from_bytes(point[33:], "big")
    if not (x < _P256_P and y < _P256_P):
        return False
    return (y * y - (x * x * x - 3 * x + _P256_B)) % _P256_P == 0
