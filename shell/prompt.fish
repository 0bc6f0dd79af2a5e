# The active instance before the prompt.
if status is-interactive; and test "$CTR_PROMPT" != off; and not functions -q __ctr_fish_prompt
    functions -c fish_prompt __ctr_fish_prompt
    function fish_prompt
        if set -q CTR_INSTANCE; and test -n "$CTR_INSTANCE"
            printf '(ctr:%s) ' "$CTR_INSTANCE"
        end
        __ctr_fish_prompt
    end
end
