# The prompt hook. While the process of the active instance is the one that was made active, it only
# reads that process's start from /proc: no program, no file of a home.
def __ctr_is_here [process: string] {
    let parts = $process | split row ":"
    let stat = try { open --raw $"/proc/($parts.0)/stat" | split row " " } catch { [] }
    # Field 22 is the start, field 3 the condition (Z: ended).
    $stat.21? == $parts.1? and $stat.2? not-in [Z X]
}
def --env __ctr_hook [] {
    if "CTR_PROCESS" in $env and not (__ctr_is_here $env.CTR_PROCESS) {
        __ctr_apply (^'__ctr_binary__' env --shell nushell --refresh | from json)
    }
}
$env.config.hooks.pre_prompt = ($env.config.hooks.pre_prompt? | default [] | append {|| __ctr_hook })
let __ctr_prompt = $env.PROMPT_COMMAND? | default ""
$env.PROMPT_COMMAND = {||
    let prompt = if ($__ctr_prompt | describe) == closure { do $__ctr_prompt } else { $__ctr_prompt }
    if "CTR_INSTANCE" in $env and $env.CTR_PROMPT? != off {
        $"(char lparen)ctr:($env.CTR_INSTANCE)(char rparen) ($prompt)"
    } else {
        $prompt
    }
}
