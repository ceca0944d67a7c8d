# SPDX-License-Identifier: EUPL-1.2
"""A form that came once its session had ended: a page keeps what was written, to be sent again.

Nothing of it is saved or done before its writer, signed in, presses the button of a session's form.
"""

from aiohttp import web
from multidict import MultiMapping

from hub.web.showing import show

_ITS_OWN = "csrf"


def keep(
    request: web.Request, form: MultiMapping[str | web.FileField], token: str
) -> web.StreamResponse:
    """The page. `token` is of the session that is open now, "" where there is none: then the page
    leads to the sign-in, in another tab. Files are not kept."""
    pairs = [(name, value) for name, value in form.items() if isinstance(value, str)]
    return show(
        request,
        "console/entering/kept.html",
        status=403,
        private=True,
        home_url="/console",
        flash="",
        action=request.path,
        token=token,
        kept=[(name, value) for name, value in pairs if name != _ITS_OWN],
    )
