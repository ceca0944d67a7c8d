# SPDX-License-Identifier: EUPL-1.2
"""`/mes-alertes/x`: somebody has what they are told of come by direct message on X too.

There where the operator turned direct messages on; elsewhere there is no such page.
"""

from typing import Final

from aiohttp import web

from hub.flow.citizens.x_codes import XCodes
from hub.web.bodies import read_form
from hub.web.desk import desk
from hub.web.language import language_of
from hub.web.limiter import block, caller
from hub.web.problems import not_found
from hub.web.showing import see_other, show
from hub.web.visits import check, visitor
from subscribers.consent_text import CONSENT_VERSION, consent_text

PATH: Final = "/mes-alertes/x"
X_CODES: Final[web.AppKey[XCodes]] = web.AppKey("x_codes", XCodes)
"""There where direct messages are on."""


def routes() -> list[web.RouteDef]:
    """The page, and the button that opens a code."""
    return [web.get(PATH, show_page), web.post(PATH, open_code)]


async def show_page(request: web.Request) -> web.Response:
    """The code to send, or the button for one."""
    codes, visit = _codes(request), await visitor(request)
    if visit is None:
        return see_other("/mes-alertes")
    hub = desk(request)
    return show(
        request,
        "portal/x_account.html",
        private=True,
        csrf=visit.csrf,
        linking=await codes.linking(visit.person),
        account=hub.settings.portal.x_account,
        consent=consent_text(hub.authority_name, language_of(request)),
        consent_version=CONSENT_VERSION,
    )


async def open_code(request: web.Request) -> web.Response:
    """Open a code; where one was opened a moment ago, the page shows that one."""
    codes, visit = _codes(request), await visitor(request)
    form = await read_form(request)
    if visit is None:
        return see_other("/mes-alertes")
    check(form, visit)
    proxies = desk(request).settings.server.trusted_proxies
    await codes.ask(visit.person, block(caller(request, proxies)))
    return see_other(PATH)


def _codes(request: web.Request) -> XCodes:
    codes = request.config_dict.get(X_CODES)
    if codes is None:
        raise not_found()
    return codes
