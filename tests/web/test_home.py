# SPDX-License-Identifier: EUPL-1.2
"""The home page: what puts people at risk first, with what to do; then the latest, folded."""

import re
from datetime import timedelta

from templates.pages.pages import STATIC_FOLDER


async def published(door, key, news, **more):
    return (await door.post(key, news | more)).json["id"]


def parts(page):
    """What stands above the latest announcements, and what stands below."""
    above, _, below = page.text.partition('id="latest"')
    return above.partition("<main")[2], below


async def test_an_alert_says_since_when_until_when_where_and_what_to_do(door, news):
    until = door.clock.now() + timedelta(hours=5)
    code = await published(
        door, await door.key(), news, urgency="urgent", expires=until.isoformat()
    )
    above, below = parts(await door.ask("GET", "/"))
    for words in (
        *("URGENT", f'href="/a/{code}"', "Depuis", "Jusqu’à", "Que faire", "Tanneries"),
        *("mardi 24 novembre 2026 à 10\u00a0h", "<strong>jeudi</strong>"),
    ):
        assert words in above, words
    assert code not in below


async def test_an_alert_without_an_end_lasts_until_further_notice(door, news):
    await published(door, await door.key(), news, urgency="urgent")
    assert "nouvel avis de la ville" in parts(await door.ask("GET", "/"))[0]


async def test_a_long_alert_is_cut_where_the_rest_can_be_read(door, news):
    body = "Montez à l’étage. " * 200
    code = await published(
        door, await door.key(), news, urgency="urgent", body=body, channels=["email"]
    )
    above, _ = parts(await door.ask("GET", "/"))
    assert above.count("Montez") < 90
    assert f'<a href="/a/{code}">Lire toute l’alerte</a>' in above


async def test_without_an_alert_the_page_says_so_and_when_it_looked(door):
    above, below = parts(await door.ask("GET", "/"))
    assert "Aucune alerte urgente en cours" in above
    assert "mardi 24 novembre 2026 à 10\u00a0h\u00a00" in above
    assert "La ville n'a encore rien publié" in below
    assert '<a class="button" href="/abonnement">Recevoir les alertes</a>' in above


async def test_an_all_clear_ends_the_alert_and_is_told_as_good_news(door, news):
    key = await door.key()
    first = await published(door, key, news, urgency="urgent", title="Crue")
    await published(
        door, key, news, urgency="urgent", kind="all_clear", about=first, title="Décrue"
    )
    above, below = parts(await door.ask("GET", "/"))
    assert "Aucune alerte urgente en cours" in above
    assert "Fin d’alerte" in below
    assert "tag urgent" not in below
    page = (await door.ask("GET", f"/a/{first}")).text
    assert '<article class="announcement past">' in page


async def test_what_followed_is_folded_under_one_line(door, news):
    key = await door.key()
    first = await published(door, key, news)
    update = await published(door, key, news, kind="update", about=first, title="Encore coupée")
    await published(door, key, news, kind="correction", about=first, title="Rue corrigée")
    _, below = parts(await door.ask("GET", "/"))
    assert below.count("<h3>") == 1
    assert "Rue corrigée</a></h3>" in below
    assert "2 autres messages sur cet événement" in below
    for code in (first, update):
        assert f'href="/a/{first}#m-{code}"' in below


async def test_the_latest_ten_are_shown_with_their_themes_places_and_marks(door, news):
    key = await door.key()
    soon = (door.clock.now() + timedelta(minutes=5)).isoformat()
    old = await published(door, key, news, title="La plus ancienne")
    over = await published(door, key, news, title="Finie", expires=soon)
    drill = await published(door, key, news, title="Essai", urgency="drill", zones=[])
    for number in range(8):
        await published(door, key, news, title=f"Annonce {number}")
    door.clock.leap(timedelta(minutes=6))
    page = await door.ask("GET", "/")
    _, below = parts(page)
    assert below.count("<h3>") == 10
    assert f"/a/{old}" not in below
    line = {code: below.partition(f"/a/{code}")[0].rpartition("<li")[2] for code in (over, drill)}
    assert "Plus valable" in line[over]
    assert "EXERCICE" in line[drill]
    assert "Toute la ville" in below.partition(f"/a/{drill}")[2].partition("</li>")[0]
    assert "Eau et coupures · Tanneries" in below


