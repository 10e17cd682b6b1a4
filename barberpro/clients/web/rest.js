// Requests to the REST door, for what no room tells. All pages ask here.

import { CommandError, within } from "./barberpro.js";

export const API = "/api/v1";

const ANSWER_MS = 10_000;
const STALLED_MS = 30_000;
const AGAIN_MS = 1_500;
const AGAIN_AT_MOST_MS = 10_000;

/** What the server did not do. fields: [{path, problem}], of a request that does not hold; retryAfter: seconds. */
export class Refusal extends CommandError {
  constructor(error, { status, headers }) {
    super(error);
    this.name = "Refusal";
    this.status = status;
    this.fields = this.details.fields ?? [];
    this.retryAfter = Number(headers.get("Retry-After")) || 0;
  }
}

/**
 * @param {string} path below /api/v1
 * @param {{method?: string, body?: object, token?: string, key?: string, whole?: boolean}} [how] key: by which the same
 *   request, asked again, is known; whole: the answer is {data, meta}
 * @returns {Promise<any>} `data` of the answer
 * @throws {Refusal}; any other Error when there was no answer
 */
export async function ask(path, { whole = false, ...how } = {}) {
  return within(ANSWER_MS, async (signal) => {
    const response = await request(path, how, signal);
    const answer = await response.json();
    if (!answer.success) throw new Refusal(answer.error, response);
    return whole ? answer : answer.data;
  });
}

/** A picture, as an address that an <img> can have; to be given back by URL.revokeObjectURL. Throws as `ask`. */
export async function picture(path, token) {
  return within(ANSWER_MS, async (signal) => {
    const response = await request(path, { token }, signal);
    if (!response.ok) throw new Refusal((await response.json()).error, response);
    return URL.createObjectURL(await response.blob());
  });
}

/**
 * A file, as {blob, name}: however long it takes, as long as it comes. Throws as `ask`.
 * @param {string} path @param {string} token @param {number} [stalledMs] for how long nothing of it may come
 */
export async function file(path, token, stalledMs = STALLED_MS) {
  const abort = new AbortController();
  let timer = 0;
  const comes = () => {
    clearTimeout(timer);
    timer = setTimeout(() => abort.abort(new Error(`nothing came for ${stalledMs} ms`)), stalledMs);
  };
  try {
    comes();
    const response = await request(path, { token }, abort.signal);
    if (!response.ok) throw new Refusal((await response.json()).error, response);
    const parts = [];
    const reader = response.body.getReader();
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      parts.push(part.value);
      comes();
    }
    const [, name = "file"] = /filename="([^"]+)"/.exec(response.headers.get("Content-Disposition") ?? "") ?? [];
    return { blob: new Blob(parts, { type: response.headers.get("Content-Type") ?? "" }), name };
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Asks again until there is an answer, and at once when the network is back. waits: called when there was none.
 * Throws a Refusal that is not temporary.
 */
export async function insist(work, waits = () => {}) {
  for (let pause = AGAIN_MS; ; pause = Math.min(AGAIN_AT_MOST_MS, pause * 2)) {
    try {
      return await work();
    } catch (problem) {
      if (problem instanceof CommandError && !problem.temporary) throw problem;
      waits(problem);
      await untilNetwork(pause * (0.5 + Math.random() / 2));
    }
  }
}

function request(path, { method, body, token, key }, signal) {
  const headers = {
    ...(path.startsWith("/auth/") && { "X-Refresh-Token": "cookie" }), // a token that no script reads
    ...(body && { "Content-Type": "application/json" }),
    ...(token && { Authorization: `Bearer ${token}` }),
    ...(key && { "Idempotency-Key": key }),
  };
  return fetch(API + path, {
    method: method ?? (body ? "POST" : "GET"),
    headers,
    body: body && JSON.stringify(body),
    signal,
  });
}

function untilNetwork(ms) {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      removeEventListener("online", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    addEventListener("online", done);
  });
}
