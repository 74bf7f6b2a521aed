// The manager's events. EventSource would do all of this, and cannot send a token.

import { send } from '/dashboard/api.js';

/** The manager tells of the fleet twice a second: a connection that is silent for ten times that is dead. */
const SILENCE_MS = 5000;
const LONGEST_WAIT_SECONDS = 15;

/** Calls `each(event, data, id)` for every event of a body, and `heard()` for whatever arrives. */
async function read(body, heard, each) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let pieces = [], event = '', data = [], id;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    heard();
    pieces.push(value);
    // A fleet of thousands is one line that comes in many pieces.
    if (!value.includes('\n')) continue;
    const lines = pieces.join('').split('\n');
    pieces = [lines.pop()];
    for (const line of lines) {
      const [, field, text] = /^([^:]*):? ?(.*?)\r?$/.exec(line);
      if (field === 'event') event = text;
      else if (field === 'data') data.push(text);
      else if (field === 'id') id = text;
      else if (field === '' && !line.startsWith(':')) {
        if (data.length) each(event || 'message', JSON.parse(data.join('\n')), id);
        event = ''; data = []; id = undefined;
      }
    }
  }
}

/**
 * Follows the events for as long as the page is open. `prepare()` is awaited before each connection and resolves to the
 * `Last-Event-ID` to go on from; `live()` is called with the first event of each, `lost(error, seconds)` at its end.
 * The result, `retry()`, cuts a wait short.
 */
export function follow({ prepare, each, live, lost }) {
  let failures = 0;
  let retry = () => {};

  async function connect() {
    const last = await prepare();
    const silence = new AbortController();
    let timer, first = true;
    const heard = () => {
      clearTimeout(timer);
      timer = setTimeout(() => silence.abort(new Error('the manager has gone silent')), SILENCE_MS);
    };
    heard();
    try {
      const headers = { Accept: 'text/event-stream', 'Last-Event-ID': String(last) };
      const { body } = await send('GET', '/v1/events', { headers, signal: silence.signal });
      await read(body, heard, (...event) => {
        if (first) { first = false; failures = 0; live(); }
        each(...event);
      });
      throw new Error('the manager ended the connection');
    } finally {
      clearTimeout(timer);
      // An event that cannot be read must not leave its connection open.
      silence.abort();
    }
  }

  (async () => {
    for (;;) {
      const error = await connect().catch((error) => error);
      // Who gave no token is not asked for it again and again.
      const seconds = error.status === 401 ? Infinity : Math.min(LONGEST_WAIT_SECONDS, 2 ** failures++) * (0.75 + Math.random() / 2);
      lost(error, seconds);
      await new Promise((resolve) => {
        retry = resolve;
        if (seconds < Infinity) setTimeout(resolve, seconds * 1000);
      });
    }
  })();

  addEventListener('online', () => retry());
  return () => retry();
}
