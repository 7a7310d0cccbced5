// draw.mjs DASHBOARD RESULTS DIRECTORY: draws what queries.pl printed, as
// dashboard.svg, each panel where the dashboard has it, and flow.svg, the flow as a
// Sankey diagram.  Needs the npm package echarts.
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
const echarts = createRequire(import.meta.url)('echarts');

const [dashboardFile, resultsFile, directory] = process.argv.slice(2);
const dashboard = JSON.parse(readFileSync(dashboardFile, 'utf8'));
const results = readFileSync(resultsFile, 'utf8').trim().split('\n').map(line => JSON.parse(line));
const rowsOf = panel => {
	const result = results.find(r => r.id === panel.id);
	if (!result || result.error) throw new Error(`${panel.title}: ${result ? result.error : 'no result'}`);
	return result;
};

const COLUMN = 50, LINE = 26, GAP = 8, HEAD = 24;
const COLORS = ['#3572b0', '#e0832f', '#4f9d50', '#c94f4f', '#8264a8', '#8c6d5a', '#d073a8', '#7f7f7f', '#b5a831', '#35a3b5'];
const NAMED = { green: '#3f9142', yellow: '#c69500', orange: '#d9701e', red: '#c23b3b', blue: '#3572b0' };
const FONT = 'font-family="Helvetica, Arial, sans-serif"';
const escape = text => String(text).replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');
const text = (x, y, size, content, more = '') => `<text x="${x}" y="${y}" font-size="${size}" ${FONT} ${more}>${escape(content)}</text>`;

// The values of variables, for titles.
const values = {};
for (const v of dashboard.templating.list) {
	const found = results.find(r => r.variable === v.name);
	values[v.name] = found ? found.rows[0]?.[0] ?? '' : v.current?.value;
}
const title = panel => panel.title.replace(/\$(\w+)/g, (all, name) => values[name] ?? all);

const number = (value, unit) => {
	if (value === null || value === undefined) return '';
	if (typeof value !== 'number') return String(value).replace(/T(\d\d:\d\d).*/, ' $1');
	if (unit === 'percentunit') return (100 * value).toFixed(1) + '%';
	if (unit === 's') return (Number.isInteger(value) ? value : value.toFixed(2)) + ' s';
	return Number.isInteger(value) ? value.toLocaleString('en') : value.toFixed(2);
};

function stat(panel, w, h) {
	const { rows, columns } = rowsOf(panel);
	const value = rows[0]?.[0];
	const { defaults } = panel.fieldConfig;
	const mapped = defaults.mappings?.[0]?.options[value]?.color;
	const step = (defaults.thresholds?.steps ?? []).filter(s => s.value === null || value >= s.value).pop();
	const color = NAMED[mapped ?? (defaults.color.mode === 'fixed' ? defaults.color.fixedColor : step?.color)] ?? '#333';
	const filled = panel.options.colorMode === 'background';
	return (filled ? `<rect x="1" y="${HEAD}" width="${w - 2}" height="${h - HEAD - 1}" fill="${color}"/>` : '') +
		text(w / 2, HEAD + (h - HEAD) / 2 + 10, 28, number(value, defaults.unit), `text-anchor="middle" fill="${filled ? '#fff' : color}"`);
}

function table(panel, w, h) {
	const { rows, columns } = rowsOf(panel);
	const { overrides, defaults } = panel.fieldConfig;
	const property = (name, id) => overrides.filter(o => o.matcher.options === name).flatMap(o => o.properties).find(p => p.id === id)?.value;
	// the widths that the contents ask for, stretched to the panel
	const shown = rows.slice(0, Math.floor((h - HEAD - 24) / 21));
	const cells = shown.map(row => row.map((v, i) => number(v, property(columns[i][0], 'unit') ?? defaults.unit)));
	const wanted = columns.map(([name], i) => 3 + Math.max(name.length, ...cells.map(c => c[i].length), property(name, 'custom.cellOptions') ? 22 : 0));
	const scale = (w - 16) / wanted.reduce((a, b) => a + b);
	let out = '', x = 8;
	columns.forEach(([name, type], i) => {
		const width = wanted[i] * scale;
		const right = /int|double|numeric/.test(type) && !property(name, 'custom.cellOptions');
		const at = right ? x + width - 8 : x;
		const anchor = right ? 'text-anchor="end"' : '';
		out += text(at, HEAD + 14, 11, name, `${anchor} font-weight="bold" fill="#555"`);
		const max = property(name, 'max') ?? Math.max(...rows.map(r => r[i]));
		shown.forEach((row, n) => {
			const y = HEAD + 24 + 21 * n;
			if (property(name, 'custom.cellOptions') && row[i] !== null)
				out += `<rect x="${x + 52}" y="${y + 1}" width="${Math.max(1, (width - 60) * row[i] / max).toFixed(1)}" height="15" fill="${NAMED.blue}" opacity="0.75"/>`;
			out += text(at, y + 13, 11, cells[n][i], `${anchor} fill="#222"`);
		});
		x += width;
	});
	return out;
}

