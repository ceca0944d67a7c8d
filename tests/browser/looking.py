# SPDX-License-Identifier: EUPL-1.2
"""What UX.md 12.1 asks of every page, in whatever state: one look, and the list of what is wrong.

A page is loaded once; colours, width and media change under it. axe runs whole once (narrow and
light), and once more, wide and dark, with the rules that look: the rest of what it reads is the
same document. Of English, whose document is the same too, the words are looked at: that they are
there, and fit. `make looks` asks everything of everything.
"""

import json
import os
from typing import Any, Final

from axe_playwright_python.base import AXE_SCRIPT
from browsing import SMALL
from playwright.async_api import Page

TAGS: Final = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
LOOKS: Final = [
    "color-contrast",
    "link-in-text-block",
    "target-size",
    "scrollable-region-focusable",
]
WHOLE: Final = {"runOnly": {"type": "tag", "values": TAGS}, "resultTypes": ["violations"]}
SEEN: Final = {"runOnly": {"type": "rule", "values": LOOKS}, "resultTypes": ["violations"]}
WIDTHS: Final = (320, 768, 1280)
EVERY: Final = "EVERY_LOOK" in os.environ
"""Each language in each colour at each width, with all the rules: `make looks`, no part of CI."""

_READY: Final = """() => {
  document.querySelectorAll('details').forEach(each => { each.open = true; });
}"""

_DOCUMENT: Final = """(language) => {
  const wrong = [], all = (css) => [...document.querySelectorAll(css)];
  // the summary of what is wrong stands above the h1, where it is read first
  const headings = all('h1, h2, h3, h4, h5, h6').filter((h) => !h.closest('[role=alert]'));
  const levels = headings.map((h) => +h.tagName[1]);
  if (all('h1').length !== 1) wrong.push(all('h1').length + ' h1');
  levels.forEach((level, i) => {
    if (level > (levels[i - 1] || 0) + 1) wrong.push('h' + level + ' after h' + levels[i - 1]);
  });
  const ids = all('[id]').map((each) => each.id);
  const twice = ids.filter((id, i) => ids.indexOf(id) !== i);
  if (twice.length) wrong.push('ids twice: ' + twice);
  const spoken = document.documentElement.lang;
  if (spoken !== language) wrong.push('lang ' + spoken);
  const framed = location.pathname === '/widget';  // stands in another site's page
  for (const each of framed ? ['main'] : ['header', 'main', 'footer']) {
    if (all(each).length < 1) wrong.push('no ' + each);
  }
  for (const each of all('[aria-describedby], [aria-labelledby]')) {
    const told = (each.getAttribute('aria-describedby') || '') + ' '
      + (each.getAttribute('aria-labelledby') || '');
    for (const id of told.split(/\\s+/).filter(Boolean)) {
      if (!document.getElementById(id)) wrong.push('described by nothing: #' + id);
    }
  }
  for (const each of all('a[href^="#"]')) {
    const to = each.getAttribute('href');  // in a drawing a link has no hash
    if (!document.getElementById(to.slice(1))) wrong.push('leads nowhere: ' + to);
  }
  if (all('[style], style, script:not([src])').length) wrong.push('inline style or script');
  if (all('[tabindex]').some((each) => each.tabIndex > 0)) wrong.push('tabindex above 0');
  const words = document.body.innerText;
  if (/%\\(\\w+\\)s|\\{\\{|\\bundefined\\b/.test(words)) wrong.push('unfilled words');
  // an English word as well; the French page would show it too
  if (language !== 'en' && /\\bNone\\b/.test(words)) wrong.push('None');
  const key = words.match(/(^|\\s)(urgency|kind|by|channel|state|error|level)\\.[a-z_]+/);
  if (key) wrong.push('a key shows: ' + key[0].trim());
  if (document.getAnimations().some((each) => each.playState === 'running')) wrong.push('it moves');
  return wrong;
}"""

