#!/usr/bin/env bash
# Builds the images of the Docker tests from Debian packages and this project's own Node, and loads them into the daemon of DOCKER_HOST.
# Nothing is pulled from an image registry. Usage: images.sh CACHE_DIR [nginx|redis|postgres|node|busybox]… (downloads and trees are kept there)
set -euo pipefail
cache=${1:?usage: images.sh CACHE_DIR [NAME]…}
shift
wanted=${*:-busybox nginx redis postgres node}
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$cache"
ls /var/lib/apt/lists/*Packages* >/dev/null 2>&1 || apt-get -qq update

# tree NAME PACKAGE… : a root directory of these packages and all they depend on, without running any of their scripts. +PACKAGE: it alone.
tree() {
  local root=$cache/$1 apt=$cache/$1.apt whole=() alone=()
  shift
  for package in "$@"; do
    if [ "${package#+}" = "$package" ]; then whole+=("$package"); else alone+=("${package#+}"); fi
  done
  [ -e "$root.done" ] && return
  rm -rf "$root" "$apt"
  mkdir -p "$root"/usr/{bin,sbin,lib,lib64} "$root"/{etc,tmp,run,var/{log,lib,tmp,cache},root} "$apt/archives/partial"
  for directory in bin sbin lib lib64; do ln -s "usr/$directory" "$root/$directory"; done
  chmod 1777 "$root/tmp"
  : >"$apt/status"
  # An empty status file makes apt fetch everything, down to the C library.
  apt-get -qq install -y --no-install-recommends --download-only \
    -o Dir::State::status="$apt/status" -o Dir::Cache::archives="$apt/archives" -o Debug::NoLocking=1 \
    -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache= -o APT::Sandbox::User=root "${whole[@]}"
  if [ ${#alone[@]} -gt 0 ]; then (cd "$apt/archives" && apt-get -qq -o APT::Sandbox::User=root download "${alone[@]}"); fi
  for package in "$apt"/archives/*.deb; do
    dpkg-deb --fsys-tarfile "$package" | tar -x -C "$root" --keep-directory-symlink
  done
  rm -rf "$apt" "$root"/usr/share/{doc,man,locale,info,perl,zoneinfo,bash-completion} "$root"/usr/lib/*/perl*
  printf 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534::/:/bin/false\nwww-data:x:33:33::/var/www:/bin/false\npostgres:x:70:70::/var/lib/postgresql:/bin/sh\n' >"$root/etc/passwd"
  printf 'root:x:0:\nnogroup:x:65534:\npostgres:x:70:\n' >"$root/etc/group"
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

build_busybox() {
  tree busybox dash busybox coreutils
  image busybox:1.37 busybox 'CMD ["sh"]' 'ENV PATH=/usr/bin'
  docker tag busybox:1.37 busybox:latest
}

build_nginx() {
  tree nginx nginx-light dash busybox coreutils
  mkdir -p "$cache/nginx"/{var/www/html,var/lib/nginx,var/log/nginx,etc/nginx}
  echo 'a real web server' >"$cache/nginx/var/www/html/index.html"
  sed 's/PORT/80/' "$here/nginx.conf" >"$cache/nginx/etc/nginx/nginx.conf"
  sed 's/PORT/8080/' "$here/nginx.conf" >"$cache/nginx/etc/nginx/unprivileged.conf"
  image flotilla-test/nginx:1 nginx 'CMD ["nginx"]' 'ENV PATH=/usr/sbin:/usr/bin'
  # The voting example's: on 8080, as one who may not do more.
  image nginxinc/nginx-unprivileged:1.29-alpine nginx \
    'CMD ["nginx", "-c", "/etc/nginx/unprivileged.conf"]' 'ENV PATH=/usr/sbin:/usr/bin' 'USER 65534'
}

build_redis() {
  tree redis redis-server redis-tools dash busybox coreutils
  image flotilla-test/redis:1 redis \
    'CMD ["redis-server", "--protected-mode", "no", "--save", ""]' 'VOLUME /data' 'WORKDIR /data' 'ENV PATH=/usr/bin'
  docker tag flotilla-test/redis:1 redis:7
}

build_postgres() {
  local version
  version=$(apt-cache depends postgresql | sed -n 's/^ *Depends: postgresql-//p' | head -n 1)
  # The server without what only its package scripts and its compiler of queries need: Perl and LLVM.
  tree postgres "+postgresql-$version" "+postgresql-client-$version" libpq5 libicu72 libxml2 libpam0g libldap-2.5-0 libsystemd0 \
    liblz4-1 libzstd1 zlib1g libuuid1 libxslt1.1 libselinux1 libreadline8 tzdata dash busybox coreutils
  rm -rf "$cache/postgres/usr/lib/postgresql/$version/lib"/{llvmjit*,bitcode}
  cp "$here/postgres.sh" "$cache/postgres/usr/bin/start-postgres"
  mkdir -p "$cache/postgres/var/run/postgresql"
  chmod 1777 "$cache/postgres/run" "$cache/postgres/var/run/postgresql" "$cache/postgres/var/lib"
  image postgres:16 postgres 'CMD ["start-postgres"]' "ENV PATH=/usr/lib/postgresql/$version/bin:/usr/bin" 'USER 70'
}

build_node() {
  tree node libstdc++6 dash busybox coreutils
  cp "$here/../../node_modules/node/bin/node" "$cache/node/usr/bin/node"
  cp "$here/app.mjs" "$cache/node/app.mjs"
  image flotilla-test/node:1 node 'CMD ["node", "/app.mjs"]' 'ENV PATH=/usr/bin'
  # The names of the stand-ins' catalogue, so that one contract suite serves both.
  for name in http worker; do docker tag flotilla-test/node:1 "flotilla/$name"; done
}

builds=()
for name in $wanted; do
  "build_$name" &
  builds+=($!)
done
for build in "${builds[@]}"; do wait "$build"; done
