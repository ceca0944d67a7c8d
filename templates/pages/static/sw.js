// SPDX-License-Identifier: EUPL-1.2
// The portal's worker: shows notifications, and keeps public pages for when there is no connection.
// Nothing personal is kept: only these public addresses, and never an answer marked no-store.
const SHELL = [/* the shell */];
const PAGES = "pages-1", FILES = "files-1", OFFLINE = "/hors-ligne";
const PUBLIC = /^\/(?:$|annonces$|a\/[A-Za-z0-9]{1,12}$)/;
const PATIENCE = 4000; // ms for the network before what is kept is shown
const FRESH = 300000; // ms between two refreshes of the offline page
const MOST = 40; // pages kept
const STALE = {
  fr: (date) => `Vous êtes hors ligne. Cette page date du ${date}.`,
  en: (date) => `You are offline. This page dates from ${date}.`,
};

self.addEventListener("install", (event) => event.waitUntil(settle()));
self.addEventListener("activate", (event) => event.waitUntil(takeOver()));

async function settle() {
  await (await caches.open(FILES)).addAll(SHELL);
  await refresh().catch(() => {}); // what is not there yet comes with a visit
  await self.skipWaiting();
}

async function takeOver() {
  for (const name of await caches.keys()) if (name !== PAGES && name !== FILES) await caches.delete(name);
  const files = await caches.open(FILES);
  for (const asked of await files.keys()) {
    const url = new URL(asked.url);
    if (!SHELL.includes(url.pathname + url.search)) await files.delete(asked);
  }
  await self.clients.claim();
}

// --- notifications

self.addEventListener("push", (event) => event.waitUntil(tell(event.data)));

// The payload is a declarative message (WebKit's format, "web_push": 8030), the same for browsers
// that show it by themselves: what stands there is what is shown.
async function tell(data) {
  const said = data.json().notification;
  const { title, navigate, ...shown } = said;
  const earlier = said.tag ? await self.registration.getNotifications({ tag: said.tag }) : [];
  const links = Object.fromEntries((said.actions || []).map((each) => [each.action, each.navigate]));
  await self.registration.showNotification(title, {
    ...shown,
    icon: "/appli-192.png",
    // a correction replaces what it corrects, and is heard; a second copy is silent
    renotify: earlier.some((each) => (each.data || {}).key !== (said.data || {}).key),
    data: { ...said.data, navigate, links },
  });
  await refresh().catch(() => {});
}

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  const { navigate, links = {} } = event.notification.data || {};
  event.waitUntil(open((event.action && links[event.action]) || navigate || "/"));
});

async function open(address) {
  const url = new URL(address, self.location.origin);
  if (url.origin !== self.location.origin) return self.clients.openWindow(url.href);
  const windows = await self.clients.matchAll({ type: "window", includeUncontrolled: true });
  const there = windows.find((each) => each.url === url.href);
  return there ? there.focus() : self.clients.openWindow(url.href);
}

self.addEventListener("pushsubscriptionchange", (event) => event.waitUntil(renew(event)));

// The former subscription proves who this is. Not every browser hands both over.
async function renew({ oldSubscription: old, newSubscription }) {
  if (!old) return;
  const renewed = newSubscription || (await self.registration.pushManager.subscribe(old.options));
  const [was, is] = [old.toJSON(), renewed.toJSON()];
  await fetch("/appareil/renouveler", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ old_endpoint: was.endpoint, old_auth: was.keys.auth, endpoint: is.endpoint, ...is.keys }),
  });
}

// --- without a connection

self.addEventListener("fetch", (event) => {
  const { request } = event, url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== self.location.origin) return;
  if (request.mode === "navigate") event.respondWith(visit(event, url));
  else if (url.pathname.startsWith("/static/")) event.respondWith(file(request));
});

async function visit(event, url) {
  const kept = await (await caches.open(PAGES)).match(url.pathname === "/" ? OFFLINE : url.pathname);
  const late = kept && PUBLIC.test(url.pathname) ? AbortSignal.timeout?.(PATIENCE) : undefined;
  try {
    const answer = await fetch(event.request, { signal: late });
    if (PUBLIC.test(url.pathname)) event.waitUntil(keep(url.pathname, answer.clone()).then(refresh).catch(() => {}));
    return answer;
  } catch {
    return (await shownAgain(url)) || Response.error();
  }
}

async function shownAgain(url) {
  const pages = await caches.open(PAGES);
  const page = PUBLIC.test(url.pathname) && url.pathname !== "/" && (await pages.match(url.pathname));
  return page ? dated(page) : pages.match(OFFLINE);
}

// A page that may be old says so, and since when.
async function dated(page) {
  const html = await page.text();
  const language = html.includes('<html lang="en"') ? "en" : "fr";
  const when = new Date(page.headers.get("Date")).toLocaleString(language, { dateStyle: "full", timeStyle: "short" });
  const notice = `<p class="notice warning" role="status">${STALE[language](when)}</p>`;
  const body = html.replace(/<main[^>]*>/, (main) => main + notice);
  return new Response(body, { headers: page.headers });
}

async function file(request) {
  const kept = await caches.match(request);
  return kept || fetch(request);
}

async function keep(path, answer) {
  const whole = answer.ok && answer.type === "basic" && !answer.redirected;
  if (!whole || /no-store/.test(answer.headers.get("Cache-Control") || "")) return;
  const pages = await caches.open(PAGES);
  await pages.delete(path); // the newest stands last
  await pages.put(path, answer);
  const held = (await pages.keys()).filter((each) => !each.url.endsWith(OFFLINE));
  for (const each of held.slice(0, Math.max(0, held.length - MOST))) await pages.delete(each);
}

// The offline page and what it lists, now and then.
async function refresh() {
  const pages = await caches.open(PAGES);
  const kept = await pages.match(OFFLINE);
  if (kept && Date.now() - new Date(kept.headers.get("Date")) < FRESH) return;
  const answer = await fetch(OFFLINE);
  const listed = await answer.clone().text();
  await keep(OFFLINE, answer);
  for (const [, path] of listed.matchAll(/<li><a href="(\/a\/[A-Za-z0-9]{1,12})"/g)) await keep(path, await fetch(path));
}
