// Keeps the shells of the customers' pages, the kiosk and the screen, for when the network is slow or away: of each kind in a
// store of its own, and only where such a page was opened. Data is never kept here.
//
// The server writes its build, which follows what is in the parts, into the paths below: so this file changes with any
// part, the browser takes the new one and fills new stores, and a page is never made of parts of two builds.

const STATIC = "/static/";
const SCREEN_MS = 5_000;
const LANGUAGES = ["en", "hi", "ar"];
// What every shell has, and what one has besides: page by the beginning of its path, scripts and styles, texts.
const SHARED = "barberpro.js barberpro-commands.js barberpro-room.js elements.js format.js rest.js shell.js texts.js theme.css icon.svg";
const SHELLS = {
  phone: {
    pages: { "/join/": "join.html", "/ticket": "ticket.html" },
    parts: "alerts.js announce.js icon-192.png join-form.js join.js phone.css reasons.js ticket-view.js ticket.js tickets.js",
    texts: ["common", "join", "ticket"],
    languages: LANGUAGES,
  },
  kiosk: {
    pages: { "/kiosk": "kiosk.html" },
    parts: "idle.js kiosk-view.js kiosk.css kiosk.js pairing.js",
    texts: ["common", "kiosk"],
    languages: LANGUAGES,
  },
  screen: {
    pages: { "/display": "display.html" },
    parts: "announce.js calls.js display-card.js display-settings.js display.css display.js pairing.js",
    texts: ["common", "display"],
    languages: [...LANGUAGES, "es", "de"],
  },
};

addEventListener("install", (event) => {
  skipWaiting();
  event.waitUntil(wanted().then((kinds) => Promise.all(kinds.map(keep))));
});

addEventListener("activate", (event) => {
  event.waitUntil(Promise.all([clients.claim(), dropOthers()]));
});

addEventListener("fetch", (event) => {
  const { method, mode, url } = event.request;
  const { origin, pathname } = new URL(url);
  if (method !== "GET" || origin !== location.origin) return;
  const shell = mode === "navigate" && shellOf(pathname);
  if (shell) {
    const answer = shell.kind === "screen" ? newest : kept;
    event.respondWith(answer(STATIC + shell.page, event.request));
    event.waitUntil(keep(shell.kind).catch(() => {})); // of a kind that is opened here for the first time; the next time, else
  } else if (pathname.startsWith(STATIC)) event.respondWith(kept(pathname, event.request));
});

function shellOf(pathname) {
  for (const [kind, { pages }] of Object.entries(SHELLS)) {
    for (const [path, page] of Object.entries(pages)) if (pathname.startsWith(path)) return { kind, page };
  }
  return null;
}

const storeOf = (kind) => `${kind} ${STATIC}`;

// The kinds that are open, and those that the worker before this one kept.
async function wanted() {
  const windows = await clients.matchAll({ type: "window", includeUncontrolled: true });
  const open = windows.map(({ url }) => shellOf(new URL(url).pathname)?.kind);
  const before = (await caches.keys()).map((name) => name.split(" ")[0]);
  return Object.keys(SHELLS).filter((kind) => open.includes(kind) || before.includes(kind));
}

async function keep(kind) {
  const { pages, parts, texts, languages } = SHELLS[kind];
  const store = await caches.open(storeOf(kind));
  if ((await store.keys()).length) return; // all or nothing, as addAll has it
  const words = texts.flatMap((page) => languages.map((tag) => `${page}.${tag}.json`));
  await store.addAll([...Object.values(pages), ...`${SHARED} ${parts}`.split(" "), ...words].map((name) => STATIC + name));
}

// Leads to the page that the notification is about, which is open as a rule.
addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(show(event.notification.data));
});

async function kept(path, request) {
  const found = await caches.match(path).catch(() => {}); // a store may be broken, too
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
  await Promise.all(names.filter((name) => !name.endsWith(` ${STATIC}`)).map((name) => caches.delete(name)));
}

async function show(url) {
  const pages = await clients.matchAll({ type: "window" });
  const open = pages.find((page) => page.url === url);
  return open ? open.focus() : clients.openWindow(url);
}
