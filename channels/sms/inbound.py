# SPDX-License-Identifier: EUPL-1.2
"""What Twilio posts: a form, signed over the public address it was given."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

from multidict import CIMultiDict, MultiDict

from channels.base import Inbound


def signed_form(
    validator: Any, headers: Mapping[str, str], body: bytes, url: str
) -> MultiDict[str]:
    """The fields of a form. Raises `PermissionError` where X-Twilio-Signature does not fit."""
    form = MultiDict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))
    signature = CIMultiDict(headers).get("X-Twilio-Signature", "")
    if not validator.validate(url, form, signature):
        raise PermissionError("the signature is not Twilio's")
    return form


def read_inbound(form: Mapping[str, str]) -> Inbound:
    """One SMS to the town. With Twilio's Advanced Opt-Out on, a form with OptOutType has been
    answered by Twilio."""
    return Inbound(
        id=form.get("MessageSid", ""),
        sender=form.get("From", ""),
        to=form.get("To", ""),
        body=form.get("Body", ""),
        answered=bool(form.get("OptOutType")),
    )
