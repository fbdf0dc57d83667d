# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Where kernels come from: apt, with a configuration and state of its own for each architecture under $cache.
# shellcheck disable=SC2034,SC2154 # shared with kernel-lab

suites=(bullseye bookworm bookworm-backports trixie trixie-backports forky sid)

# The first Debian mirror that this machine's own apt uses.
mirror() {
	local uri
	# shellcheck disable=SC2016 # apt's own fields
	uri=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 2>/dev/null |
		grep -m 1 -E '/debian/?$')
	uri=${ACTIVEMM_MIRROR:-${uri:-http://deb.debian.org/debian}}
	echo "${uri%/}"
}

# The lab's apt takes over how this machine reaches the network (proxies, time-outs, whether old
# indexes are accepted) and nothing else. Signatures are always checked.
configure_apt() {
	local suite url
	mkdir -p "$apt/state/lists/partial" "$apt/cache/archives/partial" "$cache/kernels"
	: >"$apt/state/status"
	keyring=$apt/keyring.gpg
	[ -s "$keyring" ] || keyring=/usr/share/keyrings/debian-archive-keyring.gpg
	keyring=${ACTIVEMM_KEYRING:-$keyring}
	[ -r "$keyring" ] || need "$keyring:debian-archive-keyring"
	url=$(mirror)
	for suite in "${suites[@]}"; do
		echo "deb [signed-by=$keyring] $url $suite main"
	done >"$apt/sources.list"
	{
		apt-config dump --format '%F "%v";%n' Acquire | grep -v -e 'Acquire::IndexTargets' -e '::Allow'
		cat <<END
Dir "$apt";
Dir::State "state";
Dir::State::status "$apt/state/status";
Dir::Cache "cache";
Dir::Etc "$apt";
Dir::Etc::SourceList "$apt/sources.list";
Dir::Etc::SourceParts "/dev/null";
Dir::Etc::Parts "/dev/null";
Dir::Etc::PreferencesParts "/dev/null";
Dir::Etc::Trusted "/dev/null";
Dir::Etc::TrustedParts "/dev/null";
APT::Architecture "$arch";
APT::Architectures { "$arch"; };
APT::Sandbox::User "root";
APT::Get::AllowUnauthenticated "false";
Acquire::AllowInsecureRepositories "false";
Acquire::Languages "none";
Acquire::GzipIndexes "true";
Acquire::Retries "2";
END
	} >"$apt/apt.conf"
}

lab_apt() { APT_CONFIG=$apt/apt.conf "$@"; }

# A suite newer than this machine's keyring: the keyring package of a suite that it does verify
# brings the next keys.
extend_keyring() {
	local deb
	grep -q NO_PUBKEY "$apt/update.log" || return 1
	[ ! -s "$apt/keyring.gpg" ] || return 1
	make_tmp
	(cd "$tmp" && lab_apt apt-get -qq download debian-archive-keyring) >>"$apt/update.log" 2>&1 || return 1
	for deb in "$tmp"/debian-archive-keyring_*.deb; do
		dpkg-deb --fsys-tarfile "$deb" |
			tar -xO ./usr/share/keyrings/debian-archive-keyring.gpg >"$apt/keyring.new" || return 1
		mv "$apt/keyring.new" "$apt/keyring.gpg"
	done
	configure_apt
}

# $apt/images: "release package version suite" of each cloud and real-time kernel, made at most once a day.
update_index() {
	local suite file
	if [ -z "$refresh" ] && [ -n "$(find "$apt/images" -mtime -1 -size +0 2>/dev/null)" ]; then
		return 0
	fi
	refresh=
	need apt-get:apt dpkg-deb:dpkg
	mkdir -p "$apt"
	exec {lock}>"$apt/lock"
	flock "$lock"
	configure_apt
	say "reading what kernels $(mirror) has"
	if ! lab_apt apt-get -q -o APT::Update::Error-Mode=any update >"$apt/update.log" 2>&1 && extend_keyring; then
		lab_apt apt-get -q update >"$apt/update.log" 2>&1
	fi
	# shellcheck disable=SC2016 # apt's own fields
	lab_apt apt-get indextargets --format '$(RELEASE) $(FILENAME)' 'Created-By: Packages' |
		while read -r suite file; do
			/usr/lib/apt/apt-helper cat-file "$file" | awk -v suite="$suite" -v arch="$arch" -v flavour="$flavour" '
				/^Package: / { name = $2 }
				/^Version: / { version = $2 }
				/^$/ { put() }
				END { put() }
				function put() {
					if (name ~ "^linux-(image|binary)-[0-9]+[.][0-9]+.*[0-9]-(" flavour "|rt-" arch ")$") {
						release = name
						sub(/^linux-(image|binary)-/, "", release)
						print release, name, version, suite
					}
					name = ""
				}'
		done | sort -u -k 1,1V -k 2,2 -k 3,3V >"$apt/images.new"
	explain_missing_suites
	exec {lock}>&-
	[ -s "$apt/images.new" ] || fail "$UNAVAILABLE" "apt reaches no kernel at $(mirror): $(grep -m 1 -E '^(E|W|Err)' "$apt/update.log")"
	# From 6.19 on the image package is empty and depends on the binary one.
	awk '!($1 in best) || $2 ~ /^linux-binary/ { best[$1] = $0 } END { for (r in best) print best[r] }' \
		"$apt/images.new" | sort -k 1,1V >"$apt/images"
	rm -f "$apt/images.new"
}

explain_missing_suites() {
	local suite why
	for suite in "${suites[@]}"; do
		grep -q " $suite\$" "$apt/images.new" && continue
		why=$(grep -m 1 -E "^[EW]: .*[/ ]${suite}[/ ]" "$apt/update.log" | cut -c 4-)
		[ -z "$why" ] || say "$suite is left out: $why"
	done
}

list_kernels() {
	update_index
	awk '{ printf "%-38s %-22s %s\n", $1, $4, $3 }' "$apt/images"
}

# The line of $apt/images that a name stands for; the newest where several do.
match_kernel() {
	local name=$1
	local rt=0
	case $name in
	oldest) name=$(grep -m 1 -e "[-.0-9]$flavour " "$apt/images" | cut -d . -f 1-2) ;;
	newest) grep -e "[-.0-9]$flavour " "$apt/images" | tail -n 1 && return ;;
	rt) grep -e "-rt-$arch" "$apt/images" | tail -n 1 && return ;;
	linux-image-* | linux-binary-*) name=${name#linux-*-} ;;
	*[0-9]-rt) name=${name%-rt} rt=1 ;;
	esac
	awk -v name="$name" -v rt="$rt" -v arch="$arch" '
		$1 == name { exact = $0 }
		($1 ~ ("-rt-" arch "$")) == rt && index($1, name) == 1 && substr($1, length(name) + 1, 1) ~ /[.+-]/ { last = $0 }
		END { if (exact) print exact; else if (last) print last }' "$apt/images"
}

