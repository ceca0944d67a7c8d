# SPDX-License-Identifier: EUPL-1.2
"""What a live page shows during a send, kept by the browser itself, and the judge of it.

`WATCH` goes into each page before its own scripts (`add_init_script`) and calls `noted(text)` with
JSON: {"counts": {channel: [to send, handed over, received, waiting, failures]}} or {"said": words}.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Final

WATCH: Final = """
addEventListener("DOMContentLoaded", () => {
  const table = document.getElementById("avancement");
  const voice = document.querySelector("[data-live-said]");
  if (!table) return;
  const number = (cell) => Number(cell.textContent.replace(/\\D/g, "") || 0);
  let last = "";
  const look = () => {
    const counts = {};
    for (const row of table.querySelectorAll("tr[id]")) {
      counts[row.id.replace("canal-", "")] = [...row.querySelectorAll("td.number")]
        .slice(0, 5).map(number);
    }
    const told = JSON.stringify({ counts });
    if (told !== last) noted(last = told);
  };
  look();
  const changes = { subtree: true, childList: true, characterData: true };
  new MutationObserver(look).observe(table, changes);
  const say = () => voice.textContent && noted(JSON.stringify({ said: voice.textContent }));
  if (voice) new MutationObserver(say).observe(voice, changes);
});
"""
MOST_SPOKEN: Final = 6
TO_SEND, HANDED, RECEIVED, WAITING, FAILED = range(5)
GROW: Final = (TO_SEND, HANDED, RECEIVED, FAILED)


@dataclass  # no slots: Playwright keeps a wrapper of `noted` on it
class Seen:
    """Everything one tab showed and said, in order, over all its loads."""

    counts: list[dict[str, Sequence[int]]] = field(default_factory=list)
    said: list[str] = field(default_factory=list)

    def noted(self, text: str) -> None:
        """What `WATCH` calls."""
        told: dict[str, Any] = json.loads(text)
        if "said" in told:
            self.said.append(told["said"])
        elif told["counts"]:
            self.counts.append(told["counts"])

    @property
    def last(self) -> dict[str, Sequence[int]]:
        """The counts that stand there now."""
        return self.counts[-1]

    def wrongs(self, audience: int) -> Iterator[str]:
        """Each promise it broke: a number that shrank, an end that is not the audience's messages,
        too much said aloud."""
        for before, after in pairwise(self.counts):
            for channel, numbers in before.items():
                if channel not in after:
                    yield f"{channel}: {numbers} then no row"
                    continue
                for place in GROW:
                    if after[channel][place] < numbers[place]:
                        yield f"{channel}, column {place}: {numbers} then {after[channel]}"
        ours = [n for channel, n in self.last.items() if channel != "total"]
        if sum(n[TO_SEND] for n in ours) != audience:
            yield f"{audience} messages, the page ends with {self.last}"
        if any(n[WAITING] for n in ours) or sum(n[HANDED] for n in ours) != audience:
            yield f"not all handed over: {self.last}"
        if len(self.said) > MOST_SPOKEN:
            yield f"said aloud {len(self.said)} times: {self.said}"
