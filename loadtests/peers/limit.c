/* The limit of one system call per delivery: the same ready frame to every connection, one write() each.
 *
 * Usage: limit FRAME_FILE
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MOST_CLIENTS = 65536, MOST_BYTES = 65536 };

static int clients[MOST_CLIENTS];
static int count;
static char frame[MOST_BYTES];

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static size_t read_frame(const char *path) {
    FILE *file = fopen(path, "rb");
    if (!file) fail(path);
    size_t size = fread(frame, 1, sizeof frame, file);
    fclose(file);
    return size;
}

static int listen_somewhere(void) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    if (listener < 0 || bind(listener, (struct sockaddr *)&address, length) < 0) fail("bind");
    if (listen(listener, 1024) < 0) fail("listen");
    getsockname(listener, (struct sockaddr *)&address, &length);
    printf("listening %d\n", ntohs(address.sin_port));
    fflush(stdout);
    return listener;
}

static void take(int listener) {
    int client = accept(listener, NULL, NULL), on = 1;
    if (client < 0) return;
    if (count == MOST_CLIENTS) {
        close(client);
        return;
    }
    setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    fcntl(client, F_SETFL, O_NONBLOCK);
    clients[count++] = client;
}

/* A client that is gone, or too slow to be given a whole frame, is let go: the others then count a client less. */
static void give(size_t size) {
    int kept = 0;
    for (int i = 0; i < count; i++) {
        if (write(clients[i], frame, size) == (ssize_t)size) {
            clients[kept++] = clients[i];
        } else {
            close(clients[i]);
        }
    }
    count = kept;
}

int main(int argc, char **argv) {
    if (argc != 2) {
        fprintf(stderr, "usage: %s FRAME_FILE\n", argv[0]);
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    size_t size = read_frame(argv[1]);
    struct pollfd watched[2] = {{.fd = 0, .events = POLLIN}, {.events = POLLIN}};
    watched[1].fd = listen_somewhere();
    for (;;) {
        if (poll(watched, 2, -1) < 0 && errno != EINTR) fail("poll");
        if (watched[1].revents & POLLIN) take(watched[1].fd);
        if (watched[0].revents) {
            char lines[64];
            ssize_t got = read(0, lines, sizeof lines);
            if (got <= 0) return 0;
            for (ssize_t i = 0; i < got; i++) give(size);
        }
    }
}
