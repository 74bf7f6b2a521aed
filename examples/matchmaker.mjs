// A matchmaker: has places held for a party, shows where to play, and gives them back if asked to. hold and giveBack
// run in a browser as they are; the rest is for node:
//
//     node matchmaker.mjs http://127.0.0.1:8000 --seats 2 --give-back

// Node 18 has it in a module only. On a page that came over plain HTTP there is no crypto.randomUUID.
const { crypto } = globalThis.crypto ? globalThis : { crypto: (await import("node:crypto")).webcrypto };

export async function hold(manager, { seats = 1, wait = "20s", authorization = {} } = {}) {
  // With the same key no second ones are held, should an answer be lost on its way.
  const key = crypto.getRandomValues(new Uint32Array(4)).join("-");
  const headers = { ...authorization, "Content-Type": "application/json", "Idempotency-Key": key };
  for (;;) {
    let [status, pause, why] = [null, 1, null];
    try {
      const body = JSON.stringify({ seats });
      const answer = await fetch(`${manager}/v1/allocations?wait=${wait}`, { method: "POST", headers, body });
      const told = await answer.json();
      if (answer.status === 201) return told;
      [status, pause, why] = [answer.status, Number(answer.headers.get("Retry-After") ?? 1), told.detail];
    } catch (lost) {
      why = lost;
    }
    if (![null, 409, 429, 503].includes(status)) throw new Error(`refused: ${why}`);
    console.error(`again in ${pause} s: ${why}`);
    await new Promise((done) => setTimeout(done, pause * 1000));
  }
}

export async function giveBack(manager, place, authorization = {}) {
  const answer = await fetch(`${manager}/v1/allocations/${place.id}`, { method: "DELETE", headers: authorization });
  return answer.status === 204 ? "given back" : `not given back: ${answer.status}`;
}

if (globalThis.process) {
  const { parseArgs } = await import("node:util");
  const text = { type: "string" };
  const options = { seats: text, wait: text, "give-back": { type: "boolean" } };
  const { values: asked, positionals: [manager] } = parseArgs({ options, allowPositionals: true });
  const authorization = process.env.API_KEY ? { Authorization: `Bearer ${process.env.API_KEY}` } : {};
  const place = await hold(manager, { seats: Number(asked.seats ?? 1), wait: asked.wait, authorization });
  console.log(`places for ${place.seats} at ${place.address} until ${place.held_until}`);
  if (asked["give-back"]) console.log(await giveBack(manager, place, authorization));
}
