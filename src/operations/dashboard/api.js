// What the manager is asked, with the operator's token once it turns out that one is needed.

const TOKEN = 'playlivechess-manager-token';
const PATIENCE_MS = 15_000;

/** An answer that is no success; its message is for people. */
export class Problem extends Error {
  constructor(status, problem) {
    super(problem?.detail || problem?.title || `the manager answered ${status}`);
    this.status = status;
  }
}

let askForToken;
let asking;

/** `ask(wasWrong)` resolves to a token, or to null when the operator gives none. */
export const onTokenWanted = (ask) => { askForToken = ask; };

async function renewToken(refused) {
  // What another request has just been told holds for this one.
  if (sessionStorage.getItem(TOKEN) !== refused) return true;
  asking ??= askForToken(refused !== null).finally(() => { asking = undefined; });
  const token = await asking;
  if (token) sessionStorage.setItem(TOKEN, token);
  return Boolean(token);
}

/** Sends until it is let in, or the operator gives no token. The caller of a stream brings patience of its own. */
export async function send(method, path, { body, headers = {}, signal } = {}) {
  for (;;) {
    const token = sessionStorage.getItem(TOKEN);
    const response = await fetch(path, {
      method,
      cache: 'no-store',
      headers: {
        ...headers,
        ...(token && { Authorization: `Bearer ${token}` }),
        ...(body && { 'Content-Type': 'application/json' }),
      },
      body: body && JSON.stringify(body),
      signal: signal ?? AbortSignal.timeout(PATIENCE_MS),
    });
    if (response.ok) return response;
    const problem = await response.json().catch(() => null);
    if (response.status !== 401 || !(await renewToken(token))) throw new Problem(response.status, problem);
  }
}

export async function ask(method, path, body) {
  const response = await send(method, path, { body });
  const text = await response.text();
  return text && JSON.parse(text);
}

export const get = (path) => ask('GET', path);
