// Free places over the last hours, against both margins.

import { $, clock, duration, plural, set, time } from '/dashboard/text.js';

const HEIGHT = 190;
const EDGE = { top: 10, right: 8, bottom: 22, left: 34 };
const DIGIT = 8;
const LONGEST_SECONDS = 21_600;

const svg = (tag, attributes, text) => {
  const node = document.createElementNS('http://www.w3.org/2000/svg', tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  if (text !== undefined) node.textContent = text;
  return node;
};

/** A step of 1, 2 or 5 times a power of ten that makes four lines or fewer. */
function step(top) {
  const power = 10 ** Math.floor(Math.log10(Math.max(1, top / 4)));
  return [1, 2, 5, 10].map((factor) => factor * power).find((size) => top / size <= 4.5);
}

export function createChart() {
  const chart = $('chart'), slider = $('look-back');
  let samples = [], interval = 10, range = 3600, latest = null, framed = false;

  const visible = () => {
    const from = time.now() - range * 1000;
    const first = samples.findIndex(({ ms }) => ms >= from);
    // The one before reaches into what is shown.
    const all = first < 0 ? samples.slice(-1) : samples.slice(Math.max(0, first - 1));
    return latest ? [...all, latest] : all;
  };
  // Nothing is known of the time between two samples that are far apart.
  const follows = (a, b) => b.ms - a.ms <= interval * 3500;

  function draw() {
    framed = false;
    const width = chart.clientWidth;
    const points = visible();
    const end = time.now(), from = end - range * 1000;
    if (!width || !points.length) return;
    const top = Math.max(1, ...points.map((point) => Math.max(point.free, point.downscale_margin))) * 1.12;
    // The slider below begins where the axis does.
    EDGE.left = 12 + DIGIT * Math.max(2, String(Math.round(top)).length);
    slider.style.marginLeft = `${EDGE.left - 8}px`;
    slider.style.width = `calc(100% - ${EDGE.left + EDGE.right - 16}px)`;
    const x = (ms) => EDGE.left + (Math.max(0, ms - from) / (end - from)) * (width - EDGE.left - EDGE.right);
    const y = (value) => HEIGHT - EDGE.bottom - (value / top) * (HEIGHT - EDGE.top - EDGE.bottom);

    const line = (key) => points.map((point, at) => {
      const from = points[at - 1];
      const [px, py] = [x(point.ms).toFixed(1), y(point[key]).toFixed(1)];
      return from && follows(from, point) ? `H${px}V${py}` : `M${px} ${py}`;
    }).join('');

    const parts = [];
    for (let at = 1, begin = points[0]; at < points.length; at++) {
      const [before, point, last] = [points[at - 1], points[at], at === points.length - 1];
      const same = follows(before, point) && point.upscale_margin === before.upscale_margin && point.downscale_margin === before.downscale_margin;
      if (same && !last) continue;
      const to = x(follows(before, point) ? point.ms : before.ms);
      parts.push(svg('rect', {
        class: 'band', x: x(begin.ms), width: Math.max(0, to - x(begin.ms)),
        y: y(before.downscale_margin), height: y(before.upscale_margin) - y(before.downscale_margin),
      }));
      begin = point;
    }
    const size = step(top);
    for (let value = 0; value <= top; value += size) {
      parts.push(svg('line', { class: 'rule', x1: EDGE.left, x2: width - EDGE.right, y1: y(value), y2: y(value) }));
      parts.push(svg('text', { x: EDGE.left - 6, y: y(value) + 4, 'text-anchor': 'end' }, value));
    }
    for (let part = 0; part <= 3; part++) {
      const ms = from + ((end - from) * part) / 3;
      parts.push(svg('text', { x: x(ms), y: HEIGHT - 5, 'text-anchor': ['start', 'middle', 'middle', 'end'][part] },
        part === 3 ? 'now' : clock(ms).slice(0, -3)));
    }
    const now = points.at(-1);
    for (const [key, label] of [['upscale_margin', 'upscale'], ['downscale_margin', 'downscale']]) {
      parts.push(svg('path', { class: key, d: line(key) }));
      parts.push(svg('text', { class: 'label', x: width - EDGE.right - 10, y: y(now[key]) - 4, 'text-anchor': 'end' }, `${label} margin ${now[key]}`));
    }
    parts.push(svg('path', { class: 'free', d: line('free') }));
    const chosen = at(points);
    if (Number(slider.value) < Number(slider.max)) {
      parts.push(svg('line', { class: 'cursor', x1: x(chosen.ms), x2: x(chosen.ms), y1: EDGE.top, y2: HEIGHT - EDGE.bottom }));
    }
    parts.push(svg('circle', { class: 'free', cx: x(chosen.ms), cy: y(chosen.free), r: 4 }));
    chart.setAttribute('viewBox', `0 0 ${width} ${HEIGHT}`);
    chart.replaceChildren(...parts);
    write(points, chosen);
  }

  /** The last sample that is no later than the slider says. */
  function at(points) {
    const ms = time.now() - (slider.max - slider.value) * 1000;
    return points.findLast((point) => point.ms <= ms) ?? points[0];
  }

  function write(points, chosen) {
    const text = `${clock(chosen.ms)}: ${chosen.free} free, ${plural(chosen.players, 'player')} on ${plural(chosen.servers, 'server')}`
      + `, margins ${chosen.upscale_margin} to ${chosen.downscale_margin}`;
    set($('reading'), text);
    slider.setAttribute('aria-valuetext', text);

    const free = points.map((point) => point.free);
    const share = (is) => Math.round((100 * points.filter(is).length) / points.length);
    set($('summary'), `Between ${Math.min(...free)} and ${Math.max(...free)} places were free in the last `
      + `${duration(Math.min(range, (time.now() - points[0].ms) / 1000))}; below the upscale margin for `
      + `${share((point) => point.free < point.upscale_margin)} % of it, above the downscale margin for `
      + `${share((point) => point.free > point.downscale_margin)} %.`);
  }

  function redraw() {
    if (!framed) requestAnimationFrame(draw);
    framed = true;
  }

  function setRange() {
    range = Number(document.querySelector('#ranges :checked').value);
    slider.max = range;
    slider.step = interval;
    slider.value = range;
    redraw();
  }
  $('ranges').addEventListener('change', setRange);
  slider.addEventListener('input', redraw);
  chart.addEventListener('pointermove', ({ offsetX }) => {
    slider.value = range * Math.min(1, (offsetX - EDGE.left) / (chart.clientWidth - EDGE.left - EDGE.right));
    redraw();
  });
  chart.addEventListener('pointerleave', () => { slider.value = range; redraw(); });
  new ResizeObserver(redraw).observe(chart);
  setRange();

  return {
    /** What `/v1/history` answered. */
    load(history) {
      interval = history.interval_seconds;
      samples = history.samples.map((sample) => ({ ...sample, ms: Date.parse(sample.at) }));
      redraw();
    },
    /** What holds now. It becomes a sample when one is due, as the manager would make one. */
    add(sample) {
      latest = { ...sample, ms: time.now() };
      if (latest.ms - (samples.at(-1)?.ms ?? 0) >= interval * 1000) {
        samples.push(latest);
        while (samples[0].ms < latest.ms - LONGEST_SECONDS * 1000) samples.shift();
      }
      redraw();
    },
  };
}
