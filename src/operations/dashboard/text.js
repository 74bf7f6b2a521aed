// How values are written, and the only ways by which they get into the page: as text, never as markup.

export const $ = (id) => document.getElementById(id);

/** Most of what a live page would write is there already, and a write costs a layout. */
export function set(node, text) {
  const wanted = String(text);
  if (node.textContent !== wanted) node.textContent = wanted;
}

export function element(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== false) node.setAttribute(name, value === true ? '' : value);
  }
  node.append(...children);
  return node;
}

export const plural = (count, one, many = `${one}s`) => `${count} ${count === 1 ? one : many}`;

export function duration(seconds) {
  const s = Math.max(0, Math.round(seconds));
  if (s < 90) return `${s} s`;
  if (s < 3570) return `${Math.round(s / 60)} min`;
  const minutes = Math.round(s / 60);
  if (s < 172800) return `${Math.floor(minutes / 60)} h${minutes % 60 ? ` ${minutes % 60} min` : ''}`;
  return `${Math.floor(s / 86400)} days`;
}

const CLOCK = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' });
const DAY = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short' });

/** By the manager's clock, and this browser's zone. */
export const today = () => DAY.format(time.runs());

/** Time of day here, with the day where it is not today's: who lets it stand longer writes it anew then. */
export function clock(ms) {
  const day = DAY.format(ms);
  return (day === today() ? '' : `${day} `) + CLOCK.format(ms);
}

/** An age is counted by the manager's clock, not the browser's, and stands still while nothing is heard of it. */
export const time = {
  ahead: 0,
  heard: null,
  stopped: null,
  now() { return this.stopped ?? this.runs(); },
  /** Also while nothing is heard. */
  runs() { return Date.now() + this.ahead; },
  /** The manager says that it is this time now. */
  hear(at) {
    this.heard = Date.parse(at);
    this.ahead = this.heard - Date.now();
  },
  /** That nothing comes any more is noticed late: what is known was so when it was heard. */
  stop() { this.stopped ??= this.heard; },
  go() { this.stopped = null; },
};

/** Seconds since a timestamp of the manager. */
export const since = (at) => (time.now() - Date.parse(at)) / 1000;
