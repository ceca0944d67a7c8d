# SPDX-License-Identifier: EUPL-1.2
"""Whom an announcement is meant for on a channel: the question the people's room answers."""

from channels.base import ChannelName
from hub.announcement import Announcement
from subscribers import audience
from subscribers.catalogue import Catalogue
from subscribers.geometry import PolygonProblem
from templates.digest import DIGESTED


def query_for(
    announcement: Announcement, channel: ChannelName, catalogue: Catalogue
) -> audience.AudienceQuery:
    """Whom an announcement concerns on a channel: themes x zones (and polygon) x preferences."""
    themes = [catalogue.themes_by_key[key].id for key in announcement.themes]
    return audience.AudienceQuery(
        authority=announcement.authority,
        theme_lineage=catalogue.theme_lineage(themes),
        zones=_zones(announcement, catalogue),
        channel=channel,
        digestible=announcement.urgency in DIGESTED,
    )


def _zones(announcement: Announcement, catalogue: Catalogue) -> tuple[int, ...] | None:
    if not announcement.zones and announcement.polygon is None:
        return None
    named = [catalogue.zones_by_key[key].id for key in announcement.zones]
    if announcement.polygon is not None:
        touched = catalogue.zones_touching(announcement.polygon)
        assert not isinstance(touched, PolygonProblem)  # checked at intake
        named.extend(touched)
    return catalogue.zone_reach(named)
