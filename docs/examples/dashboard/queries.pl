#!/usr/bin/perl
# queries.pl [OPTION...] DASHBOARD: runs each query of a Grafana dashboard as
# Grafana would, with psql, and prints what came of it, a line of JSON for each:
#
#   {"id": panel, "title": ..., "type": ..., "ref": ..., "format": ..., "sql": as it was sent,
#    "columns": [[name, type], ...], "rows": [[value, ...], ...], "error": ...}
#
# Variables come first, in their order, with "variable" in place of "id"; each has
# the values that its query returns, "All" of them if it may have several, else the first.
#
#   --from=INSTANT --to=INSTANT   the time range
#   --interval=1d                 what Grafana would make of $__interval
#   --set=NAME=VALUE              a variable's value, also more than once; --set=NAME: it has none
#   --before=SQL                  run in each session first
#
# Connection settings come from the environment.
use strict;
use warnings;
use File::Temp;
use JSON::PP;

my %option = (interval => '1d', before => '');
my (%given, %value, %column);
while (@ARGV && $ARGV[0] =~ /^--(from|to|interval|set|before)=(.*)$/s) {
	my ($name, $text) = ($1, $2);
	shift @ARGV;
	if ($name ne 'set') { $option{$name} = $text }
	elsif ($text =~ /^(\w+)=(.*)$/s) { push @{ $given{$1} }, $2 }
	else { $given{$text} = [] }
}
die "usage: queries.pl --from=... --to=... [--interval=...] [--set=...] [--before=...] DASHBOARD\n"
	unless @ARGV == 1 && defined $option{from} && defined $option{to};
my $dashboard = decode_json(do { local (@ARGV, $/) = @ARGV; <> });
my $json = JSON::PP->new->utf8->canonical->allow_nonref;
$| = 1;

# What Grafana's templates make of a variable: ${name:sqlstring} is a list of
# SQL strings, ${name:raw} the values as they are, commas between.
sub interpolate {
	my ($name, $format) = @_;
	my @values = @{ $value{$name} };
	$format //= '';
	return join ',', @values if $format eq 'raw';
	return join ',', map { "'" . s/'/''/gr . "'" } @values if $format eq 'sqlstring';
	die "format \"$format\" of variable \"$name\" is not one this program knows\n";
}

# The macros of Grafana's PostgreSQL data source.
sub seconds {
	my ($text) = @_;
	my %unit = (ms => 0.001, s => 1, m => 60, h => 3600, d => 86400, w => 604800, M => 2629746, y => 31557600);
	$text =~ /^(\d+)(ms|[smhdwMy])$/ or die "\"$text\" is no interval\n";
	return $1 * $unit{$2};
}

sub macro {
	my ($name, $text) = @_;
	my @argument = map { s/^ +| +$//gr } split /,/, $text, -1;
	my ($from, $to) = @option{qw(from to)};
	return "'$from'" if $name eq '__timeFrom';
	return "'$to'" if $name eq '__timeTo';
	return "$argument[0] BETWEEN '$from' AND '$to'" if $name eq '__timeFilter';
	return "$argument[0] AS \"time\"" if $name eq '__time';
	if ($name =~ /^__timeGroup(Alias)?$/) {
		my $length = seconds($argument[1] =~ s/^'|'$//gr);
		return "floor(extract(epoch from $argument[0])/$length)*$length" . ($1 ? ' AS "time"' : '');
	}
	die "unknown macro \$$name\n";
}

sub expand {
	my ($sql) = @_;
	$sql =~ s/\$__interval\b/$option{interval}/g;
	$sql =~ s/\$\{(\w+)(?::(\w+))?\}|\$(?!__)(\w+)/
		my ($name, $format) = (($1 \/\/ $3), $2);
		die "no variable \"$name\"\n" unless $value{$name};
		interpolate($name, $format)/gex;
	# A macro ends at the first parenthesis that closes.
	$sql =~ s/\$(\w+)\(([^)]*)\)/macro($1, $2)/ge;
	die "a macro or variable is left over: $1\n" if $sql =~ /(\$\w+|\$\{[^}]*\}|\[\[\w+)/;
	return $sql;
}

sub psql {
	my ($script) = @_;
	my ($in, $out) = map { File::Temp->new } 1, 2;
	print $in $script;
	close $in or die "$in: $!\n";
	my $status = system("psql -XAtq -F '\t' -v ON_ERROR_STOP=1 -f $in >$out 2>&1");
	open my $file, '<:raw', "$out" or die "$out: $!\n";
	chomp(my @lines = <$file>);
	die join("\n", map { s/^psql:[^ ]* //r } @lines) . "\n" if $status;
	return @lines;
}

# The columns, then the rows, which arrays of JSON keep in their order.
sub run {
	my ($result, $query) = @_;
	eval {
		my $sql = expand($query);
		$result->{sql} = $sql;
		utf8::encode($sql);
		my @columns = map { [ split /\t/ ] } psql("$option{before};\n$sql\n\\gdesc\n");
		$result->{columns} = \@columns;
		my $names = join ', ', map { "c$_" } 1 .. @columns;
		my $values = join ', ', map { "q.c$_" } 1 .. @columns;
		$result->{rows} = [ map { $json->decode($_) }
			psql("$option{before};\nSELECT json_build_array($values) FROM ($sql) q ($names);\n") ];
		1;
	} or do { $result->{error} = $@; chomp $result->{error} };
	print $json->encode($result), "\n";
	return $result;
}

for my $variable (@{ $dashboard->{templating}{list} }) {
	my $name = $variable->{name};
	if ($variable->{type} eq 'query') {
		my $result = run({ variable => $name }, $variable->{query});
		my @found = map { $_->[0] } @{ $result->{rows} // [] };
		$value{$name} = $variable->{multi} ? \@found : [ @found ? $found[0] : '' ];
	}
	elsif ($variable->{type} ne 'datasource') {
		my $current = $variable->{current}{value} // $variable->{query};
		$value{$name} = ref $current ? $current : [$current];
	}
	$value{$name} = $given{$name} if $given{$name};
}
for my $panel (@{ $dashboard->{panels} }) {
	for my $target (@{ $panel->{targets} // [] }) {
		run({ id => $panel->{id}, title => $panel->{title}, type => $panel->{type},
				ref => $target->{refId}, format => $target->{format} }, $target->{rawSql});
	}
}
