// The page: what comes in goes to its part, and what the operator wants goes out.

import { ask, get, onTokenWanted } from '/dashboard/api.js';
import { closeAll, confirm } from '/dashboard/ask.js';
import { createChart } from '/dashboard/chart.js';
import { createDetails } from '/dashboard/details.js';
import { createJournal } from '/dashboard/journal.js';
import { createLaunches } from '/dashboard/launches.js';
import { createServers } from '/dashboard/servers.js';
import { follow } from '/dashboard/stream.js';
import { $, clock, duration, element, plural, set, since, time, today } from '/dashboard/text.js';

/** Entries that are there when the page opens. */
const JOURNAL_AT_FIRST = 200;
const MESSAGE_MS = 8000;

let fleet = null, unheard = 0, isLive = false;

const journal = createJournal();
const chart = createChart();
const launches = createLaunches({ requested: () => fleet?.launches.requested });
const servers = createServers({
  capacity: () => fleet?.margins.server_capacity,
  open: (id) => details.open(id),
  changed: () => {
    unheard = servers.all().filter((server) => server.players === null).length;
    launches.follow(servers.all());
    details.write();
    write();
  },
});
const details = createDetails({ servers, fleet: () => fleet, isLive: () => isLive, done });

/** What came of what the operator did. That it failed is told in the dialog, which stays. */
function done(text) {
  const message = element('p', {}, text);
  $('done').replaceChildren(message);
  setTimeout(() => message.remove(), MESSAGE_MS);
}

// The headline.

function notices() {
  const { launches: { blocked }, rollout, margins } = fleet;
  const lines = [];
  if (!fleet.ready) lines.push('Not ready: the first look at the cloud is not complete.');
  if (fleet.paused) lines.push('The scaling is paused: nothing is decided until it is resumed.');
  if (fleet.observed_at && !fleet.cloud_is_fresh) lines.push(`The cloud was last seen ${duration(since(fleet.observed_at))} ago: nothing is scaled down until it is seen again.`);
  if (blocked) lines.push(`Nothing can be launched${blocked.until ? ` until ${clock(Date.parse(blocked.until))}` : ''}: ${blocked.reason}`);
  if (margins.changed) lines.push('The margins were changed here; the next reload of the configuration undoes that.');
  if (rollout && (rollout.state !== 'active' || rollout.failures || rollout.starts !== rollout.revision)) {
    lines.push(`Rollout of ${rollout.revision}: ${rollout.state}, ${plural(rollout.failures, 'failure')}; servers start with ${rollout.starts ?? 'nothing yet'}.`);
  }
  return lines;
}

function write() {
  if (!fleet) return;
  const { servers: phases, capacity, margins } = fleet;
  const onTheWay = phases.booting + phases.joined + phases.placed + phases.starting;
  set($('name'), fleet.name);
  set($('free'), capacity.free);
  set($('free-note'), `margins ${margins.upscale_margin} to ${margins.downscale_margin}`);
  set($('players'), capacity.players);
  set($('players-note'), unheard - onTheWay > 0 ? `${plural(unheard - onTheWay, 'server')} not heard` : `${capacity.held} more held`);
  set($('count'), Object.values(phases).reduce((sum, count) => sum + count, 0));
  set($('count-note'), `${margins.min_servers} to ${margins.max_servers} allowed`);
  set($('launching'), onTheWay);
  set($('launching-note'), `${fleet.launches.requested} more asked for`);
  set($('standby'), phases.standby);
  set($('standby-note'), `${phases.closing} closing`);
  set($('waiting'), capacity.waiting);
  set($('waiting-note'), `${capacity.pending} places to come`);
  set($('pause'), fleet.paused ? 'Resume scaling…' : 'Pause scaling…');
  $('configured').hidden = !margins.changed;
  const lines = notices();
  if (lines.join('\n') !== [...$('notices').children].map((line) => line.textContent).join('\n')) {
    $('notices').replaceChildren(...lines.map((line) => element('li', {}, line)));
  }
  set($('about'), `${fleet.name}, version ${fleet.version}, on ${fleet.cloud}; up for ${duration(since(fleet.started_at))}. Times are those of this browser.`);
  document.title = `${isLive ? '' : '(not live) '}${capacity.free} free, ${plural(capacity.players, 'player')} – ${fleet.name}`;
}

function take(next) {
  fleet = next;
  time.hear(fleet.now);
  write();
  sample();
}

function sample() {
  const { capacity: { free, pending, held, players }, margins: { upscale_margin, downscale_margin }, servers: phases } = fleet;
  const count = Object.values(phases).reduce((sum, phase) => sum + phase, 0);
  chart.add({ free, pending, held, players, servers: count, available: phases.available, upscale_margin, downscale_margin });
}

// The connection.

const EVENTS = {
  fleet: take,
  servers: (data) => servers.apply(data),
  entry: (entry) => { journal.add([entry]); details.add(entry); },
};

async function prepare() {
  const [next, history] = await Promise.all([get('/v1/fleet'), get('/v1/history')]);
  time.go();
  // Another process has another journal, and counts its servers anew: an open dialog would be about another one.
  if (next.started_at !== fleet?.started_at) {
    closeAll();
    servers.apply({ all: true, changed: [] });
    const { newest } = await get('/v1/decisions?limit=1');
    const { entries } = await get(`/v1/decisions?after=${Math.max(0, newest - JOURNAL_AT_FIRST)}&limit=${JOURNAL_AT_FIRST}`);
    journal.clear();
    journal.add(entries);
  }
  take(next);
  chart.load(history);
  return journal.newest();
}

