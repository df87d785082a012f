# shellcheck shell=bash
# What run, test and the other scripts share: finding what the machine lacks, and installing it.

# What building needs (compiler, ALSA for sound, libclang for the camera's bindings), on Debian 12 and 13 and Ubuntu 24.04.
build_packages=(build-essential pkg-config libasound2-dev libclang-dev ca-certificates curl)
# What a window needs while it runs; the toolkit loads these by name.
window_packages=(libx11-6 libx11-xcb1 libxcursor1 libxi6 libxrandr2 libxkbcommon0 libxkbcommon-x11-0)
# What the tests need: a screen with no monitor, a hand on its keyboard, a database server of their own, a browser,
# Python for clients that others wrote, and a keyring on a session bus.
test_packages=(xvfb xdotool postgresql chromium chromium-driver python3-venv dbus gnome-keyring)

say() { printf '%s\n' "$*" >&2; }

die() {
  say "$*"
  exit 1
}

# need_packages NAME...: installs those that are absent, and does nothing where all are there.
need_packages() {
  local name missing=()
  command -v dpkg-query >/dev/null 2>&1 || {
    say "This is no Debian or Ubuntu, so nothing is installed; the job needs what these packages hold: $*"
    return 0
  }
  for name in "$@"; do
    dpkg-query --show --showformat='${db:Status-Status}' "$name" 2>/dev/null | grep -qx installed || missing+=("$name")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  local as_root=()
  if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null 2>&1 || die "These packages are missing, and there is neither root nor sudo here. As root, type: apt-get install ${missing[*]}"
    as_root=(sudo)
  fi
  say "Installing: ${missing[*]}"
  "${as_root[@]}" apt-get update -q >&2 || say "apt-get update failed; going on with the lists that are there."
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "${missing[@]}" >&2 ||
    die "apt-get could not install them. As root, type: apt-get update && apt-get install ${missing[*]}"
}

# need_node: Node.js and npm, for clients that others wrote. Many a machine has them from elsewhere than Debian, and
# Debian's npm does not go with those.
need_node() {
  command -v node >/dev/null 2>&1 && command -v npm >/dev/null 2>&1 && return 0
  need_packages nodejs npm
}

# The Rust version that Cargo.toml asks for, such as 1.92.
wanted_rust() { sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml; }

rust_is_new_enough() {
  command -v cargo >/dev/null 2>&1 && command -v rustc >/dev/null 2>&1 || return 1
  local have
  have=$(rustc --version 2>/dev/null | cut -d' ' -f2)
  [ -n "$have" ] && [ "$(printf '%s\n' "$(wanted_rust)" "$have" | sort -V | head -n 1)" = "$(wanted_rust)" ]
}

# need_rust: a toolchain that is new enough, by rustup where it is missing or too old.
need_rust() {
  [ -d "$HOME/.cargo/bin" ] && PATH="$HOME/.cargo/bin:$PATH"
  rust_is_new_enough && return 0
  say "Rust $(wanted_rust) or later is needed; here is $(rustc --version 2>/dev/null || echo none)."
  if ! command -v rustup >/dev/null 2>&1; then
    if apt-cache show rustup >/dev/null 2>&1; then
      need_packages rustup
    else
      say "Installing rustup with its official installer."
      curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh -s -- -y --profile minimal --default-toolchain stable >&2 ||
        die "The installer could not be fetched. Type: curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh   and start this again."
      PATH="$HOME/.cargo/bin:$PATH"
    fi
  fi
  rust_is_new_enough || rustup toolchain install stable --profile minimal -c rustfmt -c clippy >&2 || true
  rust_is_new_enough || rustup default stable >&2 || true
  rust_is_new_enough || die "Rust could not be brought to $(wanted_rust). Type: rustup update stable && rustup default stable   and start this again."
}
