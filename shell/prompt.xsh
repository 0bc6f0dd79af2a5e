# The prompt hook. While the process of the active instance is the one that was made active, it only
# reads that process's start from /proc: no program, no file of a home. The folder of its shims goes
# with the user's last session on some hosts, and is made again.
def __ctr_is_here(process):
    pid, _, start = process.partition(":")
    try:
        with open("/proc/" + pid + "/stat") as file:
            stat = file.read().split()
    except OSError:
        return False
    # Field 22 is the start, field 3 the condition (Z: ended).
    return stat[21] == start and stat[2] not in "ZX"


def __ctr_hook(**_):
    import os

    process = __xonsh__.env.get("CTR_PROCESS")
    folder = __xonsh__.env.get("CTR_PATH_ENTRY", "/")
    if process and not (__ctr_is_here(process) and os.path.isdir(folder)):
        __ctr_evaluate(["--refresh"])


def __ctr_marker():
    # Where the prompt is drawn before the event is told.
    __ctr_hook()
    name = __xonsh__.env.get("CTR_INSTANCE")
    if not name or __xonsh__.env.get("CTR_PROMPT") == "off":
        return ""
    return "(ctr:" + name + ") "


if "ctr" not in __xonsh__.env["PROMPT_FIELDS"]:
    __xonsh__.env["PROMPT_FIELDS"]["ctr"] = __ctr_marker
    events.on_pre_prompt(__ctr_hook)
    if isinstance(__xonsh__.env["PROMPT"], str):
        __xonsh__.env["PROMPT"] = "{ctr}" + __xonsh__.env["PROMPT"]
