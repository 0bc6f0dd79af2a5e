// Takes a name among the sockets of the host as user 1 of a user namespace, and answers nobody.
// Usage: squat NAME bound|datagram|full
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int main(int count, char **words) {
    if (count < 3 || setuid(1))
        return perror("setuid"), 1;
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    socklen_t length = offsetof(struct sockaddr_un, sun_path) + 1 + strlen(words[1]);
    strncpy(name.sun_path + 1, words[1], sizeof name.sun_path - 1);
    int datagram = !strcmp(words[2], "datagram");
    int taken = socket(AF_UNIX, datagram ? SOCK_DGRAM : SOCK_STREAM, 0);
    if (bind(taken, (void *)&name, length))
        return perror("bind"), 1;
    if (!strcmp(words[2], "full")) {
        if (listen(taken, 0))
            return perror("listen"), 1;
        while (connect(socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0), (void *)&name, length) == 0)
            ;
    }
    puts("it is taken"), fflush(stdout);
    pause();
    return 0;
}
