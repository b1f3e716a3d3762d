package io.github.loragraph.ort;

import ai.onnxruntime.OrtException;
import io.github.loragraph.error.LoraGraphException;
import java.util.regex.Pattern;

/**
 * Failures of ONNX Runtime in words for its user: its messages name its own sources and functions,
 * and end in a stack of their own.
 */
public final class OrtFailure {
  private static final Pattern CODE = Pattern.compile("Error code - \\w+ - message: ");

  /** {@code [ONNXRuntimeError] : 1 : FAIL : }, where one function hands on what another said. */
  private static final Pattern STATUS = Pattern.compile("\\[ONNXRuntimeError\\] : \\d+ : \\w+ : ");

  /** A place in the sources and the function there, as GCC or as Visual C++ writes it. */
  private static final Pattern SOURCE =
      Pattern.compile(
          "\\S+\\.(?:cc|cpp|h|hpp|cu|cuh):\\d+ "
              + "(?:[^(\\n]*?\\((?:[^()]|\\((?:[^()]|\\([^()]*\\))*\\))*\\)(?:::\\S+)?(?: const)?"
              + "(?: \\[with [^\\]]*\\])?|\\S*::\\S+)\\s*");

  private static final Pattern SPACES = Pattern.compile("\\s+");

  private OrtFailure() {}

  /**
   * An exception for users.
   *
   * @param what could not be done, as the beginning of a line: the reason is added after a colon
   */
  public static LoraGraphException of(String what, OrtException e) {
    return new LoraGraphException(what + ": " + reason(e), e);
  }

  /** The reason alone, in one line. */
  static String reason(OrtException e) {
    String line =
        e.getMessage() == null
            ? ""
            : e.getMessage().lines().filter(l -> !l.isBlank()).findFirst().orElse("");
    for (Pattern noise : new Pattern[] {CODE, STATUS, SOURCE}) {
      line = noise.matcher(line).replaceAll("");
    }
    line = SPACES.matcher(line).replaceAll(" ").strip();
    return line.isEmpty() ? "no reason given" : line;
  }
}
