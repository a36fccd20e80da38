# PostgreSQL and Redis for tests and benches: those that are named, those that answer, or private ones that end with the script.
#
# LEADWARD_TEST_PRIVATE_SERVERS=1 starts private ones even where others answer.

servers_dir=
private_postgres=
# What stops the private PostgreSQL at once, without any writing down, and starts it again.
private_postgres_restart=
# The data is thrown away, so nothing waits for the disk.
private_postgres_settings='-c fsync=off -c synchronous_commit=off -c full_page_writes=off'
private_redis_pid=

# Call it from the script's EXIT trap.
stop_servers() {
  if [[ -n $private_redis_pid ]]; then
    kill "$private_redis_pid" 2>/dev/null || true
    wait "$private_redis_pid" 2>/dev/null || true
  fi
  if [[ -n $private_postgres ]]; then
    as_postgres "$private_postgres/pg_ctl" -D "$servers_dir/postgres" -m immediate -s stop || true
  fi
  if [[ -n $servers_dir ]]; then
    rm -rf "$servers_dir"
  fi
}

wants_private_servers() { [[ ${LEADWARD_TEST_PRIVATE_SERVERS:-} == 1 ]]; }

make_servers_dir() {
  if [[ -z $servers_dir ]]; then
    servers_dir=$(mktemp -d "${TMPDIR:-/tmp}/leadward-test.XXXXXX")
    chmod 755 "$servers_dir"
  fi
}

# Something listens on this port of this machine.
port_answers() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

free_port() {
  local port
  for _ in {1..50}; do
    port=$((20000 + RANDOM % 12000))
    if ! port_answers "$port"; then
      printf '%s\n' "$port"
      return
    fi
  done
  die "No free port was found for a private server."
}

# wait_for SECONDS COMMAND...
wait_for() {
  local deadline=$((SECONDS + $1))
  shift
  until "$@"; do
    ((SECONDS < deadline)) || return 1
    sleep 0.1
  done
}

# --- PostgreSQL -------------------------------------------------------------------------------------------------------

# PostgreSQL refuses to run as root.
as_postgres() {
  if [[ $(id -u) -eq 0 ]]; then
    # From a directory that the user postgres may enter.
    (cd / && runuser -u postgres -- "$@")
  else
    "$@"
  fi
}

# The same as words of a command.
as_postgres_words() {
  if [[ $(id -u) -eq 0 ]]; then
    printf 'runuser -u postgres --'
  fi
}

# Where initdb and pg_ctl are: Debian keeps each version in a folder of its own and off the PATH.
postgres_programs() {
  local newest
  newest=$(find /usr/lib/postgresql -mindepth 3 -maxdepth 3 -path '*/bin/initdb' 2>/dev/null | sort -V | tail -n 1)
  if [[ -n $newest ]]; then
    dirname "$newest"
  elif have initdb && have pg_ctl; then
    dirname "$(command -v initdb)"
  fi
}

local_postgres_trusts_us() {
  have psql && PGCONNECT_TIMEOUT=3 psql -w -h 127.0.0.1 -p 5432 -U postgres -d postgres -Atqc 'select 1' >/dev/null 2>&1
}

start_private_postgres() {
  local programs port
  programs=$(postgres_programs)
  if [[ -z $programs ]]; then
    install_packages "There is no PostgreSQL to test on" postgresql
    programs=$(postgres_programs)
    [[ -n $programs ]] || die "PostgreSQL was installed, but initdb is not under /usr/lib/postgresql."
  fi
  make_servers_dir
  port=$(free_port)
  mkdir "$servers_dir/postgres"
  if [[ $(id -u) -eq 0 ]]; then
    chown postgres "$servers_dir/postgres"
  fi
  say "Starting a private PostgreSQL on port $port."
  as_postgres "$programs/initdb" -D "$servers_dir/postgres" -U postgres --auth=trust --encoding=UTF8 --locale=C --no-sync \
    >"$servers_dir/postgres.log" 2>&1 || die "initdb failed: $(tail -n 5 "$servers_dir/postgres.log")"
  private_postgres=$programs
  as_postgres "$programs/pg_ctl" -D "$servers_dir/postgres" -l "$servers_dir/postgres/server.log" -w -t 60 -s start -o \
    "-p $port -c listen_addresses=127.0.0.1 -c unix_socket_directories=$servers_dir/postgres -c max_connections=300 \
     $private_postgres_settings" </dev/null >&2 ||
    die "PostgreSQL did not start: $(tail -n 5 "$servers_dir/postgres/server.log")"
  private_postgres_restart="cd / && $(as_postgres_words) $programs/pg_ctl -D $servers_dir/postgres \
    -l $servers_dir/postgres/server.log -m immediate -w -t 60 -s restart </dev/null >&2"
  export TEST_DATABASE_URL=postgres://postgres@127.0.0.1:$port/postgres
}

# As a hospital runs it: what was committed is on the disk.
need_durable_postgres() {
  private_postgres_settings=
  need_postgres
}

# Sets TEST_DATABASE_URL.
need_postgres() {
  if [[ -n ${TEST_DATABASE_URL:-} ]]; then
    say "Using the PostgreSQL that TEST_DATABASE_URL names."
  elif ! wants_private_servers && local_postgres_trusts_us; then
    say "Using the PostgreSQL on 127.0.0.1:5432."
    # Without TLS, as there is no network between; ARCHITECTURE.md says what it costs.
    export TEST_DATABASE_URL='postgres://postgres@127.0.0.1:5432/postgres?sslmode=disable'
  else
    start_private_postgres
  fi
}

# --- Redis ------------------------------------------------------------------------------------------------------------

# Asks in Redis's own protocol, so that no client program is needed.
redis_answers() {
  (
    exec 3<>"/dev/tcp/127.0.0.1/$1" || exit
    printf 'PING\r\n' >&3
    read -r -t 2 line <&3
    [[ $line == +PONG* ]]
  ) 2>/dev/null
}

start_private_redis() {
  local port
  have redis-server || install_packages "There is no Redis to test on" redis-server
  make_servers_dir
  port=$(free_port)
  say "Starting a private Redis on port $port."
  redis-server --bind 127.0.0.1 --port "$port" --save '' --appendonly no --dir "$servers_dir" \
    >"$servers_dir/redis.log" 2>&1 </dev/null &
  private_redis_pid=$!
  wait_for 10 redis_answers "$port" || die "Redis did not start: $(tail -n 5 "$servers_dir/redis.log")"
  export TEST_REDIS_URL=redis://127.0.0.1:$port
}

# Sets TEST_REDIS_URL.
need_redis() {
  if [[ -n ${TEST_REDIS_URL:-} ]]; then
    say "Using the Redis that TEST_REDIS_URL names."
  elif ! wants_private_servers && redis_answers 6379; then
    say "Using the Redis on 127.0.0.1:6379."
    export TEST_REDIS_URL=redis://127.0.0.1:6379
  else
    start_private_redis
  fi
}
