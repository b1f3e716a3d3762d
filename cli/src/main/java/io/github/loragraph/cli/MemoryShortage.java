package io.github.loragraph.cli;

import ai.onnxruntime.OrtException;
import java.io.IOException;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Running out of memory in one line: of which memory, and what to do. */
final class MemoryShortage {
  private static final Pattern BYTES =
      Pattern.compile("(?:of size |size=|allocate |reserve )(\\d+)");

  private static final Pattern NATIVE =
      Pattern.compile(
          "failed to allocate memory|bad_?\\s?alloc|out of memory|cannot allocate"
              + " memory|alloc_failed|not enough (?:memory|space)|insufficient"
              + " (?:memory|resources)|map failed|resource temporarily unavailable",
          Pattern.CASE_INSENSITIVE);

  private static final long LARGEST = 1L << 50;

  private MemoryShortage() {}

  /**
   * What to print; empty if a failure has another cause.
   *
   * @param smaller options of the command that take a number which a smaller one of needs less
   *     memory
   */
  static Optional<String> inOneLine(Throwable failure, List<String> smaller) {
    int depth = 0;
    for (Throwable cause = failure; cause != null && depth < 50; cause = cause.getCause()) {
      String message = String.valueOf(cause.getMessage());
      if (cause instanceof OutOfMemoryError) {
        return Optional.of(line(message, smaller));
      }
      boolean system = cause instanceof OrtException || cause instanceof IOException;
      if (system && NATIVE.matcher(message).find()) {
        return Optional.of(
            "out of memory: the system gave no more%s%s"
                .formatted(size(message), nativeAdvice(smaller)));
      }
      depth++;
    }
    return Optional.empty();
  }

  private static String line(String message, List<String> smaller) {
    if (message.contains("native thread")) {
      return "out of memory: the system gave no more threads: raise the limit of processes"
          + " (ulimit -u, or that of the container), or free memory";
    }
    if (message.contains("direct buffer") || message.contains("Unable to allocate")) {
      return "out of memory: the system gave no more%s%s"
          .formatted(size(message), nativeAdvice(smaller));
    }
    if (message.contains("Map failed")) {
      return "out of memory: the system maps no more files: free memory, or raise the limit of the"
          + " process or container";
    }
    if (message.contains("Metaspace") || message.contains("class space")) {
      return "out of memory: no more room for Java's classes: leave out -XX:MaxMetaspaceSize and"
          + " its like";
    }
    long heap = Runtime.getRuntime().maxMemory() >> 20;
    return "out of memory: Java's heap is full at %,d MB: give it more with".formatted(heap)
        + " %s_JAVA_OPTIONS=-Xmx%sm"
            .formatted(
                // What is given by it goes before the other.
                System.getenv("LORA_GRAPH_JAVA_OPTIONS") == null ? "JDK" : "LORA_GRAPH",
                Math.max(256, 2 * heap))
        + or(smaller);
  }

  private static String or(List<String> smaller) {
    return smaller.isEmpty() ? "" : ", or a smaller " + String.join(" or ", smaller);
  }

  private static String nativeAdvice(List<String> smaller) {
    return smaller.isEmpty()
        ? ": free memory, or raise the limit of the process or container"
        : ": take a smaller %s, or raise the limit of the process or container"
            .formatted(String.join(" or ", smaller));
  }

  private static String size(String message) {
    Matcher matcher = BYTES.matcher(message);
    if (!matcher.find() || matcher.group(1).length() > 18) {
      return "";
    }
    long bytes = Long.parseLong(matcher.group(1));
    return bytes < 1 << 20 || bytes > LARGEST
        ? ""
        : String.format(Locale.ROOT, " (%,d MB were asked for)", bytes >> 20);
  }
}
