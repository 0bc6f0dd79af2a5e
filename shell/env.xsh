# Sets a variable to what children are to see. One that they would see as something else, as a `~` in
# a list of folders is, becomes one of plain text.
def __ctr_put(name, value):
    env = __xonsh__.env
    env[name] = value
    if env.detype().get(name) != value:
        env.register(name, type="str")
        __xonsh__.ctr_text = [*getattr(__xonsh__, "ctr_text", []), name]
        env[name] = value


# Sets a variable of the instance. What this shell alone knows of it (a number, a list) no child could
# hand back, so it is kept aside; but not PATH, of which only a member is taken away again.
def __ctr_set(name, value):
    env = __xonsh__.env
    if not hasattr(__xonsh__, "ctr_was"):
        __xonsh__.ctr_was = {}
    if name != "PATH" and name in env.detype():
        __xonsh__.ctr_was[name] = env[name]
    __ctr_put(name, value)


# Gives a variable back: what this shell knew of it, else what the environment held, else unset.
def __ctr_restore(name, value=None):
    env = __xonsh__.env
    was = getattr(__xonsh__, "ctr_was", {})
    env.pop(name, None)
    if name in getattr(__xonsh__, "ctr_text", []):
        __xonsh__.ctr_text.remove(name)
        env.deregister(name)
    if name in was:
        env[name] = was.pop(name)
    elif value is not None:
        __ctr_put(name, value)


