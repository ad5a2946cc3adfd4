# sh enter.sh ROOT DIR… -- PROGRAM ARGUMENT…: the program in another root, in a mount namespace of its own
# (unshare --mount), with /proc, /dev and each DIR at its own path.
set -e
root=$1
shift
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
while [ "$1" != -- ]; do
  mkdir -p "$root$1"
  mount --rbind "$1" "$root$1"
  shift
done
shift
exec chroot "$root" "$@"
