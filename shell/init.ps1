# The `ctr` command: `use` and `leave` act on this shell, everything else is the program.
function global:__ctr_cmd__ {
    $binary = '__ctr_binary__'
    $words = @($args)
    $acts = $words.Count -gt 0 -and $words[0] -cin 'use', 'leave'
    if (-not $acts -or ($words.Count -gt 1 -and $words[1] -cin '-h', '--help')) {
        if ($MyInvocation.ExpectingInput) { $input | & $binary @words } else { & $binary @words }
        return
    }
    $rest = @($words | Select-Object -Skip 1)
    if ($words[0] -ceq 'leave') { $rest = @('--unset') + $rest }
    $code = & $binary env --shell powershell @rest | Out-String
    if ($LASTEXITCODE -eq 0 -and $code) { Invoke-Expression $code }
}
