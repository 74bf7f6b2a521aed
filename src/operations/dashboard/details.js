// One server with its history, and what an operator may do with it.

import { ask, get } from '/dashboard/api.js';
import { confirm } from '/dashboard/ask.js';
import { row } from '/dashboard/journal.js';
import { state } from '/dashboard/servers.js';
import { $, clock, duration, element, plural, set, since } from '/dashboard/text.js';

const yes = (value) => (value === null ? 'not heard' : value ? 'yes' : 'no');
const when = (at) => `${duration(since(at))} ago, ${clock(Date.parse(at))}`;

const FACTS = [
  ['Address', ({ address }) => address],
  ['Players', ({ players }) => players ?? 'not heard'],
  ['Free places', ({ free }) => free],
  ['Held for clients', ({ holds }) => holds],
  ['Health', ({ health }) => health],
  ['Reports free', ({ reported_capacity: reported }) => reported ?? 'not heard'],
  ['Ready to close', ({ ready_to_close: ready }) => yes(ready)],
  ['In this phase since', ({ phase_since: at }) => when(at)],
  ['Known since', ({ known_since: at }) => when(at)],
  ['Ready in', ({ ready_in_seconds: left }) => (left === null ? null : duration(left))],
  ['Revision', ({ revision }) => revision],
  ['Instance', ({ instance }) => instance],
  ['Task', ({ task }) => task],
];

/** What a drain comes to, by the numbers of now. */
function drainLines(server, fleet) {
  const { free, pending } = fleet.capacity;
  const left = Math.max(0, free - server.free);
  const lines = [
    `${server.id} takes nobody new from now on. ${server.players
      ? `${server.players === 1 ? 'The player on it keeps their' : `The ${server.players} players on it keep their`} game; it closes once they are gone.`
      : 'It closes once it is ready to.'}`,
    `${plural(left, 'place')} of ${free} stay free.`,
  ];
  if (left + pending < fleet.margins.upscale_margin) lines.push('That is below the upscale margin: another server is taken back or launched.');
  if (fleet.paused) lines.push('The scaling is paused: nothing is launched for it, and it does not close before that is resumed.');
  return lines;
}

export function createDetails({ servers, fleet, isLive, done }) {
  const dialog = $('details');
  let shown = null, known = null;

  function write() {
    const server = servers.get(shown) ?? known;
    if (!dialog.open || !server) return;
    const isGone = !servers.get(shown);
    known = server;
    set($('details-state'), isGone ? 'It is gone.' : `It is ${state(server)}.`);
    for (const [label, value] of FACTS) {
      const text = value(server);
      const fact = $('facts').querySelector(`[data-label="${label}"]`)
        ?? $('facts').appendChild(element('div', { 'data-label': label }, element('dt', {}, label), element('dd')));
      fact.hidden = text === null || text === undefined;
      if (!fact.hidden) set(fact.lastChild, text);
    }
    $('drain').hidden = isGone || server.phase !== 'available';
    $('undrain').hidden = isGone || server.phase !== 'standby';
  }

  async function act(verb, message) {
    // Whoever answers now may be another manager, by whose count this is another server.
    if (!isLive()) throw new Error('The page is not live: this may be the name of another server by now.');
    const server = await ask('POST', `/v1/servers/${encodeURIComponent(shown)}/${verb}`);
    servers.apply({ changed: [server] });
    done(message);
    return true;
  }

  /** The button that was pressed is about to be hidden. While a dialog asks, nothing below it can have the focus. */
  async function question(asked) {
    if (await confirm(asked)) $('details-close').focus();
  }

  $('drain').addEventListener('click', () => question({
    title: `Drain ${shown}?`,
    lines: drainLines(known, fleet()),
    button: 'Drain',
    act: () => act('drain', `${shown} is emptying.`),
  }));
  $('undrain').addEventListener('click', () => question({
    title: `Have ${shown} take players again?`,
    lines: [`${shown} takes new players at once. With more than ${fleet().margins.downscale_margin} places free, the scaling may empty it again.`],
    button: 'Take players again',
    act: () => act('undrain', `${shown} takes players again.`),
  }));
  $('details-close').addEventListener('click', () => dialog.close());
  dialog.addEventListener('close', () => { shown = null; });

  return {
    write,
    async open(id) {
      shown = id;
      known = servers.get(id);
      set($('details-title'), id);
      $('history').replaceChildren();
      set($('details-failed'), '');
      if (!dialog.open) dialog.showModal();
      write();
      try {
        const { history } = await get(`/v1/servers/${encodeURIComponent(id)}`);
        if (shown === id) $('history').replaceChildren(...history.toReversed().map(row));
      } catch (problem) {
        // What the page says elsewhere is not heard while a dialog is open.
        if (shown === id) set($('details-failed'), problem.message);
      }
    },
    /** An entry of the journal, which may be about what is shown. */
    add(entry) {
      if (entry.server === shown && shown) $('history').prepend(row(entry));
    },
  };
}
