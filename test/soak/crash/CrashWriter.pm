# A writer: transactions of all kinds, one after the other, whatever becomes of
# the server.  What has been acknowledged stands in its ledger, outside of it:
# "c 17 2" the transaction 17 with two changes was committed, "r 17 2" rolled
# back.  A transaction whose end it has not heard of stands nowhere.
package CrashWriter;

use strict;
use warnings;
use CrashSession;
use Time::HiRes qw(usleep);

# A process of its own, which writes until the file "stop" is there or the one
# that started it is gone.  Takes: id,
# seed, first (number of its first transaction), customers, pause (ms, the mean),
# dir (with the file "server", which tells where the server is).
sub start
{
	my (%self) = @_;
	my $parent = $$;
	my $pid = fork;

	die "fork: $!" unless defined $pid;
	return $pid if $pid;
	$self{parent} = $parent;
	$SIG{$_} = 'DEFAULT' foreach qw(INT TERM);
	open STDOUT, '>', '/dev/null' or die "open: $!";
	srand $self{seed};
	open $self{ledger}, '>>', "$self{dir}/ledger.$self{id}" or die "ledger: $!";
	$self{ledger}->autoflush(1);
	eval { run(\%self); 1 } or warn $@;
	require POSIX;
	POSIX::_exit(0);
}

sub run
{
	my ($self) = @_;
	my $session;

	for (my $n = $self->{first}; !-e "$self->{dir}/stop" && getppid == $self->{parent}; $n++)
	{
		$session = connect_again($self) unless defined $session;
		last unless defined $session;
		undef $session unless transaction($self, $session, $n);
		usleep(2000 * rand $self->{pause});
	}
	connect_again($self);    # ends what is prepared
	return;
}

# A session, once the server is there; what a lost one had prepared is ended first.
sub connect_again
{
	my ($self) = @_;

	for my $try (1 .. 300)
	{
		my $session = CrashSession->new(server($self), "$self->{dir}/writer.$self->{id}.err");
		my $gids = $session->ask("SET search_path = crash; SET lock_timeout = '2s'; SET client_min_messages = warning;"
			  . " SELECT gid FROM pg_prepared_xacts WHERE gid LIKE 'w$self->{id}!_%' ESCAPE '!' ORDER BY gid");

		if (defined $gids)
		{
			foreach my $gid (split /\n/, $gids)
			{
				my ($n) = $gid =~ /_(\d+)$/;
				note_end($self, 'c', $n, 1) if defined $session->ask("COMMIT PREPARED '$gid'");
			}
			return $session;
		}
		return if getppid != $self->{parent};
		usleep(250_000);
	}
	warn "writer $self->{id} found no server for a minute\n";
	return;
}

sub server
{
	my ($self) = @_;

	open my $file, '<', "$self->{dir}/server" or die "server: $!";
	my $connstr = readline $file;
	chomp $connstr;
	return $connstr;
}

sub note_end
{
	my ($self, $how, $n, $changes) = @_;

	print { $self->{ledger} } "$how $n $changes\n";
	return 1;
}

# One transaction; false if the session is of no use any more.
sub transaction
{
	my ($self, $session, $n) = @_;
	my @sql = ('BEGIN', "INSERT INTO journal VALUES ($self->{id}, $n)");
	my $gid = "w$self->{id}_$n";
	my $dice = rand;

	push @sql, change($self) foreach 1 .. 1 + int rand 3;
	if (rand() < 0.15)
	{
		push @sql, 'SAVEPOINT s', change($self), rand() < 0.7 ? 'ROLLBACK TO s' : 'RELEASE s', change($self);
	}
	my $changes = grep { /^(INSERT|UPDATE|DELETE)/ } @sql[ 2 .. $#sql ];
	push @sql, 'SELECT crash.pass(20)';    # between event and commit
	if ($dice < 0.05)
	{
		return defined $session->ask(join ';', @sql, 'ROLLBACK') && note_end($self, 'r', $n, $changes);
	}
	if ($dice >= 0.12)
	{
		return defined $session->ask(join ';', @sql, 'COMMIT') && note_end($self, 'c', $n, $changes);
	}
	return 0 unless defined $session->ask(join ';', @sql, "PREPARE TRANSACTION '$gid'");
	usleep(300_000 * rand);
	return defined $session->ask("ROLLBACK PREPARED '$gid'") && note_end($self, 'r', $n, $changes) if rand() < 0.2;
	return defined $session->ask("COMMIT PREPARED '$gid'") && note_end($self, 'c', $n, $changes);
}

# One statement that changes events or people.
sub change
{
	my ($self) = @_;
	my ($c, $d) = map { 1 + int rand $self->{customers} } 1 .. 2;
	my $region = rand() < 0.5 ? 'north' : 'south';
	my $some = "ctid = ANY (ARRAY(SELECT ctid FROM orders WHERE customer = $c LIMIT 3))";
	my $dice = rand;
	my $late = sprintf '%.3f', 120 * rand() ** 3;
	my $soon = sprintf '%.3f', 9 * rand();

	return "INSERT INTO orders (customer, at, amount) VALUES ($c, clock_timestamp(), " . (1 + int rand 9) . ')' if $dice < 0.3;
	return "INSERT INTO visits VALUES ($c, clock_timestamp(), '$region'), ($d, clock_timestamp(), 'north')" if $dice < 0.42;
	return "INSERT INTO orders (customer, at) VALUES ($c, clock_timestamp() + interval '$soon s')" if $dice < 0.5;
	return "INSERT INTO orders (customer, at) VALUES ($c, clock_timestamp() - interval '$late s')" if $dice < 0.58;
	return "INSERT INTO visits_south VALUES ($c, clock_timestamp() - interval '$late s', 'south')" if $dice < 0.62;
	return "DELETE FROM orders WHERE $some" if $dice < 0.69;
	return "DELETE FROM visits WHERE customer = $c AND at < clock_timestamp() - interval '5 s'" if $dice < 0.72;
	return "UPDATE orders SET amount = amount + 1 WHERE $some" if $dice < 0.77;
	return "UPDATE orders SET customer = $d WHERE $some" if $dice < 0.84;
	return "UPDATE visits SET region = '$region', customer = $d WHERE customer = $c" if $dice < 0.88;
	return "INSERT INTO orders (id, customer, at) SELECT id, customer, at FROM orders WHERE $some"
	  . " ON CONFLICT (id) DO UPDATE SET customer = $d, amount = orders.amount + 1"
	  if $dice < 0.91;
	return "UPDATE people SET trial_ends = clock_timestamp() + interval '$soon s' WHERE customer = $c" if $dice < 0.95;
	return "UPDATE people SET consent = NOT consent WHERE customer = $c" if $dice < 0.9997;

	# more keys than are marked one by one
	return "INSERT INTO orders (customer, at) SELECT customer, clock_timestamp() FROM people WHERE customer % 2 = $c % 2";
}

1;
