# shellcheck shell=bash
# Sourced by gpu-check and gpu-bundle: builds what they run, where it is not built or older than its
# sources. Expects $root and a function fail.

# shellcheck disable=SC2154 # of the script that sources this
app=$root/cli/target/app
check=$root/check/target/app
check_built=$check/.built

needs_build() {
  [ -e "$check_built" ] && compgen -G "$app/lora-graph-cli-*.jar" >/dev/null || return 0
  [ -n "$(find "$root"/pom.xml "$root"/*/pom.xml "$root"/*/src/main \
    -newer "$check_built" -print -quit)" ]
}

build_if_needed() {
  needs_build || return 0
  command -v mvn >/dev/null 2>&1 || fail "it is not built, and no Maven was found: install Maven 3.8 or newer"
  printf '%s: building ...\n' "${0##*/}" >&2
  local log=$root/check/target/build.log
  mkdir -p "${log%/*}"
  if ! (cd "$root" && mvn -B -q -pl check -am package -DskipTests) >"$log" 2>&1 </dev/null; then
    grep -m 20 'ERROR' "$log" >&2 || tail -n 20 "$log" >&2
    fail "the build failed; the whole output is in $log"
  fi
  touch "$check_built"
}
