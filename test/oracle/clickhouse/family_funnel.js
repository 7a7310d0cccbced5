'use strict';
// segment.funnel and segment.funnel_by against windowFunnel, in every mode.

const words = ['strict_order', 'strict_deduplication', 'strict_increase', 'strict_once', 'allow_reentry'];
const units = ['1 microsecond', '1 second', '7 days'];

// Every set of words that both accept; the empty one is the default.
const modes = [];
for (let set = 0; set < 1 << words.length; set++) {
	const mode = words.filter((word, i) => set >> i & 1);
	if (!mode.includes('allow_reentry') || mode.includes('strict_order')) {
		modes.push(mode);
	}
}

// Here, which of two events of one instant comes first changes ClickHouse's
// answer: both meet the condition of a step, and one may have taken an earlier one.
function dependsOnOrder(rows) {
	return rows.some(([at, marks], i) => rows.slice(i + 1).some(([otherAt, other]) => {
		const shared = marks & other & ~1n;
		const lower = (1n << BigInt(shared.toString(2).length - 1)) - 1n;
		return at === otherAt && shared !== 0n && ((marks | other) & lower) !== 0n;
	}));
}

function questions(steps, window, unit, withOnce) {
	const bits = [...Array(steps).keys()];
	const clickhouse = bits.map(i => `bitTest(marks, ${i})`).join(', ');
	const postgres = bits.map(i => `marks >> ${i} & 1 = 1`).join(', ');
	const at = `timestamptz '2000-01-01' + at * interval '${unit}'`;
	const within = `${window} * interval '${unit}'`;
	const level = `windowFunnel(${window})(at, ${clickhouse})`;
	const list = [
		{ name: 'funnel', clickhouse: level, postgres: `segment.funnel(${at}, ${within}, ${postgres})` },
		{
			name: 'funnel_times: as many as the level',
			clickhouse: level,
			postgres: `cardinality(segment.funnel_times(${at}, ${within}, ${postgres}))`,
		},
	];
	for (const mode of modes) {
		const once = mode.includes('strict_once');
		if (once && !withOnce) {
			continue;
		}
		list.push({
			name: `funnel_by ${mode.join(',') || "''"}`,
			clickhouse: `windowFunnel(${[window, ...mode.map(word => `'${word}'`)].join(', ')})(at, ${clickhouse})`,
			postgres: `segment.funnel_by('${mode.join(',')}', ${at}, ${within}, ${postgres})`,
			except: once && mode.includes('strict_deduplication') && !mode.includes('strict_increase')
				? dependsOnOrder : undefined,
		});
	}
	return list;
}

// Marks of some of the conditions, the same one perhaps twice, or of none.
function marksOf(random, steps, most, none) {
	let marks = 0n;
	if (!random.chance(none)) {
		for (let i = random.between(1, most); i > 0; i--) {
			marks |= 1n << BigInt(random.below(steps));
		}
	}
	return marks;
}

// Styles of cases.  With strict_once, ClickHouse keeps every chain there is:
// their number must stay small.
const styles = {
	// a few events in a few instants, meeting many conditions
	dense: random => {
		const steps = random.between(1, 6);
		const span = random.between(1, 6);
		return {
			steps, span, once: true,
			rows: () => Array.from({ length: random.between(1, 7) }, () =>
				[random.between(0, span), marksOf(random, steps, 3, 0.05)]),
		};
	},
	// all events at the same time
	instant: random => {
		const steps = random.between(1, 6);
		return {
			steps, span: 0, once: true,
			rows: () => Array.from({ length: random.between(1, 7) }, () =>
				[0, marksOf(random, steps, 2, 0.03)]),
		};
	},
	sparse: random => {
		const steps = random.between(2, 10);
		const span = random.between(5, 20);
		return {
			steps, span, once: true,
			rows: () => Array.from({ length: random.between(1, 12) }, () =>
				[random.between(0, span), marksOf(random, steps, random.chance(0.1) ? 2 : 1, 0.05)]),
		};
	},
	// one event for each step in turn, and some others between them
	ladder: random => {
		const steps = random.between(5, 32);
		return {
			steps, span: steps, once: true,
			rows: () => {
				const rows = Array.from({ length: random.between(1, steps) }, (_, i) =>
					[random.chance(0.1) ? i + 1 : i, 1n << BigInt(i)]);
				for (let i = random.between(0, 4); i > 0; i--) {
					rows.push([random.between(0, steps), marksOf(random, steps, 2, 0.2)]);
				}
				return rows;
			},
		};
	},
	// many events; too many chains for strict_once
	long: random => {
		const steps = random.between(2, 12);
		const span = random.pick([10, 50, 200]);
		return {
			steps, span, once: false,
			rows: () => Array.from({ length: random.between(20, 60) }, () =>
				[random.between(0, span), marksOf(random, steps, 2, 0.01)]),
		};
	},
};

module.exports = {
	columns: [['at', 'UInt64', 'bigint'], ['marks', 'UInt64', 'bigint']],
	batches: 100,
	batch: (random, size) => {
		const style = random.pick(Object.keys(styles));
		const { steps, span, once, rows } = styles[style](random);
		const window = random.pick([0, 1, 2, random.between(0, span), span, 1000]);
		const unit = random.pick(units);
		return {
			note: `${style}, ${steps} steps, window ${window} * ${unit}`,
			cases: Array.from({ length: size }, rows),
			questions: questions(steps, window, unit, once),
		};
	},
};
