# SPDX-License-Identifier: EUPL-1.2
"""The words exchanged with a browser about a passkey (W3C Web Authentication, level 3). Pure.

Opened only when somebody uses one: its library takes as long to load as the rest of the hub.
"""

import json
from collections.abc import Sequence
from typing import Any, Final

import webauthn
from webauthn.helpers import base64url_to_bytes, options_to_json_dict
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from hub.flow.staff.officers import Officer
from hub.flow.staff.passkeys import Made, Place

_UNREADABLE: Final = (WebAuthnException, ValueError, KeyError, TypeError)


def creation(
    place: Place, who: Officer, handle: bytes, had: Sequence[bytes], challenge: bytes
) -> dict[str, Any]:
    """What a browser is asked to make: a key that asks for finger, face or code, and is found
    without a name being typed. `handle` is the officer's, and says nothing; `had` are those it must
    not make again."""
    options = webauthn.generate_registration_options(
        rp_id=place.domain,
        rp_name=place.name,
        user_id=handle,
        user_name=who.email,
        user_display_name=who.name,
        challenge=challenge,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED,
            user_verification=UserVerificationRequirement.REQUIRED,
        ),
        exclude_credentials=[PublicKeyCredentialDescriptor(id=each) for each in had],
    )
    return options_to_json_dict(options)


def made(place: Place, challenge: bytes, answer: str) -> Made | None:
    """The key a browser made; None where the answer is not one to this challenge, from here."""
    try:
        found = webauthn.verify_registration_response(
            credential=answer,
            expected_challenge=challenge,
            expected_rp_id=place.domain,
            expected_origin=place.origin,
            require_user_verification=True,
        )
    except _UNREADABLE:
        return None
    return Made(found.credential_id, found.credential_public_key, found.sign_count)


def asking(place: Place, challenge: bytes) -> dict[str, Any]:
    """What a browser is asked to sign, with whichever of its keys for this place."""
    options = webauthn.generate_authentication_options(
        rp_id=place.domain,
        challenge=challenge,
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    return options_to_json_dict(options)


def named(answer: str) -> bytes | None:
    """Which key an answer says it is of."""
    try:
        return base64url_to_bytes(json.loads(answer)["id"])
    except _UNREADABLE:
        return None


def signed(place: Place, challenge: bytes, answer: str, key: Made) -> int | None:
    """The key's new count of uses; None where it did not sign this challenge, for this place."""
    try:
        found = webauthn.verify_authentication_response(
            credential=answer,
            expected_challenge=challenge,
            expected_rp_id=place.domain,
            expected_origin=place.origin,
            credential_public_key=key.public_key,
            credential_current_sign_count=key.sign_count,
            require_user_verification=True,
        )
    except _UNREADABLE:
        return None
    return found.new_sign_count
