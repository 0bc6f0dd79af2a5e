# The prompt hook. While nothing has changed it only reads the start of the active instance's process
# from /proc, and looks at PATH and the prompt: no program, no file of a home. The folder of its shims
# goes with the user's last session on some hosts, and is made again.
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
    # Who unsets CTR_INSTANCE leaves.
    active = "CTR_INSTANCE" in __xonsh__.env
    if process and not (active and __ctr_is_here(process) and os.path.isdir(folder)):
        __ctr_evaluate(["--refresh"])
    __ctr_hold()
    prompt = __xonsh__.env.get("PROMPT")
    off = __xonsh__.env.get("CTR_PROMPT") == "off"
    if isinstance(prompt, str) and "{ctr}" not in prompt and not off:
        __xonsh__.env["PROMPT"] = "{ctr}" + prompt


# Others put a whole PATH of before back: a virtual environment that is left, direnv.
def __ctr_hold():
    held = __xonsh__.ctr_held
    seen = (__xonsh__.env.get("CTR_PATH_ENTRY"), list(__xonsh__.env.get("PATH", [])))
    if seen == getattr(__xonsh__, "ctr_seen", None):
        return
    if held:
        __ctr_evaluate(["--hold", ":".join(held)])
    __xonsh__.ctr_seen = (__xonsh__.env.get("CTR_PATH_ENTRY"), list(__xonsh__.env.get("PATH", [])))


def __ctr_marker():
    # Where the prompt is drawn before the event is told.
    __ctr_hook()
    name = __xonsh__.env.get("CTR_INSTANCE")
    if not name or __xonsh__.env.get("CTR_PROMPT") == "off":
        return ""
    return "(ctr:" + name + ") "


__xonsh__.ctr_held = getattr(__xonsh__, "ctr_held", set())
if "ctr" not in __xonsh__.env["PROMPT_FIELDS"]:
    __xonsh__.env["PROMPT_FIELDS"]["ctr"] = __ctr_marker
    events.on_pre_prompt(__ctr_hook)
    if isinstance(__xonsh__.env["PROMPT"], str):
        __xonsh__.env["PROMPT"] = "{ctr}" + __xonsh__.env["PROMPT"]
