// Prints what a program can see of the process that it is, a line each, without what differs from one
// process to the next. Static, so that it runs in every image.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <termios.h>
#include <unistd.h>

// The lines of /proc/self/status that tell of this very process.
static const char *own[] = {"Name", "State", "Tgid", "Ngid", "Pid", "NStgid", "NSpid", "Vm", "Rss", "SigQ",
                            "voluntary", "nonvoluntary", NULL};

static void file(const char *path, const char **without) {
  char line[PATH_MAX * 2];
  FILE *from = fopen(path, "r");
  if (!from) {
    printf("%s: %s\n", path, strerror(errno));
    return;
  }
  while (fgets(line, sizeof line, from)) {
    int skip = 0;
    for (const char **name = without; name && *name; name++) skip |= !strncmp(line, *name, strlen(*name));
    if (!skip) printf("%s: %s%s", path, line, strchr(line, '\n') ? "" : "\n");
  }
  fclose(from);
}

static void link_of(const char *path) {
  char target[PATH_MAX] = {0};
  if (readlink(path, target, sizeof target - 1) < 0) strcpy(target, strerror(errno));
  printf("%s -> %s\n", path, target);
}

static void place(const char *path) {
  struct stat found;
  if (stat(path, &found)) printf("%s: %s\n", path, strerror(errno));
  else printf("%s is %lx:%lx\n", path, (long)found.st_dev, (long)found.st_ino);
}

int main(int count, char **words) {
  for (int i = 0; i < count; i++) printf("argv %d %s\n", i, words[i]);

  char path[64];
  for (int fd = 0; fd < 1024; fd++) { // before anything else is opened
    int flags = fcntl(fd, F_GETFD);
    if (flags < 0) continue;
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    printf("fd %d: flags %x mode %x terminal %d ", fd, flags, fcntl(fd, F_GETFL), isatty(fd));
    link_of(path);
  }

  file("/proc/self/status", own);
  const char *files[] = {"limits", "mountinfo", "cgroup", "uid_map", "gid_map", "setgroups", "oom_score_adj",
                         "coredump_filter", "personality", "timerslack_ns", "loginuid", "attr/current", NULL};
  for (const char **name = files; *name; name++) {
    snprintf(path, sizeof path, "/proc/self/%s", *name);
    file(path, NULL);
  }
  const char *links[] = {"root", "cwd", "exe", "ns/user", "ns/pid", "ns/pid_for_children", "ns/net", "ns/uts",
                         "ns/ipc", "ns/cgroup", "ns/mnt", "ns/time", NULL};
  for (const char **name = links; *name; name++) {
    snprintf(path, sizeof path, "/proc/self/%s", *name);
    link_of(path);
  }
  place("/");
  place(".");

  int death = -1, reaper = -1;
  prctl(PR_GET_PDEATHSIG, &death);
  prctl(PR_GET_CHILD_SUBREAPER, &reaper);
  printf("securebits %x keepcaps %d nonewprivs %d dumpable %d seccomp %d death %d reaper %d\n",
         prctl(PR_GET_SECUREBITS), prctl(PR_GET_KEEPCAPS), prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0),
         prctl(PR_GET_DUMPABLE), prctl(PR_GET_SECCOMP), death, reaper);
  for (int signal = 1; signal <= SIGRTMAX; signal++) {
    struct sigaction action;
    if (!sigaction(signal, NULL, &action) && action.sa_handler != SIG_DFL) printf("signal %d: not default\n", signal);
  }
  sigset_t blocked;
  sigprocmask(SIG_BLOCK, NULL, &blocked);
  for (int signal = 1; signal <= SIGRTMAX; signal++)
    if (sigismember(&blocked, signal) == 1) printf("signal %d: blocked\n", signal);

  struct itimerval timer;
  getitimer(ITIMER_REAL, &timer);
  cpu_set_t processors;
  sched_getaffinity(0, sizeof processors, &processors);
  printf("session %d group %d parent %d foreground %d nice %d scheduler %d processors %d ioprio %ld alarm %ld\n",
         getsid(0), getpgrp(), getppid(), tcgetpgrp(0) == getpgrp(), getpriority(PRIO_PROCESS, 0),
         sched_getscheduler(0), CPU_COUNT(&processors), syscall(SYS_ioprio_get, 1, 0), timer.it_value.tv_sec);
  int terminal = open("/dev/tty", O_RDWR);
  printf("controlling terminal %d\n", terminal >= 0);
  return 0;
}
