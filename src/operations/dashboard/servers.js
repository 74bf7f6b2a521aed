// The fleet as a grid of tiles: a tile is made once for a server, and only what changed of it is written.

import { $, duration, element, plural, set, since } from '/dashboard/text.js';

/** With more servers a tile is reduced to a mark and the number of players; fewer than ROOMY bring the words back. */
const COMPACT = 60;
const ROOMY = 50;

const ON_THE_WAY = ['booting', 'joined', 'placed', 'starting'];
const isTroubled = ({ health }) => health === 'silent' || health === 'doubtful';

const GROUPS = [
  ['all', '', 'All', () => true],
  ['available', '●', 'Available', ({ phase }) => phase === 'available'],
  ['launching', '◌', 'On their way', ({ phase }) => ON_THE_WAY.includes(phase)],
  ['standby', '▼', 'Emptying', ({ phase }) => phase === 'standby'],
  ['closing', '✕', 'Closing', ({ phase }) => phase === 'closing'],
  ['troubled', '!', 'Not answering', isTroubled],
];
const groupOf = ({ phase }) => (ON_THE_WAY.includes(phase) ? 'launching' : phase);
const MARKS = Object.fromEntries(GROUPS.map(([group, mark]) => [group, mark]));

/** Where a server is in its life, in words. */
export function state(server) {
  const words = [server.phase === 'standby' ? 'emptying' : server.phase];
  if (server.phase === 'standby' && server.drained_by_operator) words.push('by hand');
  if (isTroubled(server)) words.push(server.health);
  if (server.leaving) words.push('instance is going');
  if (server.outdated && server.phase === 'available') words.push('old revision');
  return words.join(', ');
}

const byId = new Intl.Collator('en', { numeric: true }).compare;

/** `open(id)` is called for a server that is chosen. */
export function createServers({ capacity, open, changed }) {
  const tiles = $('tiles');
  const shown = new Map();
  let pending = new Map(), replaced = false, framed = false, only = 'all';

  const chips = GROUPS.map(([group, mark, label]) => {
    const count = element('b', {}, '0');
    const chip = element('button', { type: 'button', 'data-group': group, 'aria-pressed': String(group === only) },
      element('span', { class: 'swatch', 'aria-hidden': 'true' }, mark), `${label} `, count);
    chip.addEventListener('click', () => {
      only = group;
      for (const other of chips) other.chip.setAttribute('aria-pressed', String(other.chip === chip));
      for (const tile of shown.values()) tile.node.hidden = !belongs(tile.server);
      keepOneTabStop();
    });
    return { group, chip, count };
  });
  $('legend').append(...chips.map(({ chip }) => chip));
  const belongs = (server) => GROUPS.find(([group]) => group === only)[3](server);

  function create(id) {
    const [age, players, mark, words] = ['age', 'players', 'mark', 'words'].map((name) => element('span', { class: name }));
    const node = element('button', { type: 'button', class: 'tile', tabindex: '-1' }, element('b', {}, id), age, players, mark, words);
    node.dataset.id = id;
    return { node, age, players, mark, words };
  }

  function write(tile, server) {
    const { node } = tile;
    const group = groupOf(server);
    const words = state(server);
    const seats = capacity();
    tile.server = server;
    node.dataset.group = group;
    node.toggleAttribute('data-troubled', isTroubled(server));
    // Never heard is not empty.
    set(tile.players, server.players === null ? '' : server.players);
    tile.players.dataset.of = seats ? ` / ${seats} players` : ' players';
    set(tile.mark, isTroubled(server) ? MARKS.troubled : MARKS[group]);
    set(tile.words, words);
    node.style.setProperty('--full', Math.min(1, (server.players ?? 0) / (seats || 1)));
    const name = `${server.id}, ${words}${server.players === null ? '' : `, ${plural(server.players, 'player')}`}`;
    node.setAttribute('aria-label', name);
    node.title = name;
    node.hidden = !belongs(server);
  }

  const writeAge = ({ age, server }) => set(age, duration(since(server.known_since)));

  function flush() {
    framed = false;
    const hadFocus = document.activeElement?.closest('#tiles') && document.activeElement;
    const added = [];
    for (const [id, server] of pending) {
      if (server && !shown.has(id)) { shown.set(id, create(id)); added.push(id); }
      if (server) write(shown.get(id), server);
    }
    const heir = hadFocus && (hadFocus.nextElementSibling ?? hadFocus.previousElementSibling);
    for (const [id, { node }] of shown) {
      if (replaced ? pending.get(id) : pending.get(id) !== null) continue;
      node.remove();
      shown.delete(id);
    }
    if (added.length) {
      const order = [...shown.keys()].sort(byId);
      let after = null;
      for (const id of order.reverse()) {
        const { node } = shown.get(id);
        // A node that is moved loses the focus.
        if (node.nextSibling !== after || !node.isConnected) tiles.insertBefore(node, after);
        after = node;
      }
    }
    pending = new Map();
    replaced = false;
    if (shown.size > COMPACT) tiles.classList.add('compact');
    else if (shown.size < ROOMY) tiles.classList.remove('compact');
    for (const { group, count } of chips) {
      const [, , , is] = GROUPS.find(([name]) => name === group);
      set(count, [...shown.values()].filter(({ server }) => is(server)).length);
    }
    if (hadFocus && !hadFocus.isConnected) heir?.focus();
    keepOneTabStop();
    tick();
    changed();
  }

  /** Two thousand stops would make the tab key useless: there is one, and the arrow keys go on from it. */
  function keepOneTabStop(wanted = tiles.querySelector('[tabindex="0"]')) {
    const next = wanted && !wanted.hidden ? wanted : tiles.querySelector('.tile:not([hidden])');
    for (const node of tiles.querySelectorAll('[tabindex="0"]')) if (node !== next) node.tabIndex = -1;
    if (next) next.tabIndex = 0;
  }

  tiles.addEventListener('focusin', ({ target }) => keepOneTabStop(target));
  tiles.addEventListener('click', ({ target }) => {
    const tile = target.closest('.tile');
    if (tile) open(tile.dataset.id);
  });
  tiles.addEventListener('keydown', (event) => {
    const all = [...tiles.querySelectorAll('.tile:not([hidden])')];
    const at = all.indexOf(event.target);
    const second = all.findIndex(({ offsetTop }) => offsetTop > all[0].offsetTop);
    const row = second < 0 ? all.length : second;
    const to = {
      ArrowLeft: at - 1, ArrowRight: at + 1, ArrowUp: at - row, ArrowDown: at + row, Home: 0, End: all.length - 1,
    }[event.key];
    if (to === undefined || at < 0) return;
    event.preventDefault();
    all[to]?.focus();
  });

  function tick() {
    if (tiles.classList.contains('compact')) return;
    for (const tile of shown.values()) writeAge(tile);
  }

  return {
    tick,
    get: (id) => shown.get(id)?.server,
    all: () => [...shown.values()].map(({ server }) => server),
    /** The data of a `servers` event. */
    apply({ all, changed: servers, gone = [] }) {
      if (all) { pending = new Map(); replaced = true; }
      for (const server of servers) pending.set(server.id, server);
      for (const id of gone) pending.set(id, null);
      if (!framed) requestAnimationFrame(flush);
      framed = true;
    },
  };
}
