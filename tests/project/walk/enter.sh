# Make a copy of this system in $SYSTEM/root and run the walk there. It needs namespaces of its own.
set -euo pipefail
root=$SYSTEM/root
mount -t overlay overlay -o "lowerdir=/,upperdir=$SYSTEM/upper,workdir=$SYSTEM/work" "$root"
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
mount -t tmpfs tmpfs "$root/run"
install -d -m 755 "$root/wheels" "$root/project.git"
install -d -o postgres -m 755 "$root/run/postgresql"
install -d -o redis -m 755 "$root/run/redis"
mount --bind "$SYSTEM/wheels" "$root/wheels"
mount --bind "$SYSTEM/project.git" "$root/project.git"
install "$TREE/tests/project/walk/systemctl" "$root/usr/local/bin/systemctl"
exec env -i PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 \
  TREE="$TREE" PYTHON="$PYTHON" chroot "$root" bash "$SYSTEM/walk"
