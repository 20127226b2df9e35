#!/bin/bash
# Makes the root folders in which the tests run a real Asterisk: the oldest and the newest that Debian packages.
#
#   scripts/asterisk/make-roots.sh            makes what is missing, keeps what is complete
#
#   TELEPHONY_CRM_ASTERISK_DIR     where they lie (default /opt/telephony-crm-test)
#   TELEPHONY_CRM_DEBIAN_MIRROR    a Debian mirror, for a machine whose own apt knows none
#
# Exit status: 0 at least one root is usable (the other's failure is told), 1 none is, 2 this machine cannot make any.
set -uo pipefail

dir=${TELEPHONY_CRM_ASTERISK_DIR:-/opt/telephony-crm-test}
# Asterisk 22 comes with sid, 16 with bullseye; the releases between them have no package.
roots=(asterisk-22:sid asterisk-16:bullseye)

say() { echo "make-roots: $*" >&2; }

# Complete = the program runs inside the folder and has what the dialplan needs. debootstrap was done: its own folder is gone.
complete() {
  [ -x "$1/usr/sbin/asterisk" ] && [ ! -e "$1/debootstrap" ] &&
    chroot "$1" /usr/sbin/asterisk -V >/dev/null 2>&1 &&
    [ -n "$(find "$1"/usr/lib -name func_curl.so -print -quit)" ]
}

install_missing() {
  local missing=()
  command -v debootstrap >/dev/null || missing+=(debootstrap)
  [ -e /usr/share/keyrings/debian-archive-keyring.gpg ] || missing+=(debian-archive-keyring)
  [ ${#missing[@]} -eq 0 ] && return 0
  say "installing ${missing[*]}"
  { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${missing[@]}"; } >&2
}

# The archives that this machine's apt uses, whatever the format of its source lists; the main archives first.
mirrors() {
  if [ -n "${TELEPHONY_CRM_DEBIAN_MIRROR:-}" ]; then
    echo "$TELEPHONY_CRM_DEBIAN_MIRROR"
    return
  fi
  apt-get indextargets --format '$(CODENAME) $(RELEASE) $(REPO_URI)' 'Created-By: Packages' 'Component: main' |
    grep -v -- -security | awk '{ print $NF }' | awk '!seen[$0]++'
}

# mirror_of SUITE: the first archive that has it. apt's own downloader, so that apt's proxy settings hold here too.
mirror_of() {
  local mirror scratch
  scratch=$(mktemp -d)
  for mirror in $(mirrors); do
    if /usr/lib/apt/apt-helper download-file "${mirror%/}/dists/$1/Release" "$scratch/Release" >/dev/null 2>&1; then
      echo "$mirror"
      break
    fi
  done
  rm -rf "$scratch"
}

# make SUITE FOLDER: under another name until it is whole, so that nobody ever takes a half-made one for a root.
make() {
  local suite=$1 root=$2 mirror log
  mirror=$(mirror_of "$suite")
  if [ -z "$mirror" ]; then
    say "no archive of this machine's apt configuration has the suite '$suite' (TELEPHONY_CRM_DEBIAN_MIRROR can name one)"
    return 1
  fi
  log=$root.log
  for attempt in 1 2; do
    rm -rf --one-file-system "$root" "$root.partial"
    say "making $root from $suite, attempt $attempt (about a minute; log: $log)"
    if debootstrap --variant=minbase --include=asterisk "$suite" "$root.partial" "$mirror" >"$log" 2>&1 &&
      complete "$root.partial"; then
      mv "$root.partial" "$root" && rm -f "$log" && return 0
    fi
    tail -n 5 "$log" >&2
  done
  rm -rf --one-file-system "$root.partial"
  return 1
}

[ "$(id -u)" = 0 ] || { say 'only root can make and enter root folders (debootstrap, chroot)'; exit 2; }
mkdir -p "$dir" || exit 2
exec 9>"$dir/.lock"
flock 9

usable=0
for entry in "${roots[@]}"; do
  root=$dir/${entry%%:*}
  if complete "$root"; then
    say "$root: $(chroot "$root" /usr/sbin/asterisk -V), kept"
  elif install_missing && make "${entry##*:}" "$root"; then
    say "$root: $(chroot "$root" /usr/sbin/asterisk -V), made"
  else
    say "FAILED: $root could not be made"
    continue
  fi
  usable=$((usable + 1))
done
[ "$usable" -gt 0 ] || { say 'FAILED: there is no Asterisk to test against'; exit 1; }