_WIDE: Final = """() => {
  if (document.documentElement.scrollWidth <= innerWidth) return [];
  const out = [...document.querySelectorAll('body *')].filter(
    (each) => each.getBoundingClientRect().right > innerWidth + 0.5
      && !each.closest('.skip, .unseen'));
  return ['wider than ' + innerWidth + ': ' + out.slice(0, 3).map(
    (each) => each.tagName.toLowerCase() + '.' + (each.getAttribute('class') || '')).join(' ')];
}"""

# A control inside its label is as large as the label; a link within a sentence may be small
# (WCAG 2.5.8, exception "inline").
_SMALL_TARGETS: Final = """() => {
  const wrong = [];
  const css = 'button, select, summary, textarea, input:not([type=hidden]), a.button, '
    + 'nav a, footer a';
  for (const each of document.querySelectorAll(css)) {
    const hidden = !each.checkVisibility({visibilityProperty: true});
    if (hidden || each.closest('.unseen')) continue;
    const boxes = [each, ...(each.labels || [])].map((one) => one.getBoundingClientRect());
    const tall = Math.max(...boxes.map((box) => box.height));
    const wide = Math.max(...boxes.map((box) => box.width));
    if (tall < 43.5 || wide < 24) {
      wrong.push('small: ' + each.tagName.toLowerCase() + ' "'
        + (each.innerText || each.name || '').trim().slice(0, 30) + '" ' + Math.round(tall));
    }
  }
  return wrong;
}"""

# WCAG 1.4.12: a reader may space the text so, and must lose nothing.
_SPACE_OUT: Final = """() => {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(`* { line-height: 1.5 !important; letter-spacing: 0.12em !important;
    word-spacing: 0.16em !important; } p { margin-bottom: 2em !important; }`);
  document.adoptedStyleSheets = [sheet];
}"""
_AS_IT_WAS: Final = "() => { document.adoptedStyleSheets = []; }"

_PRINTED: Final = """() => [...document.querySelectorAll(
    'nav, button, .skip, form.look, a.button, .no-print')]
  .filter((each) => each.checkVisibility({visibilityProperty: true}))
  .map((each) => 'printed: ' + each.tagName.toLowerCase() + ' '
    + (each.innerText || '').trim().slice(0, 30))"""


async def look(tab: Page, language: str) -> list[str]:
    """Everything that is wrong with the page as it stands.

    Leaves it as it was found: narrow, light, and each `details` open.
    """
    await tab.set_viewport_size(SMALL)
    await tab.emulate_media(color_scheme="light")
    await tab.evaluate(_READY)
    wrong = list(await tab.evaluate(_DOCUMENT, language))
    if EVERY or language == "fr":
        await tab.evaluate(AXE_SCRIPT)
    if language == "fr":
        wrong += await _axe(tab, WHOLE, "")
    wrong += await tab.evaluate(_SMALL_TARGETS)
    await tab.evaluate(_SPACE_OUT)
    wrong += [f"spaced out, {each}" for each in await tab.evaluate(_WIDE)]
    await tab.evaluate(_AS_IT_WAS)
    for width in WIDTHS:
        await tab.set_viewport_size({"width": width, "height": 900})
        wrong += await tab.evaluate(_WIDE)
        if EVERY:
            for scheme in ("light", "dark"):
                await tab.emulate_media(color_scheme=scheme)
                wrong += await _axe(tab, WHOLE, f" ({scheme}, {width})")
        elif language == "fr" and width == WIDTHS[-1]:
            await tab.emulate_media(color_scheme="dark")
            wrong += await _axe(tab, SEEN, f" (dark, {width})")
    await tab.set_viewport_size(SMALL)
    await tab.emulate_media(color_scheme="light")
    if EVERY:
        await tab.emulate_media(forced_colors="active")
        wrong += await _axe(tab, SEEN, " (forced colours)")
        await tab.emulate_media(forced_colors="none")
    return sorted(set(wrong))


