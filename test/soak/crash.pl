# Faults under load, as many as one asks for: see crash/CrashSoak.pm.
#
#   CRASH_SEED=1  CRASH_KILLS=200  CRASH_TERMINATIONS=20  CRASH_STOPS=40
#   CRASH_PROMOTIONS=10  CRASH_WITHIN=10 (seconds)
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/../t", "$FindBin::RealBin/crash";
use CrashSoak;
use Test::More;

my %size = (kills => 200, terminations => 20, stops => 40, promotions => 10);
$size{$_} = $ENV{ 'CRASH_' . uc $_ } // $size{$_} foreach keys %size;
my $within = $ENV{CRASH_WITHIN} // 10;
my $soak = CrashSoak->new(seed => $ENV{CRASH_SEED} // 1, every => 10, %size);

$soak->run;
note $_ foreach $soak->summary;
foreach my $what (sort keys %size)
{
	(my $one = $what) =~ s/s$//;
	is($soak->{faults}{$one} // 0, $size{$what}, "$what: $size{$what}");
}
cmp_ok($soak->{judged}, '>', $soak->{rows} / 4, 'plain SQL judged rows');
is(join("\n", @{ $soak->{mismatches} }), '', 'rows, history, events and schedules are as they should be');
is(join("\n", map { sprintf '%.1f s after %s', @$_ } grep { $_->[0] > $within } @{ $soak->{recovery} }),
	'', "after each fault all schedules were running again within $within s");
done_testing();
