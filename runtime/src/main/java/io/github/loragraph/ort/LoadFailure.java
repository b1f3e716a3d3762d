package io.github.loragraph.ort;

import java.nio.file.Path;
import java.util.Collection;
import org.jspecify.annotations.Nullable;

/** Why a native library cannot be loaded, and what to do. */
final class LoadFailure {
  private LoadFailure() {}

  /** The reason that lies deepest, in one line. */
  static String of(Throwable failure) {
    Throwable cause = failure;
    while (cause.getCause() != null) {
      cause = cause.getCause();
    }
    String message = cause.getMessage() == null ? cause.toString() : cause.getMessage();
    // The JVM and the system's loader both put the file's path first.
    return message.strip().replaceAll("\\s*\\R\\s*", " ").replaceFirst("^(.+: )\\1", "$1");
  }

  /**
   * What to do.
   *
   * @param reason as the system's loader gives it
   * @param folder that the library was unpacked into; null where it was not
   * @param given the properties by which the user names a library
   */
  static String remedy(String reason, @Nullable Path folder, Collection<String> given) {
    if (!given.isEmpty()) {
      return "the library is the one that %s names: name another, or none"
          .formatted(String.join(", ", given));
    }
    if (reason.contains("Cannot allocate memory") || reason.contains("cannot allocate memory")) {
      return "memory is short: free some, or raise the limit of the process or container";
    }
    if (reason.contains("No space left") || reason.contains("quota exceeded")) {
      return "free space in the folder for temporary files, or name another with"
          + " JDK_JAVA_OPTIONS=-Djava.io.tmpdir=FOLDER";
    }
    if (reason.contains("ld-linux") || reason.contains("Error relocating")) {
      return "this system has no glibc, which it is built for: use one that has, Debian or Ubuntu"
          + " for instance, not Alpine";
    }
    if (reason.contains("libstdc++.so") && reason.contains("cannot open shared object")) {
      return "install the C++ library of this system: the package libstdc++6 or libstdc++";
    }
    if (reason.contains("' not found") || reason.contains("version `")) {
      return "this system is older than what it is built for: use a newer release of it";
    }
    if (reason.contains("wrong ELF class")
        || reason.contains("Exec format")
        || reason.contains("Possible cause: ")
        || reason.contains("incompatible architecture")
        || reason.contains("not a valid Win32")) {
      return "it is built for another processor or system than this Java: use a Java for the machine's own";
    }
    if (reason.contains("failed to map segment") || reason.contains("Operation not permitted")) {
      return "the file system of the cache forbids programs: set LORA_GRAPH_CACHE to a folder elsewhere";
    }
    if (reason.contains("Permission denied") || reason.contains("AccessDenied")) {
      return "it may not be read: give this user the rights, or set LORA_GRAPH_CACHE to a folder of its own";
    }
    return folder == null
        ? "the system property onnxruntime.native.path can name a folder with one"
        : "delete %s, which is then made anew".formatted(folder);
  }
}
