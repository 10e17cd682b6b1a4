// One request to the REST door, for what no room tells.

import { CommandError, within } from "./barberpro.js";

const ANSWER_MS = 10_000;
const AGAIN_MS = 1_500;
const AGAIN_AT_MOST_MS = 10_000;

/**
 * @param {string} path below /api/v1
 * @param {{method?: string, body?: object, token?: string}} [how]
 * @returns {Promise<any>} `data` of the answer
 * @throws {CommandError} for a refusal; any other Error when there was no answer
 */
export async function ask(path, how = {}) {
  return within(ANSWER_MS, async (signal) => {
    const response = await request(path, how, signal);
    const { success, data, error } = await response.json();
    if (!success) throw new CommandError(error);
    return data;
  });
}

/** A picture, as an address that an <img> can have; to be given back by URL.revokeObjectURL. Throws as `ask`. */
export async function picture(path, token) {
  return within(ANSWER_MS, async (signal) => {
    const response = await request(path, { token }, signal);
    if (!response.ok) throw new CommandError((await response.json()).error);
    return URL.createObjectURL(await response.blob());
  });
}

/**
 * Asks again until there is an answer, and at once when the network is back. waits: called when there was none.
 * Throws a CommandError that is not temporary.
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

function request(path, { method, body, token }, signal) {
  const headers = {
    ...(body && { "Content-Type": "application/json" }),
    ...(token && { Authorization: `Bearer ${token}` }),
  };
  return fetch(`/api/v1${path}`, {
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
