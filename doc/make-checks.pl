#!/usr/bin/perl
# Writes the generated part of cdvm-attestation(7) anew, from what the program itself says
# (`cdvm verify --list-checks`). Between the marks nothing is written by hand.
# usage: cdvm verify --list-checks | doc/make-checks.pl PAGE >NEW_PAGE
use strict;
use warnings;

# One sentence a line, long ones folded; nothing that roff would take for a request or an escape.
sub prose {
    my ($s) = @_;
    $s =~ s/\\/\\e/g;
    $s =~ s/([.;]) +(?=[A-Z])/$1\n/g;
    1 while $s =~ s/^(?=.{81})(.{1,80}) /$1\n/m;
    $s =~ s/^(?=[.'])/\\&/mg;
    return $s;
}

# The same requirement in all profiles is said once.
sub requirement {
    my ($standard, $strict, $demo) = @_;
    return $standard if $standard eq $strict && $strict eq $demo;
    return "$standard; strict: $strict" if $standard eq $demo;
    return "$standard; strict: $strict; demo: $demo";
}

# "id  standard X, strict Y, demo Z; source S[; fixed]" (a group: the id alone), then "    title. stops."
sub checks {
    my ($in) = @_;
    my ($text, $about) = ('', '');
    while (<$in>) {
        chomp;
        if (/^(\S+)(?:  standard (\w+), strict (\w+), demo (\w+); source (\w+)(; fixed)?)?$/) {
            $text .= ".It Cm $1\n";
            $about = $2 ? '[' . requirement($2, $3, $4) . "; $5" . ($6 // '') . "]\n" : '';
        } elsif (/^    (.*?)\. (.*)$/) {
            $text .= prose($1) . ".\n$about" . prose($2) . "\n";
        } else {
            die "a line that is none of a check's: $_\n";
        }
    }
    die "no checks came\n" unless $text;
    return $text;
}

open my $page, '<', $ARGV[0] or die "$ARGV[0]: $!\n";
my $generated = checks(*STDIN);
my $skip = 0;
while (<$page>) {
    $skip = 0 if /^\.\\" END generated/;
    print unless $skip;
    if (/^\.\\" BEGIN generated/) {
        print $generated;
        $skip = 1;
    }
}
