# Runs test commands one after the other and says at the end how many tests ran in each.

tally_lines=()
tally_failed=
tally_output=
# Set when the reader asked for some tests only, which need not be in every run.
tally_may_be_empty=

forget_tallies() { [[ -z $tally_output ]] || rm -f "$tally_output"; }

# Adds up cargo's summary lines, one for each test binary.
count_cargo() {
  awk '/^test result:/ {
    for (i = 2; i <= NF; i++) {
      if ($i == "passed;") passed += $(i - 1)
      if ($i == "failed;") failed += $(i - 1)
      if ($i == "ignored;") ignored += $(i - 1)
    }
  } END { print passed + 0, failed + 0, ignored + 0 }' "$1"
}

# Reads vitest's line "Tests  1 failed | 12 passed (13)".
count_vitest() {
  sed 's/\x1b\[[0-9;]*m//g' "$1" | awk '$1 == "Tests" {
    for (i = 2; i <= NF; i++) {
      if ($i == "passed") passed += $(i - 1)
      if ($i == "failed") failed += $(i - 1)
      if ($i == "skipped") ignored += $(i - 1)
    }
  } END { print passed + 0, failed + 0, ignored + 0 }'
}

# tally NAME READER COMMAND...: runs the command, shows its output and remembers the counts under the name.
tally() {
  local name=$1 reader=$2 status=0 passed failed ignored line
  shift 2
  tally_output=$(mktemp "${TMPDIR:-/tmp}/leadward-tally.XXXXXX")
  "$@" </dev/null 2>&1 | tee "$tally_output" || status=$?
  read -r passed failed ignored < <("count_$reader" "$tally_output")
  forget_tallies

  line="$name: $passed passed, $failed failed"
  ((ignored == 0)) || line+=", $ignored ignored"
  if ((passed + failed == 0)) && [[ -z ${tally_may_be_empty:-} ]]; then
    # A run that tested nothing must not look like one that found nothing.
    line+=" (no test ran)"
    tally_failed=yes
  elif ((status != 0 && failed == 0)); then
    line+=" (but the run ended with an error)"
  fi
  ((status == 0)) || tally_failed=yes
  tally_lines+=("$line")
}

print_tallies() {
  echo
  printf '%s\n' "${tally_lines[@]}"
  [[ -z $tally_failed ]]
}
