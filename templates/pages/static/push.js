// SPDX-License-Identifier: EUPL-1.2
// Notifications on this device: says which of five states is true, asks only after a click.
const room = document.getElementById("appareil");
const door = document.getElementById("ouvrir-appareil");

function state() {
  const iphone = /iPad|iPhone/.test(navigator.userAgent) || (navigator.platform === "MacIntel" && navigator.maxTouchPoints > 1);
  const installed = navigator.standalone || matchMedia("(display-mode: standalone)").matches;
  if (!isSecureContext) return "insecure";
  if (iphone && !installed && !("PushManager" in window)) return "install";
  if (!("serviceWorker" in navigator && "PushManager" in window && "Notification" in window)) return "unsupported";
  return Notification.permission === "denied" ? "denied" : "possible";
}

async function current() {
  if (state() !== "possible") return null;
  const worker = await navigator.serviceWorker.getRegistration("/");
  return worker ? worker.pushManager.getSubscription() : null;
}

function post(path, subscription, more = {}) {
  const { endpoint, keys } = subscription.toJSON();
  const headers = { "Content-Type": "application/json" };
  return fetch(path, { method: "POST", headers, body: JSON.stringify({ ...more, endpoint, ...keys }) });
}

// One sentence at a time, in the page's own words; the button stays, so that one can try again.
function say(within, name) {
  const words = within.querySelector(`[data-words="${name}"]`);
  within.querySelector("[data-said]").textContent = words ? words.content.textContent : "";
}

async function attempt(within, work) {
  say(within, "working");
  try {
    const answer = await work();
    if (!answer) return say(within, "");
    if (!answer.ok) throw new Error(answer.status);
    location.assign((await answer.json()).go);
  } catch {
    say(within, "failed");
  }
}

function show(name) {
  for (const each of room.querySelectorAll("[data-state]")) each.hidden = each.dataset.state !== name;
}

async function turnOn() {
  if ((await Notification.requestPermission()) !== "granted") return show(state());
  await navigator.serviceWorker.register("/sw.js", { scope: "/" });
  const { pushManager } = await navigator.serviceWorker.ready;
  const key = room.dataset.key;
  const options = { userVisibleOnly: true, applicationServerKey: bytes(key) };
  let held = await pushManager.getSubscription();
  if (held && !same(held.options.applicationServerKey, options.applicationServerKey)) {
    await held.unsubscribe(); // made with a key the town no longer has
    held = null;
  }
  return post("/appareil", held || (await pushManager.subscribe(options)), { token: room.dataset.token });
}

function bytes(base64url) {
  const plain = atob(base64url.replace(/-/g, "+").replace(/_/g, "/"));
  return Uint8Array.from(plain, (each) => each.charCodeAt(0));
}

function same(buffer, expected) {
  const held = new Uint8Array(buffer || 0);
  return held.length === expected.length && held.every((each, at) => each === expected[at]);
}

async function mark(endpoint) {
  const hash = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(endpoint));
  return Array.from(new Uint8Array(hash), (each) => each.toString(16).padStart(2, "0")).join("").slice(0, 16);
}

async function begin() {
  const held = await current().catch(() => null);
  if (room) {
    const mine = held && room.querySelector(`[data-mark="${await mark(held.endpoint)}"]`);
    if (mine) mine.querySelector("[data-here]").hidden = false;
    // removed a moment ago: the browser forgets its subscription too
    else if (held && new URLSearchParams(location.search).get("fait") === "appareil") await held.unsubscribe();
    show(mine ? "on" : state());
    room.querySelector('[data-do="turn-on"]').addEventListener("click", () => attempt(room, turnOn));
  }
  if (door && held) {
    door.hidden = false;
    door.querySelector('[data-do="open"]').addEventListener("click", () => attempt(door, () => post("/appareil/ouvrir", held)));
  }
}

begin();
