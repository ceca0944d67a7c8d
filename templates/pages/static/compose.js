// SPDX-License-Identifier: EUPL-1.2
// Shortens the page where an announcement is written: it saves itself, and shows what it becomes.
// Without this the same page works by its buttons.

const form = document.getElementById("compose");
const at = (id) => document.getElementById(id);
const fresh = new Map();
let dirty = false, saving = null, stopped = false;
let asked = 0, answered = 0, waiting, speaking, told = at("part-told").textContent.trim();

// `keep`: it arrives although its page is left meanwhile; browsers take 64 kB of such.
const post = (url, keep = false) => {
  const body = new URLSearchParams(new FormData(form));
  return fetch(url, {
    method: "POST",
    headers: { "X-CSRF-Token": form.elements.csrf.value },
    body,
    keepalive: keep && String(body).length < 60000,
  });
};

// --- what it becomes

// New pieces in the place of old ones: what is open stays open, what has the focus keeps it.
function put(parts) {
  for (const [id, html] of Object.entries(parts)) {
    const place = at(id);
    if (!place || fresh.get(id) === html) continue;
    fresh.set(id, html);
    const focus = place.contains(document.activeElement) ? document.activeElement : null;
    const open = [...place.querySelectorAll("details")].map((each) => each.open);
    const tab = place.querySelector("[name=tab]:checked");
    place.innerHTML = html;
    place.querySelectorAll("details").forEach((each, n) => { each.open = open[n] || each.open; });
    if (tab && at(tab.id)) at(tab.id).checked = true;
    if (!focus) continue;
    const same = focus.id ? at(focus.id)
      : [...place.querySelectorAll(focus.tagName)].find((each) => each.value === focus.value);
    if (same) same.focus();
  }
}

// Spoken a second after the last key, and only what changed.
function tell() {
  const now = at("part-told").textContent.trim().replace(/\s+/g, " ");
  if (now === told) return;
  clearTimeout(speaking);
  speaking = setTimeout(() => { told = now; at("said").textContent = now; }, 1000);
}

async function look() {
  const mine = ++asked;
  const slow = setTimeout(() => { at("slow").hidden = false; at("apercu").setAttribute("aria-busy", "true"); }, 400);
  try {
    const answer = await post(form.dataset.preview);
    if (!answer.ok || mine < answered) return;
    const found = await answer.json();
    if (mine < answered) return; // a later question was answered first
    answered = mine;
    put(found.parts);
    tell();
  } catch { // the connection is lost; saving says so
  } finally {
    clearTimeout(slow);
    if (mine === asked) { at("slow").hidden = true; at("apercu").removeAttribute("aria-busy"); }
  }
}

// --- saved by itself

// Answers what keeps the text from leaving this page: nothing, or the notice that says why.
async function write() {
  dirty = false;
  try {
    const answer = await post(form.action, true);
    if (answer.status === 409) {
      stopped = true;
      at("overtaken").hidden = false;
    } else if (answer.status === 403) {
      dirty = true;
      if (await renew()) return write();
      at("ended").hidden = false;
      return at("ended");
    } else if (answer.ok) {
      const found = await answer.json();
      form.elements.version.value = found.version;
      at("saved").textContent = at("saved").dataset.words.replace("{}", found.saved);
      for (const frame of form.querySelectorAll("iframe")) frame.src = frame.src;
      at("lost").hidden = at("ended").hidden = at("unsaved").hidden = true;
    } else { // pressing a button might lose what stands here
      dirty = true;
      at("unsaved").hidden = false;
      return at("unsaved");
    }
  } catch {
    dirty = true;
    at("lost").hidden = false;
    return at("lost");
  }
}

// Signed in again in another tab: the session's new token, for the text that stands here.
async function renew() {
  const answer = await fetch("/console/profil");
  const found = (await answer.text()).match(/name="csrf" value="([^"]+)"/);
  const fresh = !answer.redirected && found && found[1] !== form.elements.csrf.value;
  if (fresh) form.elements.csrf.value = found[1];
  return fresh;
}

function save() {
  if (!dirty || stopped || saving) return;
  saving = write().finally(() => { saving = null; });
}

form.addEventListener("input", (event) => {
  if (event.target.name === "tab") return;
  dirty = true;
  clearTimeout(waiting);
  waiting = setTimeout(look, 300);
});
form.addEventListener("submit", (event) => {
  save(); // first: without a connection or a session the text would be gone with its page
  if (!saving) { dirty = false; return; }
  event.preventDefault(); // else it would meet its own saving as somebody else's
  saving.then((notice) => {
    if (notice) notice.focus();
    else { dirty = false; form.requestSubmit(event.submitter); }
  });
});
setInterval(save, 5000);
document.addEventListener("visibilitychange", () => { if (document.hidden) save(); });
addEventListener("beforeunload", save); // while there is still somebody to send it
addEventListener("pagehide", save);

// --- the map

const map = at("map"), corners = at("polygon");

function boxes() {
  for (const link of map.querySelectorAll("a")) {
    const box = at(link.getAttribute("href").slice(1));
    link.classList.toggle("chosen", Boolean(box && box.checked));
  }
}

function trace() {
  const { west, north, eastStep, southStep } = map.dataset;
  const points = corners.value.split("\n").map((line) => line.split(/[,;\s]+/).map(Number))
    .filter(([y, x]) => Number.isFinite(y) && Number.isFinite(x))
    .map(([y, x]) => `${((x - west) / eastStep).toFixed(1)} ${((north - y) / southStep).toFixed(1)}`);
  at("traced").setAttribute("d", points.length ? `M${points.join("L")}Z` : "");
}

function changed() {
  trace();
  corners.dispatchEvent(new Event("input", { bubbles: true }));
}

if (map) {
  const bar = form.querySelector("[data-drawing]"), pen = form.querySelector("[data-draw]");
  bar.hidden = false;
  pen.addEventListener("click", () => {
    pen.setAttribute("aria-pressed", String(pen.getAttribute("aria-pressed") !== "true"));
  });
  form.querySelector("[data-undo]").addEventListener("click", () => {
    corners.value = corners.value.trim().split("\n").slice(0, -1).join("\n");
    changed();
  });
  map.addEventListener("click", (event) => {
    const link = event.target.closest("a");
    if (pen.getAttribute("aria-pressed") === "true") {
      event.preventDefault();
      const area = map.getBoundingClientRect(), { west, north, eastStep, southStep } = map.dataset;
      const x = (event.clientX - area.left) / area.width * map.viewBox.baseVal.width;
      const y = (event.clientY - area.top) / area.height * map.viewBox.baseVal.height;
      const point = `${(north - y * southStep).toFixed(5)}, ${(Number(west) + x * eastStep).toFixed(5)}`;
      corners.value = `${corners.value.trim()}\n${point}`.trim();
      changed();
    } else if (link && event.detail) { // by the keyboard it leads to the box
      event.preventDefault();
      at(link.getAttribute("href").slice(1)).click();
    }
  });
  form.addEventListener("change", boxes);
  corners.addEventListener("input", trace);
}
