# Faults under load.  Eight writers go on while processes are killed with
# SIGKILL at places where they stand and at random, the server is stopped at
# once, and a standby takes over from it; nobody mends anything by hand.  Each
# time, every schedule has to be running again; from time to time the writers
# pause, and everything is compared with plain SQL.
package CrashSoak;

use strict;
use warnings;
use CrashSession;
use CrashWriter;
use FindBin;
use List::Util qw(shuffle);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use SegmentNode;
use Time::HiRes qw(time usleep);

# Where a process can be made to stand: an advisory lock which a trigger or a
# score passes (shop.sql), or a lock in PostgreSQL.  "provoke": makes somebody come by.
my $many = 'UPDATE crash.orders SET amount = amount + 1 WHERE customer % 2 = 0';
my %places = (
	'start recorded' => { place => 1 },
	'before collection' => { lock => 'SELECT FROM segment.bookmark FOR UPDATE' },
	'log read' => { lock => 'LOCK TABLE segment.mark_log_0 IN ACCESS EXCLUSIVE MODE' },
	'bookmark locked' => { place => 2 },
	'bookmark moved' => { place => 3 },
	'log to be emptied' => { place => 12 },
	'log emptied' => { place => 13 },
	'before claim' => { place => 4 },
	'segment table to be locked' => { lock => 'LOCK TABLE crash.members IN SHARE MODE' },
	'claimed' => { place => 5 },
	'events to be read' => { lock => 'LOCK TABLE crash.orders IN ACCESS EXCLUSIVE MODE' },
	'evaluating' => { place => 6 },
	'before rows are written' => { place => 7 },
	'writing history' => { place => 8 },
	'rows and history written' => { place => 9 },
	'pending' => { place => 10 },
	'before commit' => { place => 11 },
	'within a rebuild' => { place => 14, provoke => $many },
	'new column' => { place => 15, provoke => 'column' },
	'finish recorded' => { place => 16 },
	'job to be noted' => { place => 17 },
	'job noted' => { place => 18 },
	'scheduler looks' => { lock => 'LOCK TABLE segment.config_job IN ACCESS EXCLUSIVE MODE' },
	'event written, not committed' => { place => 120 },
	'client: claimed' => { place => 105, provoke => 'CALL segment.refresh(TABLE)' },
	'client: refresh in a block' => { place => 109, provoke => q{BEGIN; CALL segment.refresh('crash.members'); COMMIT} },
	'client: evaluating a rebuild' => { place => 106, provoke => q{CALL segment.rebuild('crash.members')} },
	'client: cut points' => { place => 119, provoke => q{SELECT segment.recut('crash.members', 'tier')} },
);

# Takes: seed, customers, writers, pause; kills, terminations, stops,
# promotions: how many; every: faults between two comparisons; wait: seconds
# after which something that has not come will not come.
sub new
{
	my ($class, %options) = @_;
	my $self = bless {
		seed => 1, customers => 2000, writers => 8, pause => 100, kills => 10, terminations => 1, stops => 1,
		promotions => 1, every => 10, wait => 120, %options,
		db => 'postgres', nodes => 0, faults => {}, at => {}, recovery => [], mismatches => [], pids => [], clients => [],
		generation => 0, first => 1, compared => 0, missed => 0,
	}, $class;

	srand $self->{seed};
	$self->{plan} = [ $self->plan ];
	$self->{dir} = PostgreSQL::Test::Utils::tempdir('crash');
	$self->{node} = segment_node('crash0', $self->{db}, <<'CONF');
segment.batch_size = 50
segment.mark_limit = 150
segment.log_rotation_size = 8kB
segment.runs_kept = 1000000
max_connections = 50
max_prepared_transactions = 50
log_statement = none
checkpoint_timeout = 30s
deadlock_timeout = 200ms
max_wal_size = 1GB
log_min_messages = warning
log_min_error_statement = panic
CONF
	PostgreSQL::Test::Utils::system_or_bail('psql', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-d', $self->connstr,
		'-v', "customers=$self->{customers}", '-f', $self->file('shop.sql'), '-o', "$self->{dir}/shop.out");
	return $self;
}

sub connstr
{
	my ($self) = @_;

	return $self->{node}->connstr($self->{db});
}

sub file
{
	my ($self, $name) = @_;
	(my $dir = __FILE__) =~ s{[^/]*$}{};

	return $dir . $name;
}

sub say_now
{
	my ($self, $text) = @_;

	Test::More::note($text);
	return;
}

sub mismatch
{
	my ($self, @lines) = @_;

	push @{ $self->{mismatches} }, @lines;
	Test::More::diag("mismatch: $_") foreach @lines;
	return;
}

