// A FUSE file system that answers nobody: whoever looks into it waits, and not even SIGKILL ends one whose
// question was read. It goes when this ends. Usage: hang FOLDER, in a mount namespace of its own.
#include <fcntl.h>
#include <stdio.h>
#include <sys/mount.h>
#include <unistd.h>
#include <linux/fuse.h>

int main(int count, char **words) {
    char options[200], question[FUSE_MIN_READ_BUFFER * 20];
    int fuse = open("/dev/fuse", O_RDWR);
    if (count < 2 || fuse < 0)
        return perror("/dev/fuse"), 1;
    snprintf(options, sizeof options, "fd=%d,rootmode=40755,user_id=%u,group_id=%u", fuse, getuid(), getgid());
    if (mount("hang", words[1], "fuse.hang", MS_NOSUID | MS_NODEV, options))
        return perror("mount"), 1;
    if (read(fuse, question, sizeof question) < 0)
        return perror("read"), 1;
    struct fuse_in_header *asked = (void *)question;
    struct fuse_init_in *init = (void *)(asked + 1);
    struct {
        struct fuse_out_header head;
        struct fuse_init_out init;
    } answer = {{sizeof answer, 0, asked->unique}, {init->major, init->minor, .max_write = 4096}};
    if (write(fuse, &answer, sizeof answer) < 0)
        return perror("write"), 1;
    puts("it hangs"), fflush(stdout);
    // Each question is taken, and none is answered.
    while (read(fuse, question, sizeof question) > 0)
        ;
    return 0;
}
