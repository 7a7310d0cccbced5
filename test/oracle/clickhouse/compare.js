'use strict';
// compare.js DIRECTORY [FAMILY...]: asks ClickHouse and PostgreSQL the same
// questions about the same random cases; prints TAP, and exits with 1 if an
// answer differs.  run.sh calls it.
//
// A family is a module family_NAME.js that exports
//
//	columns		what a row of a case holds: [[name, ClickHouse's type, PostgreSQL's], ...]
//	batches		how many batches to make
//	batch(random, size)	one batch: cases that share all that must be constant in
//				a query.  It has
//		note		text for whoever reads a difference: the constants
//		cases		size cases, each an array of rows, each an array of values
//				(at least one row, or no engine has an answer)
//		questions	[{name, clickhouse, postgres, except}, ...]: the same
//				expression over the rows of a case in the language of either, which
//				must print the same text; except(rows, answer), if given, is
//				true for cases, and answers of ClickHouse to them, that are not to
//				be compared.  Questions of the same name in many batches are one
//				test.
//
// random gives: below(n), between(least, most), chance(p), pick(array).
// The seed decides all of it: what is printed can be repeated.

const fs = require('fs');
const path = require('path');
const { execFileSync } = require('child_process');
const { query } = require(process.env.CHDB_MODULE);

const seed = Number(process.env.ORACLE_SEED || 1);
const wanted = Number(process.env.ORACLE_CASES || 20000);
const shown = 3;			// differences of a test that are printed
const [directory, ...only] = process.argv.slice(2);

// Marsaglia's xorshift of 32 bits
function makeRandom(state) {
	const next = () => {
		state ^= state << 13;
		state ^= state >>> 17;
		state ^= state << 5;
		return state >>> 0;
	};
	const below = n => Math.floor(next() / 4294967296 * n);
	for (let i = 0; i < 20; i++) {
		next();
	}
	return {
		below,
		between: (least, most) => least + below(most - least + 1),
		chance: p => next() / 4294967296 < p,
		pick: array => array[below(array.length)],
	};
}

// The batches of a family, each written to a file with the number of its case
// in front of each row.
function makeBatches(name, family) {
	const random = makeRandom((seed * 2654435761 ^ 0x9e3779b9) | 1);
	const size = Math.ceil(wanted / family.batches);
	const batches = [];
	for (let i = 0; i < family.batches; i++) {
		const batch = family.batch(random, size);
		batch.file = path.join(directory, `${name}.${i}.tsv`);
		fs.writeFileSync(batch.file, batch.cases.flatMap((rows, number) =>
			rows.map(row => [number, ...row].join('\t') + '\n')).join(''));
		batches.push(batch);
	}
	return batches;
}

function splitAnswers(text) {
	return text.split('\n').filter(line => line !== '').map(line => line.split('\t').slice(1));
}

function askClickHouse(family, batch) {
	const columns = ['number UInt32', ...family.columns.map(([name, type]) => `${name} ${type}`)];
	const questions = batch.questions.map(question => question.clickhouse);
	return splitAnswers(query(`SELECT number, ${questions.join(', ')}
		FROM file('${batch.file}', 'TSV', '${columns.join(', ').replace(/'/g, "\\'")}')
		GROUP BY number ORDER BY number`, 'TSV'));
}

function askPostgres(family, batches) {
	const columns = family.columns.map(([name, , type]) => `${name} ${type}`);
	const script = batches.map(batch => `
		TRUNCATE cases;
		\\copy cases FROM '${batch.file}'
		SELECT number, ${batch.questions.map(question => question.postgres).join(', ')}
		FROM cases GROUP BY number ORDER BY number;
		\\echo`);
	// \copy is a command of one line
	const text = `SET client_min_messages = warning;
		SET TimeZone = 'UTC';
		CREATE TEMPORARY TABLE cases (number int, ${columns.join(', ')});
		${script.join('')}`.replace(/^\s+/gm, '');
	const answers = execFileSync('psql',
		['-XAtq', '-F', '\t', '-P', 'null=\\N', '-v', 'ON_ERROR_STOP=1'],
		{ input: text, maxBuffer: 1 << 30, encoding: 'utf8', stdio: ['pipe', 'pipe', 'inherit'] });
	return answers.split('\n\n').slice(0, batches.length).map(splitAnswers);
}

function describe(batch, number, question, clickhouse, postgres) {
	return [`seed ${seed}, ${batch.note}: ClickHouse says ${clickhouse}, segment ${postgres}`,
		`  ${question.postgres}`,
		...batch.cases[number].map(row => `  ${row.join('\t')}`)];
}

// One test for each name of a question.
function compareFamily(name, family) {
	const tests = new Map();
	const batches = makeBatches(name, family);
	const postgres = askPostgres(family, batches);
	batches.forEach((batch, i) => {
		const clickhouse = askClickHouse(family, batch);
		const count = batch.cases.length;
		if (clickhouse.length !== count || postgres[i].length !== count) {
			throw new Error(`${name}: ${count} cases, ${clickhouse.length} and ${postgres[i].length} answers`);
		}
		batch.questions.forEach((question, q) => {
			const test = tests.get(question.name) || { tried: 0, left: 0, bad: 0, evidence: [] };
			tests.set(question.name, test);
			batch.cases.forEach((rows, number) => {
				const answers = [clickhouse[number][q], postgres[i][number][q]];
				if (question.except && question.except(rows, answers[0])) {
					test.left++;
					return;
				}
				test.tried++;
				if (answers[0] !== answers[1] && test.bad++ < shown) {
					test.evidence.push(...describe(batch, number, question, ...answers));
				}
			});
		});
	});
	return tests;
}

let number = 0;
let failed = false;

function report(ok, text, evidence) {
	console.log(`${ok ? 'ok' : 'not ok'} ${++number} - ${text}`);
	evidence.forEach(line => console.log(`# ${line}`));
	failed = failed || !ok;
}

const names = fs.readdirSync(__dirname).map(file => /^family_(.*)\.js$/.exec(file))
	.filter(found => found && (only.length === 0 || only.includes(found[1]))).map(found => found[1]);
for (const name of names) {
	try {
		const tests = compareFamily(name, require(`./family_${name}.js`));
		for (const [question, test] of tests) {
			report(test.bad === 0 && test.tried > 0,
				`${question}: ${test.tried} cases` + (test.left ? `, ${test.left} left out` : '') +
				(test.bad ? `, ${test.bad} differ` : ''), test.evidence);
		}
	} catch (error) {
		report(false, name, String(error.stack || error).split('\n'));
	}
}
console.log(`1..${number}`);
process.exit(failed || number === 0 ? 1 : 0);
