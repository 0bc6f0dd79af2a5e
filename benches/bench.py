"""What the measurements have in common: the programs, a place to run in, pairs of times."""

import argparse
import contextlib
import fcntl
import json
import os
import platform
import pwd
import shlex
import shutil
import signal
import subprocess
import sys
import tarfile
import tempfile
import time
from pathlib import Path
from statistics import median, quantiles

ROOT = Path(__file__).resolve().parent.parent
RUNNING = 3  # Instances that run, among many states.
PLACES = ["XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME",
          "XDG_RUNTIME_DIR", "CTR_STATE_DIR", "APPTAINER_CONFIGDIR", "APPTAINER_CACHEDIR"]
OFTEN = 10  # A start with its stop takes seconds; all else is measured so many times as often.


def arguments(description):
    parser = argparse.ArgumentParser(description=description.split("\n", maxsplit=1)[0])
    parser.add_argument("--runs", type=int, default=20, metavar="N",
                        help=f"starts to measure (default 20), and {OFTEN} times as many of all else")
    parser.add_argument("--quick", action="store_const", const=5, dest="runs", help="--runs 5")
    parser.add_argument("--ctr", type=Path, metavar="FILE", help="measure this one, build none")
    parser.add_argument("--user", default="ctr-test",
                        help="as root: whom to measure as (default ctr-test, made when missing)")
    given = parser.parse_args()
    if given.runs < 2:
        parser.error("--runs: two at least")
    return given


def get_programs(ctr):
    """The paths of Apptainer and of ctr: the one given, else this checkout's, else the one on PATH."""
    os.environ["PATH"] += f":{Path.home()}/.cargo/bin:/usr/sbin:/sbin"
    apptainer = subprocess.run([ROOT / "scripts/apptainer"], check=True, stdout=subprocess.PIPE, text=True)
    if ctr is None:
        ctr = ROOT / os.environ.get("CARGO_TARGET_DIR", "target") / "release/ctr"
        if shutil.which("cargo"):
            subprocess.run(["cargo", "build", "--release", "--locked"], cwd=ROOT, check=True)
        elif not ctr.exists():
            found = shutil.which("ctr")
            if not found:
                raise SystemExit("there is no ctr to measure, and no cargo to build one: name it with --ctr FILE")
            ctr = Path(found)
    return Path(apptainer.stdout.strip()), ctr.resolve()


def reserve(user):
    """scripts/test stops all that its user runs, and holds this lock meanwhile."""
    lock = open(f"/var/lock/{user}.lock", "w", encoding="utf-8")
    fcntl.flock(lock, fcntl.LOCK_EX)
    return lock


def become(user, folder):
    """Root measures as an ordinary user, since that is who users are."""
    try:
        entry = pwd.getpwnam(user)
    except KeyError:
        subprocess.run(["useradd", "-m", "-s", "/bin/bash", user], check=True)
        entry = pwd.getpwnam(user)
    for path in [folder, *folder.iterdir()]:
        os.chown(path, entry.pw_uid, entry.pw_gid)
    os.initgroups(user, entry.pw_gid)
    os.setgid(entry.pw_gid)
    os.setuid(entry.pw_uid)


def surroundings(folder, apptainer):
    """An environment in which neither the user's settings nor their instances are seen."""
    user = pwd.getpwuid(os.getuid())
    variables = {
        "HOME": user.pw_dir, "USER": user.pw_name, "LOGNAME": user.pw_name, "LANG": "C.UTF-8",
        # Last: the programs that Apptainer came with, for a system that lacks them.
        "PATH": f"/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin:{apptainer.parent}",
        "CTR_APPTAINER": str(apptainer),
        "CTR_OVERLAY_PATH": str(folder),
    }
    for name in PLACES:
        place = folder / name.lower()
        place.mkdir(mode=0o700)
        variables[name] = str(place)
    return variables


def make_images(folder, apptainer, run):
    """A SIF with little more than `true` and `cat` in it, and a squashfs overlay with its sidecar."""
    tree = folder / "base"
    for name in ["dev", "etc", "home", "proc", "root", "sys", "tmp", "usr", "var/tmp"]:
        (tree / name).mkdir(parents=True)
    for name in ["group", "hosts", "localtime", "passwd", "resolv.conf"]:
        (tree / "etc" / name).touch()
    for program in ["/bin/sh", "/bin/true", "/bin/cat"]:
        libraries = [word for word in run(["ldd", program]).split() if word.startswith("/")]
        for file in [program, *libraries]:
            (tree / file[1:]).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(file, tree / file[1:])
    run([apptainer, "build", folder / "base.sif", tree])
    with tarfile.open(folder / "base.tar", "w") as archive:  # for other engines
        archive.add(tree, arcname=".")
    overlay = folder / "overlay"
    (overlay / "cnt/demo/1.0/bin").mkdir(parents=True)
    run(["mksquashfs", overlay, folder / "demo--1.0.sqf", "-all-root", "-quiet", "-no-progress"])
    (folder / "demo--1.0.sqf.env").write_text("DEMO_HOME=/cnt/demo/1.0\n#ENVNOTE:DEMO_HOME=where it lives\n")