# find_kernel KERNEL: sets image, release, package, package_version, suite; downloads it if needed.
find_kernel() {
	local name=$1
	package='' package_version='' suite=''
	case $name in
	host)
		release=$(uname -r)
		image=/boot/vmlinuz-$release
		suite='this machine'
		[ -r "$image" ] || fail "$UNAVAILABLE" "the running kernel $release has no readable image $image here: name a Debian kernel or a bzImage"
		modules=${modules:-/lib/modules/$release}
		return
		;;
	*/* | *bzImage* | vmlinuz*)
		image=$name
		suite='a file'
		[ -r "$image" ] || fail "$UNAVAILABLE" "there is no readable kernel image $image"
		release=$(image_release "$image") || fail 1 "$image is not $image_kind"
		return
		;;
	*-amd64 | *-arm64 | *-riscv64) [ "${name##*-}" = "$arch" ] || wrong "$name is a kernel for ${name##*-}: add --arch ${name##*-}" ;;
	esac
	# What is here needs no network: a full release by its name, once fetched.
	if [ ! -s "$cache/kernels/$name/vmlinuz" ]; then
		update_index
		read -r release package package_version suite < <(match_kernel "$name") ||
			fail "$UNAVAILABLE" "no kernel '$name' in Debian's suites (${suites[*]}): kernel-lab list"
	else
		release=$name
	fi
	image=$cache/kernels/$release/vmlinuz
	[ -s "$image" ] || download_kernel "$name"
	read -r package package_version suite <"$cache/kernels/$release/package"
}

download_kernel() {
	local dir=$cache/kernels/$release.$$
	exec {lock}>"$cache/kernels/lock"
	flock "$lock"
	if [ ! -s "$image" ]; then
		say "downloading $package from $suite"
		rm -rf "$dir"
		mkdir -p "$dir"
		if ! (cd "$dir" && lab_apt apt-get -q download "$package=$package_version") >"$apt/download.log" 2>&1; then
			rm -rf "$dir"
			fail "$UNAVAILABLE" "$package cannot be downloaded: $(grep -m 1 -E '^(E|Err)' "$apt/download.log")"
		fi
		mv "$dir"/*.deb "$dir/package.deb"
		dpkg-deb --fsys-tarfile "$dir/package.deb" | tar -xO --wildcards './boot/vmlinu[xz]-*' './usr/lib/modules/*/vmlinu[xz]' 2>/dev/null >"$dir/vmlinuz"
		echo "$package $package_version $suite" >"$dir/package"
		if ! image_release "$dir/vmlinuz" >/dev/null; then
			rm -rf "$dir"
			fail 1 "$package does not hold $image_kind"
		fi
		rm -rf "$cache/kernels/${release:?}"
		mv "$dir" "$cache/kernels/$release"
	fi
	exec {lock}>&-
}