function chart(w, h, option, top = HEAD) {
	const drawn = echarts.init(null, null, { renderer: 'svg', ssr: true, width: w, height: h - top });
	drawn.setOption({ animation: false, color: COLORS, textStyle: { fontFamily: 'Helvetica, Arial, sans-serif' }, ...option });
	const svg = drawn.renderToSVGString();
	drawn.dispose();
	return `<g transform="translate(0 ${top})">${svg}</g>`;
}

function barchart(panel, w, h) {
	const { rows } = rowsOf(panel);
	return chart(w, h, {
		grid: { left: 14, right: 56, top: 8, bottom: 8, containLabel: true },
		xAxis: { type: 'value', splitNumber: 3 },
		yAxis: { type: 'category', inverse: true, data: rows.map(r => r[0]), axisTick: { show: false } },
		series: [{ type: 'bar', data: rows.map(r => r[1]), color: NAMED.blue, label: { show: true, position: 'right', formatter: p => number(p.value) } }],
	});
}

function timeseries(panel, w, h) {
	const { rows } = rowsOf(panel);
	const custom = panel.fieldConfig.defaults.custom;
	const names = [...new Set(rows.map(r => r[1]))];
	if (rows.length === 0) return text(w / 2, h / 2, 12, 'No data', 'text-anchor="middle" fill="#777"');
	const instants = [...new Set(rows.map(r => r[0]))];
	const day = at => (typeof at === 'number' ? new Date(1000 * at).toISOString() : at).slice(0, 10);
	const series = names.map(name => {
		const found = new Map(rows.filter(r => r[1] === name).map(r => [r[0], r[2]]));
		return {
			name, data: instants.map(at => found.get(at) ?? null), symbol: 'none',
			type: custom.drawStyle === 'bars' ? 'bar' : 'line', step: custom.drawStyle === 'line' ? 'end' : undefined,
			lineStyle: { width: 1.5 }, stack: custom.stacking.mode === 'normal' ? 'all' : undefined,
			areaStyle: custom.fillOpacity && custom.drawStyle === 'line' ? { opacity: custom.fillOpacity / 100 } : undefined,
		};
	});
	return chart(w, h, {
		grid: { left: 8, right: 36, top: 12, bottom: 30, containLabel: true },
		legend: { bottom: 2, itemWidth: 14, itemHeight: 8, textStyle: { fontSize: 11 } },
		xAxis: { type: 'category', data: instants.map(day), boundaryGap: custom.drawStyle === 'bars', axisLine: { onZero: false } },
		yAxis: { type: 'value', splitNumber: 4 },
		series,
	});
}

const kinds = { stat, table, barchart, timeseries };
// Runs are of the day on which the demo is loaded, not of the days of its log.
const end = dashboard.panels.find(p => p.type === 'row' && p.title === 'Refreshes').gridPos.y;
const left = dashboard.panels.filter(p => p.gridPos.y < end);
const width = 24 * COLUMN, height = LINE * Math.max(...left.map(p => p.gridPos.y + p.gridPos.h));
let out = '';
for (const panel of left) {
	const { x, y, w, h } = panel.gridPos;
	const W = w * COLUMN - GAP, H = h * LINE - GAP;
	out += `<g transform="translate(${x * COLUMN + GAP / 2} ${y * LINE + GAP / 2})">`;
	if (panel.type === 'row') out += text(4, 15, 14, panel.title, 'font-weight="bold" fill="#222"');
	else
		out += `<rect x="0.5" y="0.5" width="${W - 1}" height="${H - 1}" fill="#fff" stroke="#d5d5d5"/>` +
			text(8, 17, 12, title(panel), 'font-weight="bold" fill="#333"') + kinds[panel.type](panel, W, H);
	out += '</g>\n';
}
const svg = (w, h, body) => `<svg xmlns="http://www.w3.org/2000/svg" width="${w}" height="${h}" viewBox="0 0 ${w} ${h}">\n<rect width="${w}" height="${h}" fill="#f4f5f7"/>\n${body}</svg>\n`;
writeFileSync(`${directory}/dashboard.svg`, svg(width, height, out));

const flow = dashboard.panels.find(p => p.title.startsWith('Flow of'));
const { rows } = rowsOf(flow);
const nodes = [...new Set(rows.flatMap(([a, b]) => [`${a} before`, `${b} now`]))];
const stages = [...new Set(rows.flatMap(([a, b]) => [a, b]))];
writeFileSync(`${directory}/flow.svg`, svg(700, 360, chart(700, 360, {
	series: [{
		type: 'sankey', left: 110, right: 110, top: 16, bottom: 16, nodeGap: 14, draggable: false,
		data: nodes.map(name => ({
			name, itemStyle: { color: COLORS[stages.indexOf(name.replace(/ (before|now)$/, '')) % COLORS.length] },
			label: { position: name.endsWith(' before') ? 'left' : 'right' },
		})),
		links: rows.map(([a, b, count]) => ({ source: `${a} before`, target: `${b} now`, value: count })),
		lineStyle: { color: 'source', opacity: 0.35 },
	}],
}, 0)));
