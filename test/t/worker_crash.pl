# Processes killed where they stand, a server stopped at once and a promotion,
# under eight writers.  The long version is in test/soak/.
use strict;
use warnings;
use FindBin;
use lib $FindBin::RealBin, "$FindBin::RealBin/../soak/crash";
use CrashSoak;
use Test::More;

my $seed = $ENV{SEGMENT_SEED} || time;
my $soak = CrashSoak->new(seed => $seed, kills => 6, terminations => 1, stops => 1, promotions => 1, every => 5);

note "seed $seed";
$soak->run;
note $_ foreach $soak->summary;
my $faults = $soak->{faults};
is($faults->{kill}, 6, 'processes were killed');
is($faults->{stop}, 1, 'the server was stopped at once');
is($faults->{promotion}, 1, 'a standby took over');
cmp_ok($soak->{committed}, '>', 100, 'writers wrote');
cmp_ok($soak->{judged}, '>', $soak->{rows} / 4, 'plain SQL judged rows');
is(join("\n", @{ $soak->{mismatches} }), '', 'rows, history, events and schedules are as they should be');
done_testing();
