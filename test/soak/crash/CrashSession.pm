# A psql that is asked one thing after the other, and says when it has gone.
package CrashSession;

use strict;
use warnings;
use IPC::Open2;

# Errors go to a file, or nowhere.
sub new
{
	my ($class, $connstr, $errors) = @_;
	my $self = bless {}, $class;
	local $ENV{PGAPPNAME} = 'crash client';

	open my $saved, '>&', \*STDERR or die "dup: $!";
	open STDERR, '>>', defined $errors ? $errors : '/dev/null' or die "open: $!";
	$self->{pid} = open2($self->{out}, $self->{in}, 'psql', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-d', $connstr);
	open STDERR, '>&', $saved or die "dup: $!";
	return $self;
}

# Sends without waiting for the answer.
sub send
{
	my ($self, $sql) = @_;
	local $SIG{PIPE} = 'IGNORE';

	return print({ $self->{in} } "$sql\n\\echo == done\n") && $self->{in}->flush;
}

# The lines of the answer, as one string; undef if there was an error or the server has gone.
sub answer
{
	my ($self) = @_;
	my @lines;

	while (defined(my $line = readline $self->{out}))
	{
		chomp $line;
		return join("\n", @lines) if $line eq '== done';
		push @lines, $line;
	}
	return;
}

sub ask
{
	my ($self, $sql) = @_;

	return unless $self->send("$sql;");
	return $self->answer;
}

sub close
{
	my ($self) = @_;
	local $SIG{PIPE} = 'IGNORE';

	return unless defined $self->{pid};
	close $self->{in};
	close $self->{out};
	waitpid $self->{pid}, 0;
	undef $self->{pid};
	return;
}

# Ends it, whatever it is doing.
sub end
{
	my ($self) = @_;

	kill 'KILL', $self->{pid} if defined $self->{pid};
	return $self->close;
}

sub DESTROY
{
	my ($self) = @_;
	local ($?, $@, $!);

	return $self->end;
}

1;
