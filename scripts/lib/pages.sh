# Runs the tests of console/pages in Chromium, against a demo hospital of their own. Needs lib/servers.sh and CHROMIUM.

pages_dir=
pages_pid=

# Call it from the script's EXIT trap.
stop_pages() {
  if [[ -n $pages_pid ]]; then
    kill "$pages_pid" 2>/dev/null || true
    wait "$pages_pid" 2>/dev/null || true
    pages_pid=
  fi
  if [[ -n $pages_dir ]]; then
    rm -rf "$pages_dir"
    pages_dir=
  fi
}

# The demo hospital is ready, or has ended and will never be.
pages_answer_or_ended() {
  [[ $(curl --silent --output /dev/null --max-time 2 --write-out '%{http_code}' "$1/readyz") == 200 ]] ||
    ! kill -0 "$pages_pid" 2>/dev/null
}

# start_pages: sets LEADWARD_URL and SECRET_KEY for the tests. The binary must have been built.
start_pages() {
  local port
  port=$(free_port)
  pages_dir=$(mktemp -d "${TMPDIR:-/tmp}/leadward-pages.XXXXXX")
  pages_url=http://127.0.0.1:$port
  pages_key=$(od -An -N32 -tx1 /dev/urandom | tr -d ' \n')
  say "Starting a demo hospital on port $port."
  # Nothing of the caller's settings reaches it, and the tests post faster than a visitor may.
  env -i PATH="$PATH" HOME="$pages_dir" DATA_DIR="$pages_dir/data" SECRET_KEY="$pages_key" \
    LISTEN_ADDR="127.0.0.1:$port" PUBLIC_URL="$pages_url" FORM_POSTS_PER_MINUTE=1000 \
    "$(target_dir)/debug/leadward" demo >"$pages_dir/log" 2>&1 </dev/null &
  pages_pid=$!
  if ! wait_for 120 pages_answer_or_ended "$pages_url" || ! kill -0 "$pages_pid" 2>/dev/null; then
    die "The demo hospital did not start: $(tail -n 5 "$pages_dir/log")"
  fi
}

# test_pages: one line of the tally.
test_pages() {
  have curl || install_packages "There is no curl, which asks if the server is ready" curl
  cargo build --bin leadward || die "The binary was not built."
  start_pages
  tally Chromium vitest env LEADWARD_URL="$pages_url" SECRET_KEY="$pages_key" \
    npm --prefix console run --silent test:pages
  stop_pages
}
