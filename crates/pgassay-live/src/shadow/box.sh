# The first process of a box: namespaces of users, mounts, processes, IPC and (mostly) network, in which it is root and the machine's
# root is not. It makes a file system of what the server needs to see, leaves the old one, and starts the program as the user that it was,
# without any right over the box. The box ends with it, and all that runs in it.
#
# $1 the server's folder, $2 and $3 the user and group to be in the box, $4 whether it needs loopback, $5 how many paths follow that are shown,
# then the program.
# Its input are names of signals for the program; at their end, pgassay is gone.
set -e
PATH=$PATH:/usr/sbin:/sbin
folder=$1 uid=$2 gid=$3 loopback=$4 shown=$5
shift 5
root=$folder/root
[ "$loopback" = no ] || ip link set lo up

# A link as it is; a file or a folder to be read only. Mounts below it come with it: the kernel lets nobody uncover what they hide.
show() {
    [ -L "$1" ] || [ -e "$1" ] || return 0
    mkdir -p "$root${1%/*}"
    if [ -L "$1" ]; then
        cp -P "$1" "$root$1"
        return
    elif [ -d "$1" ]; then
        mkdir -p "$root$1"
    else
        : >"$root$1"
    fi
    mount --rbind "$1" "$root$1"
    mount -o remount,bind,ro,nosuid,nodev "$root$1"
}

mount -t tmpfs -o mode=0755,size=4m none "$root"
mkdir "$root/dev" "$root/proc" "$root/tmp"
mount -t tmpfs -o mode=1777,size=64m none "$root/tmp"
for device in null zero full random urandom; do
    : >"$root/dev/$device"
    mount --bind "/dev/$device" "$root/dev/$device"
done
mkdir "$root/dev/shm"
mount -t tmpfs -o mode=1777,size=256m none "$root/dev/shm"
mount -t proc none "$root/proc"
while [ "$shown" -gt 0 ]; do
    show "$1"
    shown=$((shown - 1))
    shift
done
# The statistics collector of 14 looks for it by name.
mkdir -p "$root/etc"
printf '127.0.0.1 localhost\n::1 localhost\n' >"$root/etc/hosts"
mkdir -p "$root$folder"
mount --bind "$folder" "$root$folder"
cd "$root"
pivot_root . .
umount -l .
cd "$folder"

exec 3<&0 </dev/null
unshare --user --map-user="$uid" --map-group="$gid" -- \
    prlimit --core=0 --nproc=1000 --as=8589934592 -- "$@" 3<&- &
program=$!
{
    while read -r signal; do kill -s "$signal" "$program"; done
    kill -s QUIT "$program"
} <&3 &
exec 3<&-
code=0
wait "$program" || code=$?
exit "$code"
