#include <string.h>

#include "attest/snp_measure.h"
#include "accel.h"
#include "confargs.h"
#include "core/dvm.h"
#include "gpu_pool.h"
#include "provconf.h"

/* In the order of enum accel_want. */
static const char *const accel_words[] = {"auto", "kvm", "tcg", NULL};

#define AT(field) offsetof(struct provider_conf, field)
const struct conf_key provider_keys[] = {
    {"name", CONF_STRING, AT(name), 0, 60, NULL, "what customers see as your name"},
    {"about", CONF_STRING, AT(about), 0, 400, NULL, "one sentence about your offers"},
    {"relay", CONF_LIST, AT(relay), 0, 250, NULL,
     "relay to serve customers on (repeat for more, at most 4)"},
    {"blossom", CONF_LIST, AT(blossom), 0, 250, NULL,
     "blob server for large files (repeat, at most 4)"},
    {"run-relay", CONF_BOOL, AT(run_relay), 0, 0, NULL,
     "run the embedded relay and blob store as well"},
    {"relay-port", CONF_NUMBER, AT(relay_port), 0, 65535, NULL,
     "its port on 127.0.0.1; 0: a free one"},
    {"image", CONF_STRING, AT(image), 0, 0, NULL, "folder of the guest image (build/image)"},
    {"state", CONF_STRING, AT(state), 0, 0, NULL, "folder for key, ledger and simulator keys"},
    {"backend", CONF_STRING, AT(backend), 0, 16, NULL,
     "what runs guests: snp (confidential), or sim"},
    {"gpu", CONF_LIST, AT(gpu), 0, 12, NULL,
     "PCI address of a GPU that guests may get (repeat, at most 16)"},
    {"qemu", CONF_STRING, AT(qemu), 0, 120, NULL, "QEMU to run (/usr/bin/qemu-system-x86_64)"},
    {"accel", CONF_CHOICE, AT(accel), 0, 0, accel_words, "auto, kvm or tcg"},
    {"slots", CONF_NUMBER, AT(slots), 1, 64, NULL, "guests at a time (1)"},
    {"queue", CONF_NUMBER, AT(queue), 0, 1000, NULL, "requests that may wait for a slot (4)"},
    {"memory", CONF_NUMBER, AT(memory), 256, 1048576, NULL, "MiB of memory of a guest (1024)"},
    {"vcpus", CONF_NUMBER, AT(vcpus), 1, 512, NULL, "vCPUs of a guest (1)"},
    {"vcpu-type", CONF_STRING, AT(vcpu_type), 0, 31, NULL,
     "vCPU type that is measured (EPYC-Genoa)"},
    {"lease", CONF_NUMBER, AT(lease), 1, 1440, NULL, "minutes a job may take once accepted (60)"},
    {"accept", CONF_NUMBER, AT(accept), 30, 3600, NULL, "seconds a customer has to accept (600)"},
    {"once", CONF_NUMBER, AT(once), 0, 1000000, NULL, "stop after that many jobs; 0: never"},
    {"print-argv", CONF_BOOL, AT(print_argv), 0, 0, NULL,
     "print QEMU's arguments for the first offer, one a line, and run nothing"},
    {"list-gpus", CONF_BOOL, AT(list_gpus), 0, 0, NULL,
     "print this host's GPUs and how they stand, and run nothing"},
    {"clear-gpu", CONF_STRING, AT(clear_gpu), 0, 12, NULL,
     "take that GPU out of quarantine, if a reset leaves it well"},
    {"quiet", CONF_BOOL, AT(quiet), 0, 0, NULL, "no status lines"},
};
const size_t n_provider_keys = COUNT(provider_keys);

void provider_conf_defaults(struct provider_conf *c) {
    *c = (struct provider_conf){
        .slots = 1, .queue = 4, .memory = 1024, .vcpus = 1, .lease = 60, .accept = 600};
    c->name = mem_str("unnamed provider");
    c->about = mem_str("Confidential jobs in a sealed guest.");
    c->image = mem_str("build/image");
    c->backend = mem_str("sim");
    c->vcpu_type = mem_str("EPYC-Genoa");
}

void provider_conf_free(struct provider_conf *c) {
    conf_free(provider_keys, n_provider_keys, c);
}

int provider_conf_read(struct provider_conf *c, int argc, char **argv, struct err *e) {
    const struct confargs a = {provider_keys, n_provider_keys, "provider.conf"};

    provider_conf_defaults(c);
    return confargs_read(&a, argc, argv, c, e);
}

static int check_backend(const struct provider_conf *c, struct err *e) {
    bool snp = !strcmp(c->backend, "snp");

    if (!snp && strcmp(c->backend, "sim"))
        return err_set(e, "bad-config", "backend '%s' is not known: there are 'sim' and 'snp'",
                       c->backend);
    if (!snp && c->gpu.n)
        return err_set(e, "bad-config", "backend 'sim' has no GPU: leave out --gpu");
    if (snp && c->accel == ACCEL_TCG)
        return err_set(
            e, "bad-config",
            "backend 'snp' needs KVM: there are no confidential guests on an emulated CPU");
    if (c->qemu && c->qemu[0] != '/')
        return err_set(e, "bad-config", "qemu '%s' is not an absolute path", c->qemu);
    return 0;
}

static int check_gpus(const struct provider_conf *c, struct err *e) {
    if (c->gpu.n > GPU_POOL_MAX)
        return err_set(e, "bad-config", "at most %d GPUs are possible", GPU_POOL_MAX);
    for (size_t i = 0; i < c->gpu.n; i++) {
        if (!bdf_ok(c->gpu.v[i]))
            return err_set(e, "bad-config", "gpu '%s' is not a PCI address such as 0000:41:00.0",
                           c->gpu.v[i]);
        for (size_t k = 0; k < i; k++)
            if (!strcmp(c->gpu.v[i], c->gpu.v[k]))
                return err_set(e, "bad-config", "gpu '%s' is named twice", c->gpu.v[i]);
    }
    return 0;
}

static int check_addresses(const struct provider_conf *c, struct err *e) {
    if (!c->relay.n && !c->run_relay)
        return err_set(e, "bad-config",
                       "no relay is configured: name one with --relay, add --run-relay, or try the "
                       "simulator with `make demo`");
    if (c->relay.n + c->run_relay > JOB_RELAYS_MAX || c->blossom.n + c->run_relay > 4)
        return err_set(e, "bad-config", "at most %d relays and 4 blob servers are possible",
                       JOB_RELAYS_MAX);
    for (size_t i = 0; i < c->relay.n; i++)
        if (!url_form_ok(c->relay.v[i], "ws"))
            return err_set(e, "bad-config", "relay '%s' is not a ws:// or wss:// address",
                           c->relay.v[i]);
    for (size_t i = 0; i < c->blossom.n; i++)
        if (!url_form_ok(c->blossom.v[i], "http"))
            return err_set(e, "bad-config", "blossom '%s' is not an http:// or https:// address",
                           c->blossom.v[i]);
    return 0;
}

int provider_conf_check(const struct provider_conf *c, struct err *e) {
    uint32_t signature;

    if (check_backend(c, e) < 0 || check_gpus(c, e) < 0 ||
        (!c->print_argv && check_addresses(c, e) < 0))
        return -1;
    if (!vcpu_type_signature(c->vcpu_type, &signature))
        return err_set(e, "bad-config", "vcpu-type '%s' is not known", c->vcpu_type);
    return 0;
}
