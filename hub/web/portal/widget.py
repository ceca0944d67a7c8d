# SPDX-License-Identifier: EUPL-1.2
"""The town's news inside other sites: a small page for one frame, and the code to copy for it.

It sets and reads no cookie: whoever reads another site's page is nobody's visitor here.
"""

from collections.abc import Sequence
from typing import Final
from urllib.parse import urlencode

from aiohttp import web
from markupsafe import escape

from hub.reports.picking import pick
from hub.web.desk import desk
from hub.web.language import language_of
from hub.web.portal.fresh import SHARED, fresh
from hub.web.portal.threads import asked, board, named, row, spoken, wishes
from hub.web.showing import show as show_page
from hub.web.town import TOWN
from templates.pages.pages import page

_LATEST: Final = 5


def routes() -> list[web.RouteDef]:
    """The widget, and how to have it."""
    return [web.get("/widget", show), web.get("/integrer", explain)]


def policy(embed_in: Sequence[str]) -> str:
    """What the widget may load, and where it may stand: a style and a frame, nothing else."""
    ancestors = " ".join(dict.fromkeys(["'self'", *embed_in]))
    return (
        "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; "
        f"frame-ancestors {ancestors}"
    )


async def show(request: web.Request) -> web.Response:
    """Alerts under way and the latest five, of ``?theme=&lieu=``, in ``?langue=``."""
    hub, town, chosen = desk(request), await board(request), asked(request)
    language = spoken(request)
    found = pick(town.published.threads, chosen, town.catalogue)
    alerts = [thread for thread in found if thread.is_alert(town.now)]
    latest = [thread for thread in found if thread not in alerts][:_LATEST]
    text = page(
        "portal/widget.html",
        language,
        timezone=hub.settings.hub.timezone,
        authority=hub.authority_name,
        sandbox=hub.banner,
        heading=named(town, chosen, language),
        own_style=request.config_dict[TOWN].stylesheet_address,
        site=hub.site.public_url,
        alerts=[row(each, town, language) for each in alerts],
        latest=[row(each, town, language) for each in latest],
    )
    response = web.Response(text=text, content_type="text/html")
    response.headers["Content-Security-Policy"] = policy(hub.settings.portal.embed_in)
    response.headers["X-Robots-Tag"] = "noindex"
    return fresh(request, response, caching=SHARED)


async def explain(request: web.Request) -> web.Response:
    """The code to copy for a theme and a place, with what it shows; and the feeds of the same."""
    hub, town, chosen = desk(request), await board(request), asked(request)
    language = language_of(request)
    tongue = spoken(request) if "langue" in request.query else language
    query = urlencode([*chosen.query(), ("langue", tongue)])
    same, heading = urlencode(chosen.query()), named(town, chosen, tongue)
    frame = f'src="{escape(f"{hub.site.public_url}/widget?{query}")}" title="{escape(heading)}"'
    shown = show_page(
        request,
        "portal/embed.html",
        chosen=chosen,
        tongue=tongue,
        heading=heading,
        path=f"/widget?{query}",
        snippet=f'<iframe {frame} width="100%" height="480" loading="lazy"></iframe>',
        addresses=[
            f"{hub.site.public_url}{path}" + (f"?{same}" if same else "")
            for path in ("/flux.atom", "/flux.json", "/agenda.ics")
        ],
        **wishes(town, language, chosen),
    )
    return fresh(request, shown)
