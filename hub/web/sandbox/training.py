# SPDX-License-Identifier: EUPL-1.2
"""Training scripts: a story's next step is published by the ordinary way in, for the phones alone.

Whoever plays a step approves it too: here only, where nothing real leaves. In real life another
person must approve (UX.md 7.6).
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from aiohttp import web

from hub.flow.accept.principal import Principal
from hub.flow.accept.problems import RefusedError
from hub.flow.accept.submission import parse
from hub.training.scripts import Script, Step, scripts
from hub.web.desk import desk
from hub.web.language import language_of
from hub.web.sandbox.stage import Stage, Take, form_and_back, phones_of, stage_of
from hub.web.showing import see_other, show


@dataclass(frozen=True, slots=True)
class ShownStep:
    """One step in the reader's language. `code` is that of what was published, empty before."""

    number: int
    title: str
    text: str
    lesson: str
    urgency: str
    kind: str
    code: str


@dataclass(frozen=True, slots=True)
class ShownScript:
    """A script in the reader's language; `drill` where it is being played as one."""

    key: str
    name: str
    about: str
    steps: Sequence[ShownStep]
    played: int
    drill: bool

    @property
    def begun(self) -> bool:
        """Whether a step was published."""
        return self.played > 0

    @property
    def over(self) -> bool:
        """Whether every step was."""
        return self.played == len(self.steps)


def routes() -> list[web.RouteDef]:
    """The list, a script, and its two buttons."""
    script = "/sandbox/exercices/{script:[a-z-]{1,40}}"
    return [
        web.get("/sandbox/exercices", show_scripts),
        web.get(script, show_script),
        web.post(f"{script}/suite", play_next),
        web.post(f"{script}/rejouer", start_over),
    ]


async def show_scripts(request: web.Request) -> web.Response:
    """Every story, and how far each was played."""
    stage, language = stage_of(request), language_of(request)
    return show(
        request,
        "sandbox_training.html",
        scripts=[_shown(each, stage, language) for each in scripts().values()],
        alone=stage.alone,
    )


async def show_script(request: web.Request) -> web.Response:
    """The steps of one story, the next one with its button."""
    return _page(request, _script(request), [])


def _page(
    request: web.Request, script: Script, problems: Sequence[str], status: int = 200
) -> web.Response:
    stage = stage_of(request)
    return show(
        request,
        "sandbox_script.html",
        status=status,
        script=_shown(script, stage, language_of(request)),
        alone=stage.alone,
        problems=problems,
    )


async def play_next(request: web.Request) -> web.Response:
    """Publish the step that was asked for, once, if it is the next one.

    Raises 403 where a channel is real: a story is no news.
    """
    script, stage, hub = _script(request), stage_of(request), desk(request)
    form, _ = await form_and_back(request)
    if not stage.alone:
        raise web.HTTPForbidden
    take = stage.takes.get(script.key)
    if take is None:
        take = Take(secrets.token_hex(4), drill=form.get("drill") == "1")
    number = len(take.codes)
    back = see_other(f"/sandbox/exercices/{script.key}#etape-{number + 1}")
    if form.get("step") != str(number + 1) or number == len(script.steps):
        return back  # sent twice, or from a page that was left open
    asked = script.steps[number].submission(
        hub.clock.now(),
        first=take.codes[0] if take.codes else None,
        drill=take.drill,
        channels=hub.intake.channels,
    )
    trainer = Principal("sandbox", "sandbox", hub.authority, may_publish=True)
    try:
        accepted = await hub.intake.accept(
            parse(asked), trainer, key=f"{script.key}-{take.name}-{number}"
        )
    except RefusedError as refused:  # this town knows no such theme or place
        told = [each.fr if language_of(request) == "fr" else each.en for each in refused.problems]
        return _page(request, script, list(dict.fromkeys(told)), status=422)
    stage.takes[script.key] = take
    if number == len(take.codes):  # nobody was faster while it was written
        take.codes.append(accepted.announcement.code)
    return back


async def start_over(request: web.Request) -> web.Response:
    """From the first step again, on cleared phones; what was published stays published."""
    script, stage = _script(request), stage_of(request)
    form, _ = await form_and_back(request)
    stage.takes.pop(script.key, None)
    if form.get("clear") == "1":
        stage.cleared = phones_of(request).effects.last
    return see_other(f"/sandbox/exercices/{script.key}")


def _script(request: web.Request) -> Script:
    found = scripts().get(request.match_info["script"])
    if found is None:
        raise web.HTTPNotFound
    return found


def _shown(script: Script, stage: Stage, language: str) -> ShownScript:
    take = stage.takes.get(script.key)
    codes = take.codes if take else []
    return ShownScript(
        key=script.key,
        name=script.names[language],
        about=script.about[language],
        steps=[
            _step(step, number, codes[number] if number < len(codes) else "", language)
            for number, step in enumerate(script.steps)
        ],
        played=len(codes),
        drill=take is not None and take.drill,
    )


def _step(step: Step, number: int, code: str, language: str) -> ShownStep:
    said = step.said[language]
    return ShownStep(
        number=number + 1,
        title=said["title"],
        text=said["short"],
        lesson=step.lesson[language],
        urgency=step.urgency.value,
        kind=step.kind.value,
        code=code,
    )