def runner(variables, log):
    """A function that gives what a command prints, and one that gives its time in milliseconds."""

    def run(command, check=True):
        done = subprocess.run(command, env=variables, stdin=subprocess.DEVNULL, capture_output=True, text=True)
        if check and done.returncode:
            raise SystemExit(f"{shlex.join(map(str, command))}: {done.returncode}\n{done.stdout}{done.stderr}")
        return done.stdout

    # No pipe: an instance would hold it open as long as it runs.
    streams = [(os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
               (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0),
               (os.POSIX_SPAWN_OPEN, 2, log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)]

    def timed(command):
        words = [str(word) for word in command]
        began = time.perf_counter_ns()
        pid = os.posix_spawn(words[0], words, variables, file_actions=streams)
        try:
            _, status = os.waitpid(pid, 0)
        except BaseException:
            os.waitpid(pid, 0)  # it may start an instance yet, which is to be stopped
            raise
        took = (time.perf_counter_ns() - began) / 1e6
        if status:
            code = os.waitstatus_to_exitcode(status)
            raise SystemExit(f"{shlex.join(words)}: {code}\n{Path(log).read_text()}")
        return took

    return run, timed


def pairs(timed, runs, ours, theirs, undo=None, prepare=None):
    """Times of both commands, in turn; what `prepare` and `undo` take does not count. One pair
    warms up."""
    times = []
    for _ in range(runs + 1):
        pair = []
        for command in [ours, theirs]:
            if prepare:
                timed(prepare)
            pair.append(timed(command))
            if undo:
                timed(undo)
        times.append(pair)
    return times[1:]


def row(what, beside, goal, times):
    ours, theirs = (median(side) for side in zip(*times))
    differences = [a - b for a, b in times]
    low, _, high = quantiles(differences, n=4)
    more, ratio = median(differences), median(a / b for a, b in times)
    verdict = ""
    if goal:
        limit, kind = goal
        met = {"ms more": more, "ms in all": ours, "times": ratio}[kind] <= limit
        verdict = f"{limit:g} {kind}: {'met' if met else 'missed'}"
    return (f"| {what} | {ours:.1f} ms | {beside} | {theirs:.1f} ms "
            f"| {more:+.1f} ms ({low:+.1f} … {high:+.1f}) | {ratio:.3g} | {verdict} |")


HEADER = """\
| command | time | beside | time | difference | ratio | goal |
| --- | ---: | --- | ---: | ---: | ---: | --- |"""


class Bench:
    """A folder in which `ctr` and images lie, an environment without the user's own settings, and
    the user to be; whatever is started in it is stopped at its end."""

    def __init__(self, given, stack):
        for number in [signal.SIGTERM, signal.SIGHUP]:
            signal.signal(number, lambda number, _: sys.exit(128 + number))
        os.umask(0o022)  # sidecars that others may write are not trusted
        self.runs = given.runs
        self.apptainer, built = get_programs(given.ctr)
        if os.getuid() == 0:
            stack.enter_context(reserve(given.user))
        self.folder = Path(tempfile.mkdtemp(prefix="ctr-bench-"))
        stack.callback(shutil.rmtree, self.folder, ignore_errors=True)
        self.ctr = Path(shutil.copy(built, self.folder / "ctr"))  # the user may not see the checkout
        if os.getuid() == 0:
            become(given.user, self.folder)
        os.chdir(self.folder)
        self.variables = surroundings(self.folder, self.apptainer)
        self.run, self.timed = self.runner()
        make_images(self.folder, self.apptainer, self.run)
        stack.callback(self.run, [self.ctr, "stop", "--all", "--untracked", "--force"], check=False)

    def runner(self, **more):
        """`run` and `timed`, with more variables."""
        return runner({**self.variables, **more}, str(self.folder / "stderr"))

    def places(self):
        """The folders in which ctr and Apptainer keep what they know, as the environment names them."""
        return [Path(self.variables[name]) for name in PLACES]

    def start_some(self):
        for number in range(RUNNING):
            self.run([self.ctr, "start", "-b", "base.sif", "-o", "demo/1.0", f"bench-{number}"])

    def make_states(self, count):
        """State files of `count` instances: some that run, the others stopped and dead ones."""
        files = self.folder / "ctr_state_dir" / os.uname().nodename
        state = json.loads((files / "bench-0.json").read_text())
        ended = subprocess.Popen(["/bin/true"])
        ended.wait()
        for number in range(RUNNING, count):
            name = f"bench-{number}"
            one = {**state, "name": name, "pid": ended.pid}
            if number % 2:  # What `ctr stop --keep` leaves.
                one["phase"] = "stopped"
                for field in ["pid", "pid_start_time", "supervisor_pid", "boot_id", "pid_namespace", "started_at", "joins"]:
                    one.pop(field, None)
            (files / f"{name}.json").write_text(json.dumps(one, indent=2))

    def often(self, ours, theirs):
        """Times of a pair of commands that take milliseconds."""
        return pairs(self.timed, self.runs * OFTEN, ours, theirs)

    def versions(self):
        """The line that says what was measured, and where."""
        return (f"{self.run([self.ctr, '--version']).strip()}, {self.run([self.apptainer, '--version']).strip()}, "
                f"{platform.system()} {platform.release()}, {os.cpu_count()} CPUs; "
                f"medians of {self.runs} starts and {self.runs * OFTEN} of all else, "
                "differences with their quartiles\n")


def main(description, measure):
    """Prints a row for each thing that `measure(bench)` yields: what, beside what, goal, times."""
    given = arguments(description)
    try:
        with contextlib.ExitStack() as stack:
            bench = Bench(given, stack)
            print(bench.versions())
            print(HEADER)
            for measured in measure(bench):
                print(row(*measured), flush=True)
    except KeyboardInterrupt:
        sys.exit(130)
    except (OSError, subprocess.CalledProcessError) as error:
        sys.exit(f"{Path(sys.argv[0]).name}: {error}")
