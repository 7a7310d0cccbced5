# A server whose clock is set forward by days, and back again.  Its clock is
# gettimeofday() with an offset that stands in a file.
use strict;
use warnings;
use FindBin;
use lib $FindBin::RealBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use SegmentNode;
use Test::More;

my $dir = PostgreSQL::Test::Utils::tempdir;
open my $source, '>', "$dir/clock.c" or die "can not write $dir/clock.c";
print $source <<'C';
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdint.h>
#include <stdlib.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/time.h>

int
gettimeofday(struct timeval *restrict tv, void *restrict tz)
{
	static int (*real) (struct timeval *, void *);
	static volatile int64_t *offset;

	if (offset == NULL)
	{
		real = (int (*) (struct timeval *, void *)) dlsym(RTLD_NEXT, "gettimeofday");
		offset = mmap(NULL, sizeof(int64_t), PROT_READ, MAP_SHARED, open(getenv("CLOCK_FILE"), O_RDONLY), 0);
	}
	if (real(tv, tz) != 0)
		return -1;
	tv->tv_sec += *offset;
	return 0;
}
C
close $source;
plan skip_all => 'no other library may be preloaded' if $ENV{LD_PRELOAD};
plan skip_all => 'no compiler'
  if system("cc -O2 -shared -fPIC -o $dir/clock.so $dir/clock.c -ldl >$dir/cc.log 2>&1") != 0;

my $node = segment_node('jumps', 'postgres');
my $db = 'postgres';
my $other = 0;

# Sets the clock; a commit makes the scheduler look, which by itself it does within a minute.
sub set_clock
{
	my ($offset) = @_;

	open my $file, '+<', "$dir/offset" or die "can not write $dir/offset";
	syswrite $file, pack('q', $offset);
	close $file;
	$other++;
	$node->safe_psql($db, "INSERT INTO other.orders VALUES ($other)");
	wait_for($node, $db, "SELECT active FROM other.customers WHERE customer = $other", "clock set by $offset seconds");
	return;
}

open my $file, '>', "$dir/offset" or die "can not write $dir/offset";
print $file "\0" x 8;
close $file;
$node->stop;
{
	local $ENV{LD_PRELOAD} = "$dir/clock.so";
	local $ENV{CLOCK_FILE} = "$dir/offset";
	$node->start;
}
$node->safe_psql($db, 'CREATE EXTENSION segment');
make_shop($node, $db, 'other');
make_shop($node, $db, 'brief', '2 days');
make_shop($node, $db, $_) foreach qw(hourly cron);
my $hour = $node->safe_psql($db, "SELECT extract(hour FROM now() AT TIME ZONE 'UTC' + interval '12 hours')");
$node->safe_psql($db, <<SQL);
INSERT INTO brief.orders VALUES (1);
SELECT segment.schedule('other.customers', 'continuous');
SELECT segment.schedule('brief.customers', 'continuous');
SELECT segment.schedule('hourly.customers', '1 hour');
SELECT segment.schedule('cron.customers', '0 $hour * * *');
SQL

sub runs
{
	my ($schema, $expected, $what) = @_;

	return wait_for($node, $db, "SELECT count(*) FROM segment.runs WHERE tbl = '$schema.customers'::regclass AND status = 'succeeded'",
		$what, $expected);
}

wait_for($node, $db, 'SELECT active FROM brief.customers WHERE customer = 1', 'a customer is active');
runs('hourly', 1, 'a run by the hour');
my $day = 24 * 3600;
set_clock(3 * $day);
wait_for($node, $db, 'SELECT NOT active FROM brief.customers WHERE customer = 1', 'three days later he is not');
runs('hourly', 2, 'missed hours become one run');
runs('cron', 1, 'and so do missed days');
wait_for($node, $db, "SELECT next_run_at > now() AND next_run_at <= now() + interval '1 day' FROM segment.jobs WHERE tbl = 'cron.customers'::regclass",
	'the next is where the line says');
set_clock(0);
wait_for($node, $db, 'SELECT active FROM brief.customers WHERE customer = 1', 'set back, the customer is active again, with no event');
runs('hourly', 3, 'by the hour at once');
runs('cron', 2, 'the cron line, too');
wait_for($node, $db, "SELECT next_run_at > now() AND next_run_at <= now() + interval '1 day' FROM segment.jobs WHERE tbl = 'cron.customers'::regclass",
	'and then as the line says');
for my $schema (qw(other brief hourly cron))
{
	wait_fresh($node, $db, "$schema.customers", "$schema is fresh") if $schema ne 'hourly' && $schema ne 'cron';
	is($node->safe_psql($db, "SELECT count(*) FROM segment.verify('$schema.customers')"), '0', "verify() of $schema.customers is empty");
}
is($node->safe_psql($db, 'SELECT count(*) FROM segment.jobs WHERE failures > 0'), '0', 'nothing failed');
$node->stop;
done_testing();