async def test_one_town_s_home_never_shows_another_s(door, news):
    other = await door.key("autre", authority="autreville")
    code = await published(door, other, news, title="Ailleurs", urgency="urgent")
    assert "Ailleurs" not in (await door.ask("GET", "/")).text
    assert (await door.ask("GET", f"/a/{code}")).status == 404


async def test_the_page_and_all_it_needs_weigh_less_than_sixty_kilobytes(door, news):
    key = await door.key()
    for number in range(14):
        more = {"urgency": "urgent" if number < 2 else "information", "body": "Mot " * 300}
        await published(door, key, news, title=f"Eau {number}", channels=["email"], **more)
    page = await door.ask("GET", "/")
    files = {name.partition("?")[0] for name in re.findall(r"/static/([^\"]+)", page.text)}
    weight = len(page.raw) + sum((STATIC_FOLDER / name).stat().st_size for name in files)
    assert weight < 60_000, weight


async def test_who_has_the_page_is_told_it_did_not_change(door, news):
    key = await door.key()
    code = await published(door, key, news)
    for path in ("/", f"/a/{code}", "/annonces"):
        first = await door.ask("GET", path)
        assert first.headers["Cache-Control"] == "no-cache"
        assert {"Accept-Language", "Cookie"} <= set(first.headers["Vary"].split(", "))
        asked = {"If-None-Match": first.headers["ETag"]}
        assert (await door.ask("GET", path, headers=asked)).status == 304
        in_english = asked | {"Accept-Language": "en"}
        assert (await door.ask("GET", path, headers=in_english)).status == 200
    tag = {"If-None-Match": (await door.ask("GET", "/annonces")).headers["ETag"]}
    await published(door, key, news)
    assert (await door.ask("GET", "/annonces", headers=tag)).status == 200


async def test_a_language_is_remembered_also_where_the_page_is_known(door):
    first = await door.ask("GET", "/annonces?lang=en")
    asked = {"If-None-Match": first.headers["ETag"]}
    again = await door.ask("GET", "/annonces?lang=en", headers=asked)
    assert again.status == 304
    assert again.headers["Set-Cookie"] == first.headers["Set-Cookie"]


async def test_an_announcement_says_what_it_is_to_whoever_shares_it(door, news):
    english = {"title": "Water cut", "body": "Off on Thursday."}
    key = await door.key()
    code = await published(door, key, news, translations={"en": english})
    page = (await door.ask("GET", f"/a/{code}")).text
    assert '<meta property="og:title" content="Coupure d&#39;eau jeudi">' in page
    assert '<meta property="og:site_name" content="Ville de Valmont-sur-Orne">' in page
    assert re.search(rf'<meta property="og:url" content="http://[^"]+/a/{code}">', page)
    for language in ("fr", "en"):
        assert re.search(rf'hreflang="{language}" href="http://[^"]+/a/{code}\?langue=', page)
    assert "mailto:?subject=Coupure%20d%27eau%20jeudi&amp;body=http" in page
    read = (await door.ask("GET", f"/a/{code}?langue=en")).text
    assert '<html lang="fr"' in read
    assert '<h1 lang="en">Water cut</h1>' in read
    assert "Publié le" in read


async def test_a_drill_says_so_wherever_it_is_named(door, news):
    code = await published(door, await door.key(), news, urgency="drill")
    page = (await door.ask("GET", f"/a/{code}")).text
    marked = "EXERCICE\u00a0: Coupure d&#39;eau jeudi"
    assert f"<title>{marked}" in page
    assert f'og:title" content="{marked}"' in page
    assert 'name="description" content="EXERCICE\u00a0: ' in page
    assert "EXERCICE%C2%A0%3A%20Coupure" in page
    assert '<article class="announcement drill">' in page
