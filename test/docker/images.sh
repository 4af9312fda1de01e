#!/usr/bin/env bash
# Builds the images of the Docker tests from Debian packages and this project's own Node, and loads them into the daemon of DOCKER_HOST.
# Nothing is pulled from an image registry. Usage: images.sh CACHE_DIR (downloads and trees are kept there)
set -euo pipefail
cache=${1:?usage: images.sh CACHE_DIR}
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$cache"

# tree NAME PACKAGE… : a root directory of these packages and all they depend on, without running any of their scripts.
tree() {
  local root=$cache/$1 apt=$cache/$1.apt
  shift
  [ -e "$root.done" ] && return
  rm -rf "$root" "$apt"
  mkdir -p "$root"/usr/{bin,sbin,lib,lib64} "$root"/{etc,tmp,run,var/{log,lib,tmp,cache},root} "$apt/archives/partial"
  for directory in bin sbin lib lib64; do ln -s "usr/$directory" "$root/$directory"; done
  chmod 1777 "$root/tmp"
  : >"$apt/status"
  # An empty status file makes apt fetch everything, down to the C library.
  apt-get -qq install -y --no-install-recommends --download-only \
    -o Dir::State::status="$apt/status" -o Dir::Cache::archives="$apt/archives" -o Debug::NoLocking=1 "$@"
  for package in "$apt"/archives/*.deb; do
    dpkg-deb --fsys-tarfile "$package" | tar -x -C "$root" --keep-directory-symlink
  done
  rm -rf "$apt" "$root"/usr/share/{doc,man,locale,info,perl,zoneinfo,bash-completion} "$root"/usr/lib/*/perl*
  printf 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534::/:/bin/false\nwww-data:x:33:33::/var/www:/bin/false\n' >"$root/etc/passwd"
  printf 'root:x:0:\nnogroup:x:65534:\nwww-data:x:33:\n' >"$root/etc/group"
  printf 'hosts: files dns\n' >"$root/etc/nsswitch.conf"
  [ -e "$root/usr/bin/sh" ] || ln -s dash "$root/usr/bin/sh"
  # The maintainer scripts would have asked busybox for these.
  for applet in wget nc ps kill hostname; do [ -e "$root/usr/bin/$applet" ] || ln -s busybox "$root/usr/bin/$applet"; done
  : >"$root.done"
}

# image NAME TREE DOCKERFILE-INSTRUCTION…
image() {
  local name=$1 root=$cache/$2
  shift 2
  local changes=()
  for change in "$@"; do changes+=(--change "$change"); done
  tar -C "$root" -c . | docker import "${changes[@]}" - "$name" >/dev/null
}

tree busybox dash busybox coreutils
tree nginx nginx-light dash busybox coreutils
tree redis redis-server redis-tools dash busybox coreutils
tree node libstdc++6 dash busybox coreutils

mkdir -p "$cache/nginx/var/www/html" "$cache/nginx/var/lib/nginx" "$cache/nginx/var/log/nginx" "$cache/nginx/etc/nginx"
cp "$here/nginx.conf" "$cache/nginx/etc/nginx/nginx.conf"
echo 'a real web server' >"$cache/nginx/var/www/html/index.html"
cp "$here/../../node_modules/node/bin/node" "$cache/node/usr/bin/node"
cp "$here/app.mjs" "$cache/node/app.mjs"

image flotilla-test/nginx:1 nginx 'CMD ["nginx"]' 'ENV PATH=/usr/sbin:/usr/bin'
image flotilla-test/redis:1 redis 'CMD ["redis-server", "--protected-mode", "no", "--save", ""]' 'VOLUME /data' 'WORKDIR /data' 'ENV PATH=/usr/bin'
image flotilla-test/node:1 node 'CMD ["node", "/app.mjs"]' 'ENV PATH=/usr/bin'
image busybox:1.37 busybox 'CMD ["sh"]' 'ENV PATH=/usr/bin'
docker tag busybox:1.37 busybox:latest
# The names of the stand-ins' catalogue, so that one contract suite serves both.
for name in http worker; do docker tag flotilla-test/node:1 "flotilla/$name"; done
