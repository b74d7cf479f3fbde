/* The load generator: many clients of one server in one process and one thread.
 *
 * Input: a plan on stdin, as benchmarks/plan.py writes it; then a line "go PID ...". Output: "ready",
 * and when all is done, "done" and the result as JSON. See benchmarks/README.md for what the words mean.
 *
 * It is made to cost much less for each delivery than any server: one bulk read for what has come
 * on a connection, and one search for the line end for each line. The text of each message is
 *
 *     16 hexadecimal digits: when it was handed to the kernel, CLOCK_MONOTONIC in nanoseconds
 *     x x x ...              up to the size asked for
 *     %                      the mark of a message; ^ for the single messages of a probe
 *
 * so that a message is known by its end, whatever a server puts in front of it.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* AT_ONCE: how many come in at the same time; some servers' listening queue holds ten. */
enum { READ = 262144, CARRY = 8192, EVENTS = 512, AT_ONCE = 8, BUCKETS = 64 * 60, PIDS = 64 };
enum mode { WINDOW, FLOOD, IDLE, JOIN };

struct step {
    char *send, *expect;
    struct step *next;
};

struct client {
    int fd, room, sender, probe, slow;
    unsigned events;
    char *say;
    size_t say_size;
    struct step *step, *join;
    char *out;
    size_t out_size, out_room;
    char *carry;
    size_t carry_size;
    int64_t since;
};

struct room {
    int *senders, count, turn, members;
    int64_t sent, delivered;
};

static struct {
    int port, window, echo, tagged, rooms, sample, size, spin;
    enum mode mode;
    double warmup, seconds, stall, gap;
} plan = {.window = 1, .echo = 1, .rooms = 1, .sample = 1, .size = 64, .mode = WINDOW, .seconds = 1,
          .stall = 5, .gap = 0.005};

static struct client *clients;
static int count, queue, lost, pids[PIDS], pid_count, slow = -1, probe = -1;
static struct room *rooms;
static char *buffer, *body;
static int64_t now, deliveries, lines, sent, tags, turn, probed;
static int64_t probe_missing, probe_at, last_progress, empty;
static int measuring, joined_count, setting_up;
static int64_t histogram[BUCKETS], samples, slowest;

static void fail(const char *what)
{
    printf("error %s%s%s\n", what, errno ? ": " : "", errno ? strerror(errno) : "");
    fflush(stdout);
    exit(1);
}

static void *grow(void *old, size_t size)
{
    void *new = realloc(old, size);
    if (!new)
        fail("out of memory");
    return new;
}

