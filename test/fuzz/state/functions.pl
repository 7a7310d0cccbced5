# Writes what the install script says of the aggregates as a table in C:
# functions.pl FILE.sql... > functions.c
use strict;
use warnings;

local $/;
my $sql = join "\n", <>;
$sql =~ s/--.*//g;
$sql =~ s/\bdouble precision\b/float8/g;
$sql =~ s/\btimestamp with time zone\b/timestamptz/g;
$sql =~ s/\binteger\b/int4/g;
$sql =~ s/\bint\b/int4/g;
$sql =~ s/\bbigint\b/int8/g;
$sql =~ s/\bbool\b/boolean/g;

# The types of the columns of each composite type.
my %columns;
while ($sql =~ /CREATE\s+TYPE\s+segment\.(\w+)\s+AS\s*\(([^)]*)\)/g)
{
	my ($name, $columns) = ($1, $2);
	$columns{$name} = join ',', map { (split)[1] } split /\s*,\s*/, $columns =~ s/^\s+//r;
}

my (%symbol, %result);
while ($sql =~ /CREATE\s+FUNCTION\s+segment\.(\w+)\s*\(([^)]*)\)\s*RETURNS\s+(\S+)\s[^;]*?AS\s+'MODULE_PATHNAME'\s*,\s*'(\w+)'/g)
{
	# Functions of one name differ by their arguments.
	my ($name, $type, $symbol) = ($1, $3, $4);
	push @{ $symbol{$name} }, $symbol;
	$result{$symbol} = $type =~ /^segment\.(\w+)$/ ? "($columns{$1})" : $type;
}

my (@rows, %used);
while ($sql =~ /CREATE\s+AGGREGATE\s+segment\.(\w+)\s*\(([^)]*)\)\s*\(([^;]*)\)\s*;/g)
{
	my ($name, $arguments, $body) = ($1, $2, $3);
	my (@names, @types);
	for (split /\s*,\s*/, $arguments)
	{
		s/^\s+|\s+$//g;
		my $type = (split)[-1];
		my $argument = (split)[0];
		$argument = (split)[1] if $argument eq 'VARIADIC';
		$type =~ tr/"//d;
		$argument =~ tr/"//d;
		push @types, $type;
		push @names, $argument;
	}
	my ($transition) = $body =~ /\bSFUNC\s*=\s*segment\.(\w+)/ or next;
	my ($final) = $body =~ /\bFINALFUNC\s*=\s*segment\.(\w+)/ or next;
	my ($combine) = $body =~ /\bCOMBINEFUNC\s*=\s*segment\.(\w+)/ or next;
	next unless $body =~ /\bSTYPE\s*=\s*internal\b/;
	for my $t (keys %{ { map { $_ => 1 } @{ $symbol{$transition} } } })
	{
		for my $f (keys %{ { map { $_ => 1 } @{ $symbol{$final} } } })
		{
			my $c = $symbol{$combine}[0] or die "no function $combine\n";
			push @rows, [ $name, $t, $f, $c, $body =~ /FINALFUNC_EXTRA/ ? 'true' : 'false',
				join(',', @types), join(',', @names), $result{$f} ];
			$used{$_} = 1 for $t, $f, $c;
		}
	}
}
die "no aggregates found\n" unless @rows;

print qq(#include "target.h"\n\n);
print "extern Datum $_(PG_FUNCTION_ARGS);\n" for sort keys %used;
print "\nconst Aggregate aggregates[] = {\n";
print qq(\t{"$_->[0]", $_->[1], "$_->[1]", $_->[2], "$_->[2]", $_->[3], $_->[4], "$_->[5]", "$_->[6]", "$_->[7]"},\n)
	for @rows;
print "};\nconst int aggregates_count = " . @rows . ";\n";
