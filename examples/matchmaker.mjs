// A matchmaker: has places held for a party, shows where to play, and gives them back if asked to. hold and giveBack
// run in a browser as they are; the rest is for node:
//
//     node matchmaker.mjs http://127.0.0.1:8000 --seats 2 --give-back

// Node 18 has it in a module only. On a page that came over plain HTTP there is no crypto.randomUUID.
const { crypto } = globalThis.crypto ? globalThis : { crypto: (await import("node:crypto")).webcrypto };

// The status and the JSON of an answer, and when to ask again, in seconds. Where none came there is no status.
async function ask(method, url, headers, wait = 0, body = undefined) {
  const signal = AbortSignal.timeout((wait + 10) * 1000);
  try {
    const answer = await fetch(url, { method, headers, body, signal });
    // It may be the page of a load balancer, half of something, or nothing.
    const told = (await answer.json().catch(() => null)) ?? {};
    return { status: answer.status, told, pause: Number(answer.headers.get("Retry-After")) || 1 };
  } catch (lost) {
    return { status: null, told: { detail: lost.cause ?? lost }, pause: 1 };
  }
}

export async function hold(manager, { seats = 1, wait = 20, authorization = {} } = {}) {
  const [url, body] = [new URL(`${manager}/v1/allocations?wait=${wait}s`), JSON.stringify({ seats })];
  const newKey = () => crypto.getRandomValues(new Uint32Array(4)).join("-");
  for (let key = newKey(); ; ) {
    // With the same key no second ones are held, should an answer be lost on its way.
    const headers = { ...authorization, "Content-Type": "application/json", "Idempotency-Key": key };
    const { status, told, pause } = await ask("POST", url, headers, wait, body);
    let why = told.detail ?? `${status} without a reason`;
    if (status === 201 && told.state === "held") return told;
    if (status === 201 && told.state) {
      // They were held when that answer was lost, and there are no others for this key.
      [key, why] = [newKey(), `the places are ${told.state}`];
    } else if (![null, 201, 409, 429, 502, 503, 504].includes(status)) {
      throw new Error(`refused by ${url}: ${why}`);
    }
    console.error(`again in ${pause} s: ${why}`);
    await new Promise((done) => setTimeout(done, pause * 1000));
  }
}

export async function giveBack(manager, place, authorization = {}) {
  const { status } = await ask("DELETE", `${manager}/v1/allocations/${place.id}`, authorization);
  return status === 204 ? "given back" : `not given back: ${status}`;
}

if (globalThis.process) {
  const { parseArgs } = await import("node:util");
  const text = { type: "string" };
  const options = { seats: text, wait: text, "give-back": { type: "boolean" } };
  const { values: asked, positionals: [manager] } = parseArgs({ options, allowPositionals: true });
  const authorization = process.env.API_KEY ? { Authorization: `Bearer ${process.env.API_KEY}` } : {};
  const [seats, wait] = [asked.seats ?? 1, asked.wait ?? 20].map(Number);
  const place = await hold(manager, { seats, wait, authorization });
  console.log(`places for ${place.seats} at ${place.address} until ${place.held_until}`);
  if (asked["give-back"]) console.log(await giveBack(manager, place, authorization));
}
