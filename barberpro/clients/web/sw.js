// Keeps the shell of the customers' pages, the kiosk and the screen, for when the network is slow or away. Data is never
// kept here.
//
// The server writes its build, which follows what is in the parts, into the paths below: so this file changes with any
// part, the browser takes the new one and fills a new store, and a page is never made of parts of two builds.

const STATIC = "/static/";
const STORE = `shell ${STATIC}`;
const PAGES = [["/join/", "join.html"], ["/ticket", "ticket.html"], ["/kiosk", "kiosk.html"]];
const SCREEN = ["/display", "display.html"];
const SCREEN_MS = 5_000;
const LANGUAGES = ["en", "hi", "ar"];
const OF_SCREENS = [...LANGUAGES, "es", "de"];
const SCRIPTS = [
  "alerts", "announce", "barberpro", "barberpro-commands", "barberpro-room", "calls", "display", "display-card",
  "display-settings", "elements", "format", "idle", "join", "join-form", "kiosk", "kiosk-view", "pairing", "reasons", "rest", "shell", "texts", "ticket", "ticket-view", "tickets",
].map((name) => `${name}.js`);
const TEXTS = [["common", OF_SCREENS], ["join", LANGUAGES], ["ticket", LANGUAGES], ["kiosk", LANGUAGES], ["display", OF_SCREENS]]
  .flatMap(([page, tags]) => tags.map((tag) => `${page}.${tag}.json`));
const STYLES = ["theme.css", "phone.css", "kiosk.css", "display.css", "icon.svg", "icon-192.png"];
const PARTS = [...[...PAGES, SCREEN].map(([, page]) => page), ...SCRIPTS, ...TEXTS, ...STYLES];

addEventListener("install", (event) => {
  skipWaiting();
  event.waitUntil(caches.open(STORE).then((store) => store.addAll(PARTS.map((name) => STATIC + name))));
});

addEventListener("activate", (event) => {
  event.waitUntil(Promise.all([clients.claim(), dropOthers()]));
});

addEventListener("fetch", (event) => {
  const { method, mode, url } = event.request;
  const { origin, pathname } = new URL(url);
  if (method !== "GET" || origin !== location.origin) return;
  const page = mode === "navigate" && PAGES.find(([path]) => pathname.startsWith(path));
  if (page) event.respondWith(kept(STATIC + page[1], event.request));
  else if (mode === "navigate" && pathname.startsWith(SCREEN[0])) event.respondWith(newest(STATIC + SCREEN[1], event.request));
  else if (pathname.startsWith(STATIC)) event.respondWith(kept(pathname, event.request));
});

// Leads to the page that the notification is about, which is open as a rule.
addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(show(event.notification.data));
});

async function kept(path, request) {
  const found = await caches.open(STORE).then((store) => store.match(path)).catch(() => {}); // a store may be broken, too
  return found ?? fetch(request);
}

// A screen runs for weeks, and reloads to have the parts of a server that was renewed: those that are kept are for when no
// server answers. They are of one build as well, since a page names its own.
async function newest(path, request) {
  try {
    const answer = await fetch(request, { signal: AbortSignal.timeout(SCREEN_MS) });
    if (answer.status < 500) return answer;
  } catch {
    // Nobody answers.
  }
  return kept(path, request);
}

async function dropOthers() {
  const names = await caches.keys();
  await Promise.all(names.filter((name) => name !== STORE).map((name) => caches.delete(name)));
}

async function show(url) {
  const pages = await clients.matchAll({ type: "window" });
  const open = pages.find((page) => page.url === url);
  return open ? open.focus() : clients.openWindow(url);
}
