-- Confidence intervals beside published examples.
SET extra_float_digits = 0;

-- rates: R. G. Newcombe, "Two-sided confidence intervals for the single proportion", Statistics in Medicine 17 (1998), table I, method 3
SELECT hits, n, round(low::numeric, 4) AS low, round(high::numeric, 4) AS high
FROM (VALUES (81, 263), (15, 148), (0, 20), (1, 29), (20, 20)) v(hits, n), segment.rate_interval(hits, n);
-- differences of rates: the same, "Interval estimation for the difference between independent proportions", table II, method 10
SELECT hits, n, control_hits, control_n, round(low::numeric, 4) AS low, round(high::numeric, 4) AS high
FROM (VALUES (56, 70, 48, 80), (9, 10, 3, 10), (6, 7, 2, 7), (5, 56, 0, 29), (0, 10, 0, 20), (0, 10, 0, 10), (10, 10, 0, 20), (10, 10, 0, 10))
	v(hits, n, control_hits, control_n), segment.rate_difference_interval(hits, n, control_hits, control_n);
-- means: Student's own example of 1908, hours of sleep gained by two drugs; R prints for t.test(extra ~ group, sleep):
-- t = -1.8608, df = 17.776, 95 percent confidence interval: -3.3654832 0.2054832
CREATE TEMP TABLE sleep (drug int, extra float8);
INSERT INTO sleep SELECT 1, unnest('{0.7,-1.6,-0.2,-1.2,-0.1,3.4,3.7,0.8,0.0,2.0}'::float8[]);
INSERT INTO sleep SELECT 2, unnest('{1.9,0.8,1.1,0.1,-0.1,4.4,5.5,1.6,4.6,3.4}'::float8[]);
SELECT round(i.low::numeric, 7) AS low, round(i.high::numeric, 7) AS high
FROM (SELECT avg(extra) AS m, var_samp(extra) AS v, count(*) AS n FROM sleep WHERE drug = 1) a,
	(SELECT avg(extra) AS m, var_samp(extra) AS v, count(*) AS n FROM sleep WHERE drug = 2) b,
	segment.mean_difference_interval(a.m, a.v, a.n, b.m, b.v, b.n) i;
-- one sample by hand: t of 9 degrees is 2.262157 for 95 %, and 3.249836 for 99 %
SELECT drug, level, round(i.low::numeric, 5) AS low, round(i.high::numeric, 5) AS high,
	round((m - t * sqrt(v / 10))::numeric, 5) AS by_hand_low, round((m + t * sqrt(v / 10))::numeric, 5) AS by_hand_high
FROM (SELECT drug, avg(extra) AS m, var_samp(extra) AS v, count(*) AS n FROM sleep GROUP BY drug) a,
	(VALUES (0.95, 2.262157), (0.99, 3.249836)) l(level, t), segment.mean_interval(m, v, n, level) i ORDER BY 1, 2;

-- many observations: the t is the z
SELECT round(low::numeric, 6) AS low, round(high::numeric, 6) AS high FROM segment.mean_interval(0, 1e12, 1000000000000);
SELECT round(low::numeric, 6) AS low, round(high::numeric, 6) AS high FROM segment.mean_difference_interval(0, 1e12, 1000000000000, 5, 0, 1000000000000);
-- higher levels contain lower ones, and the ends are never left
SELECT count(*) FILTER (WHERE low > lag_low OR high < lag_high) AS not_contained, count(*) FILTER (WHERE low < 0 OR high > 1) AS outside, count(*)
FROM (SELECT low, high, lag(low) OVER w AS lag_low, lag(high) OVER w AS lag_high
	FROM (VALUES (0::bigint, 1::bigint), (1, 1), (1, 2), (3, 1000000007), (9223372036854775806, 9223372036854775807)) v(hits, n),
		unnest('{1e-9,0.1,0.5,0.9,0.99,0.999999,0.999999999999}'::float8[]) level, segment.rate_interval(hits, n, level)
	WINDOW w AS (PARTITION BY hits, n ORDER BY level)) i;

-- nothing, one, no spread, NULL, NaN
SELECT * FROM segment.rate_interval(0, 0), segment.rate_difference_interval(1, 2, 0, 0) d, segment.mean_interval(5, 0, 1) m, segment.mean_difference_interval(5, 1, 2, 5, 0, 1) w;
SELECT * FROM segment.mean_interval(5, 0, 2), segment.mean_difference_interval(5, 0, 2, 3, 0, 9) w;
SELECT * FROM segment.mean_interval('NaN', 'NaN', 2), segment.mean_difference_interval('infinity', 'NaN', 2, 3, 0, 9) w;
SELECT * FROM segment.rate_interval(NULL, 7), segment.mean_interval(5, 1, 2, NULL) m;
SELECT segment.rate_interval(NULL, 7);

-- refused
SELECT segment.rate_interval(8, 7);
SELECT segment.rate_interval(-1, 7);
SELECT segment.rate_interval(0, -1);
SELECT segment.rate_difference_interval(1, 7, 8, 7);
SELECT segment.rate_interval(1, 7, 1);
SELECT segment.rate_interval(1, 7, 0);
SELECT segment.rate_interval(1, 7, 95);
SELECT segment.rate_interval(1, 7, 'NaN');
SELECT segment.mean_interval(1, -1, 7);
SELECT segment.mean_difference_interval(1, 1, 7, 1, 1, -7);
