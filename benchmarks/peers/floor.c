/* The floor: the least that any program can do to relay messages on one core.
 *
 * One process, epoll, one buffer, no parsing, no names, no rooms, no limits. All that is readable in
 * one round is gathered in the buffer and written once to everybody, the senders too. What is left
 * is the cost of the system calls. Who joins is greeted, so that a load generator knows when it is in.
 *
 * Not a server to use: it cuts and mixes messages longer than what one read brings, and one member
 * that never reads stops it.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { READ = 65536, BUFFER = 1024 * 1024, EVENTS = 1024 };

static char buffer[BUFFER];
static int *members;
static int *place; /* of a descriptor in members, or -1 */
static int count, room, places;

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static void join(int fd)
{
    if (count == room) {
        room = room ? room * 2 : 256;
        members = realloc(members, (size_t)room * sizeof *members);
    }
    while (fd >= places) {
        places = places ? places * 2 : 1024;
        place = realloc(place, (size_t)places * sizeof *place);
    }
    if (!members || !place)
        die("realloc");
    place[fd] = count;
    members[count++] = fd;
}

static void leave(int fd)
{
    int last = members[--count];
    members[place[fd]] = last;
    place[last] = place[fd];
    close(fd);
}

static void write_all(int fd, const char *data, size_t size)
{
    while (size) {
        ssize_t sent = send(fd, data, size, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent > 0) {
            data += sent;
            size -= (size_t)sent;
        } else if (errno == EAGAIN) {
            struct pollfd writable = {fd, POLLOUT, 0};
            poll(&writable, 1, -1);
        } else {
            return; /* its read will find out */
        }
    }
}

int main(void)
{
    static const char greeting[] = "hello\n";
    struct epoll_event events[EVENTS], event = {.events = EPOLLIN};
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM, 0), queue = epoll_create1(0);

    if (listener < 0 || queue < 0 || bind(listener, (void *)&address, length) || listen(listener, 4096)
        || getsockname(listener, (void *)&address, &length))
        die("listen");
    printf("listening on 127.0.0.1:%d\n", ntohs(address.sin_port));
    fflush(stdout);
    event.data.fd = listener;
    epoll_ctl(queue, EPOLL_CTL_ADD, listener, &event);
    for (;;) {
        int ready = epoll_wait(queue, events, EVENTS, -1);
        size_t size = 0;
        for (int i = 0; i < ready; i++) {
            int fd = events[i].data.fd;
            if (fd == listener) {
                int client = accept(listener, NULL, NULL), yes = 1;
                if (client < 0)
                    continue;
                setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
                event.data.fd = client;
                epoll_ctl(queue, EPOLL_CTL_ADD, client, &event);
                join(client);
                write_all(client, greeting, sizeof greeting - 1);
                continue;
            }
            if (size + READ > BUFFER)
                break; /* the rest is still readable in the next round */
            ssize_t got = recv(fd, buffer + size, READ, MSG_DONTWAIT);
            if (got > 0)
                size += (size_t)got;
            else if (got == 0 || errno != EAGAIN)
                leave(fd);
        }
        if (size)
            for (int i = 0; i < count; i++)
                write_all(members[i], buffer, size);
    }
}