async def _axe(tab: Page, options: dict[str, Any], where: str) -> list[str]:
    """The rules that were broken, each with the first element that breaks it."""
    script = (
        f"axe.run({json.dumps(options)}).then(found => found.violations.map("
        "each => each.id + ': ' + each.nodes[0].target + ' ' + each.nodes.length))"
    )
    return [f"{each}{where}" for each in await tab.evaluate(script)]


async def print_out(tab: Page) -> tuple[list[str], int]:
    """What should not have been printed, and how many A4 pages it took."""
    await tab.emulate_media(media="print", color_scheme="light")
    printed = list(await tab.evaluate(_PRINTED))
    paper = await tab.pdf(format="A4", prefer_css_page_size=True)
    await tab.emulate_media(media="screen")
    return printed, paper.count(b"/Type /Page\n") or paper.count(b"/Type /Page ")


async def tab_through(tab: Page) -> list[str]:
    """What Tab alone does not reach, reaches without a ring, or reaches under something.

    Starts at the top; the ring is UX.md 8.1's: 3 px of outline at least.
    """
    await tab.wait_for_load_state()
    await tab.evaluate(_DRAWN)  # an error takes the focus once the page is drawn
    await tab.evaluate(_FROM_THE_TOP)
    expected = int(await tab.evaluate(_TABBABLE))
    wrong: list[str] = []
    await tab.evaluate("window.__reached = new Set()")
    for _ in range(3 * expected + 40):  # an hour's box has places within, a frame too
        await tab.keyboard.press("Tab")
        found = await tab.evaluate(_FOCUSED)
        if found is None:
            break
        wrong += found
    missed = await tab.evaluate(_MISSED)
    wrong += [f"never reached: {each}" for each in missed]
    return wrong


_DRAWN: Final = """() => new Promise((drawn) => {
  requestAnimationFrame(() => requestAnimationFrame(drawn));
})"""
_FROM_THE_TOP: Final = """() => {
  document.body.tabIndex = -1; document.body.focus(); document.body.removeAttribute('tabindex');
  scrollTo(0, 0);
}"""
_TAB_CSS: Final = (
    "a[href], button, select, textarea, summary, input:not([type=hidden]), [tabindex='0']"
)
_TABBABLE: Final = f"() => document.querySelectorAll(`{_TAB_CSS}`).length"
_FOCUSED: Final = """() => {
  const on = document.activeElement, wrong = [];
  if (on === document.body) return null;
  if (window.__reached.has(on)) return on.classList.contains('skip') ? null : [];
  const skip = document.querySelector('.skip');  // a frame in another site's page has none
  if (!window.__reached.size && skip && on !== skip) wrong.push('skip link not first');
  window.__reached.add(on);
  const name = on.tagName.toLowerCase() + ' ' + (on.innerText || on.name || '').trim().slice(0, 30);
  const style = getComputedStyle(on), label = on.labels && on.labels[0];
  const ring = Math.max(parseFloat(style.outlineWidth),
    label ? parseFloat(getComputedStyle(label).outlineWidth) : 0);
  const bare = ring < 3 || style.outlineStyle === 'none';
  if (bare && on.tagName !== 'IFRAME') wrong.push('no ring: ' + name);
  const box = on.getBoundingClientRect();
  if (box.bottom < 0 || box.top > innerHeight) wrong.push('out of sight: ' + name);
  return wrong;
}"""
_MISSED: Final = f"""() => [...document.querySelectorAll(`{_TAB_CSS}`)].filter((each) =>
  each.tabIndex >= 0 && !each.disabled && each.checkVisibility({{visibilityProperty: true}})
  && !window.__reached.has(each)
  && !(each.type === 'radio' && [...window.__reached].some((on) => on.name === each.name))
).map((each) => each.tagName.toLowerCase() + ' '
  + (each.innerText || each.name || '').slice(0, 30))"""
