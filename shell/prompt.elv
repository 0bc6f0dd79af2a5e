# The prompt hook. While the process of the active instance is the one that was made active, it only
# reads that process's start from /proc: no program, no file of a home. The folder of its shims goes
# with the user's last session on some hosts, and is made again.
use path
fn __ctr_check {
  if (not (has-env CTR_PROCESS)) {
    return
  }
  var same = $false
  try {
    var pid start = (str:split : $E:CTR_PROCESS)
    # Field 22 is the start, field 3 the condition (Z: ended).
    var stat = [(str:split ' ' (slurp < /proc/$pid/stat))]
    set same = (and (eq $stat[21] $start) (not (has-value [Z X] $stat[2])) ^
      (or (not (has-env CTR_PATH_ENTRY)) (path:is-dir $E:CTR_PATH_ENTRY)))
  } catch problem {
    nop $problem
  }
  if (not $same) {
    __ctr_evaluate --refresh
  }
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
  var __ctr_prompt = $edit:prompt
  set edit:prompt = {
    if (and (has-env CTR_INSTANCE) (not-eq $E:CTR_PROMPT off)) {
      put '(ctr:'$E:CTR_INSTANCE') '
    }
    $__ctr_prompt
  }
}