let again = Infinity;

function live() {
  isLive = true;
  delete document.body.dataset.stale;
  $('live').dataset.state = 'live';
  set($('live'), 'Live');
  $('lost').hidden = true;
  write();
}

function lost(error, seconds) {
  time.stop();
  isLive = false;
  again = Date.now() + seconds * 1000;
  document.body.dataset.stale = '';
  $('live').dataset.state = 'lost';
  set($('live'), error.status === 401 ? 'Not signed in' : 'Not live');
  set($('lost-why'), error.status === 401 ? 'The manager wants a token.' : `The connection is lost (${error.message}).`);
  set($('retry'), error.status === 401 ? 'Give the token' : 'Try now');
  $('lost').hidden = false;
  countdown();
  write();
}

function countdown() {
  set($('lost-title'), fleet ? `Not live: what is shown was so at ${clock(time.now())}.` : 'Nothing is known yet.');
  const left = Math.ceil((again - Date.now()) / 1000);
  set($('lost-next'), left === Infinity ? '' : left > 0 ? `Next try in ${left} s.` : 'Trying again.');
}

let day = today();

/** Yesterday's entries must not look like today's. */
function turnDay() {
  if (day === today()) return;
  day = today();
  for (const node of document.querySelectorAll('time')) set(node, clock(Date.parse(node.dateTime)));
  details.write();
  write();
}

setInterval(() => {
  turnDay();
  if (!isLive) return countdown();
  servers.tick();
  launches.tick();
  details.write();
  write();
}, 1000);

onTokenWanted((wasWrong) => confirm({
  title: 'The manager wants a token',
  lines: 'The one of its configuration, operations.token. It is kept until this tab is closed.',
  fields: [{ label: 'Token', name: 'token', type: 'password', required: true, autocomplete: 'off' }],
  button: 'Sign in',
  error: wasWrong ? 'The manager refused that token.' : '',
  act: ({ token }) => token,
}));

$('retry').addEventListener('click', follow({ prepare, each: (event, data) => EVENTS[event]?.(data), live, lost }));

// The operator.

const FIELDS = [
  ['upscale_margin', 'Upscale margin (places)'], ['downscale_margin', 'Downscale margin (places)'],
  ['min_servers', 'Fewest servers'], ['max_servers', 'Most servers'],
];

/** Those that were typed over. The others are left to whoever changed them since. */
function typedOver(values, began) {
  return Object.fromEntries(FIELDS.map(([name]) => [name, Number(values[name])]).filter(([name, value]) => value !== began[name]));
}

function marginLines(values, began) {
  const margins = { ...fleet.margins, ...typedOver(values, began) };
  const [up, down, least, most] = FIELDS.map(([name]) => margins[name]);
  const { capacity: { free, pending }, margins: { server_capacity: seats } } = fleet;
  if (down - up <= seats) return `The margins must be more than ${plural(seats, 'place')}, one server's, apart, or the fleet would flap.`;
  if (least > most) return 'The fewest servers must not be more than the most.';
  const soon = free + pending < up ? 'servers are taken back or launched' : free > down ? 'a server may be emptied' : 'nothing changes at once';
  return [`With ${free} places free and ${pending} to come: ${soon}.`, 'This holds until the configuration is read again.'];
}

/** A button that asks before it does. `after()` is called once it is done, and the dialog away. */
function offer(id, question, after = () => {}) {
  $(id).addEventListener('click', async () => { if (fleet && await confirm(question())) after(); });
}

offer('reconcile', () => ({
  title: 'Reconcile now?',
  lines: 'The manager looks at the cloud now instead of in its turn, and decides on what it finds. That costs a few calls of the cloud.',
  button: 'Reconcile',
  async act() { await ask('POST', '/v1/reconcile'); done('The manager looks at the cloud now.'); },
}));

offer('pause', () => (fleet.paused ? {
  title: 'Resume scaling?',
  lines: 'The scaling decides again at once: servers may be launched, emptied and closed.',
  button: 'Resume',
  async act() { take(await ask('POST', '/v1/resume')); done('The scaling goes on.'); },
} : {
  title: 'Pause scaling?',
  lines: [
    'Nothing is launched, emptied or closed until it is resumed, also when places run out. What is under way goes on.',
    'Players get the places that there are.',
  ],
  button: 'Pause',
  async act() { take(await ask('POST', '/v1/pause')); done('The scaling is paused.'); },
}));

offer('margins', () => {
  const began = fleet.margins;
  return {
    title: 'Change the margins?',
    fields: FIELDS.map(([name, label]) => ({ name, label, type: 'number', min: 0, required: true, value: String(began[name]) })),
    lines: (values) => marginLines(values, began),
    button: 'Change',
    async act(values) {
      const change = typedOver(values, began);
      if (!Object.keys(change).length) return;
      take({ ...fleet, margins: await ask('PUT', '/v1/margins', change) });
      done('The margins are changed.');
    },
  };
});

offer('configured', () => ({
  title: "Go back to the configuration's margins?",
  lines: `${fleet.margins.upscale_margin} to ${fleet.margins.downscale_margin} places and ${fleet.margins.min_servers} to ${fleet.margins.max_servers} servers give way to what the configuration says.`,
  button: 'Go back',
  async act() {
    take({ ...fleet, margins: await ask('DELETE', '/v1/margins') });
    done("The configuration's margins hold again.");
    return true;
  },
}), () => {
  // The button that was pressed is hidden by now, and while the dialog was there nothing else could have the focus.
  $('margins').focus();
});
