// Launches under way, and how long they usually take.

import { get } from '/dashboard/api.js';
import { $, duration, element, plural, set, time } from '/dashboard/text.js';

/** Estimates are the manager's, and change while a launch waits in its stage. */
const REFRESH_MS = 10_000;
/** A fleet that doubles changes many times a second. */
const QUIET_MS = 500;
/** The oldest are shown; more are counted. */
const SHOWN = 30;
const ON_THE_WAY = ['booting', 'joined', 'placed', 'starting'];

/** `requested()` is how many servers are asked for, by the last event: the launches are looked at less often. */
export function createLaunches({ requested }) {
  const list = $('launches');
  const rows = new Map();
  let shape = null, unseen = 0, heardAt = 0, timer;

  async function refresh() {
    // A connection that is lost is told of elsewhere.
    const [now, usual] = await Promise.all([get('/v1/launches'), get('/v1/lead-times')]).catch(() => []);
    if (!now) return;
    const launches = now.launches.toSorted((a, b) => b.elapsed_seconds - a.elapsed_seconds).slice(0, SHOWN);
    unseen = now.launches.length - launches.length;
    heardAt = time.now();
    for (const [server, row] of rows) {
      if (launches.every((launch) => launch.server !== server)) { row.node.remove(); rows.delete(server); }
    }
    for (const launch of launches) {
      const row = rows.get(launch.server) ?? create(launch.server);
      row.launch = launch;
    }
    set($('lead-times'), usual.total
      ? `Of the last ${plural(usual.launches, 'launch', 'launches')} half took up to ${duration(usual.total.median_seconds)}, nineteen of twenty up to ${duration(usual.total.p95_seconds)}.`
      : 'No launch was measured yet.');
    tick();
  }

  function create(server) {
    const [stage, took] = [element('span'), element('span', { class: 'took' })];
    const progress = element('progress', { max: '1', 'aria-label': `${server}, share of the launch that is done` });
    const row = { node: element('li', {}, element('b', {}, server), stage, took, progress), stage, took, progress };
    rows.set(server, row);
    list.insertBefore(row.node, list.querySelector('.none'));
    return row;
  }

  function tick() {
    const passed = Math.max(0, (time.now() - heardAt) / 1000);
    for (const { launch, stage, took, progress } of rows.values()) {
      const elapsed = launch.elapsed_seconds + passed;
      const known = launch.ready_in_seconds !== null;
      const left = Math.max(0, launch.ready_in_seconds - passed);
      set(stage, launch.stage);
      set(took, `${duration(elapsed)} so far, ${known ? (left ? `about ${duration(left)} to go` : 'any moment now') : 'no estimate yet'}`);
      // Without a value it shows that something is under way and not how far.
      if (known) progress.value = elapsed / (elapsed + left || 1);
      else progress.removeAttribute('value');
    }
    const none = list.querySelector('.none') ?? list.appendChild(element('li', { class: 'none' }));
    const more = [unseen && `${unseen} more.`, requested() && `${plural(requested(), 'server')} asked for, without an instance yet.`].filter(Boolean);
    none.hidden = rows.size > 0 && !more.length;
    set(none, more.join(' ') || 'None.');
  }

  return {
    tick() {
      tick();
      if (rows.size && time.now() - heardAt > REFRESH_MS) { heardAt = time.now(); refresh(); }
    },
    /** Asks again when which servers are on their way, or how far, is not what it was. */
    follow(servers) {
      const next = servers.filter(({ phase }) => ON_THE_WAY.includes(phase)).map(({ id, phase }) => id + phase).join();
      if (next === shape) return;
      shape = next;
      clearTimeout(timer);
      timer = setTimeout(refresh, QUIET_MS);
    },
  };
}
