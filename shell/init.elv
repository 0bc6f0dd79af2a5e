# The `ctr` command: `use` and `leave` act on this shell, everything else is the program.
use str
fn __ctr_evaluate {|@words|
  eval ((external '__ctr_binary__') env --shell elvish $@words | slurp)
}
edit:add-var __ctr_cmd__~ {|@words|
  var first second = (all [$@words '' ''] | take 2)
  if (or (not (has-value [use leave] $first)) (has-value [-h --help] $second)) {
    (external '__ctr_binary__') $@words
  } elif (eq $first use) {
    __ctr_evaluate (all $words[1..])
  } else {
    __ctr_evaluate --unset (all $words[1..])
  }
}
