#!/bin/sh
# Installs this recriu, or takes it out again. Needs a POSIX shell and sha256sum; no network.
#
#   ./install.sh [--prefix DIR] [--key KEY]     DIR: default /usr/local
#   ./install.sh --uninstall [--prefix DIR]     removes every file and directory that it made
#
# Before anything is written, all files are compared with SHA256SUMS. Where the release's SHA256SUMS and
# SHA256SUMS.minisig lie beside this directory, with the archive that it was unpacked from, they are checked
# too: the signature with minisign and --key, a public key or its file (or RECRIU_PUBLIC_KEY).
set -eu
umask 022
here=$(cd "$(dirname "$0")" && pwd)
name=${here##*/}
key=${RECRIU_PUBLIC_KEY:-}
prefix=/usr/local
action=install
# The copy that was installed knows where it is: PREFIX/share/recriu/install.sh.
if [ -f "$here/installed" ]; then prefix=${here%/share/recriu}; fi

fail() {
  printf 'install.sh: %s\n' "$*" >&2
  exit 1
}

while [ $# -gt 0 ]; do
  case $1 in
  --prefix=*) prefix=${1#*=} ;;
  --key=*) key=${1#*=} ;;
  --prefix | --key)
    [ $# -gt 1 ] || fail "$1 wants a value"
    if [ "$1" = --key ]; then key=$2; else prefix=$2; fi
    shift
    ;;
  --uninstall) action=uninstall ;;
  *)
    sed -n '2,9s/^# \{0,1\}//p' "$here/install.sh" >&2
    exit 2
    ;;
  esac
  shift
done
case $prefix in
/*) ;;
*) fail "--prefix wants an absolute path, not $prefix" ;;
esac
list=$prefix/share/recriu/installed

# The files against SHA256SUMS; that against the archive, that against the release's SHA256SUMS, that against the key.
verify() {
  cd "$here"
  sums SHA256SUMS <SHA256SUMS
  if [ ! -f ../SHA256SUMS ]; then
    [ -z "$key" ] || fail "a key was given, but there is no ../SHA256SUMS that it could have signed"
    echo "sums verified; there is no ../SHA256SUMS: where they come from was not verified" >&2
    return
  fi
  grep -q " $name.tar.gz\$" ../SHA256SUMS || fail "../SHA256SUMS does not name $name.tar.gz"
  (cd .. && grep " $name.tar.gz\$" SHA256SUMS | sums "../SHA256SUMS")
  tar -xzOf "../$name.tar.gz" "$name/SHA256SUMS" | cmp -s - SHA256SUMS ||
    fail "SHA256SUMS is not the one in ../$name.tar.gz"
  if [ -z "$key" ]; then
    echo "sums verified; without --key the signature was not" >&2
    return
  fi
  command -v minisign >/dev/null || fail "there is no minisign here to verify the signature with"
  if [ -f "$key" ]; then set -- -p "$key"; else set -- -P "$key"; fi
  minisign -Vqm ../SHA256SUMS "$@" || fail "../SHA256SUMS.minisig is no signature of ../SHA256SUMS by that key"
  echo "sums and signature verified" >&2
}

# Compares files with the sums on standard input.
sums() {
  altered=$(sha256sum -c - 2>&1 | grep -v ': OK$' || :)
  [ -z "$altered" ] || fail "not as $1 says: $altered"
}

# Where a file of the archive goes below the prefix; nothing for what stays behind.
place() {
  case $1 in
  recriu) echo bin/recriu ;;
  install.sh) echo share/recriu/install.sh ;;
  man/*) echo "share/$1" ;;
  completions/recriu.bash) echo share/bash-completion/completions/recriu ;;
  completions/_recriu) echo share/zsh/site-functions/_recriu ;;
  completions/recriu.fish) echo share/fish/vendor_completions.d/recriu.fish ;;
  *) echo "share/doc/recriu/$1" ;;
  esac
}

# make DIR: and its parents; what had to be made is put on the list.
make() {
  [ -d "$1" ] && return
  make "$(dirname "$1")"
  mkdir "$1"
  made="$made$1/
"
}

files() { sed 's/^[0-9a-f]*  //' "$here/SHA256SUMS"; }

install() {
  verify
  "$here/recriu" --version >/dev/null || fail "this recriu does not run on this machine: $name"
  files | while read -r file; do
    to=$prefix/$(place "$file")
    [ ! -e "$to" ] || grep -qxF "$to" "$list" 2>/dev/null ||
      fail "$to is there already, and not by this script: nothing was installed"
  done
  [ ! -f "$list" ] || uninstall # an older one
  made=
  make "$(dirname "$list")"
  for file in $(files); do
    to=$prefix/$(place "$file")
    make "$(dirname "$to")"
    made="$made$to
"
    # Before the file, so that an interrupted installation can be taken out.
    printf %s "$made" >"$list"
    cp "$here/$file" "$to"
  done
  chmod 755 "$prefix/bin/recriu" "$prefix/share/recriu/install.sh"
  echo "installed $("$prefix/bin/recriu" --version) in $prefix" >&2
}

# What the list names, the last first; directories only when nothing else is in them.
uninstall() {
  [ -f "$list" ] || fail "nothing is installed in $prefix"
  paths=$(sed '1!G;h;$!d' "$list")
  rm "$list"
  while read -r path; do
    case $path in
    */) rmdir "$path" 2>/dev/null || : ;;
    *) rm -f "$path" ;;
    esac
  done <<EOF
$paths
EOF
}

case $action in
uninstall)
  record=/var/lib/recriu/installed.json
  if [ -f "$record" ] && grep -qF "\"$prefix/bin/recriu\"" "$record"; then
    fail "runtimes still use it: run recriu uninstall first"
  fi
  uninstall
  # What recriu itself made for its journals and records.
  rmdir /run/recriu /var/lib/recriu 2>/dev/null || :
  echo "nothing of recriu is left in $prefix" >&2
  ;;
install) install ;;
esac
