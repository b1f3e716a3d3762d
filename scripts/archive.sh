# shellcheck shell=bash
# Sourced by the launchers, the repository's and a bundle's: classes of the program as a Java has them in
# memory, in an archive that a start maps. It takes half of the time without reading them out of the jars.
#
# An archive is of one Java and of the jars where they lie, and a Java may die of one that is cut: a note
# beside it has its size and what it is of. Expects $java, the folder $app of the jars, the array $options
# for Java, and $archives, a folder for archives: without it, or where it cannot be written, none is made.

# Sets $archive, $of, and what is noted, $size and $noted.
read_archive() {
  # shellcheck disable=SC2154 # of the script that sources this
  local file=$java release= note= jar
  case $file in */*) ;; *) file=$(command -v "$file") ;; esac
  file=$(readlink -f "$file" 2>/dev/null || printf '%s' "$file")
  IFS= read -r -d '' release 2>/dev/null <"${file%/bin/java}/release" || true
  # shellcheck disable=SC2154
  archive=$archives/${file//[!A-Za-z0-9.-]/_}.jsa
  # shellcheck disable=SC2154
  of=$app$'\n'$file$'\n'$release
  IFS= read -r -d '' note 2>/dev/null <"$archive.note" || true
  noted=${note#*$'\n'}
  size=${note%%$'\n'*}
  for jar in "$app"/*.jar; do
    if [ "$jar" -nt "$archive.note" ]; then noted=; fi
  done
}

# Also where it is known that there can be none.
is_whole() {
  [ "$noted" = "$of" ] && { [ "$size" = 0 ] || [ "$(wc -c 2>/dev/null <"$archive" || echo 0)" -eq "$size" ]; }
}

make_archive() {
  local part=$archive.$$ bytes
  "$java" -XX:+UseSerialGC -XX:MaxDirectMemorySize=1t -XX:DumpLoadedClassList="$part.classes" -cp "$app/*" \
    io.github.loragraph.cli.Rehearsal >/dev/null 2>&1 </dev/null &&
    "$java" -Xshare:dump -XX:SharedClassListFile="$part.classes" -XX:SharedArchiveFile="$part" -cp "$app/*" \
      >/dev/null 2>&1 </dev/null || rm -f "$part"
  bytes=$(wc -c 2>/dev/null <"$part" || echo 0)
  rm -f "$archive.note" "$part.classes"
  { [ ! -e "$part" ] || mv -f "$part" "$archive"; } && printf '%d\n%s' "$bytes" "$of" >"$archive.note" || true
}

# Makes it where it is not there, and adds it to the options.
use_archive() {
  [ -d "$archives" ] || return 0
  read_archive
  if ! is_whole && [ -w "$archives" ]; then
    printf 'lora-graph: preparing quick starts with this Java, once ...\n' >&2
    if command -v flock >/dev/null 2>&1; then
      exec 9>"$archives/lock"
      flock 9
      read_archive
    fi
    is_whole || make_archive
    exec 9>&-
    read_archive
  fi
  if is_whole && [ "$size" != 0 ]; then
    # Where it does not fit after all, the start is as it was without.
    options+=("-XX:SharedArchiveFile=$archive" -Xlog:cds=off)
  fi
}
