# The `ctr` command is the program. `use` and `leave` act on this shell: xonsh runs an alias that is a
# function in ways that take its terminal away, so only these two become one, as the line is read.
def __ctr_evaluate(words):
    import subprocess

    command = ['__ctr_binary__', "env", "--shell", "xonsh", *words]
    done = subprocess.run(command, env=__xonsh__.env.detype(), stdout=subprocess.PIPE)
    if done.returncode == 0:
        execx(done.stdout.decode("ascii"))
    return done.returncode


def __ctr_use(words):
    return __ctr_evaluate(words)


def __ctr_leave(words):
    return __ctr_evaluate(["--unset", *words])


def __ctr_transform(cmd, **_):
    words = cmd.split(None, 2)
    if words[:1] != ["__ctr_cmd__"] or words[1:2] not in (["use"], ["leave"]):
        return cmd
    if words[2:] and words[2].startswith("-"):
        return cmd
    return "__ctr_cmd__-" + " ".join(words[1:]).rstrip() + "\n"


# A second load finds the alias of the first.
if "__ctr_cmd__-use" not in aliases:
    events.on_transform_command(__ctr_transform)
aliases["__ctr_cmd__"] = ['__ctr_binary__']
aliases["__ctr_cmd__-use"] = __ctr_use
aliases["__ctr_cmd__-leave"] = __ctr_leave
