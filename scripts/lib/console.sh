# Builds console/ into console/dist/, which the binary embeds.

# The oldest Node.js that the console's bundler runs on.
node_wanted=20.19

node_is_new_enough() {
  node -e '
    const [major, minor] = process.versions.node.split(".").map(Number);
    const [wantedMajor, wantedMinor] = process.argv[1].split(".").map(Number);
    process.exit(major > wantedMajor || (major === wantedMajor && minor >= wantedMinor) ? 0 : 1);
  ' "$node_wanted"
}

# Says why the console cannot be built here, or nothing if it can.
console_obstacle() {
  if ! have npm || ! have node; then
    echo "There is no Node.js with npm"
  elif ! node_is_new_enough; then
    echo "Node.js $(node --version) is older than $node_wanted"
  fi
}

# One checksum over the names and contents of the files given by find's arguments.
checksum() { find "$@" -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum | cut -d' ' -f1; }

# install_console: console/node_modules as the lockfile says; nothing to do when it already is.
install_console() {
  local stamp wanted
  stamp=$(target_dir)/console-installed
  wanted=$(checksum console/package.json console/package-lock.json console/.npmrc)
  if [[ -d console/node_modules && -f $stamp && $(<"$stamp") == "$wanted" ]]; then
    return
  fi
  say "Installing the console's packages."
  npm --prefix console ci --no-progress --loglevel=error >&2 </dev/null || return
  mkdir -p "$(target_dir)"
  printf '%s\n' "$wanted" >"$stamp"
}

# build_console: console/dist/ from the sources; nothing to do when they have not changed.
build_console() {
  local stamp wanted
  stamp=$(target_dir)/console-built
  wanted=$(checksum console -name node_modules -prune -o -name dist -prune -o)
  if [[ -f console/dist/graphiql/index.html && -f $stamp && $(<"$stamp") == "$wanted" ]]; then
    say "The console is up to date."
    return
  fi
  install_console || return
  say "Building the console."
  npm --prefix console run --silent build -- --logLevel warn >&2 </dev/null || return
  printf '%s\n' "$wanted" >"$stamp"
}

# build_console_if_possible: the service runs without its console, so a machine without Node.js only gets a note.
build_console_if_possible() {
  local obstacle
  obstacle=$(console_obstacle)
  if [[ -z $obstacle ]]; then
    build_console
  else
    warn "$obstacle, so the GraphiQL page is left out. Everything else works."
    mkdir -p console/dist
  fi
}
