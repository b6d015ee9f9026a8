/* What a box and its nodes are made of. The filter is tried from inside: a call that it does not
 * know fails with EPERM, one that it lets through with whatever the kernel says. */
#include "guest/syscalls.c"
#include "guest/gpunodes.c"
#include "guest/modules.c"
#include "tests/unit/unit.h"

#include <sys/wait.h>

#define FRONT(n)                                                                                   \
    (0xc0000000UL | 32UL << 16 | 'F' << 8 | (n)) /* as _IOWR('F', n, ...) of 32 bytes */

/* Whether an ioctl gets to the kernel: on a pipe, which knows none of these. */
static bool passes(unsigned more, unsigned long request) {
    struct syscalls *s = syscalls_new(more, NULL);
    int status, fds[2];
    pid_t pid;

    assert_int_equal(pipe(fds), 0);
    pid = fork();
    if (!pid) {
        if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || syscalls_load(s))
            _exit(9);
        (void)!ioctl(fds[0], request, NULL);
        _exit(errno == EPERM);
    }
    waitpid(pid, &status, 0);
    close(fds[0]);
    close(fds[1]);
    syscalls_free(s);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) < 9);
    return !WEXITSTATUS(status);
}

static void the_drivers_calls_pass_where_there_are_gpus(void **state) {
    static const unsigned long driver[] = {FRONT(0x2a), FRONT(0xd2), 0x30000001, 0x30000002, 1, 75};
    static const unsigned long never[] = {TIOCSTI, 0x30000003, 0x4b3a /* KDSETMODE */,
                                          0x5000 /* 'P' */};

    (void)state;
    for (size_t i = 0; i < COUNT(driver); i++) {
        assert_true(passes(SYSCALLS_GPU, driver[i]));
        assert_false(passes(0, driver[i]));
        assert_false(passes(SYSCALLS_SOCKETS, driver[i]));
    }
    for (size_t i = 0; i < COUNT(never); i++)
        assert_false(passes(SYSCALLS_GPU | SYSCALLS_SOCKETS, never[i]));
    assert_true(passes(0, FIONREAD));
}

static void the_drivers_number_is_read(void **state) {
    static const char text[] = "Character devices:\n  1 mem\n195 nvidia\n195 nvidiactl\n"
                               "511 nvidia-uvm\n\nBlock devices:\n254 nvidia-caps\n";

    (void)state;
    assert_int_equal(gpunodes_major(view_str(text), "nvidia-uvm"), 511);
    assert_int_equal(gpunodes_major(view_str(text), "nvidia"), 195);
    assert_int_equal(gpunodes_major(view_str(text), "nvidia-caps"), 0); /* a block device */
    assert_int_equal(gpunodes_major(view_str(text), "uvm"), 0);
    assert_int_equal(gpunodes_major(view_str("99999999 nvidia-uvm\n"), "nvidia-uvm"), 0);
    assert_int_equal(gpunodes_major(view_str(""), "nvidia-uvm"), 0);
}

static void nodes_of_as_many_gpus(void **state) {
    char path[GPUNODE_PATH];
    unsigned n = 0;

    (void)state;
    while (gpunodes_path(n, 2, path))
        n++;
    assert_int_equal(n, 5);
    assert_true(gpunodes_path(0, 2, path));
    assert_string_equal(path, "/dev/nvidiactl");
    assert_true(gpunodes_path(4, 2, path));
    assert_string_equal(path, "/dev/nvidia1");
}

static void only_missing_devices_are_excused(void **state) {
    (void)state;
    assert_true(is_excused("19-sev_guest.ko", ENODEV));
    assert_true(is_excused("05-nvidia.ko", ENODEV));
    assert_true(is_excused("06-nvidia_uvm.ko", ENOENT));
    assert_true(is_excused("03-ecdh_generic.ko", EEXIST));
    assert_false(is_excused("05-nvidia.ko", ENOENT)); /* symbols that the kernel has not got */
    assert_false(is_excused("05-nvidia.ko", ENOEXEC));
    assert_false(is_excused("03-ecdh_generic.ko", ENODEV));
    assert_false(is_excused("00-virtio_blk.ko", EINVAL));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_drivers_calls_pass_where_there_are_gpus),
        cmocka_unit_test(the_drivers_number_is_read),
        cmocka_unit_test(nodes_of_as_many_gpus),
        cmocka_unit_test(only_missing_devices_are_excused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
