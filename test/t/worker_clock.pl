# What the soak tries for long (test/soak), for some seconds: windows of seconds
# beside the clock.  How soon something shows is not judged here; what is shown is.
use strict;
use warnings;
use FindBin;
use lib $FindBin::RealBin;
use IPC::Run;
use PostgreSQL::Test::Utils;
use SegmentNode;
use Test::More;

my $node = segment_node('clock', 'postgres', "track_commit_timestamp = on\nsegment.runs_kept = 100000\n");
my $db = 'postgres';
my $soak = "$FindBin::RealBin/../soak";
my $psql = [ 'psql', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr($db) ];

sub run_file
{
	my ($file, %variables) = @_;

	return IPC::Run::run([ @$psql, '-f', "$soak/$file", map { ('-v', "$_=$variables{$_}") } keys %variables ]);
}

ok(run_file('shop.sql', customers => 40), 'the shop is open');
$node->safe_psql($db, "SELECT segment.schedule('clockwork.members', 'continuous')");
wait_for($node, $db, "SELECT as_of IS NOT NULL FROM segment.status WHERE tbl = 'clockwork.members'::regclass",
	'its table is built');
my ($started, $until, $stopped) = split /\|/, $node->safe_psql($db,
	"SELECT now() + interval '1 second', now() + interval '12 seconds', now() + interval '19 seconds'");
my @sessions = map { IPC::Run::start([ @$psql, '-c', $_ ]) } (
	"CALL clockwork.observe('$stopped')",
	"CALL clockwork.write(0.1, 10, '$until')",
	"CALL clockwork.write(0.2, 10, '$until')");
is(scalar(grep { $_->finish } @sessions), 3, 'two wrote, one observed');
ok(run_file('truth.sql', started => $started, stopped => $stopped, long => '1 hour'), 'the truth is known');

my $in = 'SET search_path = clockwork;';
cmp_ok($node->safe_psql($db, "$in SELECT count(*) FROM verdict WHERE fate = 'seen'"), '>', 100, 'changes were seen');
is($node->safe_psql($db, "$in SELECT * FROM verdict WHERE fate = 'overlooked' LIMIT 5"), '', 'no run overlooked one');
is($node->safe_psql($db, "$in SELECT * FROM spurious LIMIT 5"), '', 'none was seen that was never true');
wait_fresh($node, $db, 'clockwork.members', 'all is done in the end');
is($node->safe_psql($db, "SELECT count(*) FROM segment.verify('clockwork.members')"), '0', 'verify() is empty');
$node->stop;
done_testing();
