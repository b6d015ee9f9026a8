#include "request.h"

#include <string.h>
#include "core/json.h"

#define FRAME_MAX ((size_t)65536)

static int check_relays(const cJSON *list, const struct job_request *q, struct err *e) {
    const cJSON *v;
    size_t i = 0;

    cJSON_ArrayForEach(v, list) {
        if (i == q->n_relays || !cJSON_IsString(v) || strcmp(v->valuestring, q->relays[i]))
            break;
        i++;
    }
    if (v || i != q->n_relays)
        return err_set(e, "bad-request", "the host's relays are not those of the request");
    return 0;
}

static int take_rumor(const cJSON *o, struct job_request *out, struct err *e) {
    cleanup_buf struct buf text = {0};
    struct jw w = jw_new(&text);
    struct rumor *r;
    int rc;

    jw_json(&w, o);
    r = rumor_parse(buf_view(&text), e);
    if (!r)
        return -1;
    rc = job_request_parse(r, -1, out, e);
    rumor_free(r);
    return rc;
}

static int take(const cJSON *o, struct job_request *out, int64_t *time, struct err *e) {
    const cJSON *rumor = json_obj(o, "rumor", e), *relays = rumor ? json_arr(o, "relays", e) : NULL;

    if (!relays)
        return -1;
    if (cJSON_GetArraySize(o) != 3 ||
        !json_int_of(cJSON_GetObjectItemCaseSensitive(o, "time"), time))
        return err_set(e, "bad-request", "the JOB frame has not just rumor, relays and time");
    return take_rumor(rumor, out, e) || check_relays(relays, out, e) ? -1 : 0;
}

int request_parse(struct view frame, struct job_request *out, int64_t *time, struct err *e) {
    cJSON *o = json_parse(frame, FRAME_MAX, e);
    int rc = cJSON_IsObject(o) ? take(o, out, time, e)
                               : err_set(e, "bad-request", "the JOB frame is not an object");

    cJSON_Delete(o);
    return rc ? err_wrap(e, "JOB") : 0;
}
