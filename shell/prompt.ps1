# The prompt. While the process of the active instance is the one that was made active, it only reads
# that process's start from /proc: no program, no file of a home. A second load wraps nothing twice.
if (-not (Test-Path Variable:global:__ctr_prompt)) {
    $global:__ctr_prompt = $function:prompt
    function global:__ctr_refresh {
        if (-not $env:CTR_PROCESS) { return }
        $id, $start = $env:CTR_PROCESS -split ':'
        $stat = @()
        try { $stat = [IO.File]::ReadAllText("/proc/$id/stat") -split ' ' } catch { $stat = @() }
        # Field 22 is the start, field 3 the condition (Z: ended).
        if ($stat.Count -gt 21 -and $stat[21] -ceq $start -and $stat[2] -cnotin 'Z', 'X') { return }
        $code = & '__ctr_binary__' env --shell powershell --refresh | Out-String
        if ($code) { Invoke-Expression $code }
    }
    function global:prompt {
        $status = $global:LASTEXITCODE
        __ctr_refresh
        $global:LASTEXITCODE = $status
        $marker = ''
        if ($env:CTR_INSTANCE -and $env:CTR_PROMPT -cne 'off') { $marker = "(ctr:$env:CTR_INSTANCE) " }
        $marker + (& $global:__ctr_prompt)
    }
}
