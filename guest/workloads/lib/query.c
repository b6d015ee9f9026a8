#include "query.h"

#include <string.h>
#include <strings.h>
#include "core/text.h"

/* Words that carry a sentence and not its subject. What is left of contractions ("don't") as well,
 * since the apostrophe divides them. */
static const char *const function_words[] = {
    "a",      "about",   "am",    "an",    "and",   "any",    "are",  "as",    "at",    "be",
    "been",   "being",   "but",   "by",    "can",   "could",  "d",    "did",   "didn",  "do",
    "does",   "doesn",   "doing", "don",   "else",  "few",    "for",  "from",  "had",   "has",
    "have",   "he",      "her",   "here",  "hers",  "him",    "his",  "how",   "i",     "if",
    "in",     "into",    "is",    "isn",   "it",    "its",    "just", "ll",    "m",     "many",
    "may",    "me",      "might", "mine",  "much",  "must",   "my",   "no",    "nor",   "not",
    "of",     "on",      "or",    "our",   "ours",  "please", "re",   "s",     "shall", "she",
    "should", "shouldn", "so",    "some",  "such",  "t",      "tell", "than",  "that",  "the",
    "their",  "them",    "then",  "there", "these", "they",   "this", "those", "to",    "too",
    "us",     "ve",      "very",  "was",   "wasn",  "we",     "were", "what",  "when",  "where",
    "which",  "while",   "who",   "whom",  "whose", "why",    "will", "with",  "won",   "would",
    "wouldn", "you",     "your",  "yours",
};

static bool is_function_word(const char *word) {
    for (size_t i = 0; i < COUNT(function_words); i++)
        if (!strcasecmp(word, function_words[i]))
            return true;
    return false;
}

/* Everything above ASCII but the general punctuation and spaces of Unicode counts as letters. */
static bool is_letter(uint32_t cp) {
    if (cp < 0x80)
        return (cp >= '0' && cp <= '9') || ((cp | 32) >= 'a' && (cp | 32) <= 'z');
    return cp >= 0xc0 && !(cp >= 0x2000 && cp <= 0x206f) && !(cp >= 0x3000 && cp <= 0x303f) &&
           !(cp >= 0xff00 && cp <= 0xff0f);
}

static bool known(const struct query *q, const char *word) {
    for (size_t i = 0; i < q->n; i++)
        if (!strcasecmp(q->word[i], word))
            return true;
    return false;
}

static void keep(struct query *q, struct view word, bool all) {
    char *to = q->word[q->n < QUERY_WORDS ? q->n : 0];

    if (!word.n || word.n >= QUERY_WORD_BYTES || q->n == QUERY_WORDS)
        return;
    memcpy(to, word.p, word.n);
    to[word.n] = 0;
    if (!known(q, to) && (all || !is_function_word(to)))
        q->n++;
}

static void parse(struct view v, struct query *q, bool all) {
    size_t start = 0, n;

    q->n = 0;
    for (size_t i = 0; i < v.n; i += n ? n : 1) {
        uint32_t cp;

        n = utf8_next(view_of(v.p + i, v.n - i), &cp);
        if (n && is_letter(cp))
            continue;
        keep(q, view_of(v.p + start, i - start), all);
        start = i + (n ? n : 1);
    }
    if (start < v.n)
        keep(q, view_of(v.p + start, v.n - start), all);
}

void query_parse(struct view question, struct query *q) {
    parse(question, q, false);
    if (!q->n)
        parse(question, q, true);
}

size_t query_count(const struct query *q, struct view text) {
    cleanup_free char *copy = mem_strn(text.p, text.n);
    size_t n = 0;

    for (size_t i = 0; i < q->n; i++)
        n += strcasestr(copy, q->word[i]) != NULL;
    return n;
}
