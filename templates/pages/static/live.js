// SPDX-License-Identifier: EUPL-1.2
// Keeps the live parts of a page true (UX.md 4.2): by a stream, or by asking again where it fails.
const room = document.querySelector("[data-live]");
const piece = (name) => room.querySelector(`[data-live-${name}]`);
const parts = () => document.querySelectorAll("[data-part]");
const MOST_SPOKEN = 6;
const BETWEEN = 20000;

let source = null;
let failures = 0;
let timer = 0;
let wait = 5000;
let paused = false;
let over = false;

// --- what changed: text and attributes; nodes stay, and with them the focus and what is unfolded
function morph(old, fresh) {
  if (old.nodeType === Node.TEXT_NODE) {
    if (old.data !== fresh.data) old.data = fresh.data;
    return;
  }
  if (old.nodeType !== Node.ELEMENT_NODE) return;
  for (const { name, value } of fresh.attributes) {
    if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  }
  for (const { name } of [...old.attributes]) {
    if (!fresh.hasAttribute(name) && !(name === "open" && old.nodeName === "DETAILS")) old.removeAttribute(name);
  }
  let here = old.firstChild;
  for (const kid of fresh.childNodes) {
    let same = here;
    if (kid.id) same = [...old.children].find((each) => each.id === kid.id);
    if (!same || same.nodeName !== kid.nodeName || (same.id || "") !== (kid.id || "")) {
      old.insertBefore(kid.cloneNode(true), here);
      continue;
    }
    if (same === here) here = here.nextSibling;
    else old.insertBefore(same, here);
    morph(same, kid);
  }
  while (here) {
    const next = here.nextSibling;
    if (!here.contains(document.activeElement)) here.remove();
    here = next;
  }
}

function place({ id, html }) {
  const old = document.getElementById(id);
  const box = document.createElement("template");
  box.innerHTML = html;
  const fresh = box.content.querySelector("[data-part]");
  if (old && fresh) morph(old, fresh);
}

// --- what is said aloud: each key once, six over a whole send, one in twenty seconds
const heard = new Set();
let spoken = 0;
let last = -BETWEEN;
let queue = [];

function listen(aloud) {
  for (const each of document.querySelectorAll("[data-spoken]")) {
    const key = each.dataset.spoken;
    if (heard.has(key)) continue;
    heard.add(key);
    if (aloud) queue.push(each.textContent);
  }
  speak();
}

function speak() {
  if (!queue.length || spoken >= MOST_SPOKEN) return;
  const left = last + BETWEEN - performance.now();
  if (left > 0) {
    clearTimeout(speak.timer);
    speak.timer = setTimeout(speak, left);
    return;
  }
  piece("said").textContent = queue.join(" ");
  queue = [];
  spoken += 1;
  last = performance.now();
}

// --- where it comes from
function fine() {
  failures = 0;
  wait = 5000;
  piece("lost").hidden = true;
  piece("at").textContent = new Date().toLocaleTimeString(document.documentElement.lang, { timeStyle: "short" });
}

function take(all) {
  all.forEach(place);
  fine();
  listen(true);
}

function open() {
  if (source || paused || over || document.hidden) return;
  clearTimeout(timer);
  source = new EventSource(room.dataset.live);
  source.addEventListener("snapshot", (event) => take(JSON.parse(event.data)));
  source.addEventListener("fragment", (event) => take([JSON.parse(event.data)]));
  source.addEventListener("ping", fine);
  source.addEventListener("done", () => { close(); over = true; ask(); });
  source.addEventListener("error", () => {
    failures += 1;
    if (failures < 2 && source.readyState !== EventSource.CLOSED) return;
    close();
    ask();
  });
}

function close() {
  if (source) source.close();
  source = null;
  clearTimeout(timer);
}

async function ask() {
  if (paused || document.hidden) return;
  try {
    const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
    if (answer.redirected || (answer.status >= 400 && answer.status < 500 && answer.status !== 429)) {
      over = true;
      piece("over").hidden = false;
      return;
    }
    if (!answer.ok) throw new Error(answer.status);
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const old of parts()) {
      const same = fresh.getElementById(old.id);
      if (same) morph(old, same);
    }
    fine();
    listen(true);
    if (!fresh.querySelector("[data-live]")) over = true;
  } catch {
    piece("lost").hidden = false;
    wait = Math.min(wait * 2, 60000);
  }
  if (!over) timer = setTimeout(ask, wait);
}

if (room) {
  listen(false);
  fine();
  piece("pause").hidden = false;
  piece("pause").addEventListener("click", () => {
    paused = !paused;
    piece("pause").setAttribute("aria-pressed", String(paused));
    if (paused) close(); else open();
  });
  document.addEventListener("visibilitychange", () => { if (document.hidden) close(); else open(); });
  addEventListener("pagehide", close);
  open();
}
