# How the scripts talk: sentences on standard error, so that a program's output stays its own.

say() { printf '\033[1m==>\033[0m %s\n' "$*" >&2; }
warn() { printf '\033[33m==> %s\033[0m\n' "$*" >&2; }
die() {
  printf '\033[31m==> %s\033[0m\n' "$*" >&2
  exit 1
}

# A log file or a build server gets no colors.
if [[ ! -t 2 || -n ${NO_COLOR:-} ]]; then
  say() { printf '==> %s\n' "$*" >&2; }
  warn() { printf '==> Note: %s\n' "$*" >&2; }
  die() {
    printf '==> Error: %s\n' "$*" >&2
    exit 1
  }
fi
