// Draws the figures of a page with uPlot, from the data that stands beside each of them.
import uPlot from '/lib/uplot/uPlot.esm.js';

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

// Bars of one place stand side by side: each series takes its share of the place's width.
const barsOf = (data, i) => {
  const share = 0.8 / data.series.length;
  const places = data.x.map((x) => x + (i - (data.series.length - 1) / 2) * share);
  // With a size given, uPlot takes a place as the bar's left edge.
  return uPlot.paths.bars({ disp: { x0: { unit: 1, values: () => places.map((x) => x - share / 2) }, size: { unit: 1, values: () => [share * 0.94] } } });
};

// A range that leaves air around the values, also around a single one.
const lineRange = (_, low, high) => {
  if (low === null) {
    return [0, 1];
  }
  const air = Math.max((high - low) * 0.15, Math.abs(high) * 0.02, 0.1);
  return [low - air, high + air];
};
const month = 30 * 24 * 3600;
const timeRange = (_, low, high) => {
  const air = Math.max((high - low) * 0.05, low === high ? month : 0);
  return [low - air, high + air];
};

const options = (data, width, height) => {
  const bars = data.kind === 'bar';
  // As many names as stand beside one another without touching.
  const every = Math.ceil(data.x.length / Math.max(2, Math.floor((width - 60) / 30)));
  const axis = { stroke: colour('--muted'), grid: { stroke: colour('--chart-grid'), width: 1 }, ticks: { stroke: colour('--chart-grid'), width: 1 }, font: '12px system-ui, sans-serif' };
  const series = data.series.map((one, i) => {
    const stroke = colour(`--chart-${(i % 4) + 1}`);
    return bars
      ? { label: one.name, stroke, fill: stroke, width: 0, paths: barsOf(data, i), points: { show: false } }
      : { label: one.name, stroke, width: 2, spanGaps: true, points: { show: data.x.length <= 60, size: 6, fill: stroke } };
  });
  const x = bars
    ? { ...axis, grid: { show: false }, splits: () => data.x, values: (_, places) => places.map((place, i) => (i % every === 0 ? data.labels?.[place] ?? place : null)), rotate: data.x.length > 8 ? -40 : 0, size: data.x.length > 8 ? 70 : 36 }
    : axis;
  return {
    width, height,
    scales: {
      x: { time: data.isTime, range: bars ? [-0.6, data.x.length - 0.4] : data.isTime ? timeRange : undefined },
      y: { range: bars ? (_, low, high) => [Math.min(0, low), high > 0 ? high * 1.08 : 1] : lineRange },
    },
    series: [{ label: data.isTime ? 'Time' : 'Value' }, ...series],
    axes: [x, { ...axis, size: 56 }],
    legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false } },
  };
};

const draw = (figure) => {
  const area = figure.querySelector('.chart-area');
  const data = JSON.parse(figure.querySelector('script[type="application/json"]').textContent);
  let plot;
  const render = () => {
    plot?.destroy();
    plot = new uPlot(options(data, area.clientWidth, area.clientHeight), [data.x, ...data.series.map((one) => one.values)], area);
  };
  render();
  let width = area.clientWidth;
  new ResizeObserver(() => {
    if (area.clientWidth !== width) {
      width = area.clientWidth;
      render();
    }
  }).observe(area);
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', render);
  if (data.series.length > 1) {
    key(figure, data);
  }
};

const key = (figure, data) => {
  const list = document.createElement('ul');
  list.className = 'chart-key';
  data.series.forEach((one, i) => {
    const item = document.createElement('li');
    item.innerHTML = `<svg viewBox="0 0 10 10" aria-hidden="true"><circle cx="5" cy="5" r="5" fill="var(--chart-${(i % 4) + 1})"/></svg>`;
    item.append(one.name);
    list.append(item);
  });
  figure.querySelector('.chart-area').after(list);
};

export const drawAll = (root) => root.querySelectorAll('[data-chart]').forEach(draw);
