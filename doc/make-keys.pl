#!/usr/bin/perl
# Writes the keys and the commands of cdvm(1) anew, from the tables of the program itself (`cdvm tui
# --list-keys`). Between the marks nothing is written by hand.
# usage: cdvm tui --list-keys | doc/make-keys.pl PAGE >NEW_PAGE
use strict;
use warnings;

my (@groups, @commands, @screens);
while (<STDIN>) {
    chomp;
    my ($what, $left, $right) = split /\t/;
    if ($what eq 'on') {
        push @groups, {on => [split /, /, $left], rows => []};
    } elsif ($what eq 'key') {
        push @{$groups[-1]{rows}}, [$left, $right];
        @screens = @{$groups[-1]{on}} if $left =~ /^: /; # what has this key is a screen of its own
    } elsif ($what eq 'command') {
        push @commands, [$left, $right];
    } else {
        die "a line that is none of keys or commands: $_\n";
    }
}
die "no keys came\n" unless @groups && @commands && @screens;

# Nothing that roff would take for a request, an escape or a delimiter.
sub text {
    my ($s) = @_;
    $s =~ s/\\/\\e/g;
    $s =~ s/^(?=[.'])/\\&/;
    return $s;
}
sub words { return join ' ', map { '\&' . text($_) . (/^[[:punct:]]$/ ? '\&' : '') } split / /, $_[0] }

# "Every screen but Offers; Help" instead of a dozen names.
sub where {
    my %on = map { $_ => 1 } @_;
    my @missing = grep { !$on{$_} } @screens;
    my %screen = map { $_ => 1 } @screens, 'Chat';
    return join ', ', @_ if @missing > 2;
    push @missing, 'Chat' unless $on{Chat};
    return join '; ', 'Every screen' . (@missing ? ' but ' . join(', ', @missing) : ''), grep { !$screen{$_} } @_;
}

sub keys_text {
    my $s = '';
    for my $g (@groups) {
        $s .= ".It Sy " . words(where(@{$g->{on}})) . "\n.Bl -tag -width \"Down, Ctrl-N\" -compact\n";
        $s .= ".It " . join(' , ', map { words($_) } split / /, $_->[0]) . "\n" . text($_->[1]) . "\n" for @{$g->{rows}};
        $s .= ".El\n";
    }
    return ".Bl -tag -width 3n\n$s.El\n";
}

sub commands_text {
    my $s = '';
    for (@commands) {
        my ($name, $args) = split / /, $_->[0], 2;
        $s .= ".It Ic $name" . (defined $args ? ' ' . words($args) : '') . "\n" . text($_->[1]) . "\n";
    }
    return ".Bl -tag -width 3n -compact\n$s.El\n";
}

my %text = (keys => keys_text(), commands => commands_text());
open my $page, '<', $ARGV[0] or die "$ARGV[0]: $!\n";
my $skip = 0;
while (<$page>) {
    $skip = 0 if /^\.\\" END generated/;
    print unless $skip;
    if (/^\.\\" BEGIN generated (\w+)/) {
        print delete $text{$1} // die "$ARGV[0]: nothing is generated for $1\n";
        $skip = 1;
    }
}
die "$ARGV[0]: no place for ", join(' and ', keys %text), "\n" if %text;