sub start_writers
{
	my ($self) = @_;

	unlink "$self->{dir}/stop";
	open my $file, '>', "$self->{dir}/server.new" or die "server: $!";
	print $file $self->connstr, "\n";
	close $file;
	rename "$self->{dir}/server.new", "$self->{dir}/server" or die "rename: $!";
	return if @{ $self->{pids} };
	$self->{generation}++;
	$self->{pids} = [ map { CrashWriter::start(id => $_, seed => ($self->{seed} * 1000 + $self->{generation}) * 100 + $_,
			first => $self->{first}, customers => $self->{customers}, pause => $self->{pause}, dir => $self->{dir}) }
		  1 .. $self->{writers} ];
	$self->{first} += 1_000_000;
	return;
}

sub stop_writers
{
	my ($self) = @_;

	open my $file, '>', "$self->{dir}/stop" or die "stop: $!";
	close $file;
	waitpid $_, 0 foreach @{ $self->{pids} };
	$self->{pids} = [];
	return;
}

# A session in the background that goes its way.
sub client
{
	my ($self, $sql) = @_;
	my $session = CrashSession->new($self->connstr, "$self->{dir}/client.err");

	$session->send("SET client_min_messages = warning; $sql;");
	push @{ $self->{clients} }, $session;
	return;
}

sub some_table
{
	return "'crash." . (qw(members members accounts buyers))[ int rand 4 ] . "'";
}

# Asks a new session until the answer is "t"; false when the wait is over.
sub until_true
{
	my ($self, $sql, $wait) = @_;
	my $deadline = time + ($wait || $self->{wait});
	my $session;

	do
	{
		$session = CrashSession->new($self->connstr) unless defined $session;
		my $answer = $session->ask("SET client_min_messages = error; $sql");
		return 1 if defined $answer && $answer eq 't';
		undef $session unless defined $answer;
		usleep(50_000);
	} while (time < $deadline);
	return 0;
}

# Makes a process stand at a place.  Returns the session that holds the place,
# the process and what it is.
sub arrest
{
	my ($self, $name) = @_;
	my $place = $places{$name};
	my $holder = CrashSession->new($self->connstr, "$self->{dir}/holder.err");
	my $ask = CrashSession->new($self->connstr, "$self->{dir}/holder.err");
	my $me = $holder->ask("SET lock_timeout = '10s'; SELECT pg_backend_pid()");
	my $deadline = time + $self->{wait} / 8;

	return unless defined $me;
	return unless defined $holder->ask($place->{lock} ? "BEGIN; $place->{lock}" : "SELECT pg_advisory_lock(1869, $place->{place})");
	if (defined $place->{provoke})
	{
		my $table = some_table();

		$self->client($place->{provoke} ne 'column' ? $place->{provoke} =~ s/TABLE/$table/r : <<'SQL');
DO $$ BEGIN
	IF EXISTS (SELECT FROM segment.segments WHERE tbl = 'crash.members'::regclass AND name = 'extra') THEN
		PERFORM segment.drop_segment('crash.members', 'extra');
	END IF;
	PERFORM segment.add_segment('crash.members', 'extra', 'n > 3');
END $$
SQL
	}
	while (time < $deadline)
	{
		my $found = $ask->ask("SELECT pid, backend_type FROM pg_stat_activity WHERE $me = ANY (pg_blocking_pids(pid)) ORDER BY pid");

		return unless defined $found;
		my @found = split /\n/, $found;
		@found = grep { /\|segment/ } @found if $place->{lock} && grep { /\|segment/ } @found;
		if (@found)
		{
			my ($pid, $type) = split /\|/, $found[ int rand @found ];
			return ($holder, $pid, $type);
		}
		usleep(10_000);
	}
	return;
}

# Any process of the server that is not one of its own.
sub somebody
{
	my ($self) = @_;
	my $ask = CrashSession->new($self->connstr);

	usleep(1_000_000 * rand) if rand() < 0.8;
	$self->client('CALL segment.refresh(' . some_table() . ')') if rand() < 0.3;
	for (1 .. 50)
	{
		my $kind = (qw(job job job client launcher scheduler))[ int rand 6 ];
		my $found = $ask->ask("SELECT pid FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND backend_type = '"
			  . ($kind eq 'client' ? 'client backend' : "segment $kind") . "' ORDER BY random() LIMIT 1");

		return ($ask, $found, $kind) if defined $found && $found =~ /^\d+$/;
	}
	return;
}

# Waits until the server has ended this session.
sub wait_end
{
	my ($self, $session) = @_;

	1 while defined $session->ask('SELECT pg_sleep(0.2)');
	$session->end;
	return;
}

