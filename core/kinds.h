/* Event kinds that cdvm knows by name (cdvm-protocol(7), "Public events" and "Private messages").
 */
#ifndef CDVM_KINDS_H
#define CDVM_KINDS_H

enum dvm_kind {
    KIND_DELETE = 5,
    KIND_TEXT = 14,
    KIND_FILE = 15,
    KIND_RECEIPT = 1931,
    KIND_JOB_CHAT = 5050,
    KIND_JOB_TOOL = 5999,
    KIND_FEEDBACK = 7000,
    KIND_HEARTBEAT = 11998,
    KIND_DM_RELAYS = 10050,
    KIND_AUTH = 22242,
    KIND_SIGNER = 24133,
    KIND_MESSAGE = 25930,
    KIND_INTRODUCTION = 25931,
    KIND_OFFER = 31990,
    KIND_ENDORSEMENT = 31880,
    KIND_ADVISORY = 31881,
    KIND_CHIP = 31882,
};

#endif
