'use strict';
// segment.retention against retention.

function questions(conditions) {
	const bits = [...Array(conditions).keys()];
	const clickhouse = bits.map(i => `bitTest(marks, ${i})`).join(', ');
	const postgres = bits.map(i => `marks >> ${i} & 1 = 1`).join(', ');
	return [{
		name: 'retention',
		clickhouse: `retention(${clickhouse})`,
		postgres: `'[' || array_to_string(segment.retention(${postgres})::int[], ',') || ']'`,
	}];
}

module.exports = {
	columns: [['marks', 'UInt64', 'bigint']],
	batches: 100,
	batch: (random, size) => {
		// ClickHouse takes two to thirty-two
		const conditions = random.chance(0.8) ? random.between(2, 6) : random.between(7, 32);
		const met = random.pick([0.05, 0.2, 0.5, 0.9]);
		const row = () => {
			let marks = 0n;
			for (let i = 0; i < conditions; i++) {
				marks |= random.chance(met) ? 1n << BigInt(i) : 0n;
			}
			return [marks];
		};
		return {
			note: `${conditions} conditions`,
			cases: Array.from({ length: size }, () => Array.from({ length: random.between(1, 8) }, row)),
			questions: questions(conditions),
		};
	},
};