# Every schedule has a run that began after now and succeeded; how long it took.
sub recovered
{
	my ($self, $what) = @_;
	my ($start, $now);

	my $deadline = time + $self->{wait};
	while (!defined $now)
	{
		$now = CrashSession->new($self->connstr)->ask('SELECT clock_timestamp()');
		die "the server did not come back after $what\n" if time > $deadline;
		usleep(50_000) unless defined $now;
	}
	$start = time;
	if ($self->until_true("SELECT count(DISTINCT tbl) = 3 FROM segment.runs WHERE status = 'succeeded' AND started_at > '$now'"))
	{
		push @{ $self->{recovery} }, [ time - $start, $what ];
	}
	else
	{
		$self->mismatch("no refresh runs after $what: " . ($self->ask_once(<<'SQL') // 'no answer'));
SELECT string_agg(format('%s %s %s %s', tbl, running, failures, last_error), '; ') FROM segment.jobs
SQL
		push @{ $self->{recovery} }, [ $self->{wait}, $what ];
	}
	$_->end foreach @{ $self->{clients} };
	$self->{clients} = [];
	return;
}

sub ask_once
{
	my ($self, $sql) = @_;

	return CrashSession->new($self->connstr, "$self->{dir}/ask.err")->ask($sql);
}

# A standby that has received all that its primary acknowledges.
sub make_standby
{
	my ($self) = @_;
	my $primary = $self->{node};
	my $standby = PostgreSQL::Test::Cluster->new('crash' . ++$self->{nodes});

	$primary->backup('b');
	$standby->init_from_backup($primary, 'b', has_streaming => 1);
	PostgreSQL::Test::Utils::system_log('rm', '-rf', $primary->backup_dir . '/b');
	$standby->start;
	$primary->append_conf('postgresql.conf', "synchronous_standby_names = '*'");
	$primary->reload;
	$self->until_true("SELECT count(*) > 0 FROM pg_stat_replication WHERE sync_state = 'sync' AND state = 'streaming'")
	  or die "the standby does not follow\n";
	return $standby;
}

# The server is gone at once, and another takes its place.
sub promote
{
	my ($self, $standby) = @_;
	my $old = $self->{node};

	$old->stop('immediate');
	$standby->promote;
	$self->{node} = $standby;
	$self->start_writers;    # tells where the server is
	$old->clean_node;
	return;
}

# One fault: what, at which place, or undef: at random.
sub fault
{
	my ($self, $what, $name) = @_;
	my $standby = $what eq 'promotion' ? $self->make_standby : undef;
	my ($session, $pid, $type) = defined $name ? $self->arrest($name) : $self->somebody;
	my $at = defined $name ? "\"$name\"" : 'random';

	if (!defined $pid && ($what eq 'kill' || $what eq 'termination'))
	{
		# nobody came by: that counts for nothing
		$self->{missed}++;
		$self->say_now("nobody to be seen at $at");
		$session->end if defined $session;
		$self->{node}->poll_query_until($self->{db}, 'SELECT true');
		return 0;
	}
	$type = 'nobody' unless defined $pid;
	if ($what eq 'kill')
	{
		kill 9, $pid;
		$self->wait_end($session);
	}
	elsif ($what eq 'termination')
	{
		$session->ask("SELECT pg_terminate_backend($pid, 10000)");
		$session->end;
	}
	elsif ($what eq 'stop')
	{
		$self->{node}->stop('immediate');
		$self->{node}->start;
	}
	else
	{
		$self->promote($standby);
	}
	$session->end if defined $session;
	$self->{faults}{$what}++;
	$self->{at}{ defined $name ? $name : 'random' }++;
	$self->recovered("$what of $type at $at");
	$self->say_now(sprintf '%s of %s at %s: all schedules running again after %.1f s', $what, $type, $at, $self->{recovery}[-1][0]);
	return 1;
}

# What the writers know to be committed is there, and what they rolled back is not.
sub compare_ledgers
{
	my ($self) = @_;
	my %known = map { $_ => 1 } split /\n/, $self->ask_once('SELECT writer, n FROM crash.journal') // '';

	for my $id (1 .. $self->{writers})
	{
		open my $ledger, '<', "$self->{dir}/ledger.$id" or next;
		while (my $line = readline $ledger)
		{
			my ($how, $n, $changes) = $line =~ /^(\w) (\d+) (\d+)$/ or next;

			$self->{ $how eq 'c' ? 'committed' : 'undone' }++;
			$self->{events} += $changes;
			$self->mismatch("transaction $n of writer $id was " . ($how eq 'c' ? 'committed and is gone' : 'rolled back and is there'))
			  if ($how eq 'c') != exists $known{"$id|$n"};
		}
		close $ledger;
		unlink "$self->{dir}/ledger.$id";
	}
	$self->ask_once('DELETE FROM crash.journal');
	return;
}

# The writers pause; the schedules bring everything up to date, and it is compared.
sub compare
{
	my ($self) = @_;
	my ($out, $err);

	$self->stop_writers;
	$self->compare_ledgers;
	$self->until_true("SELECT bool_and(backlog = 0 AND NOT needs_rebuild AND oldest_mark IS NULL AND new_columns IS NULL) FROM segment.status"
		  . " WHERE NOT EXISTS (SELECT FROM segment.runs WHERE status = 'running')")
	  or $self->mismatch('the tables are not brought up to date: ' . ($self->ask_once('SELECT string_agg(s::text, $$; $$) FROM segment.status s') // ''));
	IPC::Run::run([ 'psql', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-d', $self->connstr, '-f', $self->file('check.sql') ], '>', \$out, '2>', \$err)
	  or $self->mismatch("the comparison failed: $err");
	my @lines = split /\n/, $out;
	my ($judged, $rows) = (@lines ? pop @lines : '') =~ /^judged (\d+) of (\d+)$/;
	$self->mismatch(@lines) if @lines;
	if (defined $rows)
	{
		$self->{judged} += $judged;
		$self->{rows} += $rows;
	}
	$self->{compared}++;
	$self->say_now(sprintf 'compared: %d rows of %d, %d lines of mismatches', $judged // 0, $rows // 0, scalar @lines);

	# of what happened long ago nothing more can be learned; and all customers at once are marked
	$self->ask_once("DELETE FROM crash.orders WHERE at < now() - interval '4 minutes'");
	$self->ask_once("DELETE FROM crash.visits WHERE at < now() - interval '4 minutes'");
	return;
}

# The faults in their order: each place comes as often as any other.
sub plan
{
	my ($self) = @_;
	my @at;
	my @plan;
	my $next = sub { @at = shuffle(sort keys %places) unless @at; return shift @at; };

	# one fault in five at random
	push @plan, map { [ 'kill', rand() < 0.2 ? undef : $next->() ] } 1 .. $self->{kills};
	push @plan, map { [ 'stop', rand() < 0.3 ? undef : $next->() ] } 1 .. $self->{stops};
	push @plan, map { [ 'termination', $next->() ] } 1 .. $self->{terminations};
	push @plan, map { [ 'promotion', rand() < 0.5 ? undef : $next->() ] } 1 .. $self->{promotions};
	return shuffle(@plan);
}

sub run
{
	my ($self) = @_;
	my $done = 0;

	$self->{started} = time;
	$self->until_true("SELECT count(*) = 3 FROM segment.status WHERE as_of IS NOT NULL") or die "the tables are not built\n";
	$self->start_writers;
	my @plan = @{ $self->{plan} };
	foreach my $fault (@plan)
	{
		my ($what, $name) = @$fault;

		for my $try (1 .. 10)
		{
			last if $self->fault($what, $name);
			undef $name if $try > 1;    # somewhere else, then
		}
		next if ++$done % $self->{every} && $done < @plan;
		$self->compare;
		$self->start_writers if $done < @plan;
	}
	$self->{moves} = $self->ask_once('SELECT count(*) FROM crash.trace');
	$self->{interrupted} = $self->ask_once("SELECT count(*) FROM segment.runs WHERE status = 'interrupted'");
	$self->{node}->stop;
	return;
}

# The whole in some lines.
sub summary
{
	my ($self) = @_;
	my @took = sort { $a <=> $b } map { $_->[0] } @{ $self->{recovery} };
	my ($slowest) = sort { $b->[0] <=> $a->[0] } @{ $self->{recovery} };

	return (
		sprintf('seed %d; %d writers: %d transactions acknowledged as committed, %d as rolled back, %d changes of events in them; %.0f s',
			$self->{seed}, $self->{writers}, $self->{committed} // 0, $self->{undone} // 0, $self->{events} // 0, time - $self->{started}),
		sprintf('%d memberships changed; %d runs interrupted', $self->{moves} // 0, $self->{interrupted} // 0),
		'faults: ' . join(', ', map { "$_ $self->{faults}{$_}" } sort keys %{ $self->{faults} }),
		'at: ' . join(', ', map { "$_ $self->{at}{$_}" } sort keys %{ $self->{at} }),
		sprintf('compared %d times, %d rows judged by plain SQL of %d; mismatches: %d',
			$self->{compared}, $self->{judged} // 0, $self->{rows} // 0, scalar @{ $self->{mismatches} }),
		sprintf('all schedules running again: median %.1f s, 90th percentile %.1f s, slowest %.1f s (%s)',
			$took[ @took / 2 ], $took[ int(0.9 * $#took) ], $slowest->[0], $slowest->[1]));
}

1;
