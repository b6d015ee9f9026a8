#!/usr/bin/perl
# Every stable error code of the code, as "code file:line", one place a line.
# usage: tests/tools/error_codes.pl FILE.c...
#
# A code is a lower-case string literal: what err_set and the functions around it are given, the last
# words of a table row "code", "sentence", or what is put into something called code.
use strict;
use warnings;

my $word = qr/"([a-z]+(?:-[a-z]+)*)"/;
my $givers = qr/err_set|session_notice|job_refuse|set_code|set_error|refuse|lose|tell_error/;

sub show {
    my ($text, $at, $file, @codes) = @_;
    my $line = 1 + (substr($text, 0, $at) =~ tr/\n//);
    print "$_ $file:$line\n" for @codes;
}

for my $file (@ARGV) {
    open my $in, '<', $file or die "$file: $!\n";
    local $/;
    my $text = <$in>;
    $text =~ s{(/\*.*?\*/)}{$1 =~ s/[^\n]//gr}gse;
    my %macro = $text =~ /#define\s+(\w+)\s+$word/g;
    # f(..., "code", or f(..., how ? "code" : "code", or f(..., CODE,
    while ($text =~ /\b(?:$givers)\(((?:[^()";]|\([^()]*\))*?)($word(?:\s*:\s*$word)?|\b[A-Z]{3,}\b)\s*,/g) {
        my ($at, $what) = ($-[0], $2);
        show($text, $at, $file, $what =~ /^"/ ? $what =~ /$word/g : $macro{$what} // ());
    }
    # {..., "two-words", "A sentence."} and #define NAME "two-words", "A sentence."
    while ($text =~ /"([a-z]+-[a-z-]+)",\s*"[^"\\]* [^"]*"/g) { show($text, $-[0], $file, $1) }
    # {"a statement", "bad-thing"}
    while ($text =~ /"(bad-[a-z]+)"\}/g) { show($text, $-[0], $file, $1) }
    # {CURLE_SOMETHING, "word"}
    while ($text =~ /\{CURLE_\w+, $word\}/g) { show($text, $-[0], $file, $1) }
    # code = ...;  .code = "..."  d->stopped = ...;
    while ($text =~ /\b(?:code|stopped) = ([^;{}]*);|\.code = $word/g) {
        my ($at, $what, $one) = ($-[0], $1, $2);
        next if defined $what && $what =~ /\(/;
        show($text, $at, $file, defined $one ? $one : $what =~ /$word/g);
    }
    while ($text =~ /(?:"error",|memcpy\([^(),]*code,|view_str\(\w+->code \? \w+->code :) $word/g) { show($text, $-[0], $file, $1) }
}
