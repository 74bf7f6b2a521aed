// The journal as it is written, newest first.

import { $, clock, element, plural, set } from '/dashboard/text.js';

/** How many entries are kept to be filtered, and how many of those stand in the page. */
const KEPT = 2000;
const SHOWN = 200;

const FIGURES = ['servers', 'available', 'standby', 'launching', 'silent', 'free', 'pending', 'doubtful', 'waiting'];

/** A line of the journal, here and in a server's history. */
export function row(entry) {
  const node = element('li', { 'data-kind': entry.kind },
    element('time', { datetime: entry.at, title: entry.at }, clock(Date.parse(entry.at))),
    element('span', { class: 'kind' }, entry.kind), element('span', { class: 'text' }, entry.text));
  if (entry.result && entry.result !== 'done') node.append(element('span', { class: 'refused' }, `not done: ${entry.result}`));
  const small = [];
  if (entry.rule) small.push(`rule ${entry.rule}`);
  if (entry.figures) {
    const { figures } = entry;
    // Zeros say nothing, but for the places that a decision turns on.
    small.push(...FIGURES.filter((name) => figures[name] || name === 'free').map((name) => `${name} ${figures[name]}`));
    small.push(`margins ${figures.upscale_margin} to ${figures.downscale_margin}`);
  }
  if (small.length) node.append(element('small', {}, small.join(' · ')));
  return node;
}

export function createJournal() {
  const list = $('journal'), filter = $('filter');
  let entries = [], fresh = 0, newest = 0, words = [], framed = false;

  const matches = (entry) => {
    entry.searched ??= ['kind', 'what', 'rule', 'server', 'instance', 'text', 'result'].map((name) => entry[name] ?? '').join(' ').toLowerCase();
    return words.every((word) => entry.searched.includes(word));
  };

  function flush() {
    framed = false;
    const found = entries.slice(0, fresh).filter(matches).slice(0, SHOWN);
    fresh = 0;
    list.prepend(...found.map(row));
    while (list.children.length > SHOWN) list.lastElementChild.remove();
    note();
  }

  function note() {
    const all = words.length ? entries.filter(matches).length : entries.length;
    set($('journal-note'), list.children.length
      ? `${plural(all, 'entry', 'entries')}${words.length ? ' with these words' : ''}${all > SHOWN ? `, the newest ${SHOWN} are shown` : ''}.`
      : words.length ? 'No entry has these words.' : 'Nothing was written yet.');
  }

  function redraw() {
    fresh = entries.length;
    list.replaceChildren();
    flush();
  }

  filter.addEventListener('input', () => {
    words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    redraw();
  });

  return {
    newest: () => newest,
    /** A manager that was started again counts from the beginning. */
    clear() { entries = []; newest = 0; redraw(); },
    add(added) {
      for (const entry of added) {
        // What is replayed after a lost connection may be known.
        if (entry.number <= newest) continue;
        newest = entry.number;
        entries.unshift(entry);
        fresh++;
      }
      entries.length = Math.min(entries.length, KEPT);
      if (!framed) requestAnimationFrame(flush);
      framed = true;
    },
  };
}
