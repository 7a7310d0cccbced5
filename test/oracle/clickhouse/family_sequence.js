'use strict';
// segment.sequence_match, sequence_count and sequence_events against sequenceMatch,
// sequenceCount and sequenceMatchEvents.
//
// ClickHouse sorts by time alone, so that its answer depends on the order of rows
// of the same time: rows come to it in segment's order, and to PostgreSQL in
// another.  What is left out:
// - (?t<0) before anything that takes an event, which ClickHouse passes in the end;
// - cases in which a pattern may end in .* or a time that is passed without an
//   event: there ClickHouse reads on behind its list of actions, and the answer
//   depends on what lies there;
// - lists of events of ClickHouse's that are no chain of the pattern: going back,
//   it keeps events of the chains it has given up.

const operators = ['>=', '>', '<=', '<', '=='];

// An element: its text in either language, and what it means.
function makeElement(random, conditions, waits) {
	const choice = random.below(10);
	if (choice < 3 && waits) {
		const operator = random.pick(operators);
		const seconds = random.below(5);
		const written = random.pick([`${seconds}`, `${seconds}.000`, `'${seconds} seconds'`, `'PT${seconds}S'`]);
		return { kind: operator, seconds, text: `(?t${operator}${seconds})`, ours: `(?t${operator}${written})` };
	}
	if (choice < 5) {
		const text = choice < 4 ? '.*' : '.';
		return { kind: text, text, ours: text };
	}
	const condition = random.between(1, conditions);
	return { kind: 'event', condition, text: `(?${condition})`, ours: `(?${condition})` };
}

function passesAtEnd(element) {
	return ['.*', '<', '<='].includes(element.kind) || (element.kind === '>=' && element.seconds === 0);
}

function makePattern(random, conditions) {
	const elements = [];
	for (let i = random.between(0, random.pick([3, 5, 9])); i > 0; i--) {
		const last = elements[elements.length - 1];
		const element = makeElement(random, conditions, !last || !operators.includes(last.kind));
		const taken = elements.some(({ kind }) => kind === '.' || kind === 'event');
		if (element.kind !== '<' || element.seconds > 0 || taken) {
			elements.push(element);
		}
	}
	return elements;
}

// Events that meet no condition do not exist.
function eventsOf(rows) {
	return rows.filter(([, marks]) => marks !== 0);
}

function meets(element, event) {
	return element.kind === '.' ||
		(element.kind === 'event' && (event[1] >> (element.condition - 1) & 1) === 1);
}

// May the last event be taken, and the rest of the pattern be passed without one?
function mayPassEnd(elements, rows) {
	const events = eventsOf(rows);
	let tail = elements.length;
	while (tail > 0 && passesAtEnd(elements[tail - 1])) {
		tail--;
	}
	if (tail === 0 || events.length === 0) {
		return tail === 0 && events.length === 0;
	}
	return tail < elements.length && meets(elements[tail - 1], events[events.length - 1]);
}

function holds(element, from, to) {
	switch (element.kind) {
		case '>=': return to - from >= element.seconds;
		case '>': return to - from > element.seconds;
		case '<=': return to - from <= element.seconds;
		case '<': return to - from < element.seconds;
		case '==': return to - from === element.seconds;
		default: return true;
	}
}

// Is there a chain whose (?N) are events of just these times?
function isChain(elements, rows, times) {
	const events = eventsOf(rows);
	const actions = [{ kind: '.*' }, ...elements];
	const seen = new Set();
	const search = (i, place, base, taken) => {
		const key = [i, place, base, taken].join();
		if (seen.has(key)) {
			return false;
		}
		seen.add(key);
		if (i === actions.length) {
			return taken === times.length;
		}
		if (place === events.length) {
			return passesAtEnd(actions[i]) && search(i + 1, place, base, taken);
		}
		const action = actions[i];
		if (action.kind === '.') {
			return search(i + 1, place + 1, place, taken);
		}
		if (action.kind === 'event') {
			return meets(action, events[place]) && events[place][0] === times[taken] &&
				search(i + 1, place + 1, place, taken + 1);
		}
		for (let p = place; p < events.length; p++) {
			if (holds(action, events[base][0], events[p][0]) && search(i + 1, p, p, taken)) {
				return true;
			}
		}
		return false;
	};
	return search(0, 0, 0, 0);
}

// Events of one time come in the order of their marks.
function makeRows(random, conditions, step) {
	const rows = [];
	let at = 0;
	for (let i = random.between(1, 18); i > 0; i--) {
		let marks = 0;
		for (let j = random.below(4); j > 0; j--) {
			marks |= 1 << random.below(conditions);
		}
		at += random.below(step);
		rows.push([at, marks]);
	}
	return rows.sort((a, b) => a[0] - b[0] || a[1] - b[1]);
}

module.exports = {
	columns: [['at', 'UInt32', 'bigint'], ['marks', 'UInt32', 'bigint']],
	batches: 1000,
	batch: (random, size) => {
		const conditions = random.pick([2, 3, 3, 3, 4, 30]);
		const step = random.pick([2, 3, 4]);
		const elements = makePattern(random, random.pick([Math.min(conditions, 4), conditions]));
		const pattern = elements.map(element => element.text).join('');
		const ours = elements.map(element => element.ours).join('').replace(/'/g, "''");
		const timed = elements.some(({ kind }) => operators.includes(kind));
		const bits = [...Array(conditions).keys()];
		const clickhouse = `(at, ${bits.map(i => `bitTest(marks, ${i})`).join(', ')})`;
		const postgres = `('${ours}', to_timestamp(at), ${bits.map(i => `marks >> ${i} & 1 = 1`).join(', ')}
			ORDER BY marks % 3, at DESC, marks DESC)`.replace(/\s+/g, ' ');
		return {
			note: pattern,
			cases: Array.from({ length: size }, () => makeRows(random, conditions, step)),
			questions: [
				{
					name: 'sequence_match',
					clickhouse: `sequenceMatch('${pattern}')${clickhouse}`,
					postgres: `segment.sequence_match${postgres}::int`,
					except: timed ? rows => mayPassEnd(elements, rows) : undefined,
				},
				{
					name: 'sequence_count',
					clickhouse: `sequenceCount('${pattern}')${clickhouse}`,
					postgres: `segment.sequence_count${postgres}`,
					except: rows => mayPassEnd(elements, rows),
				},
				{
					name: 'sequence_events',
					clickhouse: `sequenceMatchEvents('${pattern}')${clickhouse}`,
					postgres: `(SELECT '[' || coalesce(string_agg(extract(epoch FROM e)::bigint::text, ',' ORDER BY n), '') || ']'
						FROM unnest(segment.sequence_events${postgres}) WITH ORDINALITY u(e, n))`,
					except: (rows, answer) => !isChain(elements, rows, JSON.parse(answer)),
				},
			],
		};
	},
};