# Sets config to the file with the kernel's configuration; empty where it cannot be had.
find_config() {
	config=$cache/kernels/$release/config
	case $suite in
	'this machine') config=/boot/config-$release ;;
	'a file') config=$(readlink -f "$image") && config=${config%/arch/*/boot/*}/.config ;;
	*) [ -s "$config" ] || unpack_config ;;
	esac
	[ -s "$config" ] || config=
}

# It is in the image's package, or from 6.19 on in one of its own.
unpack_config() {
	local dir new
	dir=$(mktemp -d "$cache/kernels/$release/config.XXXXXX") || return
	new=$dir/config
	config_in "$cache/kernels/$release/package.deb" >"$new"
	if [ ! -s "$new" ] && (cd "$dir" && lab_apt apt-get -q download "linux-base-$release=$package_version") >"$apt/download.log" 2>&1; then
		config_in "$dir"/*.deb >"$new"
	fi
	[ ! -s "$new" ] || mv "$new" "$config"
	rm -rf "$dir"
}

config_in() { dpkg-deb --fsys-tarfile "$1" | tar -xO --wildcards './boot/config-*' './usr/lib/modules/*/config' 2>/dev/null; }

# The kernel's own modules, which from 6.19 on have packages of their own, under root/ with an index.
unpack_modules() {
	local dir=$cache/kernels/$release new deb
	new=$dir/root.new
	rm -rf "$new"
	mkdir -p "$new/lib"
	cp "$dir/package.deb" "$new/"
	if ! dpkg-deb -c "$new/package.deb" | grep -c '/modules/.*\.ko' >/dev/null; then
		update_index
		(cd "$new" && lab_apt apt-get -q download "linux-modules-$release=$package_version" \
			"linux-base-$release=$package_version") >"$apt/download.log" 2>&1 ||
			fail "$UNAVAILABLE" "linux-modules-$release cannot be downloaded: $(grep -m 1 -E '^(E|Err)' "$apt/download.log")"
	fi
	for deb in "$new"/*.deb; do
		dpkg-deb -x "$deb" "$new" || fail 1 "$deb cannot be unpacked"
	done
	[ ! -d "$new/usr/lib/modules" ] || cp -r "$new/usr/lib/modules" "$new/lib/"
	rm -rf "${new:?}"/*.deb "${new:?}/boot" "${new:?}/usr"
	depmod -b "$new" "$release" || fail 1 "depmod failed for $release"
	rm -rf "$dir/root" && mv "$new" "$dir/root"
}
