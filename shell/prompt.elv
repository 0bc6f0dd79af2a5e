# The prompt hook. While nothing has changed it only reads the start of the active instance's process
# from /proc, and looks at PATH and the prompt: no program, no file of a home. The folder of its shims
# goes with the user's last session on some hosts, and is made again.
use path
# What was on PATH before this shell has put anything there is not its own to hold.
var __ctr_inherited = ''
if (has-env CTR_PATH_ENTRY) {
  set __ctr_inherited = $E:CTR_PATH_ENTRY
}
var __ctr_held = ''
var __ctr_seen = ''
# Others put a whole PATH of before back: a virtual environment that is left, direnv.
fn __ctr_hold {
  var entry = ''
  if (has-env CTR_PATH_ENTRY) {
    set entry = $E:CTR_PATH_ENTRY
  }
  if (and (not-eq $entry '') (not-eq $entry $__ctr_inherited) ^
    (not (str:contains $__ctr_held':' ':'$entry':'))) {
    set __ctr_held = $__ctr_held':'$entry
  }
  if (and (not-eq $__ctr_held '') (not-eq $entry':'$E:PATH $__ctr_seen)) {
    __ctr_evaluate --hold $__ctr_held
  }
  set __ctr_seen = $entry':'$E:PATH
}
fn __ctr_look {
  if (not (has-env CTR_PROCESS)) {
    return
  }
  var same = $false
  try {
    var pid start = (str:split : $E:CTR_PROCESS)
    # Field 22 is the start, field 3 the condition (Z: ended). Who unsets CTR_INSTANCE leaves.
    var stat = [(str:split ' ' (slurp < /proc/$pid/stat))]
    set same = (and (has-env CTR_INSTANCE) (eq $stat[21] $start) (not (has-value [Z X] $stat[2])) ^
      (or (not (has-env CTR_PATH_ENTRY)) (path:is-dir $E:CTR_PATH_ENTRY)))
  } catch problem {
    nop $problem
  }
  if (not $same) {
    __ctr_evaluate --refresh
  }
}
# The prompt is wrapped, and again when it is another.
var __ctr_shown = { }
fn __ctr_wrap {
  if (eq $edit:prompt $__ctr_shown) {
    return
  }
  var prompt = $edit:prompt
  set __ctr_shown = {
    if (and (has-env CTR_INSTANCE) (not-eq $E:CTR_PROMPT off)) {
      put '(ctr:'$E:CTR_INSTANCE') '
    }
    $prompt
  }
  set edit:prompt = $__ctr_shown
}
fn __ctr_check {
  __ctr_look
  __ctr_hold
  __ctr_wrap
}
# A second load finds the hook of the first.
var __ctr_is_hooked = $false
for __ctr_hook $edit:before-readline {
  try {
    if (str:has-prefix $__ctr_hook[body] __ctr_check) {
      set __ctr_is_hooked = $true
    }
  } catch __ctr_builtin {
    nop $__ctr_builtin
  }
}
if (not $__ctr_is_hooked) {
  set edit:before-readline = [$@edit:before-readline { __ctr_check }]
}