static int64_t clock_ns(clockid_t id)
{
    struct timespec t;
    if (clock_gettime(id, &t))
        return 0;
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static int64_t monotonic(void) { return clock_ns(CLOCK_MONOTONIC); }

/* The processor time of whole processes: all threads, also those that have ended, in nanoseconds. */
static int64_t server_cpu(void)
{
    int64_t sum = 0;
    for (int i = 0; i < pid_count; i++)
        sum += clock_ns((clockid_t)((~(unsigned)pids[i]) << 3 | 2));
    return sum;
}

/* --- latency: a histogram with 64 buckets for each power of two, so within 1.6 % --------------- */

static void record(int64_t ns)
{
    int bucket;
    if (ns < 0)
        ns = 0;
    if (ns < 64) {
        bucket = (int)ns;
    } else {
        int e = 57 - __builtin_clzll((unsigned long long)ns);
        bucket = (e + 1) * 64 + (int)(ns >> e) - 64;
    }
    histogram[bucket]++;
    samples++;
    if (ns > slowest)
        slowest = ns;
}

static double percentile(double p)
{
    int64_t rank = (int64_t)(p * (double)samples), seen = 0;
    for (int i = 0; i < BUCKETS; i++)
        if ((seen += histogram[i]) > rank) {
            int e = i / 64 - 1;
            int64_t value = i < 64 ? i : (int64_t)(i % 64 + 64) << e;
            return (double)(value < slowest ? value : slowest) / 1e3;
        }
    return (double)slowest / 1e3;
}

static int64_t stamp_before(const char *mark)
{
    int64_t value = 0;
    const char *p = mark - (plan.size - 1);
    for (int i = 0; i < 16; i++) {
        int c = p[i], digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
        if (digit < 0)
            return -1;
        value = value << 4 | digit;
    }
    return value;
}

/* --- connections -------------------------------------------------------------------------------- */

static void watch(struct client *c, unsigned events)
{
    /* Edge-triggered: the kernel looks at a connection once for each time that something came. */
    struct epoll_event event = {.events = events | EPOLLET, .data.ptr = c};
    if (c->events == events)
        return;
    if (epoll_ctl(queue, c->events ? (events ? EPOLL_CTL_MOD : EPOLL_CTL_DEL) : EPOLL_CTL_ADD, c->fd, &event))
        fail("epoll_ctl");
    c->events = events;
}

static void lose(struct client *c)
{
    if (c->fd < 0)
        return;
    if (setting_up) {
        errno = 0;
        fail("the server closed a connection while the clients were joining");
    }
    lost++;
    rooms[c->room].members--;
    close(c->fd);
    c->fd = -1;
    c->events = 0;
}

static void append(struct client *c, const char *data, size_t size)
{
    if (c->out_size + size > c->out_room) {
        c->out_room = (c->out_size + size) * 2;
        c->out = grow(c->out, c->out_room);
    }
    memcpy(c->out + c->out_size, data, size);
    c->out_size += size;
}

static void flush(struct client *c)
{
    if (c->fd < 0 || !c->out_size)
        return;
    ssize_t done = send(c->fd, c->out, c->out_size, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (done < 0) {
        if (errno != EAGAIN) {
            lose(c);
            return;
        }
        done = 0;
    }
    c->out_size -= (size_t)done;
    if (c->out_size)
        memmove(c->out, c->out + done, c->out_size);
    watch(c, (c->events & EPOLLIN) | (c->out_size ? EPOLLOUT : 0));
}

static void say(struct client *c, char mark)
{
    static const char digits[] = "0123456789abcdef";
    char tag[32];
    int64_t stamp = now;
    if (plan.tagged)
        append(c, tag, (size_t)sprintf(tag, "@%lld ", (long long)++tags));
    append(c, c->say, c->say_size);
    for (int i = 15; i >= 0; i--, stamp >>= 4)
        body[i] = digits[stamp & 15];
    body[plan.size - 1] = mark;
    append(c, body, (size_t)plan.size + 1);
    sent++;
}

static void take_step(struct client *c)
{
    while (c->step) {
        if (*c->step->send) {
            append(c, c->step->send, strlen(c->step->send));
            append(c, "\n", 1);
        }
        if (*c->step->expect)
            break;
        c->step = c->step->next;
    }
    flush(c);
}

/* --- what comes --------------------------------------------------------------------------------- */

static void delivered(struct client *c, const char *mark, const char *start)
{
    if (c->slow)
        return;
    deliveries++;
    rooms[c->room].delivered++;
    if (!measuring || mark - start < plan.size - 1)
        return;
    if (*mark == '^') {
        int64_t stamp = stamp_before(mark);
        if (stamp == probe_at) {
            probe_missing--;
            record(now - stamp);
        }
    } else if (plan.mode == WINDOW && ++turn >= plan.sample) {
        int64_t stamp = stamp_before(mark);
        turn = 0;
        if (stamp >= 0)
            record(now - stamp);
    }
}

static void line(struct client *c, const char *start, const char *end)
{
    lines++;
    if (end > start && end[-1] == '\r')
        end--;
    if (end > start && (end[-1] == '%' || end[-1] == '^'))
        delivered(c, end - 1, start);
    else if (end - start >= 4 && !memcmp(start, "PING", 4)) {
        append(c, "PONG", 4);
        append(c, start + 4, (size_t)(end - start - 4));
        append(c, "\n", 1);
        flush(c);
    }
}

/* One bulk read; true if there may be more. */
static int readable(struct client *c)
{
    char *start = buffer + CARRY - c->carry_size;
    ssize_t got = recv(c->fd, buffer + CARRY, READ, MSG_DONTWAIT);
    if (got <= 0) {
        if (got == 0 || errno != EAGAIN)
            lose(c);
        return 0;
    }
    memcpy(start, c->carry, c->carry_size);
    char *end = buffer + CARRY + got, *stop;
    if (c->step && memmem(start, (size_t)(end - start), c->step->expect, strlen(c->step->expect))) {
        c->step = c->step->next;
        take_step(c);
        if (!c->step) {
            joined_count++;
            if (c->since)
                record(monotonic() - c->since);
        }
    }
    while ((stop = memchr(start, '\n', (size_t)(end - start)))) {
        line(c, start, stop);
        start = stop + 1;
    }
    if (c->fd < 0)
        return 0;
    if (end - start > CARRY)
        start = end - 256; /* somebody who sends no line ends */
    c->carry_size = (size_t)(end - start);
    if (c->carry_size) {
        if (!c->carry)
            c->carry = grow(NULL, CARRY);
        memcpy(c->carry, start, c->carry_size);
    }
    return got == READ;
}

/* One round; returns how many connections had something to say. */
static int look(int milliseconds)
{
    static struct epoll_event events[EVENTS];
    int64_t start = plan.spin ? clock_ns(CLOCK_PROCESS_CPUTIME_ID) : 0;
    int ready = epoll_wait(queue, events, EVENTS, milliseconds);
    now = monotonic();
    if (ready <= 0 && plan.spin)
        empty += clock_ns(CLOCK_PROCESS_CPUTIME_ID) - start;
    for (int i = 0; i < ready; i++) {
        struct client *c = events[i].data.ptr;
        if (c->fd >= 0 && events[i].events & ~(unsigned)EPOLLOUT) {
            do
                now = monotonic();
            while (readable(c));
        }
        if (c->fd >= 0 && events[i].events & EPOLLOUT)
            flush(c);
    }
    if (ready > 0)
        last_progress = now;
    return ready;
}

/* --- the phases --------------------------------------------------------------------------------- */

static void connect_to(struct client *c)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)plan.port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int yes = 1;
    struct timeval patience = {10, 0};
    c->fd = socket(AF_INET, SOCK_STREAM, 0);
    setsockopt(c->fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    if (c->fd < 0 || connect(c->fd, (void *)&address, sizeof address))
        fail("connect");
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    watch(c, EPOLLIN);
    take_step(c);
    if (!c->step)
        joined_count++;
}

static void wait_for_quiet(double limit)
{
    int64_t deadline = monotonic() + (int64_t)(limit * 1e9);
    while (monotonic() < deadline && look(200) > 0)
        ;
}

static void set_up(void)
{
    int next = 0;
    setting_up = 1;
    last_progress = monotonic();
    while (joined_count < count) {
        while (next < count && next - joined_count < AT_ONCE)
            connect_to(&clients[next++]);
        if (joined_count == count)
            break;
        look(100);
        if (monotonic() - last_progress > 30000000000) {
            errno = 0;
            fail("the server does not let everybody in");
        }
    }
    wait_for_quiet(10);
    setting_up = 0;
}

static void refill(struct room *r)
{
    int receivers = r->members - (plan.echo ? 0 : 1), first = r->turn, used = 0;
    if (receivers < 1 || !r->count)
        return;
    int64_t free_slots = plan.window - (r->sent - r->delivered / receivers);
    if (free_slots <= 0)
        return;
    now = monotonic();
    for (; free_slots > 0; free_slots--, used++) {
        struct client *c = &clients[r->senders[r->turn]];
        r->turn = (r->turn + 1) % r->count;
        if (c->fd < 0)
            continue;
        say(c, '%');
        r->sent++;
    }
    for (int i = 0; i < used && i < r->count; i++)
        flush(&clients[r->senders[(first + i) % r->count]]);
}

static void flood(struct client *c)
{
    if (c->fd < 0 || c->out_size > 4096)
        return;
    for (int i = 0; i < 64; i++)
        say(c, '%');
    flush(c);
}

static void send_probe(int64_t *next)
{
    struct client *c = &clients[probe];
    if (probe_missing > 0 || now < *next || c->fd < 0)
        return;
    if (probe_at && probe_missing <= 0) {
        probe_at = 0;
        *next = now + (int64_t)(plan.gap * 1e9);
        return;
    }
    now = monotonic();
    probe_at = now;
    probe_missing = rooms[0].members - (plan.echo ? 0 : 1);
    probed++;
    say(c, '^');
    flush(c);
}

/* Drive the load until then; false if nothing has come for so long that nothing will. */
static int drive(int64_t until)
{
    int64_t next = 0, dead = (int64_t)(plan.stall * 1e9);
    last_progress = monotonic();
    int64_t seen = deliveries, seen_at = last_progress;
    while ((now = monotonic()) < until) {
        int wait = plan.mode == IDLE ? 1000 : plan.mode == FLOOD ? 1 : 100;
        if ((until - now) / 1000000 < wait)
            wait = (int)((until - now) / 1000000);
        if (plan.mode == WINDOW) {
            for (int i = 0; i < plan.rooms; i++)
                refill(&rooms[i]);
        } else if (plan.mode == FLOOD) {
            for (int i = 0; i < rooms[0].count; i++)
                flood(&clients[rooms[0].senders[i]]);
            if (probe >= 0 && measuring)
                send_probe(&next);
        }
        look(plan.spin && (plan.mode == WINDOW || plan.mode == FLOOD) ? 0 : wait);
        if (deliveries != seen) {
            seen = deliveries;
            seen_at = now;
        } else if (plan.mode != IDLE && now - seen_at > dead) {
            return 0;
        }
    }
    return 1;
}

static int join_all(void)
{
    int start = joined_count, dead = (int)plan.stall * 1000, going = 0;
    for (int i = 0; i < count; i++) {
        struct client *c = &clients[i];
        if (!c->join)
            continue;
        going++;
        c->step = c->join;
        c->since = monotonic();
        take_step(c);
    }
    while (joined_count - start < going)
        if (look(dead) == 0)
            return 0;
    return 1;
}

/* Was the member that never reads cut off? Reads what the kernel kept for it, up to the end. */
static int cut_off(int64_t *octets)
{
    struct client *c = &clients[slow];
    int64_t quiet_since = monotonic();
    *octets = 0;
    while (monotonic() - quiet_since < 1000000000) {
        struct pollfd p = {c->fd, POLLIN, 0};
        if (poll(&p, 1, 100) <= 0)
            continue;
        ssize_t got = recv(c->fd, buffer, READ, MSG_DONTWAIT);
        if (got == 0 || (got < 0 && errno != EAGAIN))
            return 1;
        *octets += got > 0 ? got : 0;
        quiet_since = monotonic();
    }
    return 0;
}

/* --- the plan ------------------------------------------------------------------------------------ */

static char *rest(char *text)
{
    text[strcspn(text, "\n")] = 0;
    return strdup(text);
}

static void read_plan(void)
{
    static char text[65536];
    int room_for = 0;
    struct client *c = NULL;
    struct step **tail = NULL;
    while (fgets(text, sizeof text, stdin)) {
        char *value = strchr(text, ' ');
        if (!strcmp(text, "end\n"))
            return;
        if (!value)
            fail("a line of the plan makes no sense");
        *value++ = 0;
        if (!strcmp(text, "port")) plan.port = atoi(value);
        else if (!strcmp(text, "window")) plan.window = atoi(value);
        else if (!strcmp(text, "echo")) plan.echo = atoi(value);
        else if (!strcmp(text, "tagged")) plan.tagged = atoi(value);
        else if (!strcmp(text, "rooms")) plan.rooms = atoi(value);
        else if (!strcmp(text, "sample")) plan.sample = atoi(value);
        else if (!strcmp(text, "size")) plan.size = atoi(value);
        else if (!strcmp(text, "spin")) plan.spin = atoi(value);
        else if (!strcmp(text, "warmup")) plan.warmup = atof(value);
        else if (!strcmp(text, "seconds")) plan.seconds = atof(value);
        else if (!strcmp(text, "stall")) plan.stall = atof(value);
        else if (!strcmp(text, "gap")) plan.gap = atof(value);
        else if (!strcmp(text, "mode"))
            plan.mode = *value == 'w' ? WINDOW : *value == 'f' ? FLOOD : *value == 'i' ? IDLE : JOIN;
        else if (!strcmp(text, "client")) {
            if (count == room_for) {
                room_for = room_for ? room_for * 2 : 1024;
                clients = grow(clients, (size_t)room_for * sizeof *clients);
            }
            c = &clients[count++];
            *c = (struct client){.fd = -1, .room = atoi(value)};
            c->sender = !!strchr(value, 's');
            if (strchr(value, 'p'))
                probe = count - 1;
            if (strchr(value, 'z'))
                slow = count - 1, c->slow = 1;
            tail = &c->step;
        } else if (c && !strcmp(text, "say")) {
            c->say = rest(value);
            c->say_size = strlen(c->say);
        } else if (c && (!strcmp(text, "step") || !strcmp(text, "join"))) {
            char *expect = strchr(value, '\t');
            struct step *s = grow(NULL, sizeof *s);
            if (!expect)
                fail("a step of the plan expects nothing");
            *expect++ = 0;
            *s = (struct step){.send = strdup(value), .expect = rest(expect)};
            if (*text == 'j') {
                c->join = s;
            } else {
                *tail = s;
                tail = &s->next;
            }
        } else
            fail("a line of the plan makes no sense");
    }
    fail("the plan has no end");
}

static void prepare(void)
{
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    queue = epoll_create1(0);
    buffer = grow(NULL, CARRY + READ);
    body = grow(NULL, (size_t)plan.size + 2);
    memset(body, 'x', (size_t)plan.size);
    body[plan.size] = '\n';
    rooms = calloc((size_t)plan.rooms, sizeof *rooms);
    for (int i = 0; i < count; i++) {
        struct room *r = &rooms[clients[i].room];
        r->members += !clients[i].slow;
        if (clients[i].sender) {
            r->senders = grow(r->senders, (size_t)(r->count + 1) * sizeof(int));
            r->senders[r->count++] = i;
        }
    }
}

static void await_go(void)
{
    static char text[4096];
    if (!fgets(text, sizeof text, stdin) || strncmp(text, "go", 2))
        exit(1);
    for (char *p = strtok(text + 2, " \n"); p && pid_count < PIDS; p = strtok(NULL, " \n"))
        pids[pid_count++] = atoi(p);
}

int main(void)
{
    int going = 1, cut = 0;
    int64_t octets = 0;
    read_plan();
    prepare();
    set_up();
    printf("ready\n");
    fflush(stdout);
    await_go();

    if (plan.mode != JOIN && plan.warmup > 0)
        going = drive(monotonic() + (int64_t)(plan.warmup * 1e9));
    if (slow >= 0)
        watch(&clients[slow], 0);
    int64_t before_server = server_cpu(), before_own = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
    int64_t before = monotonic(), before_sent = sent, before_deliveries = deliveries, before_lines = lines;
    measuring = 1;
    empty = 0;
    if (plan.mode == JOIN)
        going = join_all();
    else if (going)
        going = drive(before + (int64_t)(plan.seconds * 1e9));
    int64_t server = server_cpu() - before_server, own = clock_ns(CLOCK_PROCESS_CPUTIME_ID) - before_own;
    double seconds = (double)(monotonic() - before) / 1e9;
    own = own > empty ? own - empty : 0; /* rounds that found nothing are no work */
    int64_t messages = sent - before_sent, arrived = deliveries - before_deliveries, all = lines - before_lines;
    for (now = monotonic(); plan.mode == FLOOD && probe_missing > 0; probe_missing--)
        record(now - probe_at); /* what has not arrived is at least as late as this */
    measuring = 0;
    if (plan.mode != FLOOD)
        wait_for_quiet(going ? 2 : 0);
    if (slow >= 0)
        cut = cut_off(&octets);
    printf("done {\"seconds\": %.9f, \"messages\": %lld, \"deliveries\": %lld, \"lines\": %lld, "
           "\"server_cpu\": %.9f, \"own_cpu\": %.9f, \"p50\": %.3f, \"p99\": %.3f, \"max\": %.3f, "
           "\"samples\": %lld, \"probes\": %lld, \"lost\": %d, \"stalled\": %s, \"cut_off\": %s, "
           "\"unread\": %lld}\n",
           seconds, (long long)messages, (long long)arrived, (long long)all, (double)server / 1e9,
           (double)own / 1e9, percentile(0.5), percentile(0.99), (double)slowest / 1e3, (long long)samples,
           (long long)probed, lost, going ? "false" : "true", cut ? "true" : "false", (long long)octets);
    fflush(stdout);
    /* The connections stay until the server's memory has been read. */
    return fgets(buffer, READ, stdin) ? 0 : 1;
}
