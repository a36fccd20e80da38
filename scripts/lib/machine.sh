# What the machine must have. As root on Debian a missing package is installed; anybody else is told which.

have() { command -v "$1" >/dev/null 2>&1; }

may_install() { [[ $(id -u) -eq 0 ]] && have apt-get; }

packages_listed=

# install_packages WHY PACKAGE...
install_packages() {
  local why=$1
  shift
  may_install || die "$why. Install the package(s) $* (on Debian: sudo apt-get install $*) and start again."
  say "$why. Installing $* with apt-get."
  if [[ -z $packages_listed ]]; then
    apt-get update -qq >&2 || warn "apt-get update failed; trying with the package lists that are there."
    packages_listed=yes
  fi
  DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1 \
    apt-get install -y -qq --no-install-recommends "$@" >/dev/null </dev/null ||
    die "apt-get could not install $*."
}

# The bundled SQLite and the TLS library are compiled from C.
need_compiler() {
  have cc || install_packages "There is no C compiler, which the bundled SQLite needs" build-essential
}

need_cargo() {
  if ! have cargo && [[ -x $HOME/.cargo/bin/cargo ]]; then
    export PATH=$HOME/.cargo/bin:$PATH
  fi
  have cargo || die "There is no cargo. Install Rust from https://rustup.rs and start again."
}

need_chromium() {
  local name
  for name in "${CHROMIUM:-}" chromium chromium-browser google-chrome; do
    if [[ -n $name ]] && have "$name"; then
      CHROMIUM=$(command -v "$name")
      export CHROMIUM
      return
    fi
  done
  install_packages "The page tests need a browser" chromium
  export CHROMIUM=/usr/bin/chromium
}

# A mail server that others wrote, for the tests of TLS and sign-in. It is not started as a service.
need_exim() {
  EXIM=${EXIM:-$(PATH=$PATH:/usr/sbin command -v exim4 || true)}
  if [[ -z $EXIM ]]; then
    RUNLEVEL=1 install_packages "The tests of TLS need a real mail server" exim4-daemon-light
    EXIM=/usr/sbin/exim4
  fi
  export EXIM
}

# Where cargo puts what it builds.
target_dir() { printf '%s\n' "${CARGO_TARGET_DIR:-target}"; }
